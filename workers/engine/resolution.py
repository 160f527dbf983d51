"""References: ids of other records, exchanged for the target's.

A referenced record that is not on the target yet is fetched and brought over at once, so that an
order never waits for the pass that would have found its new customer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Sequence
from typing import Any

from app.database import autocommit
from connectors.base import Operation, Refused
from connectors.records import Content, InventoryLevel, Order, Product, Record, Stream
from connectors.references import Reference, references, with_target_ids
from workers.engine import ledger
from workers.engine.attempts import REFERENCE_MISSING
from workers.engine.delivery import Delivery, book, deliver
from workers.engine.diff import Candidate
from workers.engine.run import Run
from workers.engine.singles import fetch
from workers.engine.sorting import not_understood, sort
from workers.engine.unmapped import refuse_unmapped

_DEPTH = 12
"""How many levels of references are followed: categories nest, nothing else does."""


async def learn_references(
    run: Run, records: Iterable[Record], *, depth: int = 0
) -> frozenset[Stream]:
    """Make sure that every record these ones name is known, fetching what is missing.

    Answers with the streams that something was fetched of.
    """
    wanted = _unknown(run, records)
    await _learn_linked(run, wanted)
    missing = _missing(run, wanted) if depth < _DEPTH else {}
    for stream, ids in missing.items():
        await _fetch(run, stream, ids, depth=depth)
    return frozenset(missing)


def operations(
    run: Run, stream: Stream, candidates: Sequence[Candidate]
) -> tuple[list[Candidate], list[Operation], Delivery]:
    """Candidates that can be written with their operations; of those that cannot, the delivery
    knows already.
    """
    ready: list[Candidate] = []
    built: list[Operation] = []
    delivery = Delivery(digests={each.record.id: each.digest.whole for each in candidates})
    for candidate in candidates:
        missing = [each for each in references(candidate.record.content) if not run.known.get(each)]
        if missing and _indispensable(run, candidate.record):
            delivery.refused.append(_unresolved(candidate, missing))
            delivery.awaited[candidate.record.id] = tuple(dict.fromkeys(missing))
            continue
        candidate.missing = tuple(dict.fromkeys(missing))
        candidate.losses = _fields_naming(candidate.record.content, missing)
        candidate.former = _former(run, candidate)
        ready.append(candidate)
        built.append(_operation(run, stream, candidate))
    return ready, built, delivery


async def as_operation(run: Run, stream: Stream, record: Record, generation: int) -> Operation:
    """A record as the target is asked for it; references that nobody knows are left out."""
    await _learn_linked(run, _unknown(run, [record]))
    return Operation(
        source_id=record.id,
        key=run.scope.key(stream, record.id, generation),
        content=with_target_ids(record.content, run.known.get),
    )


def _operation(run: Run, stream: Stream, candidate: Candidate) -> Operation:
    changed = candidate.changed
    if candidate.restored and not run.writes[stream].merges:
        changed = None  # what somebody changed in a mirror may be more than was noticed
    return Operation(
        source_id=candidate.record.id,
        key=run.scope.key(stream, candidate.record.id, candidate.generation),
        content=with_target_ids(candidate.record.content, run.known.get),
        target_id=candidate.target_id,
        changed=None if changed is None else changed | candidate.former.keys(),
        children=candidate.children,
    )


def _indispensable(run: Run, record: Record) -> bool:
    """Stock of nothing cannot be written; an order can do without an account, if so decided."""
    return isinstance(record.content, InventoryLevel) or not run.scope.free_references


def _unresolved(candidate: Candidate, missing: list[Reference]) -> Refused:
    names = ", ".join(sorted({f"{each.stream} {each.id}" for each in missing})[:5])
    return Refused(
        source_id=candidate.record.id,
        code=REFERENCE_MISSING,
        message=f"it refers to records that are on neither store: {names}",
    )


def _former(run: Run, candidate: Candidate) -> dict[str, Any]:
    """The fields whose lost references are known now, as they were written without them."""
    if not candidate.lost:
        return {}
    content = candidate.record.content
    lost = {each for each in references(content) if each.to_text() in candidate.lost}
    arrived = [each for each in lost if run.known.get(each) is not None]
    without = with_target_ids(content, lambda each: None if each in lost else run.known.get(each))
    return {name: getattr(without, name) for name in _fields_naming(content, arrived)}


def _fields_naming(content: Content, named: Collection[Reference]) -> tuple[str, ...]:
    """The fields of a content that hold these references of it."""
    if not named:
        return ()
    match content:
        case Order():
            streams = {each.stream for each in named}
            return tuple(
                name
                for name, stream in (("customer", Stream.CUSTOMERS), ("lines", Stream.PRODUCTS))
                if stream in streams
            )
        case Product():
            return ("categories",)
        case _:
            return ("parent",)


def _unknown(run: Run, records: Iterable[Record]) -> set[Reference]:
    return {
        reference
        for record in records
        for reference in references(record.content)
        if run.known.get(reference) is None
    }


async def _learn_linked(run: Run, wanted: set[Reference]) -> None:
    by_stream: defaultdict[Stream, set[str]] = defaultdict(set)
    for reference in wanted:
        by_stream[reference.stream].add(reference.id)
    if not by_stream:
        return
    async with autocommit(run.engine) as connection:
        for stream, ids in by_stream.items():
            found = await ledger.targets(connection, run.scope.migration, stream, ids)
            for source_id, (target_id, children) in found.items():
                run.known.learn(stream, source_id, target_id, children)


def _missing(run: Run, wanted: set[Reference]) -> dict[Stream, list[str]]:
    """What is still unknown, by stream. A new variant of a known product counts as well."""
    missing: defaultdict[Stream, set[str]] = defaultdict(set)
    for reference in wanted:
        seen = (reference.stream, reference.id) in run.absent
        if run.known.get(reference) is None and not seen:
            missing[reference.stream].add(reference.id)
    return {stream: sorted(missing[stream]) for stream in Stream if stream in missing}


async def _fetch(run: Run, stream: Stream, ids: list[str], *, depth: int) -> None:
    """Bring single records over and commit them at once."""
    if stream not in run.scope.streams or stream not in run.writes:
        return
    found = await fetch(run, stream, ids)
    run.absent.update((stream, each) for each in ids)
    records = list(found.records.values())
    if not found.ids:
        return
    await learn_references(run, records, depth=depth + 1)
    if found.failed or found.unmapped:
        refused = Delivery(refused=await not_understood(run, stream, found.failed))
        await refuse_unmapped(run, stream, found.unmapped, refused)
        await _commit(run, stream, refused)
    for wave in _waves(stream, records):
        await _bring_over(run, stream, wave)


def _waves(stream: Stream, records: Sequence[Record]) -> Iterable[list[Record]]:
    """Records so that what one of them names comes in a wave before it: a category's parent is
    fetched together with the category when both are named on a page. Those of a circle come last.
    """
    left = {record.id: record for record in records}
    while left:
        wave = [record for record in left.values() if not _names_one_of(record, stream, left)]
        yield wave or list(left.values())
        done = {record.id for record in wave} or left.keys()
        left = {each: record for each, record in left.items() if each not in done}


def _names_one_of(record: Record, stream: Stream, others: Container[str]) -> bool:
    """Whether a record refers to another one of its stream that is among these."""
    return any(
        each.stream is stream and each.id != record.id and each.id in others
        for each in references(record.content)
    )


async def _bring_over(run: Run, stream: Stream, records: Sequence[Record]) -> None:
    """Write records whose references are known as far as they ever will be, and commit them."""
    # What another slice brought over meanwhile is right as it is, except for a new variant.
    sorted_records = await sort(run, stream, records)
    candidates, built, delivery = operations(run, stream, sorted_records.candidates)
    try:
        await deliver(run, stream, candidates, built, delivery)
    finally:
        await _commit(run, stream, delivery)
    await _learn_linked(run, {Reference(stream, each.id) for each in records})


async def _commit(run: Run, stream: Stream, delivery: Delivery) -> None:
    if not delivery.entries and not delivery.refused:
        return
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await book(run, connection, stream, delivery)
        run.counters["fetched"] += delivery.created + delivery.updated
        await ledger.progress(
            connection, run.lease.held.id, resume=run.lease.held.resume, counters=run.tally()
        )
