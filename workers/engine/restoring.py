"""Putting back what somebody changed in a stream that the target does not merge, such as stock.

The source's record is written whole there, without a look. But what was found by a verification may
have been put right by hand since: that is looked for first.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.records import Content, Stream
from workers.engine.parcel import Parcel
from workers.engine.run import Run
from workers.engine.singles import readable


async def look_whether_right(run: Run, stream: Stream, parcels: Sequence[Parcel]) -> None:
    """Note of which parcels nothing has to be written any more. Raises `StoreError`."""
    due = [each for each in parcels if _is_due(run, stream, each)]
    if not due:
        return
    run.lease.check()
    ids = [str(each.operation.target_id) for each in due]
    shown, _ = await readable(run.target, stream, ids)
    for parcel in due:
        there = shown.get(str(parcel.operation.target_id))
        parcel.agrees = there is not None and _agree(parcel, there.content)


def _is_due(run: Run, stream: Stream, parcel: Parcel) -> bool:
    candidate = parcel.candidate
    only_restored = bool(candidate.restored) and candidate.changed == frozenset()
    in_doubt = parcel.attempted or candidate.sent_age is not None
    return only_restored and not in_doubt and not run.writes[stream].merges


def _agree(parcel: Parcel, theirs: Content) -> bool:
    return all(
        getattr(parcel.content, name, None) == getattr(theirs, name, None)
        for name in parcel.candidate.restored
    )
