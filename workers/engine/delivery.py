"""Bringing records onto the target, each exactly once.

A create that the platform does not protect is preceded by a committed intent. Whatever became
of an earlier intent (a time-out, a crash, a lost lease) is found out by looking for the record
on the target before anything is sent again; and while the earlier request may still be running
over there, the look-up waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.base import Applied, Match, Operation, Outcome, Refused, Uncertain, WriteCapability
from connectors.errors import SignInAgain, TryLater
from connectors.records import Stream
from workers.engine import ledger, removals
from workers.engine.diff import Candidate
from workers.engine.errors import GiveBack
from workers.engine.failpoints import Place, reach
from workers.engine.run import Run

log = structlog.get_logger(__name__)

_ROUNDS = 6
_PATIENCE = 8.0
"""Seconds a slice waits in a worker's hands; for longer it is given back."""

_BUSY_PAUSE = 2.0


@dataclass(slots=True)
class Delivery:
    """What came of it: ready for the ledger, and refused."""

    entries: list[ledger.Entry] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    created: int = 0
    updated: int = 0

    @property
    def applied_ids(self) -> list[str]:
        """Source ids of what is right on the target now."""
        return [entry.record.id for entry in self.entries]


@dataclass(slots=True)
class _Parcel:
    """A candidate on its way. `settles` is for how long an earlier request may still run."""

    candidate: Candidate
    content_op: Operation
    matched_by: str | None = None
    look: bool = False
    settles: float = 0.0
    known_children: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.candidate.record.id

    @property
    def creates(self) -> bool:
        return self.content_op.target_id is None


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
    parcels = [
        _parcel(candidate, operation, capability)
        for candidate, operation in zip(candidates, operations, strict=True)
    ]
    for _ in range(_ROUNDS):
        parcels = await _round(run, stream, parcels, delivery)
        if not parcels:
            return
    raise GiveBack("target_unclear", after=_PATIENCE)


def _parcel(candidate: Candidate, operation: Operation, capability: WriteCapability) -> _Parcel:
    parcel = _Parcel(candidate, operation, known_children=dict(operation.children))
    if parcel.creates and not capability.idempotent:
        parcel.look = candidate.suspect or not capability.refuses_doubles
        if candidate.suspect:
            parcel.settles = max(0.0, capability.write_settle - candidate.suspect_age)
    return parcel


async def _round(
    run: Run, stream: Stream, parcels: list[_Parcel], delivery: Delivery
) -> list[_Parcel]:
    """Wait, look, announce, send. Answers with what has to go round again."""
    # An update that may still be running over there must be through before its result is read.
    updating = max((p.settles for p in parcels if not p.creates), default=0.0)
    await _wait(run, parcels, min(updating, _PATIENCE))
    await _look(run, stream, [parcel for parcel in parcels if parcel.look])
    creating = max((p.settles for p in parcels if p.creates), default=0.0)
    if creating > 0:
        await _wait(run, parcels, creating)
        return parcels
    await _announce(run, stream, parcels)
    size = run.writes[stream].batch
    again: list[_Parcel] = []
    for start in range(0, len(parcels), size):
        batch = parcels[start : start + size]
        outcomes = await _send(run, stream, batch, unsent=parcels[start:])
        by_id = {parcel.id: parcel for parcel in batch}
        again += [
            by_id[outcome.source_id]
            for outcome in outcomes
            if not _settled(by_id[outcome.source_id], outcome, delivery, run.writes[stream])
        ]
    return again


async def _look(run: Run, stream: Stream, parcels: list[_Parcel]) -> None:
    if not parcels:
        return
    run.lease.check()
    found = await run.target.find(stream, [parcel.content_op for parcel in parcels])
    for parcel in parcels:
        match = found.get(parcel.id)
        if match is not None:
            _matched(parcel, match)


def _matched(parcel: _Parcel, match: Match) -> None:
    """The record is there: what is left is an update, of everything, because what was sent
    before may have been an older content, or may have been applied in part.
    """
    parcel.look = False
    parcel.settles = 0.0
    parcel.matched_by = parcel.matched_by or match.by
    parcel.known_children.update(match.children)
    parcel.content_op = _replaced(
        parcel.content_op, target_id=match.target_id, children=parcel.known_children, changed=None
    )


def _replaced(operation: Operation, **changes: object) -> Operation:
    values = {name: getattr(operation, name) for name in operation.__struct_fields__}
    return Operation(**{**values, **changes})


async def _wait(run: Run, parcels: list[_Parcel], seconds: float) -> None:
    if seconds <= 0:
        return
    if seconds > _PATIENCE:
        raise GiveBack("earlier_write_may_be_running", after=seconds)
    await run.sleep(seconds)
    for parcel in parcels:
        parcel.settles = max(0.0, parcel.settles - seconds)


async def _announce(run: Run, stream: Stream, parcels: list[_Parcel]) -> None:
    """Commit what is about to be sent, before the first of it is."""
    idempotent = run.writes[stream].idempotent
    creates = [] if idempotent else [parcel for parcel in parcels if parcel.creates]
    updates = [parcel.id for parcel in parcels if parcel.candidate.target_id is not None]
    if not creates and not updates:
        return
    held, migration = run.lease.held, run.scope.migration
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await ledger.doubt(connection, migration, stream, updates)
        ours = set()
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
    if len(ours) < len(creates):
        # Another slice fetched the same record on demand. What it makes of it is in the ledger
        # soon, and then this page is sorted anew.
        raise GiveBack("record_held_elsewhere", after=_BUSY_PAUSE)
    reach(Place.AFTER_INTENT)


async def _send(
    run: Run, stream: Stream, batch: list[_Parcel], *, unsent: list[_Parcel]
) -> list[Outcome]:
    run.lease.check(ahead=1.0)
    try:
        outcomes = await run.target.write(stream, [parcel.content_op for parcel in batch])
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
    parcel: _Parcel, outcome: Outcome, delivery: Delivery, capability: WriteCapability
) -> bool:
    """Take an outcome in. False: nobody knows, so look for the record and try again."""
    match outcome:
        case Applied():
            if parcel.creates:
                delivery.created += 1
            else:
                delivery.updated += 1
            delivery.entries.append(_entry(parcel, outcome))
        case Refused():
            delivery.refused.append(outcome)
        case Uncertain():
            log.info("write.uncertain", stream_id=outcome.source_id, reason=outcome.reason)
            parcel.look = not capability.idempotent
            parcel.settles = capability.write_settle if outcome.running else 0.0
            return False
    return True


def _entry(parcel: _Parcel, outcome: Applied) -> ledger.Entry:
    losses = dict.fromkeys([*parcel.candidate.losses, *(each.field for each in outcome.losses)])
    return ledger.Entry(
        record=parcel.candidate.record,
        digest=parcel.candidate.digest,
        applied=outcome,
        children=outcome.children or parcel.known_children,
        losses=tuple(losses),
        matched_by=parcel.matched_by,
    )


async def book(run: Run, connection: AsyncConnection, stream: Stream, delivery: Delivery) -> None:
    """Write what came of it into the ledger, within the caller's fenced transaction."""
    migration = run.scope.migration
    await ledger.apply(connection, migration, stream, delivery.entries)
    await ledger.resolve(connection, migration, stream, delivery.applied_ids)
    await removals.welcome_back(connection, migration, stream, delivery.applied_ids)
    if delivery.refused:
        ids = [each.source_id for each in delivery.refused]
        await ledger.forget_intents(connection, migration, stream, ids)
        await ledger.quarantine(
            connection, migration, stream, run.lease.held.job_id, delivery.refused
        )
    for entry in delivery.entries:
        run.known.learn(stream, entry.record.id, entry.applied.target_id, entry.children)
