from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from app import errors
from app.models import ConflictStatus
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
from app.schemas.conflict import (
    ApplyIn,
    ConflictCounts,
    ConflictOut,
    ConflictPage,
    SettledOut,
    SettleIn,
    SettleManyIn,
)
from app.schemas.job import JobOut
from app.schemas.paging import Keyset
from app.schemas.values import RecordId
from app.services import conflicts
from app.services.conflicts import Filter, shown
from app.services.idempotency import Made
from app.services.transaction import Work
from connectors.records import Stream

router = APIRouter(
    prefix="/v1/migrations/{migration}/conflicts", tags=["conflicts"], route_class=GuardedRoute
)
ItemInPath = Annotated[UUID, Path(examples=["e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44"])]


@router.get(
    "", summary="List conflicts", responses=refusals(errors.MigrationNotFound, errors.BadCursor)
)
async def index(
    *,
    caller: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    stream: Annotated[list[Stream] | None, Query()] = None,
    status: Annotated[list[ConflictStatus] | None, Query()] = None,
    field: Annotated[RecordId | None, Query(description="Only of this field.")] = None,
    source_id: Annotated[RecordId | None, Query(description="Only of this record.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ConflictPage:
    """Fields that were changed on both sides, oldest first."""
    page = Keyset.parse(cursor, limit, datetime, UUID)
    chosen = Filter(stream or (), status or (), field, source_id)
    found = await conflicts.list_conflicts(work.session, migration, page, chosen)
    kept, following = page.cut(found, lambda item: [item.first_at, item.id])
    items = [shown(each, caller, work.resources.vault) for each in kept]
    return ConflictPage(items=items, next=following)


@router.get("/summary", summary="Count conflicts", responses=refusals(errors.MigrationNotFound))
async def summary(
    *,
    _: Reader,
    migration: MigrationInPath,
    work: OneTransaction,
    stream: Annotated[list[Stream] | None, Query()] = None,
    field: Annotated[RecordId | None, Query(description="Only of this field.")] = None,
    source_id: Annotated[RecordId | None, Query(description="Only of this record.")] = None,
) -> ConflictCounts:
    """How many are open, put off and settled, and how many of these by policy."""
    chosen = Filter(stream or (), (), field, source_id)
    return await conflicts.count_conflicts(work.session, migration, chosen)


@router.post(
    "/settle", summary="Settle conflicts alike", responses=refusals(errors.MigrationNotFound)
)
async def settle_many(
    *, caller: Runner, migration: MigrationInPath, asked: SettleManyIn, work: OneTransaction
) -> SettledOut:
    """All that fit, except where the source's value is on the target already."""
    count = await conflicts.settle_many(work.session, migration, caller, asked)
    return SettledOut(settled=count)


@router.post(
    "/apply",
    status_code=202,
    response_model=JobOut,
    summary="Carry settled conflicts out",
    responses=refusals(errors.MigrationNotFound, errors.NothingToApply, errors.StreamNotInScope),
)
async def apply(
    _: Runner, migration: MigrationInPath, once: OneAnswer, asked: ApplyIn | None = None
) -> Response:
    """A job that writes the source's values that were chosen, and reads nothing else. Any other
    job does so as well.
    """

    async def make(work: Work) -> Made:
        return accepted(await conflicts.apply(work, migration, asked or ApplyIn()))

    return created(await once.run(202, make))


@router.get(
    "/{item:uuid}",
    summary="Get a conflict",
    responses=refusals(errors.MigrationNotFound, errors.ConflictNotFound),
)
async def show(
    caller: Reader, migration: MigrationInPath, item: ItemInPath, work: OneTransaction
) -> ConflictOut:
    """The values on both sides, and what is decided."""
    found = await conflicts.get_conflict(work.session, migration, item)
    return shown(found, caller, work.resources.vault)


@router.post(
    "/{item:uuid}/settle",
    summary="Settle a conflict",
    responses=refusals(errors.MigrationNotFound, errors.ConflictNotFound, errors.ConflictApplied),
)
async def settle(
    *,
    caller: Runner,
    migration: MigrationInPath,
    item: ItemInPath,
    asked: SettleIn,
    work: OneTransaction,
) -> ConflictOut:
    """Whose value stays. Who decided, and why, is kept; the same two values never ask again."""
    found = await conflicts.settle(work.session, migration, item, caller, asked)
    return shown(found, caller, work.resources.vault)
