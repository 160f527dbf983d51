"""Cursors: per migration and stream, up to when everything visible has been applied.

Every function works on the caller's connection, as those of the ledger.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.records import Stream


async def watermark(
    connection: AsyncConnection, migration: UUID, stream: Stream
) -> datetime | None:
    """The watermark of a stream."""
    found: datetime | None = (
        await connection.execute(
            text("SELECT watermark FROM cursors WHERE migration_id = :m AND stream = :s"),
            {"m": migration, "s": str(stream)},
        )
    ).scalar()
    return found


async def move(
    connection: AsyncConnection, migration: UUID, stream: Stream, until: datetime, job: UUID
) -> None:
    """Move a watermark forward; it never moves back."""
    await connection.execute(
        text(
            "INSERT INTO cursors (migration_id, stream, watermark, job_id)"
            " VALUES (:m, :s, :until, :job)"
            " ON CONFLICT (migration_id, stream) DO UPDATE"
            " SET watermark = greatest(cursors.watermark, excluded.watermark),"
            " job_id = excluded.job_id, updated_at = clock_timestamp()"
        ),
        {"m": migration, "s": str(stream), "until": until, "job": job},
    )


_SET_BASELINE = text(
    """
    INSERT INTO cursors (migration_id, stream, watermark, job_id)
    VALUES (:m, :s, :since, :job)
    ON CONFLICT (migration_id, stream) DO UPDATE
    SET watermark = CASE
            WHEN EXISTS (SELECT 1 FROM jobs WHERE id = cursors.job_id AND kind = 'adopt')
            THEN excluded.watermark ELSE greatest(cursors.watermark, excluded.watermark) END,
        job_id = excluded.job_id, updated_at = clock_timestamp()
    """
)


async def set_baseline(
    connection: AsyncConnection, migration: UUID, stream: Stream, since: datetime, job: UUID
) -> None:
    """Set the watermark that an adoption is told. What was only told before can be told anew; one
    that a run of ours has reached does not move back.
    """
    values = {"m": migration, "s": str(stream), "since": since, "job": job}
    await connection.execute(_SET_BASELINE, values)
