from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from app import errors
from app.routes.answers import created, refusals
from app.routes.dependencies import (
    Cursor,
    Limit,
    OneAnswer,
    OneTransaction,
    Reader,
    Runner,
)
from app.routes.guard import GuardedRoute
from app.schemas.paging import Keyset
from app.schemas.schedule import (
    ScheduleIn,
    ScheduleOut,
    SchedulePage,
    SchedulePatch,
    ScheduleRunOut,
    ScheduleRunPage,
)
from app.schemas.values import Slug
from app.services import schedules
from app.services.idempotency import Made
from app.services.transaction import Work

router = APIRouter(prefix="/v1/schedules", tags=["schedules"], route_class=GuardedRoute)
ScheduleInPath = Annotated[UUID, Path(examples=["3b8f2a60-9f44-4a9b-8a55-6f0c1f5d7e21"])]
_UNFIT = (
    errors.InvalidSchedule,
    errors.ScheduleExists,
    errors.KindNotAvailable,
    errors.StreamNotInScope,
)


@router.post(
    "",
    status_code=201,
    response_model=ScheduleOut,
    summary="Make a schedule",
    responses=refusals(errors.MigrationNotFound, *_UNFIT),
)
async def create(_: Runner, asked: ScheduleIn, once: OneAnswer) -> Response:
    """From now on the workers start its jobs. An interval begins at once, or at `starts_at`."""

    async def make(work: Work) -> Made:
        made = await schedules.create_schedule(work, asked)
        return made, {"Location": f"/v1/schedules/{made.id}"}

    return created(await once.run(201, make))


@router.get(
    "", summary="List schedules", responses=refusals(errors.MigrationNotFound, errors.BadCursor)
)
async def index(
    *,
    _: Reader,
    work: OneTransaction,
    migration: Annotated[Slug | None, Query(description="Slug or id.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> SchedulePage:
    """Oldest first, with their next ticks."""
    page = Keyset.parse(cursor, limit, datetime, UUID)
    found = await schedules.list_schedules(work.session, page, migration)
    kept, following = page.cut(found, lambda schedule: [schedule.created_at, schedule.id])
    return SchedulePage(items=await schedules.shown(work.session, kept), next=following)


@router.get("/{schedule}", summary="Get a schedule", responses=refusals(errors.ScheduleNotFound))
async def show(_: Reader, schedule: ScheduleInPath, work: OneTransaction) -> ScheduleOut:
    """With its next ticks."""
    found = await schedules.get_schedule(work.session, schedule)
    return (await schedules.shown(work.session, [found]))[0]


@router.patch(
    "/{schedule}",
    summary="Change, pause or resume a schedule",
    responses=refusals(errors.ScheduleNotFound, *_UNFIT),
)
async def change(
    _: Runner, schedule: ScheduleInPath, asked: SchedulePatch, work: OneTransaction
) -> ScheduleOut:
    """No change makes up for ticks that have passed."""
    return await schedules.change_schedule(work, schedule, asked)


@router.delete(
    "/{schedule}",
    status_code=204,
    summary="Delete a schedule",
    responses=refusals(errors.ScheduleNotFound),
)
async def delete(_: Runner, schedule: ScheduleInPath, work: OneTransaction) -> None:
    """The jobs that it made stay."""
    await schedules.delete_schedule(work.session, schedule)


@router.get(
    "/{schedule}/runs",
    summary="List what became of a schedule's ticks",
    responses=refusals(errors.ScheduleNotFound, errors.BadCursor),
)
async def runs(
    *,
    _: Reader,
    schedule: ScheduleInPath,
    work: OneTransaction,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ScheduleRunPage:
    """Newest first: the job, or why there is none."""
    page = Keyset.parse(cursor, limit, datetime, newest_first=True)
    found = await schedules.list_runs(work.session, schedule, page)
    kept, following = page.cut(found, lambda run: [run.tick_at])
    items = [ScheduleRunOut.model_validate(each) for each in kept]
    return ScheduleRunPage(items=items, next=following)
