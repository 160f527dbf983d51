from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from app import errors
from app.models import QuarantineStatus
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
from app.schemas.ledger import QuarantineOut, QuarantinePage, RetryIn, WaiveIn
from app.schemas.paging import Keyset
from app.schemas.values import RecordId
from app.services import ledger
from app.services.idempotency import Made
from app.services.transaction import Work
from connectors.records import Stream

router = APIRouter(
    prefix="/v1/migrations/{migration}/quarantine", tags=["quarantine"], route_class=GuardedRoute
)
ItemInPath = Annotated[UUID, Path(examples=["e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44"])]


@router.get(
    "", summary="List quarantine", responses=refusals(errors.MigrationNotFound, errors.BadCursor)
)
async def index(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    stream: Annotated[list[Stream] | None, Query()] = None,
    status: Annotated[list[QuarantineStatus] | None, Query()] = None,
    code: Annotated[RecordId | None, Query(description="Only those with this reason.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> QuarantinePage:
    """Records that could not be applied, oldest first."""
    page = Keyset.parse(cursor, limit, datetime, UUID)
    found = await ledger.list_quarantine(
        work.session, migration, page, streams=stream or [], status=status or [], code=code
    )
    kept, following = page.cut(found, lambda item: [item.first_at, item.id])
    items = [QuarantineOut.model_validate(each) for each in kept]
    return QuarantinePage(items=items, next=following)


@router.post(
    "/retry",
    status_code=202,
    response_model=JobOut,
    summary="Retry quarantine",
    responses=refusals(errors.MigrationNotFound, errors.NothingToRetry, errors.StreamNotInScope),
)
async def retry_open(
    _: Runner, migration: MigrationInPath, once: OneAnswer, asked: RetryIn | None = None
) -> Response:
    """A job that tries all open records again, or those of some streams, and reads nothing else."""

    async def make(work: Work) -> Made:
        return accepted(await ledger.retry_open(work, migration, asked or RetryIn()))

    return created(await once.run(202, make))


@router.get(
    "/{item:uuid}",
    summary="Get a record in quarantine",
    responses=refusals(errors.MigrationNotFound, errors.QuarantineNotFound),
)
async def show(
    _: Reader, migration: MigrationInPath, item: ItemInPath, work: OneTransaction
) -> QuarantineOut:
    """Why it could not be applied, and what became of it."""
    return QuarantineOut.model_validate(await ledger.get_quarantine(work.session, migration, item))


@router.post(
    "/{item:uuid}/retry",
    status_code=202,
    response_model=JobOut,
    summary="Retry a record",
    responses=refusals(
        errors.MigrationNotFound, errors.QuarantineNotFound, errors.QuarantineNotOpen
    ),
)
async def retry(
    _: Runner, migration: MigrationInPath, item: ItemInPath, once: OneAnswer
) -> Response:
    """A job that tries this record again."""

    async def make(work: Work) -> Made:
        return accepted(await ledger.retry_one(work, migration, item))

    return created(await once.run(202, make))


@router.post(
    "/{item:uuid}/waive",
    summary="Waive a record",
    responses=refusals(
        errors.MigrationNotFound, errors.QuarantineNotFound, errors.QuarantineNotOpen
    ),
)
async def waive(
    *,
    caller: Runner,
    migration: MigrationInPath,
    item: ItemInPath,
    asked: WaiveIn,
    work: OneTransaction,
) -> QuarantineOut:
    """Leave it alone as long as its content stays what it is. Who waived it, and why, is kept."""
    waived = await ledger.waive(work.session, migration, item, caller, asked.reason)
    return QuarantineOut.model_validate(waived)
