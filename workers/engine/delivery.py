"""Bringing records onto the target, each exactly once.

A create that the platform does not protect is preceded by a committed intent. Whatever became
of an earlier intent (a time-out, a crash, a lost lease) is found out by looking for the record
on the target before anything is sent again; and while an earlier request may still be running
over there, create or update, nothing is. An update is merged with what the target holds before it
is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Applied, Operation, Outcome, Refused, Uncertain, WriteCapability
from connectors.errors import SignInAgain, TryLater
from connectors.records import InventoryLevel, Record, Stream
from connectors.references import Reference
from workers.engine import arrivals, conflicts, ledger, lost_references, quarantine, removals
from workers.engine.diff import Candidate
from workers.engine.errors import GiveBack
from workers.engine.failpoints import Place, reach
from workers.engine.leases import Held
from workers.engine.merge import remember
from workers.engine.merging import merge_updates, rules
from workers.engine.owners import ours, without_others
from workers.engine.parcel import Parcel, packed
from workers.engine.restoring import look_whether_right
from workers.engine.run import Run

log = structlog.get_logger(__name__)

_ROUNDS = 6
_PATIENCE = 8.0
"""Seconds a slice waits in a worker's hands; for longer it is given back."""

_BUSY_PAUSE = 2.0


@dataclass(slots=True)
class Delivery:
    """What came of it: ready for the ledger, and refused. `kept` counts records of which nothing
    had to be written, because the target's values stay or are the source's already. `digests` are
    of the contents, by source id; `announced` are records whose content is kept with their intent;
    `awaited` are the references that a refused record lacks; `new` are the records that had no link
    before. `restored` counts, among the updated, those that were changed on the target alone.
    `moved` are levels of stock, by source id, whose variant is another one on the target now.
    """

    entries: list[ledger.Entry] = field(default_factory=list)
    merged: list[conflicts.Found] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    digests: dict[str, bytes] = field(default_factory=dict)
    announced: set[str] = field(default_factory=set)
    awaited: dict[str, tuple[Reference, ...]] = field(default_factory=dict)
    new: list[Record] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    created: int = 0
    updated: int = 0
    restored: int = 0
    kept: int = 0

    @property
    def applied_ids(self) -> list[str]:
        """Source ids of what is right on the target now."""
        return [entry.record.id for entry in self.entries]

    @property
    def refusals(self) -> list[quarantine.Refusal]:
        """What was refused, as the quarantine keeps it."""
        return [
            quarantine.Refusal(
                answer=each,
                digest=self.digests.get(each.source_id),
                waits_for=self.awaited.get(each.source_id, ()),
            )
            for each in self.refused
        ]


async def deliver(
    run: Run,
    stream: Stream,
    candidates: Sequence[Candidate],
    operations: Sequence[Operation],
    delivery: Delivery,
) -> None:
    """Write candidates; `operations` are theirs, references already exchanged, in their order.

    `delivery` fills as the target answers, so that the caller can commit what was reached even
    where this raises: `GiveBack` to wait for long, `LeaseLost`, `StoreError`.
    """
    capability = run.writes[stream]
    if any(candidate.busy for candidate in candidates):
        raise GiveBack("record_held_elsewhere", after=_BUSY_PAUSE)
    asks = capability.merges and not run.scope.policies.source_always_wins(stream)
    parcels = [
        packed(candidate, operation, capability, asks=asks)
        for candidate, operation in zip(candidates, operations, strict=True)
    ]
    for _ in range(_ROUNDS):
        parcels = await _round(run, stream, parcels, delivery)
        if not parcels:
            return
    raise GiveBack("target_unclear", after=_PATIENCE)


async def _round(
    run: Run, stream: Stream, parcels: list[Parcel], delivery: Delivery
) -> list[Parcel]:
    """Wait, look, announce, send. Answers with what has to go round again."""
    await _wait(run, parcels, max((p.pause for p in parcels), default=0.0))
    # An update that may still be running over there must be through before its result is read, and
    # before the next one is sent: it would be applied after that.
    await _wait(run, parcels, max((p.settles for p in parcels if not p.creates), default=0.0))
    await _look(run, stream, [parcel for parcel in parcels if parcel.look])
    running = max((p.settles for p in parcels), default=0.0)
    if running > 0:
        await _wait(run, parcels, running)
        return parcels
    parcels, again = await merge_updates(run, stream, parcels, delivery.refused)
    await look_whether_right(run, stream, parcels)
    parcels = _without_kept(run, stream, parcels, delivery)
    if parcels:
        await run.hush()
    delivery.announced |= await _announce(run, stream, parcels)
    size = run.writes[stream].batch
    for start in range(0, len(parcels), size):
        batch = parcels[start : start + size]
        outcomes = await _send(run, stream, batch, unsent=parcels[start:])
        by_id = {parcel.id: parcel for parcel in batch}
        again += [
            by_id[outcome.source_id]
            for outcome in outcomes
            if not _settled(run, stream, by_id[outcome.source_id], outcome, delivery)
        ]
    return again


async def _look(run: Run, stream: Stream, parcels: list[Parcel]) -> None:
    if not parcels:
        return
    run.lease.check()
    found = await run.target.find(stream, [parcel.operation for parcel in parcels])
    found = await without_others(run, stream, found)
    known = await ours(run, stream, found)
    for parcel in parcels:
        match = found.get(parcel.id)
        if match is not None:
            whole = run.writes[stream].at_once
            parcel.match(match, is_whole=whole, is_ours=match.target_id in known)


async def _wait(run: Run, parcels: list[Parcel], seconds: float) -> None:
    if seconds <= 0:
        return
    if seconds > _PATIENCE:
        raise GiveBack("earlier_write_may_be_running", after=seconds)
    await run.sleep(seconds)
    for parcel in parcels:
        parcel.settles = max(0.0, parcel.settles - seconds)
        parcel.pause = max(0.0, parcel.pause - seconds)


async def _announce(run: Run, stream: Stream, parcels: list[Parcel]) -> set[str]:
    """Commit what is about to be sent, before the first of it is. Answers with the creates."""
    idempotent = run.writes[stream].idempotent
    creates = [] if idempotent else [parcel for parcel in parcels if parcel.creates]
    updates = [parcel for parcel in parcels if parcel.was_applied]
    anew = [parcel.id for parcel in parcels if parcel.creates and parcel.candidate.again]
    if not creates and not updates and not anew:
        return set()
    held, migration = run.lease.held, run.scope.migration
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        # The stock of what was there went with it, and that of the new record is to be written.
        await removals.forget_stock(connection, migration, stream, anew)
        ours_to_change = await _doubt(connection, migration, stream, updates, held)
        ours: set[str] = set()
        if creates:
            ours = await ledger.intend(
                connection,
                migration,
                stream,
                [parcel.id for parcel in creates],
                slice_id=held.id,
                fence=held.fence,
                again=[parcel.id for parcel in creates if parcel.candidate.again],
            )
            # Should the source lose a record before its answer is heard, this finds it again.
            sent = [parcel.candidate.record for parcel in creates if parcel.id in ours]
            await conflicts.keep_contents(connection, run.vault, migration, stream, sent)
    if len(ours) < len(creates) or len(ours_to_change) < len(updates):
        # Another slice fetched the same record on demand, or retries it. What it makes of it is in
        # the ledger soon, and then this page is sorted anew.
        raise GiveBack("record_held_elsewhere", after=_BUSY_PAUSE)
    reach(Place.AFTER_INTENT)
    return ours


async def _doubt(
    connection: AsyncConnection, migration: UUID, stream: Stream, updates: list[Parcel], held: Held
) -> set[str]:
    """Whatever becomes of the updates, what they may have left on the target is known. Answers with
    those that are ours to send.
    """
    doubts = []
    for parcel in updates:
        sent = None
        if parcel.merged is not None:
            for path, value in parcel.merged.sent.items():
                parcel.sent[path] = tuple(dict.fromkeys((*parcel.sent.get(path, ()), value)))
            sent = msgspec.msgpack.encode(parcel.sent)
        doubts.append(ledger.Doubt(parcel.id, parcel.candidate.applied_at, sent))
    return await ledger.doubt(
        connection, migration, stream, doubts, slice_id=held.id, fence=held.fence
    )


async def _send(
    run: Run, stream: Stream, batch: list[Parcel], *, unsent: list[Parcel]
) -> list[Outcome]:
    run.lease.check(ahead=1.0)
    try:
        outcomes = await run.target.write(stream, [parcel.operation for parcel in batch])
    except (TryLater, SignInAgain):
        # Nothing of this batch was applied, the rest was never sent: no doubt to leave behind.
        creates = [parcel.id for parcel in unsent if parcel.creates]
        async with run.lease.fenced() as transaction:
            await ledger.forget_intents(
                transaction.connection, run.scope.migration, stream, creates
            )
        raise
    reach(Place.AFTER_WRITE)
    return outcomes


def _settled(
    run: Run, stream: Stream, parcel: Parcel, outcome: Outcome, delivery: Delivery
) -> bool:
    """Take an outcome in. False: nobody knows, so look for the record and try again."""
    match outcome:
        case Applied():
            parcel.matched_by = parcel.matched_by or outcome.found
            if parcel.creates and outcome.found is None:
                delivery.created += 1
            else:
                delivery.updated += 1
                delivery.restored += _is_restored(parcel)
            _take(run, stream, parcel, outcome, delivery)
        case Refused():
            delivery.refused.append(outcome)
        case Uncertain():
            log.info("write.uncertain", stream_id=outcome.source_id, reason=outcome.reason)
            _doubt_outcome(run.writes[stream], parcel, running=outcome.running)
            return False
    return True


def _is_restored(parcel: Parcel) -> bool:
    """Whether something was written that was changed on the target alone."""
    restored = parcel.candidate.restored
    return bool(restored) and (parcel.merged is None or not restored.isdisjoint(parcel.merged.sent))


def _doubt_outcome(capability: WriteCapability, parcel: Parcel, *, running: bool) -> None:
    parcel.attempted = True
    parcel.settles = capability.write_settle if running else 0.0
    if parcel.merged is None:
        parcel.look = not capability.idempotent
        return
    # Where it is, is known. What of it was applied, shows when it is merged once more.
    parcel.merged = None
    parcel.candidate.base = replace(parcel.candidate.base, sent=parcel.sent)


def _without_kept(
    run: Run, stream: Stream, parcels: list[Parcel], delivery: Delivery
) -> list[Parcel]:
    """Those that are to be sent. Of the others nothing has to be written: they are done."""
    left = []
    for parcel in parcels:
        if not parcel.is_right:
            left.append(parcel)
            continue
        delivery.kept += 1
        target_id = str(parcel.operation.target_id)
        there = Applied(source_id=parcel.id, target_id=target_id, content=parcel.shown)
        _take(run, stream, parcel, there, delivery)
    return left


def _take(run: Run, stream: Stream, parcel: Parcel, outcome: Applied, delivery: Delivery) -> None:
    delivery.entries.append(_entry(run, stream, parcel, outcome))
    if parcel.candidate.is_new:
        delivery.new.append(parcel.candidate.record)
    if stream is Stream.PRODUCTS:
        delivery.moved += _moved(parcel, delivery.entries[-1])
    if parcel.merged is not None:
        found = conflicts.Found(
            parcel.candidate.record, outcome.target_id, parcel.merged, parcel.known
        )
        delivery.merged.append(found)


def _moved(parcel: Parcel, entry: ledger.Entry) -> list[str]:
    """Levels of variants that somebody had deleted and that were made anew."""
    before = parcel.candidate.children
    return [
        InventoryLevel(product=parcel.id, variant=variant).record_id
        for variant, there in entry.children.items()
        if before.get(variant, there) != there
    ]


def _entry(run: Run, stream: Stream, parcel: Parcel, outcome: Applied) -> ledger.Entry:
    losses = dict.fromkeys(
        [
            *parcel.candidate.losses,
            *(each.field for each in outcome.losses),
            *parcel.lasting_losses(run.writes[stream].derived),
        ]
    )
    entry = ledger.Entry(
        record=parcel.candidate.record,
        digest=parcel.candidate.digest,
        applied=outcome,
        children=outcome.children or parcel.known_children,
        losses=tuple(losses),
        lost=parcel.candidate.missing,
        matched_by=parcel.matched_by,
    )
    if run.writes[stream].merges:
        base = remember(
            entry.record.content,
            outcome.content,
            entry.children,
            rules(run, stream, parcel),
            parcel.merged,
            also=outcome.also,
        )
        entry.target_fields = base.target
        entry.parts = msgspec.msgpack.encode(base.parts) if base.parts else None
    return entry


async def book(run: Run, connection: AsyncConnection, stream: Stream, delivery: Delivery) -> None:
    """Write what came of it into the ledger, within the caller's fenced transaction."""
    migration = run.scope.migration
    if run.writes[stream].merges:
        run.counters["conflicts"] += await conflicts.record(
            connection, run.vault, migration, stream, delivery.merged, job=run.lease.held.job_id
        )
        known = delivery.announced
        applied = [each.record for each in delivery.entries if each.record.id not in known]
        await conflicts.keep_contents(connection, run.vault, migration, stream, applied)
    await ledger.apply(connection, migration, stream, delivery.entries, restores=run.restores)
    await quarantine.resolve(connection, migration, stream, delivery.applied_ids)
    await removals.welcome_back(connection, migration, stream, delivery.applied_ids)
    await removals.forget_levels(connection, migration, delivery.moved)
    if delivery.refused:
        ids = [each.source_id for each in delivery.refused]
        await ledger.forget_intents(connection, migration, stream, ids)
        await quarantine.keep(
            connection, migration, stream, run.lease.held.job_id, delivery.refusals
        )
    arrived = _arrived(stream, delivery.entries)
    await quarantine.wake(connection, migration, arrived)
    await lost_references.mark(connection, migration, arrived)
    # Last of all: pages that count the same hour wait for each other until one is committed.
    await arrivals.count(connection, migration, stream, delivery.new)
    for entry in delivery.entries:
        run.known.learn(stream, entry.record.id, entry.applied.target_id, entry.children)


def _arrived(stream: Stream, entries: Sequence[ledger.Entry]) -> list[str]:
    """The references that lead to these records, or to variants of theirs, as texts."""
    return [
        Reference(stream, each.record.id, child).to_text()
        for each in entries
        for child in (None, *(each.children if stream is Stream.PRODUCTS else ()))
    ]
