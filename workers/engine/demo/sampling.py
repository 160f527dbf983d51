"""Making a demo's sample: look at some of a stream, choose, and add what the chosen ones name.

Streams are taken against the order in which they are written: orders first, which bring customers
and products, then products, which bring categories. Looking is bounded, so a sample is of what was
looked at: the report says how much that was.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from app.database import autocommit
from app.mapping.mapped import map_each, unmapped
from connectors.base import Extent, Json, Page, Source, Trust, Window
from connectors.records import Stream
from connectors.references import references
from workers.engine import ledger, progress, samples
from workers.engine.demo.choosing import Choice, Seen, choose, seen, unreadable
from workers.engine.errors import Ending
from workers.engine.plan import Order
from workers.engine.run import Run
from workers.engine.singles import readable

PARTS = 8
"""Places of a stream that are looked at, one page each."""

_ALONE = 4
"""Pages that are read of a stream that is one part."""

_AT_ONCE = 50
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
_LATELY = (timedelta(hours=1), timedelta(days=1), timedelta(days=30))


class Look(NamedTuple):
    """What was looked at: the records, the pages, and how many records there are in all."""

    records: dict[str, Seen]
    pages: int
    total: int | None


async def sample_slice(run: Run, stream: Stream, *, out_of_time: Callable[[], bool]) -> bool:
    """Choose a stream's sample, and what belongs to it. As `read_slice`."""
    job = run.lease.held.job_id
    async with autocommit(run.engine) as connection:
        order = (await progress.read_job(connection, job)).order(run.scope.streams)
        chosen = await samples.any_chosen(connection, job, stream)
    if stream in order.streams and not chosen:
        await _choose(run, stream, order)
    while True:
        async with autocommit(run.engine) as connection:
            ids = await samples.not_closed(connection, job, stream, _AT_ONCE)
        if not ids:
            return True
        await _close(run, stream, ids)
        if out_of_time():
            return False


async def _choose(run: Run, stream: Stream, order: Order) -> None:
    source = unmapped(run.source)
    look = await _look(run, source, stream, str(order.seed))
    choice = choose(look.records.values(), order.size, f"{order.seed}:{stream}")
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        job = await progress.lock_job(connection, held.job_id)
        job.passes[stream] = _view(look, choice)
        await progress.store_plan(connection, job.id, job.stages, job.passes)
        await samples.add(connection, job.id, stream, choice.reasons)
        await ledger.progress(connection, held.id, resume=None, counters=run.tally())
    if transaction.ending:
        raise Ending


def _view(look: Look, choice: Choice) -> dict[str, Any]:
    """What the job keeps of it, for its report."""
    return {
        "mode": "sample",
        "looked_at": len(look.records),
        "pages": look.pages,
        "total": look.total,
        "chosen": len(choice.reasons),
        "too_large": choice.too_large,
    }


async def _close(run: Run, stream: Stream, ids: Sequence[str]) -> None:
    """Add what these records name."""
    run.lease.check()
    job = run.lease.held.job_id
    found, _ = await readable(unmapped(run.source), stream, ids)
    records, failed = map_each(run.scope.mapper, stream, found.values())
    names = {
        (each.stream, each.id)
        for record in (*records, *(each.record for each in failed))
        for each in references(record.content)
        if each.stream in run.scope.streams
    }
    async with run.lease.fenced() as transaction:
        await samples.add_named(transaction.connection, job, names)
        await samples.close(transaction.connection, job, stream, ids)
    if transaction.ending:
        raise Ending


async def _look(run: Run, source: Source, stream: Stream, seed: str) -> Look:
    now = await source.server_time()
    # As a window: a sweep may be an export of the whole shop.
    everything = Window(_BEGINNING, now)
    parts = await source.split(stream, everything, PARTS)
    places = parts if len(parts) <= PARTS else _spread(parts, seed)
    pages = [
        page
        for part in places
        for page in await _read(run, source, stream, everything, part, limit=_pages(places))
    ]
    if run.reads[stream].trust is not Trust.SWEEP:
        pages += await _latest(run, source, stream, now)
    records = {each.id: seen(each) for page in pages for each in page.records}
    records |= {record_id: unreadable(record_id) for page in pages for record_id, _ in page.failed}
    return Look(records, len(pages), await source.count(stream, everything))


def _pages(places: Sequence[Json]) -> int:
    return max(1, _ALONE // len(places))


def _spread(parts: Sequence[Json], seed: str) -> list[Json]:
    """The first and the last part, and some between."""
    between = random.Random(seed).sample(parts[1:-1], PARTS - 2)  # noqa: S311  no secret
    return [parts[0], *between, parts[-1]]


async def _latest(run: Run, source: Source, stream: Stream, now: datetime) -> list[Page]:
    """What was changed last: the shortest time back that shows anything."""
    pages: list[Page] = []
    for age in _LATELY:
        pages += await _read(run, source, stream, Window(now - age, now), {}, limit=1)
        if any(page.records for page in pages):
            break
    return pages


async def _read(
    run: Run, source: Source, stream: Stream, extent: Extent, part: Json, *, limit: int
) -> list[Page]:
    """The first pages of a part."""
    found: list[Page] = []
    async with aclosing(source.read(stream, extent, part, None)) as pages:
        async for page in pages:
            run.lease.check()
            found.append(page)
            if len(found) >= limit:
                break
    return found
