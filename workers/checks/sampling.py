"""Which linked records checks look at: all that changed since the last full copy, and some of the
others by chance.

Chance is the job's own: the same seed draws the same records, so that a check which goes on in
another process, or is run again, looks at the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import autocommit
from connectors.records import Stream

SAMPLE = 200
"""Records of a stream that are drawn by chance, unless the job says otherwise."""

CHANGED = 2000
"""Changed records of a stream that are all looked at. Of more the newest are, the others take
their chance.
"""

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class Options(NamedTuple):
    """What a job asks for. `seed` decides what is drawn; `since` from when records count as
    changed, None for since the last full copy.
    """

    seed: str
    sample: int = SAMPLE
    changed: int = CHANGED
    since: datetime | None = None


class Pair(NamedTuple):
    """A linked record: its ids in both stores, those of its parts (variants, lines), and whether
    it is here because it changed.
    """

    source_id: str
    target_id: str
    children: Mapping[str, str]
    changed: bool


class Sample(NamedTuple):
    """Records to look at, of a `total` of linked ones; `words` say how they were chosen."""

    pairs: tuple[Pair, ...]
    total: int
    words: str


# What the last full copy brought over is not «changed», unless it is all there is.
_BASELINE = text(
    """
    WITH wrote AS (
        SELECT j.kind, j.started_at FROM jobs AS j
        WHERE j.migration_id = :migration AND j.started_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM slices AS s WHERE s.job_id = j.id
              AND s.counters ?| ARRAY['created', 'updated', 'fetched', 'deleted']
        )
    )
    SELECT coalesce(
        min(started_at) FILTER (
            WHERE started_at > (SELECT max(started_at) FROM wrote WHERE kind = 'full')
        ),
        max(started_at) FILTER (WHERE kind = 'full'),
        min(started_at)
    ) FROM wrote
    """
)


async def baseline(engine: AsyncEngine, migration: UUID) -> datetime:
    """When the first job began that wrote something after the last full copy; before all time
    where none has written.
    """
    async with autocommit(engine) as connection:
        found: datetime | None = (
            await connection.execute(_BASELINE, {"migration": migration})
        ).scalar_one()
    return found or _NEVER


_COUNT = text(
    """
    SELECT count(*) AS linked, count(*) FILTER (WHERE applied_at >= :since) AS changed
    FROM links WHERE migration_id = :migration AND stream = :stream AND state = 'applied'
    """
)
_CHANGED = text(
    """
    SELECT source_id, target_id, children FROM links
    WHERE migration_id = :migration AND stream = :stream AND state = 'applied'
      AND applied_at >= :since
    ORDER BY applied_at DESC, source_id LIMIT :limit
    """
)
_DRAWN = text(
    """
    SELECT source_id, target_id, children FROM links
    WHERE migration_id = :migration AND stream = :stream AND state = 'applied'
      AND NOT source_id = ANY(CAST(:taken AS text[]))
    ORDER BY md5(source_id || CAST(:seed AS text)), source_id LIMIT :limit
    """
)


async def draw(
    engine: AsyncEngine, migration: UUID, stream: Stream, *, since: datetime, options: Options
) -> Sample:
    """The sample of a stream's linked records."""
    of = {"migration": migration, "stream": str(stream)}
    async with autocommit(engine) as connection:
        count = (await connection.execute(_COUNT, {**of, "since": since})).one()
        rows = await connection.execute(_CHANGED, {**of, "since": since, "limit": options.changed})
        changed = [_pair(row, changed=True) for row in rows]
        taken = [each.source_id for each in changed]
        rows = await connection.execute(
            _DRAWN, {**of, "taken": taken, "seed": options.seed, "limit": options.sample}
        )
        drawn = [_pair(row, changed=False) for row in rows]
    words = _words(len(changed), count.changed, len(drawn), count.linked - len(changed))
    return Sample((*changed, *drawn), count.linked, f"{stream}: {words}")


_NAMED = text(
    """
    SELECT source_id, target_id, children FROM links
    WHERE migration_id = :migration AND stream = :stream AND state = 'applied'
      AND source_id = ANY(CAST(:ids AS text[])) ORDER BY source_id
    """
)


async def named(
    engine: AsyncEngine, migration: UUID, stream: Stream, ids: Iterable[str]
) -> tuple[Pair, ...]:
    """The linked ones among some records of the source."""
    async with autocommit(engine) as connection:
        values = {"migration": migration, "stream": str(stream), "ids": list(ids)}
        rows = await connection.execute(_NAMED, values)
        return tuple(_pair(row, changed=False) for row in rows)


def _pair(row: Row[Any], *, changed: bool) -> Pair:
    return Pair(row.source_id, row.target_id, row.children or {}, changed)


def _words(changed: int, all_changed: int, drawn: int, rest: int) -> str:
    """How a sample was chosen, so that a reader can judge what it proves."""
    if drawn == rest:
        return f"all {changed + drawn:,}"
    first = (
        f"all {changed:,} that changed"
        if changed == all_changed
        else f"the newest {changed:,} of {all_changed:,} that changed"
    )
    return f"{first}, and {drawn:,} of the other {rest:,} by chance"
