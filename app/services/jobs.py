"""Jobs: asked for, found, cancelled, tried again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import (
    BaselineRequired,
    CutoverRequired,
    InvalidRequest,
    InvalidSince,
    JobEnded,
    JobNotEnded,
    JobNotFound,
    KindNotAvailable,
    StreamNotInScope,
)
from app.models import Cursor, Job, JobKind, JobStatus, Migration
from app.models.columns import now
from app.schemas.job import JobIn, JobOut
from app.schemas.paging import Keyset
from app.services import progress
from app.services.lifecycle import record_event, request_cancel, start_next
from app.services.migrations import get_migration
from app.services.transaction import Work
from connectors.records import Stream

log = structlog.get_logger(__name__)

# A caller's clock may run ahead of ours by a little without meaning the future.
_SKEW = timedelta(seconds=30)

_RAN = (JobStatus.SUCCEEDED, JobStatus.COMPLETED_WITH_ERRORS)


async def create_job(work: Work, asked: JobIn) -> JobOut:
    """Queue a job, and start it where none runs.

    Raises `KindNotAvailable`, `InvalidSince`, `MigrationNotFound`, `StreamNotInScope`,
    `BaselineRequired`, `CutoverRequired`.
    """
    kind = _kind(asked)
    migration = await get_migration(work.session, asked.migration, lock=True)
    streams = _streams(asked, migration)
    if _wants_stragglers(asked):
        await last_cutover(work.session, migration)
    if kind is JobKind.RECENT and asked.since is None and not _reads_nothing(asked):
        await _require_baseline(work.session, migration, streams)
    if kind is JobKind.ADOPT and asked.since is None:
        text = "Say with `since` when the other tool began to read the source."
        raise BaselineRequired(text, extra={"streams": streams})
    kept = {"streams", "since", "cutover", "options"} | ({"dry_run"} if asked.dry_run else set())
    params = asked.model_dump(mode="json", include=kept, exclude_none=True)
    if _wants_stragglers(asked):
        params["streams"] = streams
    return await add_job(work, migration, kind, params)


async def last_cutover(session: AsyncSession, migration: Migration) -> Job:
    """The latest cutover that ran to its end. Raises `CutoverRequired`."""
    job = (
        await session.exec(
            select(Job)
            .where(Job.migration_id == migration.id, Job.kind == JobKind.RECENT)
            .where(col(Job.params)["cutover"].as_boolean())
            .where(col(Job.status).in_(_RAN))
            .order_by(col(Job.started_at).desc())
            .limit(1)
        )
    ).first()
    if job is None:
        raise CutoverRequired("Run a job of kind `recent` with `cutover` first.")
    return job


def require_possible(asked: JobIn, migration: Migration) -> None:
    """Whether a job like this could be asked for some time. Raises `KindNotAvailable`,
    `InvalidRequest`, `StreamNotInScope`.
    """
    _kind(asked)
    _streams(asked, migration)


async def add_job(
    work: Work,
    migration: Migration,
    kind: JobKind,
    params: dict[str, Any],
    *,
    retry_of: UUID | None = None,
) -> JobOut:
    """Add a job to a migration that this transaction has locked."""
    job = Job(migration_id=migration.id, kind=kind, params=params, retry_of=retry_of)
    work.session.add(job)
    connection = await work.connection()
    await record_event(connection, job.id, "job.created", {"kind": str(kind)})
    work.wakes.extend(await start_next(connection, migration.id))
    await work.session.refresh(job)
    structlog.contextvars.bind_contextvars(job_id=str(job.id), migration=migration.slug)
    log.info("job.created", kind=str(kind), status=job.status)
    return await show_job(work.session, job.id)


async def show_job(session: AsyncSession, job_id: UUID) -> JobOut:
    """Raises `JobNotFound`."""
    job = await session.get(Job, job_id, populate_existing=True)
    if job is None:
        raise JobNotFound
    return (await progress.shown(session, [job]))[0]


async def list_jobs(
    session: AsyncSession,
    page: Keyset,
    *,
    migration: str | None,
    kind: str | None,
    status: Sequence[JobStatus],
) -> list[Job]:
    """Jobs, newest first, one more than the page holds. Raises `MigrationNotFound`."""
    query = select(Job)
    if migration is not None:
        query = query.where(Job.migration_id == (await get_migration(session, migration)).id)
    if kind is not None:
        query = query.where(Job.kind == kind)
    if status:
        query = query.where(col(Job.status).in_(status))
    return list(await session.exec(page.apply(query, col(Job.created_at), col(Job.id))))


async def cancel_job(work: Work, job_id: UUID) -> JobOut:
    """Ask a job to stop. Asking twice is harmless. Raises `JobNotFound`, `JobEnded`."""
    job = await work.session.get(Job, job_id)
    if job is None:
        raise JobNotFound
    if job.status == JobStatus.QUEUED:
        # Whoever starts the next job must not pick this one while it is being cancelled: it would
        # find nothing to start, although another one may wait behind it.
        await get_migration(work.session, str(job.migration_id), lock=True)
    status = await request_cancel(await work.connection(), job_id)
    if status is not None and status.ended and status is not JobStatus.CANCELLED:
        raise JobEnded
    return await show_job(work.session, job_id)


async def retry_job(work: Work, job_id: UUID) -> JobOut:
    """A new job that asks the same. Raises `JobNotFound`, `JobNotEnded`."""
    job = await work.session.get(Job, job_id)
    if job is None:
        raise JobNotFound
    migration = await get_migration(work.session, str(job.migration_id), lock=True)
    await work.session.refresh(job)
    if not JobStatus(job.status).ended:
        raise JobNotEnded
    return await add_job(work, migration, JobKind(job.kind), job.params, retry_of=job.id)


def _kind(asked: JobIn) -> JobKind:
    try:
        kind = JobKind(asked.kind)
    except ValueError:
        there = ", ".join(JobKind)
        raise KindNotAvailable.at("/kind", f"Available are: {there}.") from None
    _refuse_foreign_members(kind, asked)
    if _wants_stragglers(asked):
        _refuse_beside_stragglers(asked)
    if asked.since is not None and asked.since > now() + _SKEW:
        raise InvalidSince.at("/since", "This moment lies in the future.")
    return kind


_ONLY_FOR: Mapping[str, tuple[JobKind, ...]] = {
    "/since": (JobKind.RECENT, JobKind.ADOPT, JobKind.VERIFY),
    "/cutover": (JobKind.RECENT,),
    "/dry_run": (JobKind.DEMO,),
    "/options/only": (JobKind.RECENT,),
    "/options/ids": (JobKind.RECENT,),
    "/options/release_brake": (JobKind.FULL, JobKind.RECENT),
    "/options/stragglers": (JobKind.RECENT,),
    "/options/checks": (JobKind.VERIFY,),
    "/options/canary": (JobKind.VERIFY,),
    "/options/sample": (JobKind.VERIFY,),
    "/options/seed": (JobKind.DEMO, JobKind.VERIFY),
    "/options/size": (JobKind.DEMO,),
    "/options/id_fields": (JobKind.ADOPT,),
}
"""Which kinds of job take what not all of them take."""


def _refuse_foreign_members(kind: JobKind, asked: JobIn) -> None:
    options = asked.options.model_dump() if asked.options is not None else {}
    given = {
        "/since": asked.since,
        "/cutover": asked.cutover or None,
        "/dry_run": asked.dry_run or None,
        **{f"/options/{name}": value for name, value in options.items()},
    }
    places = []
    for pointer, value in given.items():
        kinds = _ONLY_FOR.get(pointer, (kind,))
        if value is not None and kind not in kinds:
            named = " or ".join(f"`{each}`" for each in kinds)
            detail = f"Only a job of kind {named} takes this."
            places.append({"pointer": pointer, "detail": detail})
    if places:
        raise InvalidRequest(errors=places)


def _wants_stragglers(asked: JobIn) -> bool:
    return bool(asked.options and asked.options.stragglers)


def _refuse_beside_stragglers(asked: JobIn) -> None:
    """Late orders are read on from where the cutover left off, and nothing but them."""
    options = asked.options
    others = options is not None and bool(options.only or options.ids or options.release_brake)
    given = {
        "since": asked.since is not None,
        "cutover": asked.cutover,
        "options": others,
        "streams": asked.streams not in (None, [Stream.ORDERS]),
    }
    places = [
        {"pointer": f"/{name}", "detail": "A job for stragglers does not take this."}
        for name, there in given.items()
        if there
    ]
    if places:
        raise InvalidRequest(errors=places)


def _streams(asked: JobIn, migration: Migration) -> list[str]:
    if _wants_stragglers(asked):
        if Stream.ORDERS not in migration.streams:
            raise StreamNotInScope.at("/options/stragglers", "Orders are not in scope.")
        return [str(Stream.ORDERS)]
    outside = [each for each in asked.streams or [] if each not in migration.streams]
    if outside:
        scope = ", ".join(migration.streams)
        raise StreamNotInScope.at("/streams", f"In scope are: {scope}.")
    return [str(each) for each in asked.streams or migration.streams]


def _reads_nothing(asked: JobIn) -> bool:
    return asked.options is not None and asked.options.only is not None


async def _require_baseline(
    session: AsyncSession, migration: Migration, streams: Sequence[str]
) -> None:
    known = set(
        await session.exec(select(Cursor.stream).where(Cursor.migration_id == migration.id))
    )
    missing = [stream for stream in Stream if stream in streams and stream not in known]
    if missing:
        raise BaselineRequired(
            "Run a job of kind `full` first, or `adopt` what another tool has brought over, or say "
            "from when to read: with `since`, on the command line `--since`.",
            extra={"streams": missing},
        )
