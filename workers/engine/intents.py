"""What was sent and nobody has confirmed: open intents, which are creates, and other writes.

Every function works on the caller's connection. Where the reading of a stream has ended, no slice
is at its intents any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.records import Stream

_ANY = text(
    "SELECT EXISTS (SELECT 1 FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND state = 'intent')"
)
_SOME = text(
    "SELECT source_id, generation FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND state = 'intent' AND source_id > :after ORDER BY source_id LIMIT :limit"
)
_COUNT = text(
    "SELECT count(*) FROM links AS l WHERE l.migration_id = :migration AND l.state = 'intent'"
    " AND l.stream = ANY(CAST(:streams AS text[])) AND NOT EXISTS (SELECT FROM quarantine AS q"
    " WHERE q.migration_id = l.migration_id AND q.stream = l.stream"
    " AND q.source_id = l.source_id AND q.status = 'waived')"
)
# Nothing is known of what the target holds of it.
_FOUND = text(
    """
    UPDATE links AS l SET state = 'applied', target_id = new.target_id, matched_by = 'key',
        digest = NULL, fields = NULL, intent_slice = NULL, intent_fence = NULL, intent_at = NULL
    FROM unnest(CAST(:ids AS text[]), CAST(:targets AS text[])) AS new (source_id, target_id)
    WHERE l.migration_id = :migration AND l.stream = :stream AND l.state = 'intent'
      AND l.source_id = new.source_id
    """
)


async def any_open(connection: AsyncConnection, migration: UUID, stream: Stream) -> bool:
    """Whether a record of a stream may have been made without our knowing."""
    values = {"migration": migration, "stream": str(stream)}
    return bool((await connection.execute(_ANY, values)).scalar_one())


async def some(
    connection: AsyncConnection, migration: UUID, stream: Stream, *, after: str, limit: int
) -> dict[str, int]:
    """The next records behind `after`, in order, with the generations of their keys."""
    values = {"migration": migration, "stream": str(stream), "after": after, "limit": limit}
    rows = await connection.execute(_SOME, values)
    return {row.source_id: row.generation for row in rows}


async def count(connection: AsyncConnection, migration: UUID, streams: Sequence[str]) -> int:
    """How many records of these streams may have been made without our knowing; those that
    somebody has waived are left out.
    """
    values = {"migration": migration, "streams": list(streams)}
    return int((await connection.execute(_COUNT, values)).scalar_one())


async def found(
    connection: AsyncConnection, migration: UUID, stream: Stream, targets: Mapping[str, str]
) -> None:
    """Note that these are on the target, under its ids."""
    if targets:
        values = {"ids": list(targets), "targets": list(targets.values())}
        await connection.execute(_FOUND, {"migration": migration, "stream": str(stream), **values})


_UNANSWERED = text(
    "SELECT extract(epoch FROM clock_timestamp() - max(greatest(l.intent_at, s.handed_at)))::float8"
    " FROM slices AS s JOIN links AS l ON l.intent_slice = s.id"
    " WHERE s.job_id = :job AND l.migration_id = :migration"
)


async def unanswered_for(connection: AsyncConnection, migration: UUID, job: UUID) -> float | None:
    """For how many seconds nothing more was sent of the job's writes that nobody has confirmed;
    None where all are.
    """
    found = await connection.execute(_UNANSWERED, {"migration": migration, "job": job})
    age: float | None = found.scalar_one()
    return age
