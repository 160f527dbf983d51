"""All records of a stream at the source against the ledger: which have no record on the target,
which changed since they were applied.

A stream whose timestamps are believed is looked at by ids, and by a window for what changed. Any
other one is read whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace
from sqlalchemy import text

from app.database import autocommit
from app.services.unapplied import changed, drift
from connectors.base import Sweep, Trust, Window
from connectors.records import Customer, Order, Product, Record, Stream
from workers.checks.ground import Ground
from workers.engine import cursors


@dataclass(slots=True)
class Survey:
    """What the source holds. `missing` are old records without a link, `new` ones that came since
    the last run, `changed` linked ones whose content is another by now. `total` records are
    there. What is in quarantine is in none of these lists.
    """

    total: int = 0
    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


async def survey(ground: Ground, stream: Stream) -> Survey:
    """The stream, looked at once for all checks. Raises `StoreError`."""
    name = f"source survey of {stream}"
    if name not in ground.memo:
        ground.memo[name] = await _survey(ground, stream)
    found: Survey = ground.memo[name]
    return found


async def cursor_of(ground: Ground, stream: Stream) -> datetime | None:
    """Up to when the stream has been applied."""
    async with autocommit(ground.engine) as connection:
        return await cursors.watermark(connection, ground.migration, stream)


async def _survey(ground: Ground, stream: Stream) -> Survey:
    cursor = await cursor_of(ground, stream)
    capability = ground.reads[stream]
    found = Survey()
    if capability.trust is Trust.SWEEP or cursor is None or not capability.shallow:
        await _read_whole(ground, stream, cursor, found)
        return found
    await _read_window(ground, stream, cursor, found)
    await _list_ids(ground, stream, found)
    return found


async def _read_whole(
    ground: Ground, stream: Stream, cursor: datetime | None, found: Survey
) -> None:
    pages = ground.source.read(stream, Sweep(), {}, None)
    seen: set[str] = set()
    oldest = None if cursor is None else cursor - ground.scope.lags.overlap_of(ground.reads[stream])
    async with aclosing(pages):
        async for page in pages:
            fresh = [each for each in page.records if each.id not in seen]
            seen.update(each.id for each in fresh)
            found.total += len(fresh) + len(page.failed) + len(page.unmapped)
            records = {each.id: each for each in fresh}
            differing = await changed(
                ground.engine, ground.migration, stream, replace(page, records=tuple(fresh))
            )
            unlinked = await _unlinked(ground, stream, list(records))
            found.changed += [each for each in differing if each not in unlinked]
            for each in unlinked:
                came = _came(records[each])
                is_new = oldest is not None and came is not None and came >= oldest
                (found.new if is_new else found.missing).append(each)


def _came(record: Record) -> datetime | None:
    content = record.content
    if isinstance(content, Customer | Order | Product) and content.created_at is not None:
        return content.created_at
    return record.stamp


async def _read_window(ground: Ground, stream: Stream, cursor: datetime, found: Survey) -> None:
    """What changed since the cursor, from an overlap before it on, as a run would see it."""
    overlap = ground.scope.lags.overlap_of(ground.reads[stream])
    window = Window(since=cursor - overlap, until=await ground.source.server_time())
    seen = await drift(ground.engine, ground.source, ground.migration, stream, window)
    differing = list(dict.fromkeys(seen.changed))
    unlinked = await _unlinked(ground, stream, differing)
    found.new = [each for each in differing if each in unlinked]
    found.changed = [each for each in differing if each not in unlinked]


async def _list_ids(ground: Ground, stream: Stream, found: Survey) -> None:
    seen: set[str] = set()
    new = set(found.new)
    lists = ground.source.enumerate(stream, Sweep(), {}, None)
    async with aclosing(lists):
        async for marks in lists:
            ids = [each.id for each in marks.marks if each.id not in seen]
            seen.update(ids)
            found.total += len(ids)
            unlinked = await _unlinked(ground, stream, ids)
            found.missing += [each for each in unlinked if each not in new]


# What is in quarantine is known to be missing, and a check of its own.
_UNLINKED = text(
    """
    SELECT asked FROM unnest(CAST(:ids AS text[])) AS asked
    WHERE NOT EXISTS (
        SELECT 1 FROM links AS l
        WHERE l.migration_id = :migration AND l.stream = :stream AND l.source_id = asked
          AND l.state = 'applied'
    ) AND NOT EXISTS (
        SELECT 1 FROM quarantine AS q
        WHERE q.migration_id = :migration AND q.stream = :stream AND q.source_id = asked
          AND q.status <> 'resolved'
    )
    """
)


async def _unlinked(ground: Ground, stream: Stream, ids: Sequence[str]) -> dict[str, None]:
    """In the order given."""
    if not ids:
        return {}
    async with autocommit(ground.engine) as connection:
        rows = await connection.execute(
            _UNLINKED, {"migration": ground.migration, "stream": str(stream), "ids": list(ids)}
        )
        return dict.fromkeys(rows.scalars())
