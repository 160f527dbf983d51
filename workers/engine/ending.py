"""How a job ends: what is said of it as a whole, and its final status."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import JobKind, JobStatus
from app.queue import Wake
from app.services.lifecycle import record_event, start_next
from connectors.records import Stream
from workers.engine import intents, samples, sightings, silence
from workers.engine.attempts import CREATE_UNCONFIRMED
from workers.engine.leases import Held
from workers.engine.progress import JobRow, fail_job, lock_job, put_down, set_error


async def _suspect_empty_source(connection: AsyncConnection, job: JobRow) -> None:
    """A shop without a single record is more likely the wrong shop than a new one."""
    read = await connection.execute(
        text(
            "SELECT coalesce(sum(coalesce((counters->>'read')::int, 0)), 0)"
            " FROM slices WHERE job_id = :job"
        ),
        {"job": job.id},
    )
    if not read.scalar_one():
        await set_error(
            connection,
            job.id,
            "source_empty",
            "the source has not a single record in these streams: is it the right shop?",
        )


async def _tell_unconfirmed(connection: AsyncConnection, job: JobRow, streams: list[str]) -> None:
    """As long as nobody knows whether a record was made, all is not well."""
    number = await intents.count(connection, job.migration_id, streams)
    if number:
        await set_error(
            connection,
            job.id,
            CREATE_UNCONFIRMED,
            f"{number} records may be on the target without our knowing: the next run looks",
        )


async def _is_anything_left(connection: AsyncConnection, job: JobRow, streams: list[str]) -> bool:
    """Whether records are not right: all of the streams', or of a demo those of its sample."""
    if job.kind == JobKind.VERIFY:
        # Its own error says what is wrong.
        return False
    if job.kind == JobKind.DEMO:
        return await samples.any_refused(connection, job.id)
    found = await connection.execute(
        text(
            "SELECT EXISTS (SELECT FROM quarantine WHERE migration_id = :migration"
            " AND status = 'open' AND stream = ANY(CAST(:streams AS text[])))"
        ),
        {"migration": job.migration_id, "streams": streams},
    )
    return bool(found.scalar_one())


async def in_scope(connection: AsyncConnection, migration: UUID) -> tuple[Stream, ...]:
    """The migration's streams, also where its stores cannot be opened."""
    found = await connection.execute(
        text("SELECT streams FROM migrations WHERE id = :id"), {"id": migration}
    )
    streams = found.scalar_one()
    return tuple(each for each in Stream if each in streams)


_STAYS_MUTED = "the target's mails stay off until the next job that writes there has ended"
_ADD_TO_ERROR = text(
    "UPDATE jobs SET error = jsonb_set(error, '{message}',"
    " to_jsonb(concat(error->>'message', '; ', CAST(:more AS text)))) WHERE id = :id"
)


async def end_unfinished(
    connection: AsyncConnection, held: Held, code: str, message: str
) -> list[Wake]:
    """End a job whose last stage failed for good, and say what it leaves undone."""
    await fail_job(connection, held.job_id, code, message)
    if await silence.is_muted_for(connection, held.job_id):
        await connection.execute(_ADD_TO_ERROR, {"id": held.job_id, "more": _STAYS_MUTED})
    return await end_job(connection, held.job_id, await in_scope(connection, held.migration_id))


async def end_job(
    connection: AsyncConnection, job_id: UUID, scope: tuple[Stream, ...]
) -> list[Wake]:
    """The last act: the final status, and the next waiting job of the migration."""
    job = await lock_job(connection, job_id)
    order = job.order(scope)
    streams = [str(each) for each in order.streams]
    if job.ending is None and not job.cancelling and order.reads_everything:
        await _suspect_empty_source(connection, job)
        job = await lock_job(connection, job_id)
    if job.ending is None and not job.cancelling and order.writes:
        await _tell_unconfirmed(connection, job, streams)
        job = await lock_job(connection, job_id)
    left = await _is_anything_left(connection, job, streams)
    if job.ending:
        status = JobStatus(job.ending)
    elif job.cancelling:
        status = JobStatus.CANCELLED
    elif job.error or left:
        status = JobStatus.COMPLETED_WITH_ERRORS
    else:
        status = JobStatus.SUCCEEDED
    await connection.execute(
        text("UPDATE jobs SET status = :status, finished_at = clock_timestamp() WHERE id = :id"),
        {"id": job.id, "status": status},
    )
    await put_down(connection, job=job.id)
    await sightings.forget(connection, job.id)
    await record_event(connection, job.id, f"job.{status}", {})
    return await start_next(connection, job.migration_id)
