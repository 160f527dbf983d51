"""Reading a pass and applying it, page by page; one page is one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import msgspec
import structlog
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from app.models import SliceKind
from app.services.lifecycle import record_event
from connectors.base import Extent, Page, Sweep
from connectors.errors import StoreError
from connectors.records import Stream
from workers.engine import ledger, progress, quarantine, removals, retries, sightings
from workers.engine.attempts import TARGET_GONE
from workers.engine.delivery import Delivery, book, deliver
from workers.engine.diff import Difference
from workers.engine.errors import Ending, GiveBack
from workers.engine.failpoints import Place, reach
from workers.engine.leases import Held
from workers.engine.resolution import learn_references, operations
from workers.engine.run import Run
from workers.engine.shallow import differing_pages
from workers.engine.singles import fetch
from workers.engine.sorting import not_understood, sort
from workers.engine.unmapped import refuse_unmapped
from workers.engine.window import is_settling

log = structlog.get_logger(__name__)

_RETRY_PAGE = 50
_T = TypeVar("_T")


async def read_slice(run: Run, stream: Stream, *, out_of_time: Callable[[], bool]) -> bool:
    """Read a slice's part from where it stopped. True when it was read to its end.

    False means that time is up: the slice continues in another turn.
    """
    held = run.lease.held
    extent = msgspec.convert(held.part["extent"], Extent)
    part = held.part.get("part") or {}
    if held.part.get("shallow") and isinstance(extent, Sweep):
        pages = differing_pages(run, stream, extent, part)
    else:
        pages = run.source.read(stream, extent, part, held.resume)
    async for page in _ahead(pages):
        reach(Place.AFTER_FETCH)
        run.lease.check()
        await apply_page(run, stream, _settled(run, extent, page))
        if page.resume is None:
            return True
        if out_of_time():
            return False
    return True


def _settled(run: Run, extent: Extent, page: Page) -> Page:
    """The page without what is still being written; a cutover's last look takes everything."""
    if run.lease.held.part.get("closing"):
        return page
    records = tuple(each for each in page.records if not is_settling(each.stamp, extent))
    unmapped = tuple(each for each in page.unmapped if not is_settling(each.record.stamp, extent))
    run.counters["deferred"] += len(page.records) - len(records)
    return replace(page, records=records, unmapped=unmapped)


async def retry_slice(run: Run, stream: Stream, *, out_of_time: Callable[[], bool]) -> bool:
    """Take up what waits of a stream, record by record. As `read_slice`."""
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        await retries.compare_with_links(transaction.connection, held.migration_id, stream)
    while True:
        after = (held.resume or {}).get("after", "")
        async with autocommit(run.engine) as connection:
            batch = await retries.batch(
                connection, held, stream, held.part, after=after, limit=_RETRY_PAGE
            )
        if not batch.ids:
            return True
        found = await fetch(run, stream, batch.ids)
        resume = {"after": batch.ids[-1]}
        page = found.page(resume)
        gone = [each for each in batch.codes if each not in found.ids]
        # Somebody who asks again for a record that vanished from the target wants it back.
        again = frozenset(each for each, code in batch.codes.items() if code == TARGET_GONE)
        await apply_page(run, stream, page, again=again, wanted=batch.settled, gone=gone)
        if out_of_time():
            return False


async def apply_page(
    run: Run,
    stream: Stream,
    page: Page,
    *,
    again: frozenset[str] = frozenset(),
    wanted: frozenset[str] = frozenset(),
    gone: Sequence[str] = (),
) -> None:
    """Apply one page and commit it: links, quarantine, counters and position together.

    `again` are records to be made anew on the target, `wanted` those to be merged although they
    did not change; `gone` are quarantined records that the
    source does not have any more: there is nothing left to bring over.
    """
    sorted_page = await sort(run, stream, page.records, again=again, wanted=wanted)
    if sorted_page.reused:
        await _give_up(run, stream, sorted_page.reused)
        sorted_page = await sort(run, stream, page.records, again=again, wanted=wanted)
    fetched = await learn_references(run, [each.record for each in sorted_page.candidates])
    if stream in fetched:
        # A parent that stands on the same page as its child has just been brought over.
        sorted_page = await sort(run, stream, page.records, again=again, wanted=wanted)
    sorted_page.gone = list(gone)
    candidates, built, delivery = operations(run, stream, sorted_page.candidates)
    try:
        await deliver(run, stream, candidates, built, delivery)
    except (GiveBack, StoreError):
        # What the target has confirmed is kept; the page is read again for the rest.
        await _commit_part(run, stream, delivery)
        raise
    delivery.refused += await not_understood(run, stream, page.failed)
    await refuse_unmapped(run, stream, page.unmapped, delivery)
    reach(Place.AFTER_ANSWER)
    await _commit(run, stream, page, sorted_page, delivery)


async def _give_up(run: Run, stream: Stream, reused: Sequence[str]) -> None:
    """Let records go whose ids belong to others now: that itself proves that they are gone."""
    scope, job = run.scope, run.lease.held.job_id
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await removals.prove(
            connection,
            scope.migration,
            stream,
            reused,
            job=job,
            prefix=scope.key_prefix,
            action=run.removal_action(stream),
            reused=True,
        )
        await removals.give_up(connection, scope.migration, stream, reused)
        await progress.lock_job(connection, job)
        await record_event(connection, job, "id.reused", {"stream": stream, "count": len(reused)})


async def _commit_part(run: Run, stream: Stream, delivery: Delivery) -> None:
    if not delivery.entries:
        return
    delivery.refused = []
    async with run.lease.fenced() as transaction:
        await _tell_restored(run, transaction.connection, stream, delivery)
        await book(run, transaction.connection, stream, delivery)
        run.counters["created"] += delivery.created
        run.counters["updated"] += delivery.updated
        await ledger.progress(
            transaction.connection,
            run.lease.held.id,
            resume=run.lease.held.resume,
            counters=run.tally(),
        )


async def _tell_restored(
    run: Run, connection: AsyncConnection, stream: Stream, delivery: Delivery
) -> None:
    """Say how many records were changed on the target and are the source's again.

    Before anything is booked: whoever waits for the job's row must not hold what its holder needs.
    """
    if not delivery.restored:
        return
    job = run.lease.held.job_id
    run.counters["restored"] += delivery.restored
    await progress.lock_job(connection, job)
    told = {"stream": stream, "count": delivery.restored}
    await record_event(connection, job, "drift.restored", told)


async def _commit(
    run: Run, stream: Stream, page: Page, sorted_page: Difference, delivery: Delivery
) -> None:
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        if page.outside and not run.tally().get("outside"):
            # Worth knowing, and harmless: what came back is applied as in a sweep.
            await progress.lock_job(connection, held.job_id)
            await record_event(connection, held.job_id, "filter.ignored", {"stream": stream})
        if _is_sweep(held):
            await sightings.record(connection, held.job_id, held.stage, page.ids)
        await _tell_restored(run, connection, stream, delivery)
        await book(run, connection, stream, delivery)
        await quarantine.resolve(
            connection, held.migration_id, stream, [*sorted_page.unchanged, *sorted_page.gone]
        )
        run.counters.update(
            read=len(page.ids),
            created=delivery.created,
            updated=delivery.updated,
            unchanged=len(sorted_page.unchanged) + len(page.unread) + delivery.kept,
            quarantined=len(delivery.refused),
            held_back=len(sorted_page.held_back),
            outside=page.outside,
        )
        resume = held.resume if page.resume is None else page.resume
        await ledger.progress(
            connection, held.id, resume=resume, counters=run.tally(), total=_share(held, page.total)
        )
    held.resume = resume
    reach(Place.AFTER_COMMIT)
    if transaction.ending:
        raise Ending


def _share(held: Held, total: int | None) -> int | None:
    """A slice's share of what the store counts in the whole list."""
    return None if total is None else total // int(held.part.get("parts") or 1)


def _is_sweep(held: Held) -> bool:
    """Whether a slice is a part of a sweep that may show what is gone."""
    if held.kind is not SliceKind.READ or held.part.get("closing"):
        return False
    return (held.part.get("extent") or {}).get("type") == "sweep"


async def _ahead(pages: AsyncIterator[_T]) -> AsyncIterator[_T]:
    """The same pages, the next one being read while this one is applied."""
    coming = asyncio.ensure_future(anext(pages))
    try:
        while True:
            try:
                page = await coming
            except StopAsyncIteration:
                return
            coming = asyncio.ensure_future(anext(pages))
            yield page
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration, StoreError):
            await coming
