"""The stages of a job. Pure: what comes after what, for a kind and its parameters.

A job prepares, makes one pass over each stream in the order in which records refer to each other,
and removes what is proven gone in the reverse order. A `recent` audits the streams that it read by
window. Before anything is removed, what waited in quarantine for a record that has arrived is taken
up, and what was changed on the target where the source rules is put back. A cutover sweeps every
stream, then looks once more at what has changed since it began: as long as something has, the
source is still selling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from app.models import DEMO_SIZE, JobKind
from connectors.base import ReadCapability, Trust
from connectors.records import Stream

CLOSING_ROUNDS = 3
"""How often a cutover looks again before it says that the source has not stopped."""


class StageKind(StrEnum):
    """What a stage is for."""

    PREPARE = "prepare"
    PASS = "pass"  # noqa: S105  not that kind of pass
    AUDIT = "audit"
    CHECK = "check"
    RETRY = "retry"
    REMOVE = "remove"
    RESTORE = "restore"
    GATHER = "gather"
    PAIR = "pair"
    SAMPLE = "sample"
    DEMO = "demo"
    FINISH = "finish"


class Stage(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stage. `closing` counts the rounds of a cutover's last look, 0 in an ordinary pass.

    `since` is the source's time at which a closing window begins; `settled` is the source's time
    before which the stage must not begin to read; `pause` is how many seconds after the stage
    before it this one begins. In a `dry` one nothing reaches the target.
    """

    kind: StageKind
    stream: Stream | None = None
    sweep: bool = False
    closing: int = 0
    quarantine_only: bool = False
    since: datetime | None = None
    settled: datetime | None = None
    pause: float = 0.0
    dry: bool = False


class Order(Struct, frozen=True, kw_only=True):
    """What a job was asked for, from `jobs.kind` and `jobs.params`.

    `quarantine_only`: nothing is read but what is taken up again; `quarantine_ids` narrow that to
    some quarantined records, `conflicts_only` to settled conflicts (then there are no ids).
    `undo_ids` are removals to undo; such a job does nothing else. `release_brake` lets records go,
    however many of them are gone from the source. A demo takes samples of `size` records, always
    the same for a `seed`; a `dry` one only maps them. `stragglers`: the target is selling already,
    so that nothing is audited or removed there. `canary`: the checks may write one.
    """

    kind: JobKind
    streams: tuple[Stream, ...]
    since: datetime | None = None
    cutover: bool = False
    quarantine_only: bool = False
    conflicts_only: bool = False
    quarantine_ids: tuple[str, ...] | None = None
    undo_ids: tuple[str, ...] = ()
    release_brake: bool = False
    dry: bool = False
    size: int = DEMO_SIZE
    seed: str = ""
    stragglers: bool = False
    canary: bool = False

    @property
    def removes(self) -> bool:
        """Whether what is gone from the source is looked for, to be removed."""
        return not (self.quarantine_only or self.stragglers)

    @property
    def audits(self) -> bool:
        """Whether windows are checked afterwards. A cutover reads everything anyway."""
        reads_windows = self.kind is JobKind.RECENT and not (self.cutover or self.quarantine_only)
        return reads_windows and not self.stragglers

    @property
    def writes(self) -> bool:
        """Whether anything may be written to the target: what does not, need not silence it."""
        return self.kind.writes and not self.dry

    @property
    def silences(self) -> bool:
        """Whether the target may have been silenced, and has to be given its voice back."""
        return self.writes or self.canary

    @property
    def eager(self) -> bool:
        """Whether everything in quarantine is tried, and not only what is due."""
        return self.reads_everything or self.quarantine_only

    @property
    def wakes(self) -> bool:
        """Whether what has become due on the way is taken up: not where single ones were named."""
        return self.quarantine_ids is None and not self.conflicts_only

    @property
    def reads_everything(self) -> bool:
        """Whether every record of the streams is read."""
        return (self.kind is JobKind.FULL or self.cutover) and not self.quarantine_only


FIRST = (Stage(kind=StageKind.PREPARE), Stage(kind=StageKind.FINISH))
"""The plan of a job that has not prepared yet: whatever happens, it finishes."""


LOOKING = (FIRST[0], Stage(kind=StageKind.CHECK), FIRST[1])
"""The plan of a job that writes to neither store: checks, one after the other."""


def stages(
    order: Order, *, now: datetime, settle: timedelta, reads: Mapping[Stream, ReadCapability]
) -> list[Stage]:
    """All stages. `now` is the source's time; after `settle` what is written can be seen whole.

    A cutover begins to read when whatever was written before it began can be seen.
    """
    if order.kind is JobKind.ADOPT:
        return [FIRST[0], *_adopting(order, reads), FIRST[1]]
    if order.kind is JobKind.DEMO:
        return demo_stages(order, reads)
    if order.undo_ids:
        restoring = [Stage(kind=StageKind.RESTORE, stream=each) for each in order.streams]
        return [FIRST[0], *restoring, FIRST[1]]
    passes = [
        Stage(
            kind=StageKind.PASS,
            stream=stream,
            sweep=order.kind is JobKind.FULL or order.cutover,
            quarantine_only=order.quarantine_only,
            settled=now + settle if order.cutover else None,
        )
        for stream in Stream
        if stream in order.streams and stream in reads
    ]
    closing = closing_round(
        order.streams, since=now - settle, pause=settle.total_seconds(), number=1, reads=reads
    )
    audits = [
        Stage(kind=StageKind.AUDIT, stream=each.stream)
        for each in passes
        if order.audits and each.stream and reads[each.stream].trust is not Trust.SWEEP
    ]
    retries = [Stage(kind=StageKind.RETRY, stream=each.stream) for each in passes if order.wakes]
    # What refers to a record goes before it.
    removing = [
        Stage(kind=StageKind.REMOVE, stream=each.stream)
        for each in reversed(passes)
        if order.removes
    ]
    return [
        FIRST[0],
        *passes,
        *audits,
        *retries,
        *removing,
        *(closing if order.cutover else []),
        FIRST[1],
    ]


def _adopting(order: Order, reads: Mapping[Stream, ReadCapability]) -> list[Stage]:
    """Each stream is read on both sides and paired before those that refer to it."""
    present = [stream for stream in Stream if stream in order.streams and stream in reads]
    kinds = (StageKind.GATHER, StageKind.PAIR)
    return [Stage(kind=kind, stream=stream) for stream in present for kind in kinds]


def demo_stages(order: Order, reads: Mapping[Stream, ReadCapability]) -> list[Stage]:
    """A demo chooses samples, each bringing what it names, and then writes them. Stock comes with
    its products.
    """
    there = [stream for stream in Stream if stream in reads]
    sampled = [stream for stream in reversed(there) if stream is not Stream.INVENTORY]
    return [
        FIRST[0],
        *(Stage(kind=StageKind.SAMPLE, stream=stream, dry=order.dry) for stream in sampled),
        *(Stage(kind=StageKind.DEMO, stream=stream, dry=order.dry) for stream in there),
        Stage(kind=StageKind.FINISH, dry=order.dry),
    ]


def swept_at(plan: Iterable[Stage], stream: Stream | None) -> int | None:
    """The number of the stage that passes over a whole stream, None where there is none."""
    return next(
        (
            number
            for number, each in enumerate(plan)
            if each.kind is StageKind.PASS and each.stream == stream and not each.closing
        ),
        None,
    )


def closing_round(
    streams: Iterable[Stream],
    *,
    since: datetime,
    pause: float,
    number: int,
    reads: Mapping[Stream, ReadCapability],
) -> list[Stage]:
    """Windows over every stream whose timestamps say something, from when the cutover began.

    The round waits first: a record that was touched while the round before it was reading may
    have been read half-written, and looks the same until it has settled. From the second round
    on, because the first one found changes, the other streams are swept once more as well.
    """
    present = [stream for stream in Stream if stream in streams and stream in reads]
    told = [stream for stream in present if number > 1 or reads[stream].trust is not Trust.SWEEP]
    return [
        Stage(
            kind=StageKind.PASS,
            stream=stream,
            closing=number,
            sweep=reads[stream].trust is Trust.SWEEP,
            since=None if reads[stream].trust is Trust.SWEEP else since,
            pause=pause if stream is told[0] else 0.0,
        )
        for stream in told
    ]


def to_json(plan: Iterable[Stage]) -> list[dict[str, Any]]:
    """The form in which a plan is stored."""
    stored: list[dict[str, Any]] = msgspec.to_builtins(list(plan))
    return stored


def from_json(stored: list[dict[str, Any]]) -> list[Stage]:
    """A stored plan; of a job that has none yet, its first form."""
    return msgspec.convert(stored, list[Stage]) if stored else list(FIRST)
