"""How a job begins, waits for its turn, and is cancelled: the part that API and workers share.

Every function works inside the caller's transaction and returns the wakes to send once that
transaction is committed.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import JobStatus, SliceKind
from app.queue import Wake
from app.services.outbox import emit_job


def to_json(value: Any) -> str:
    """JSON text for a `jsonb` parameter."""
    return msgspec.json.encode(value).decode()


_START = text(
    """
    UPDATE jobs SET status = 'running', started_at = clock_timestamp()
    WHERE id = (
        SELECT id FROM jobs
        WHERE migration_id = :migration AND status = 'queued'
        ORDER BY created_at, id LIMIT 1 FOR UPDATE
    )
    AND NOT EXISTS (
        SELECT 1 FROM jobs WHERE migration_id = :migration AND status = 'running'
    )
    RETURNING id
    """
)


async def start_next(connection: AsyncConnection, migration: UUID) -> list[Wake]:
    """Start the oldest waiting job of a migration, unless one is running."""
    # The migration's row is the gate: whoever holds it decides alone which job comes next. NO KEY:
    # pages that add links to the migration meanwhile need not wait.
    await connection.execute(
        text("SELECT 1 FROM migrations WHERE id = :id FOR NO KEY UPDATE"), {"id": migration}
    )
    job = (await connection.execute(_START, {"migration": migration})).scalar()
    if job is None:
        return []
    await record_event(connection, job, "job.started", {})
    return [await add_slice(connection, job, stage=0, kind=SliceKind.PREPARE)]


async def add_slice(
    connection: AsyncConnection,
    job: UUID,
    *,
    stage: int,
    kind: SliceKind,
    stream: str | None = None,
    part: dict[str, Any] | None = None,
    total: int | None = None,
    after: float = 0.0,
) -> Wake:
    """Add a slice that is due in `after` seconds."""
    slice_id = uuid4()
    await connection.execute(
        text(
            "INSERT INTO slices (id, job_id, stage, kind, stream, part, total, counters, done,"
            " due_at, sent_at, wakes, fence, failures)"
            " VALUES (:id, :job, :stage, :kind, :stream, CAST(:part AS jsonb), :total, '{}',"
            " false, clock_timestamp() + make_interval(secs => :after),"
            " clock_timestamp() + make_interval(secs => :after), 1, 0, 0)"
        ),
        {
            "id": slice_id,
            "job": job,
            "stage": stage,
            "kind": str(kind),
            "stream": stream,
            "part": to_json(part or {}),
            "total": total,
            "after": after,
        },
    )
    return Wake(slice_id, 1, after)


async def record_event(
    connection: AsyncConnection, job: UUID, kind: str, data: dict[str, Any]
) -> None:
    """Note an event of a job, for webhooks too. `data` holds ids and counts, no personal data.

    The caller has changed or locked the job's row, so that a job's events become visible in the
    order of their numbers: whoever follows them goes on behind the last number seen.
    """
    await connection.execute(
        text(
            "INSERT INTO job_events (job_id, type, data) VALUES (:job, :type, CAST(:data AS jsonb))"
        ),
        {"job": job, "type": kind, "data": to_json(data)},
    )
    await emit_job(connection, job, kind)


async def end_pauses(connection: AsyncConnection, job: UUID) -> None:
    """Let the paused slices of a job that is to end be looked at now: a store may have asked for a
    pause of a day.
    """
    await connection.execute(
        text(
            "UPDATE slices SET due_at = clock_timestamp(), sent_at = NULL"
            " WHERE job_id = :job AND NOT done AND lease_until IS NULL"
            " AND due_at > clock_timestamp()"
        ),
        {"job": job},
    )


async def request_cancel(connection: AsyncConnection, job: UUID) -> JobStatus | None:
    """Ask a job to stop. A waiting job is cancelled at once, a running one within a page.

    Returns the status now, None for an unknown job; an ended job stays as it is.
    """
    row = (
        await connection.execute(
            text("SELECT status FROM jobs WHERE id = :id FOR UPDATE"), {"id": job}
        )
    ).scalar()
    if row is None:
        return None
    status = JobStatus(row)
    if status.ended:
        return status
    waiting = status is JobStatus.QUEUED
    await connection.execute(
        text(
            "UPDATE jobs SET"
            " cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),"
            " status = CASE WHEN :waiting THEN 'cancelled' ELSE status END,"
            " finished_at = CASE WHEN :waiting THEN clock_timestamp() END"
            " WHERE id = :id"
        ),
        {"id": job, "waiting": waiting},
    )
    await end_pauses(connection, job)
    await record_event(connection, job, "job.cancelled" if waiting else "job.cancelling", {})
    return JobStatus.CANCELLED if waiting else status
