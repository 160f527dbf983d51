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


# What a run of ours has written is as old as that run, whenever the other tool has read the source.
_SET_BASELINE = text(
    """
    INSERT INTO cursors (migration_id, stream, watermark, job_id)
    SELECT CAST(:m AS uuid), CAST(:s AS text),
           least(CAST(:since AS timestamptz), min(j.started_at), clock_timestamp()),
           CAST(:job AS uuid)
    FROM jobs AS j
    WHERE j.migration_id = CAST(:m AS uuid) AND j.kind IN ('demo', 'full', 'recent') AND EXISTS (
        SELECT 1 FROM links AS l
        WHERE l.migration_id = CAST(:m AS uuid) AND l.stream = CAST(:s AS text)
          AND l.digest IS NOT NULL
    )
    ON CONFLICT (migration_id, stream) DO UPDATE
    SET watermark = excluded.watermark, job_id = excluded.job_id, updated_at = clock_timestamp()
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = cursors.job_id AND kind = 'adopt')
    """
)


async def set_baseline(
    connection: AsyncConnection, migration: UUID, stream: Stream, since: datetime, job: UUID
) -> None:
    """Set the watermark that an adoption is told, or an earlier one where runs of ours have written
    records of the stream before; none lies in the future. What was only told before can be told
    anew; one that a run of ours has reached stays: it moves neither back nor over what nobody has
    read.
    """
    values = {"m": migration, "s": str(stream), "since": since, "job": job}
    await connection.execute(_SET_BASELINE, values)
