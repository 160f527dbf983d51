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
from app.mapping.mapped import unmapped
from app.services.unapplied import unapplied, unapplied_of
from connectors.base import Sweep, Window
from connectors.records import Customer, InventoryLevel, Order, Product, Record, Stream
from workers.checks.ground import Ground
from workers.checks.looking import quarantined
from workers.engine import cursors
from workers.engine.singles import readable
from workers.engine.window import reading

_AT_ONCE = 100
"""Records that are asked for in one call."""


@dataclass(slots=True)
class Survey:
    """What the source holds. `missing` are old records without a link, `new` ones that came since
    the last run, `changed` linked ones whose content is another by now; `gone` are linked ones that
    the source has lost, with the target's ids. `total` records are there. What is in quarantine is
    in none of the first three lists, what was reported as gone not in the last.
    """

    total: int = 0
    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: dict[str, str] = field(default_factory=dict)


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
    now = await ground.source.server_time()
    plan = reading(capability, source_now=now, cursor=cursor, lags=ground.scope.lags).extent
    if isinstance(plan, Window) and capability.shallow:
        # A run leaves out what is settling; here it counts as well.
        window = Window(since=plan.since, until=now)
        await _read_window(ground, stream, window, found)
        seen = await _list_ids(ground, stream, window.since, found)
    else:
        seen = await _read_whole(ground, stream, cursor, found)
    found.gone = await _lost(ground, stream, seen)
    return found


async def _read_whole(
    ground: Ground, stream: Stream, cursor: datetime | None, found: Survey
) -> set[str]:
    pages = ground.source.read(stream, Sweep(), {}, None)
    seen: set[str] = set()
    waiting = await _waiting_products(ground) if stream is Stream.INVENTORY else frozenset()
    oldest = None if cursor is None else cursor - ground.scope.lags.overlap_of(ground.reads[stream])
    async with aclosing(pages):
        async for page in pages:
            fresh = [each for each in page.records if each.id not in seen]
            seen.update(each.id for each in fresh)
            found.total += len(fresh) + len(page.failed) + len(page.unmapped)
            odd = [*(each for each, _ in page.failed), *(each.record.id for each in page.unmapped)]
            seen.update(odd)
            records = {each.id: each for each in fresh}
            differing = await unapplied_of(
                ground.engine, ground.migration, stream, replace(page, records=tuple(fresh))
            )
            unlinked = await _unlinked(ground, stream, list(records))
            found.changed += [each for each in differing if each not in unlinked]
            for each in unlinked:
                content = records[each].content
                if isinstance(content, InventoryLevel) and content.product in waiting:
                    continue  # it comes with its product, which is told
                came = _came(records[each])
                is_new = oldest is not None and came is not None and came >= oldest
                (found.new if is_new else found.missing).append(each)
    return seen


async def _waiting_products(ground: Ground) -> frozenset[str]:
    """Products that are to be brought over, or to be brought over anew, or held back."""
    if Stream.PRODUCTS not in ground.streams:
        return frozenset()
    found = await survey(ground, Stream.PRODUCTS)
    held = await quarantined(ground, Stream.PRODUCTS)
    return frozenset([*found.missing, *found.new, *found.changed, *held])


def _came(record: Record) -> datetime | None:
    content = record.content
    if isinstance(content, Customer | Order | Product) and content.created_at is not None:
        return content.created_at
    return record.stamp


async def _read_window(ground: Ground, stream: Stream, window: Window, found: Survey) -> None:
    """What changed since the cursor, from an overlap before it on, as a run would see it."""
    differing = await unapplied(ground.engine, ground.source, ground.migration, stream, window)
    unlinked = await _unlinked(ground, stream, differing)
    found.new = [each for each in differing if each in unlinked]
    found.changed = [each for each in differing if each not in unlinked]


async def _list_ids(ground: Ground, stream: Stream, since: datetime, found: Survey) -> set[str]:
    """All ids; what has no link and changed after the window began came since the last run."""
    seen: set[str] = set()
    new = set(found.new)
    lists = ground.source.enumerate(stream, Sweep(), {}, None)
    async with aclosing(lists):
        async for marks in lists:
            fresh = {each.id: each.stamp for each in marks.marks if each.id not in seen}
            seen.update(fresh)
            found.total += len(fresh)
            for each in await _unlinked(ground, stream, list(fresh)):
                stamp = fresh[each]
                if each in new:
                    continue
                # The source may go on selling between the two reads.
                came_since = stamp is not None and stamp >= since
                (found.new if came_since else found.missing).append(each)
    return seen


_LINKED = text(
    "SELECT source_id, target_id FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND state = 'applied' AND exempt = :left AND target_id IS NOT NULL"
)


async def left_behind(ground: Ground, stream: Stream) -> dict[str, str]:
    """Linked records that the source has lost, which was reported, and which stay on the target by
    policy: the target's ids by the source's. Raises `StoreError`.
    """
    name = f"{stream} left behind"
    if name not in ground.memo:
        ground.memo[name] = await _lost(ground, stream, set(), left=True)
    found: dict[str, str] = ground.memo[name]
    return found


async def _lost(
    ground: Ground, stream: Stream, seen: set[str], *, left: bool = False
) -> dict[str, str]:
    """Linked records that no list of the source has shown, and that it denies when asked; those
    whose absence was reported, or those of which nobody knew.
    """
    if stream is Stream.INVENTORY:
        # Stock goes with its product.
        return {}
    async with autocommit(ground.engine) as connection:
        rows = await connection.execute(
            _LINKED, {"migration": ground.migration, "stream": str(stream), "left": left}
        )
        unseen = {row.source_id: row.target_id for row in rows if row.source_id not in seen}
    ids, known = list(unseen), set()
    for start in range(0, len(ids), _AT_ONCE):
        batch = ids[start : start + _AT_ONCE]
        there, odd = await readable(unmapped(ground.source), stream, batch)
        known |= there.keys() | {each for each, _ in odd}
    return {each: target for each, target in unseen.items() if each not in known}


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
