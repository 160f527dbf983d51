"""Looking at the target before an update, so that what people changed there stays.

Stores show records half-written, and older than they are. What looks like an edit that matters is
therefore looked at twice: once more after a pause, and not before the target has settled from our
own last write.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from app.database import autocommit
from connectors.base import Refused
from connectors.digest import value_digest
from connectors.errors import BadAnswer
from connectors.records import Record, Stream
from workers.engine import conflicts
from workers.engine.merge import merge
from workers.engine.parcel import Parcel
from workers.engine.run import Run
from workers.engine.sides import Incoming, Rules, lacking, plain

log = structlog.get_logger(__name__)

_SECOND_LOOK = 1.0
"""Seconds between two looks: longer than a store shows a record half-written."""

_UNREADABLE = "record_unmappable"


async def merge_updates(
    run: Run, stream: Stream, parcels: Sequence[Parcel], refused: list[Refused]
) -> tuple[list[Parcel], list[Parcel]]:
    """Merge the updates among the parcels with what the target holds.

    Answers with what can go on, and with what has to be looked at once more after its `pause`.
    Those whose record is gone or cannot be understood are refused.
    """
    due = [each for each in parcels if _is_due(run, stream, each)]
    if not due:
        return list(parcels), []
    async with autocommit(run.engine) as connection:
        known = await conflicts.known(
            connection, run.scope.migration, stream, [each.id for each in due]
        )
    shown = await _shown(run, stream, due, refused)
    refused_ids = {each.source_id for each in refused}
    doubtful = []
    for parcel in due:
        parcel.known = known.get(parcel.id, {})
        if parcel.id not in refused_ids and not _merge(
            run, stream, parcel, shown.get(str(parcel.operation.target_id)), refused
        ):
            doubtful.append(parcel)
    out = {each.id for each in doubtful} | {each.source_id for each in refused}
    return [each for each in parcels if each.id not in out], doubtful


def rules(run: Run, stream: Stream, parcel: Parcel) -> Rules:
    """By what a parcel is merged."""
    capability = run.writes[stream]
    age = parcel.candidate.base.age
    derived, former = capability.derived, parcel.candidate.former
    return Rules(
        stream=stream,
        policies=run.scope.policies,
        derived=derived,
        lossy=frozenset(each.field for each in capability.losses),
        known=parcel.known,
        first=not parcel.was_applied,
        foreign=parcel.is_foreign,
        adopted=parcel.was_applied and parcel.candidate.base.source is None,
        unsure=age is not None and age < capability.write_settle,
        returns=parcel.candidate.returns,
        restored=parcel.candidate.restored,
        lacking=lacking(stream, parcel.candidate.known_losses),
        former={name: value_digest(plain(name, value, derived)) for name, value in former.items()},
    )


def _is_due(run: Run, stream: Stream, parcel: Parcel) -> bool:
    if parcel.creates or parcel.merged is not None or not run.writes[stream].merges:
        return False
    if parcel.was_applied:
        return True
    # Found before anything of ours was sent: somebody else's work, or an earlier migration's.
    return parcel.found and not run.scope.policies.source_always_wins(stream)


def _merge(
    run: Run, stream: Stream, parcel: Parcel, there: Record | None, refused: list[Refused]
) -> bool:
    """Merge one. False: look once more before it counts."""
    if there is None:
        if _looks_again(run, stream, parcel):
            return False
        refused.append(_gone(parcel))
        return True
    candidate = parcel.candidate
    merged = merge(
        Incoming(parcel.content, candidate.digest.fields, parcel.known_children),
        there.content,
        candidate.base,
        rules(run, stream, parcel),
    )
    if merged.is_doubtful and _looks_again(run, stream, parcel):
        return False
    parcel.take(merged)
    if not merged.changed:
        parcel.shown = there.content
    return True


def _looks_again(run: Run, stream: Stream, parcel: Parcel) -> bool:
    """Whether this was the first look; sets how long to wait for the second."""
    if parcel.looked_twice:
        return False
    age = parcel.candidate.base.age
    settling = 0.0 if age is None else run.writes[stream].write_settle - age
    parcel.looked_twice = True
    parcel.pause = max(_SECOND_LOOK, settling)
    return True


async def _shown(
    run: Run, stream: Stream, parcels: Sequence[Parcel], refused: list[Refused]
) -> dict[str, Record]:
    """The target's records. One that cannot be understood is refused, and spoils no other."""
    run.lease.check()
    ids = [str(each.operation.target_id) for each in parcels]
    try:
        return await run.target.get(stream, ids)
    except BadAnswer as error:
        if error.code != _UNREADABLE:
            raise
    found: dict[str, Record] = {}
    for parcel, target_id in zip(parcels, ids, strict=True):
        try:
            found |= await run.target.get(stream, [target_id])
        except BadAnswer as error:
            if error.code != _UNREADABLE:
                raise
            refused.append(_unreadable(parcel, error))
    return found


def _gone(parcel: Parcel) -> Refused:
    return Refused(
        source_id=parcel.id,
        code="gone",
        message="the record is not on the target any more",
        gone=True,
    )


def _unreadable(parcel: Parcel, error: BadAnswer) -> Refused:
    return Refused(
        source_id=parcel.id,
        code="target_not_understood",
        message=f"what the target holds cannot be understood: {error.message}",
        request_id=error.request_id,
    )
