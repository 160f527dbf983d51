"""Schedules: kept, told, and asked for the job of a tick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import InvalidSchedule, Problem, ScheduleExists, ScheduleNotFound
from app.models import (
    Job,
    JobKind,
    JobStatus,
    Migration,
    Overlap,
    Schedule,
    ScheduleRun,
    TickOutcome,
)
from app.models.columns import now
from app.schemas.job import JobIn
from app.schemas.paging import Keyset
from app.schemas.schedule import (
    NextTick,
    ScheduledJob,
    ScheduleIn,
    ScheduleOut,
    SchedulePatch,
    ScheduleRunOut,
)
from app.services import jobs
from app.services.migrations import UNFINISHED, get_migration
from app.services.rhythm import Due, check_cron, rhythm_of
from app.services.transaction import Work

log = structlog.get_logger(__name__)

_SHOWN_TICKS = 5
_MOMENTS = ("cron", "every", "starts_at", "until", "final_at")


async def create_schedule(work: Work, asked: ScheduleIn) -> ScheduleOut:
    """Raises `MigrationNotFound`, `ScheduleExists`, `InvalidSchedule`, and what a job that cannot
    be asked for raises.
    """
    migration = await get_migration(work.session, asked.migration, lock=True)
    made = now()
    schedule = Schedule(
        migration_id=migration.id,
        name=asked.name,
        job=_job(asked.job, migration),
        cron=asked.cron,
        timezone=asked.timezone,
        every=asked.every,
        starts_at=asked.starts_at,
        until=asked.until,
        final_at=asked.final_at,
        overlap=asked.overlap,
        # An interval ticks first when it is made, just later than this.
        handled_until=made - timedelta(microseconds=1),
        created_at=made,
        updated_at=made,
    )
    _validate(schedule)
    work.session.add(schedule)
    await _flush(work.session)
    return (await shown(work.session, [schedule]))[0]


async def get_schedule(session: AsyncSession, schedule_id: UUID) -> Schedule:
    """Raises `ScheduleNotFound`."""
    schedule = await session.get(Schedule, schedule_id)
    if schedule is None:
        raise ScheduleNotFound
    return schedule


async def list_schedules(
    session: AsyncSession, page: Keyset, migration: str | None
) -> list[Schedule]:
    """Schedules, oldest first, one more than the page holds. Raises `MigrationNotFound`."""
    query = select(Schedule)
    if migration is not None:
        query = query.where(Schedule.migration_id == (await get_migration(session, migration)).id)
    query = page.apply(query, col(Schedule.created_at), col(Schedule.id))
    return list(await session.exec(query))


async def list_runs(session: AsyncSession, schedule_id: UUID, page: Keyset) -> list[ScheduleRun]:
    """What became of ticks, newest first. Raises `ScheduleNotFound`."""
    await get_schedule(session, schedule_id)
    query = select(ScheduleRun).where(ScheduleRun.schedule_id == schedule_id)
    return list(await session.exec(page.apply(query, col(ScheduleRun.tick_at))))


async def change_schedule(work: Work, schedule_id: UUID, asked: SchedulePatch) -> ScheduleOut:
    """Ticks that lie behind are never made up for by a change. Raises as `create_schedule`."""
    schedule = await get_schedule(work.session, schedule_id)
    migration = await get_migration(work.session, str(schedule.migration_id), lock=True)
    await work.session.refresh(schedule)
    given = asked.model_fields_set
    for name in _MOMENTS:
        if name in given:
            setattr(schedule, name, getattr(asked, name))
    if asked.cron is not None:
        schedule.every = asked.every
    elif asked.every is not None:
        schedule.cron = None
    schedule.name = asked.name or schedule.name
    schedule.timezone = asked.timezone or schedule.timezone
    schedule.overlap = asked.overlap or schedule.overlap
    if asked.job is not None:
        schedule.job = _job(asked.job, migration)
    if asked.paused is not None:
        schedule.paused_at = (schedule.paused_at or now()) if asked.paused else None
    _validate(schedule)
    if given & {*_MOMENTS, "timezone"} or asked.paused is False:
        schedule.handled_until = max(schedule.handled_until, now())
    schedule.updated_at = now()
    await _flush(work.session)
    return (await shown(work.session, [schedule]))[0]


async def delete_schedule(session: AsyncSession, schedule_id: UUID) -> None:
    """Its jobs stay. Raises `ScheduleNotFound`."""
    await session.delete(await get_schedule(session, schedule_id))


def _validate(schedule: Schedule) -> None:
    if (schedule.cron is None) == (schedule.every is None):
        raise InvalidSchedule.at("/every", "Give either `cron` or `every`.")
    if schedule.cron is not None:
        try:
            check_cron(schedule.cron, ZoneInfo(schedule.timezone))
        except ValueError as error:
            raise InvalidSchedule.at("/cron", str(error)) from None


def _job(asked: ScheduledJob, migration: Migration) -> dict[str, Any]:
    """The job as it is kept. Raises what a job that cannot be asked for raises."""
    kept = asked.model_dump(mode="json", exclude_none=True)
    jobs.require_possible(_request(kept, migration), migration)
    return kept


def _final(job: dict[str, Any]) -> dict[str, Any]:
    """The cutover after the last of these jobs: of the same streams, and whole. What else was asked
    is for another kind of job, or has a run read less.
    """
    final = {"kind": JobKind.RECENT, "cutover": True}
    kept = ("streams", "since") if job["kind"] == JobKind.RECENT else ("streams",)
    final |= {member: job[member] for member in kept if member in job}
    if job.get("options", {}).get("release_brake"):
        final["options"] = {"release_brake": True}
    return final


def _request(job: dict[str, Any], migration: Migration) -> JobIn:
    return JobIn.model_validate({**job, "migration": migration.slug})


async def _flush(session: AsyncSession) -> None:
    try:
        await session.flush()
    except IntegrityError:
        raise ScheduleExists.at("/name", "Choose another name.") from None


# --- what is told ------------------------------------------------------------------------------


async def shown(session: AsyncSession, schedules: Sequence[Schedule]) -> list[ScheduleOut]:
    """What is told of schedules."""
    ids = {each.migration_id for each in schedules}
    found = await session.exec(select(Migration).where(col(Migration.id).in_(ids)))
    migrations = {each.id: each for each in found}
    latest = await session.exec(
        select(ScheduleRun)
        .where(col(ScheduleRun.schedule_id).in_([each.id for each in schedules]))
        .ext(distinct_on(col(ScheduleRun.schedule_id)))
        .order_by(col(ScheduleRun.schedule_id), col(ScheduleRun.id).desc())
    )
    runs = {each.schedule_id: each for each in latest}
    return [_shown(each, migrations[each.migration_id], runs.get(each.id)) for each in schedules]


def _shown(schedule: Schedule, migration: Migration, last: ScheduleRun | None) -> ScheduleOut:
    rhythm = rhythm_of(schedule, migration.launch_at)
    ticks = [] if rhythm is None else rhythm.ticks(schedule.handled_until)
    following = [NextTick(at=each.at, final=each.final) for each in islice(ticks, _SHOWN_TICKS)]
    if schedule.paused_at is not None:
        state = "paused"
    elif rhythm is None:
        state = "waiting_for_launch"
    else:
        state = "active" if following else "ended"
    return ScheduleOut(
        **schedule.model_dump(exclude={"migration_id", "handled_until"}),
        migration=migration.slug,
        state=state,
        next=following if schedule.paused_at is None else [],
        last=None if last is None else ScheduleRunOut.model_validate(last),
    )


# --- ticks -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Refusal:
    outcome: TickOutcome
    reason: str
    message: str


async def take_tick(work: Work, schedule_id: UUID, at: datetime) -> ScheduleRun | None:
    """Deal with the tick that is due at a moment, if one is; whoever comes second finds none.

    The migration is locked: neither two workers nor a caller decide about its jobs at once.
    """
    session = work.session
    schedule = await session.get(Schedule, schedule_id)
    if schedule is None:
        return None
    migration = await get_migration(session, str(schedule.migration_id), lock=True)
    await session.refresh(schedule)
    rhythm = rhythm_of(schedule, migration.launch_at)
    if schedule.paused_at is not None or rhythm is None:
        return None
    due = rhythm.due(schedule.handled_until, at)
    if due is None:
        return None
    schedule.handled_until = due.tick.at
    run = ScheduleRun(
        schedule_id=schedule.id,
        tick_at=due.tick.at,
        final=due.tick.final,
        missed=due.missed,
        outcome=TickOutcome.SKIPPED,
        at=at,
    )
    refusal = await _reason_to_skip(session, schedule, migration, due, at)
    if refusal is None:
        refusal = await _start(work, schedule, migration, run)
    if refusal is not None:
        run.outcome, run.reason, run.message = refusal.outcome, refusal.reason, refusal.message
    session.add(run)
    await session.flush()
    log.info("schedule.tick", schedule_id=str(schedule.id), outcome=run.outcome, why=run.reason)
    return run


async def _reason_to_skip(
    session: AsyncSession, schedule: Schedule, migration: Migration, due: Due, at: datetime
) -> _Refusal | None:
    launch = migration.launch_at
    if launch is not None and due.tick.at < launch <= at:
        # What was meant for the old shop's last minutes must not surprise the new one.
        return _skipped("launch_passed", "It was due before the launch, which has passed.")
    unfinished = (
        await session.exec(
            select(Job.id)
            .where(Job.migration_id == migration.id, col(Job.status).in_(UNFINISHED))
            .limit(1)
        )
    ).first()
    if unfinished is None or due.tick.final:
        return None
    if schedule.overlap == Overlap.SKIP:
        return _skipped("job_running", "A job of the migration had not ended.")
    waiting = (
        await session.exec(
            select(Job.id)
            .join(ScheduleRun, col(ScheduleRun.job_id) == col(Job.id))
            .where(ScheduleRun.schedule_id == schedule.id, Job.status == JobStatus.QUEUED)
            .limit(1)
        )
    ).first()
    if waiting is not None:
        return _skipped("already_queued", "A job of this schedule was waiting already.")
    return None


def _skipped(reason: str, message: str) -> _Refusal:
    return _Refusal(TickOutcome.SKIPPED, reason, message)


async def _start(
    work: Work, schedule: Schedule, migration: Migration, run: ScheduleRun
) -> _Refusal | None:
    asked = _final(schedule.job) if run.final else schedule.job
    try:
        # What a refused job may have written is undone; that it was refused stays.
        async with work.session.begin_nested():
            job = await jobs.create_job(work, _request(asked, migration))
    except Problem as problem:
        return _Refusal(TickOutcome.REFUSED, problem.code, problem.detail)
    running = job.status == JobStatus.RUNNING
    run.job_id, run.outcome = job.id, TickOutcome.STARTED if running else TickOutcome.QUEUED
    return None
