"""Removals of a migration."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from app import errors
from app.models import RemovalStatus
from app.routes.answers import accepted, created, refusals
from app.routes.dependencies import (
    Cursor,
    Limit,
    MigrationInPath,
    OneAnswer,
    OneTransaction,
    Reader,
    Runner,
)
from app.routes.guard import GuardedRoute
from app.schemas.job import JobOut
from app.schemas.paging import Keyset
from app.schemas.removal import RemovalOut, RemovalPage
from app.services import removals
from app.services.idempotency import Made
from app.services.transaction import Work
from connectors.base import Action
from connectors.records import Stream

router = APIRouter(
    prefix="/v1/migrations/{migration}/removals", tags=["removals"], route_class=GuardedRoute
)
ItemInPath = Annotated[UUID, Path(examples=["b1d6f0a4-6f0e-4f38-9f8e-7a2f8f0e5d21"])]


@router.get(
    "", summary="List removals", responses=refusals(errors.MigrationNotFound, errors.BadCursor)
)
async def index(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    stream: Annotated[list[Stream] | None, Query()] = None,
    status: Annotated[list[RemovalStatus] | None, Query()] = None,
    action: Annotated[list[Action] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RemovalPage:
    """Records that are gone from the source, and what was done on the target, oldest first."""
    page = Keyset.parse(cursor, limit, datetime, UUID)
    found = await removals.list_removals(
        work.session,
        migration,
        page,
        streams=stream or [],
        status=status or [],
        actions=action or [],
    )
    kept, following = page.cut(found, lambda item: [item.at, item.id])
    return RemovalPage(items=[RemovalOut.model_validate(each) for each in kept], next=following)


@router.get(
    "/{item:uuid}",
    summary="Get a removal",
    responses=refusals(errors.MigrationNotFound, errors.RemovalNotFound),
)
async def show(
    _: Reader, migration: MigrationInPath, item: ItemInPath, work: OneTransaction
) -> RemovalOut:
    """What proves that the record is gone, and what became of it."""
    return RemovalOut.model_validate(await removals.get_removal(work.session, migration, item))


@router.post(
    "/{item:uuid}/undo",
    status_code=202,
    response_model=JobOut,
    summary="Undo a removal",
    responses=refusals(errors.MigrationNotFound, errors.RemovalNotFound, errors.RemovalNotUndoable),
)
async def undo(
    caller: Runner, migration: MigrationInPath, item: ItemInPath, once: OneAnswer
) -> Response:
    """A job that brings the record back on the target. No later run removes it again, unless the
    record was seen at the source once more and is gone again.
    """

    async def make(work: Work) -> Made:
        return accepted(await removals.undo(work, migration, item, caller))

    return created(await once.run(202, make))
