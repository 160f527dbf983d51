"""What sweeps have seen, and which links they have not. Works on the caller's connection."""

from __future__ import annotations

# ruff: noqa: S608 - the one text put into others is a constant; values travel as parameters
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.records import Stream
from workers.engine.proof import Swept


class SweptStream(NamedTuple):
    """A stream of a migration, as the sweep at a stage of a job has seen it."""

    migration: UUID
    stream: Stream
    job: UUID
    stage: int

    @property
    def values(self) -> dict[str, object]:
        """As parameters of a statement."""
        return {**self._asdict(), "stream": str(self.stream)}


_RECORD = text(
    "INSERT INTO sightings (job_id, stage, source_id)"
    " SELECT :job, :stage, id FROM unnest(CAST(:ids AS text[])) AS id ORDER BY id"
    " ON CONFLICT DO NOTHING"
)


async def record(connection: AsyncConnection, job: UUID, stage: int, ids: Iterable[str]) -> None:
    """Note that a sweep has seen these records."""
    seen = sorted(set(ids))
    if seen:
        await connection.execute(_RECORD, {"job": job, "stage": stage, "ids": seen})


async def forget(connection: AsyncConnection, job: UUID) -> None:
    """Drop what a job's sweeps have seen."""
    await connection.execute(text("DELETE FROM sightings WHERE job_id = :job"), {"job": job})


# Set operations throughout, each done once (`ARRAY`): a join is planned by statistics, and of a
# table that was filled a moment ago there are none. As a nested loop it would take minutes.
_SEEN = "SELECT source_id FROM sightings WHERE job_id = :job AND stage = :stage"

_SEEN_AGAIN = text(
    f"""
    UPDATE links SET missed = 0, exempt = false
    WHERE migration_id = :migration AND stream = :stream AND source_id = ANY(ARRAY(
        SELECT source_id FROM links
        WHERE migration_id = :migration AND stream = :stream AND (missed > 0 OR exempt)
        INTERSECT {_SEEN}
    ))
    """
)
_RETURNED = text(
    f"""
    UPDATE removals SET status = 'returned'
    WHERE migration_id = :migration AND stream = :stream AND NOT evidence ? 'reused'
      AND status IN ('proven', 'held', 'reported', 'failed') AND source_id = ANY(ARRAY(
          SELECT source_id FROM removals
          WHERE migration_id = :migration AND stream = :stream
            AND status IN ('proven', 'held', 'reported', 'failed')
          INTERSECT {_SEEN}
      ))
    """
)


async def welcome_back(connection: AsyncConnection, swept: SweptStream) -> None:
    """Whatever was missed before, and was seen by this sweep, is missed no longer."""
    await connection.execute(_SEEN_AGAIN, swept.values)
    await connection.execute(_RETURNED, swept.values)


# A link that was written in this very job was seen by it, whatever the sweep says.
_MISSING = f"""
    SELECT source_id FROM links
    WHERE migration_id = :migration AND stream = :stream AND state = 'applied' AND NOT exempt
      AND (applied_at IS NULL OR applied_at < (SELECT started_at FROM jobs WHERE id = :job))
      AND (missed > 0 OR NOT :suspected) AND source_id > :after
    EXCEPT {_SEEN}
"""
_ANY_MISSING = text(f"SELECT EXISTS ({_MISSING})")
_MISS = text(
    "UPDATE links SET missed = missed + 1 WHERE migration_id = :migration AND stream = :stream"
    f" AND source_id = ANY(ARRAY({_MISSING}))"
)
_SUSPECTS = text(f"{_MISSING} ORDER BY source_id LIMIT :limit")
_ALL: dict[str, object] = {"suspected": False, "after": ""}


async def any_missing(connection: AsyncConnection, swept: SweptStream) -> bool:
    """Whether a record on the target was not seen at the source."""
    return bool((await connection.execute(_ANY_MISSING, swept.values | _ALL)).scalar_one())


async def miss(connection: AsyncConnection, swept: SweptStream) -> int:
    """Count one more clean sweep that did not see them. Answers with how many they are."""
    return (await connection.execute(_MISS, swept.values | _ALL)).rowcount


async def suspects(
    connection: AsyncConnection, swept: SweptStream, *, after: str, limit: int
) -> list[str]:
    """Source ids of what was missed, in order, behind `after`."""
    values = swept.values | {"suspected": True, "after": after, "limit": limit}
    return list((await connection.execute(_SUSPECTS, values)).scalars())


_FOUND = text(
    "UPDATE links SET missed = 0 WHERE migration_id = :migration AND stream = :stream"
    " AND source_id = ANY(CAST(:ids AS text[]))"
)


async def found(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Sequence[str]
) -> None:
    """These were there after all."""
    values = {"migration": migration, "stream": str(stream), "ids": list(ids)}
    await connection.execute(_FOUND, values)


_WITNESSES = text(
    """
    SELECT s.source_id FROM sightings AS s
    JOIN links AS l ON l.migration_id = :migration AND l.stream = :stream
      AND l.source_id = s.source_id AND l.state = 'applied'
    WHERE s.job_id = :job AND s.stage = :stage ORDER BY s.source_id DESC LIMIT :limit
    """
)


async def witnesses(connection: AsyncConnection, swept: SweptStream, limit: int) -> list[str]:
    """Some records that the sweep has seen: a source that denies them knows nothing."""
    found_ids = await connection.execute(_WITNESSES, swept.values | {"limit": limit})
    return list(found_ids.scalars())


_UNDOUBTED = text(
    """
    SELECT l.source_id FROM links AS l WHERE l.migration_id = :migration AND l.stream = :stream
      AND l.state = 'applied' AND NOT l.exempt AND l.source_id = ANY(CAST(:ids AS text[]))
      AND NOT EXISTS (
          SELECT FROM removals AS r WHERE r.migration_id = l.migration_id AND r.stream = l.stream
            AND r.source_id = l.source_id AND r.status IN ('held', 'reported', 'failed')
      )
    """
)


async def undoubted(
    connection: AsyncConnection, migration: UUID, stream: Stream, ids: Sequence[str]
) -> list[str]:
    """Which of these records are on the target, and nobody has found them gone yet."""
    values = {"migration": migration, "stream": str(stream), "ids": list(ids)}
    return list((await connection.execute(_UNDOUBTED, values)).scalars())


_NEWEST = text(
    """
    SELECT source_id FROM links WHERE migration_id = :migration AND stream = :stream
      AND state = 'applied' AND missed = 0 AND source_id <> ALL(CAST(:besides AS text[]))
    ORDER BY applied_at DESC NULLS LAST, source_id DESC LIMIT :limit
    """
)


async def newest(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    *,
    besides: Sequence[str],
    limit: int,
) -> list[str]:
    """Records that were brought over last: the source should have them still."""
    values = {
        "migration": migration,
        "stream": str(stream),
        "besides": list(besides),
        "limit": limit,
    }
    return list((await connection.execute(_NEWEST, values)).scalars())


_SWEPT = text(
    """
    SELECT (SELECT count(*) FROM sightings WHERE job_id = :job AND stage = :stage) AS sighted,
           EXISTS (SELECT 1 FROM slices WHERE job_id = :job AND stage = :stage
                   AND kind = 'read' AND resumed) AS resumed
    """
)


async def what_was_swept(
    connection: AsyncConnection, swept: SweptStream, counted: int | None
) -> Swept:
    """The evidence of a sweep; `counted` is the store's own count."""
    row = (await connection.execute(_SWEPT, {"job": swept.job, "stage": swept.stage})).one()
    return Swept(sighted=row.sighted, counted=counted, resumed=row.resumed)


_DROP = text(
    "DELETE FROM links WHERE migration_id = :migration AND stream = :stream AND missed > 1"
    " AND state = 'applied'"
)


async def drop_missed_twice(connection: AsyncConnection, swept: SweptStream) -> None:
    """Forget links that nothing hangs on: stock goes with its product, never by itself."""
    await connection.execute(_DROP, swept.values)


async def applied(connection: AsyncConnection, migration: UUID, stream: Stream) -> int:
    """How many of a stream's records are on the target."""
    found_rows = await connection.execute(
        text(
            "SELECT count(*) FROM links WHERE migration_id = :migration AND stream = :stream"
            " AND state = 'applied'"
        ),
        {"migration": migration, "stream": str(stream)},
    )
    return int(found_rows.scalar_one())
