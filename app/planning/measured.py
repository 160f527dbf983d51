"""What earlier jobs of a migration teach: the seconds of each stage, and what they did in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from app.planning.costs import Costs, PassRun, learn
from connectors.records import Stream

STATED_PREPARE = 3.0
STATED_FINISH = 2.0
"""Seconds before and after the passes of a run, where nothing was measured."""

STATED_WRITTEN = {
    Stream.CATEGORIES: 0.01,
    Stream.PRODUCTS: 0.5,
    Stream.CUSTOMERS: 0.5,
    Stream.ORDERS: 2.0,
    Stream.INVENTORY: 2.0,
}
"""Records written for each order that arrives, where nothing was measured: the order itself and
another one that goes on its way, the stock of what it sold, now and then a customer or a price.
"""

_STATED_ARRIVALS = 5.0
"""The stated shares count as much as so many arrivals."""


class StageRun(Struct, frozen=True, kw_only=True):
    """A stage of a job that ended. `kind`, `stream`, `closing` and `pause` (seconds) as planned,
    `settled` the moment before which it had to wait; `window`: it read by date; `ended` is when
    its last slice was put down. `restored` counts, among the updated, what was put back on the
    target.
    """

    kind: str
    ended: datetime
    stream: Stream | None = None
    closing: int = 0
    pause: float = 0.0
    settled: datetime | None = None
    parts: int = 1
    window: bool = False
    read: int = 0
    created: int = 0
    updated: int = 0
    restored: int = 0
    requests: int = 0


class JobRun(Struct, frozen=True, kw_only=True):
    """A job that ended, its stages in order. `covered` is the time whose changes of orders it
    brought over: from the cursor before it to the one after it.
    """

    kind: str
    cutover: bool
    started: datetime
    finished: datetime
    stages: tuple[StageRun, ...]
    covered: tuple[datetime, datetime] | None = None

    @property
    def seconds(self) -> float:
        """From its start to its end."""
        return (self.finished - self.started).total_seconds()

    def timed(self) -> list[tuple[StageRun, float]]:
        """Each stage with the seconds that it worked: without what it was told to wait."""
        found = []
        before = self.started
        for stage in self.stages:
            begin = before + timedelta(seconds=stage.pause)
            if stage.settled is not None:
                begin = max(begin, min(stage.settled, stage.ended))
            found.append((stage, max(0.0, (stage.ended - begin).total_seconds())))
            before = max(before, stage.ended)
        return found

    def total(self, stream: Stream) -> tuple[int, int]:
        """Records of a stream that it created, and that it updated because the source had changed
        them: what was put back on the target tells of no change there.
        """
        own = [stage for stage in self.stages if stage.stream is stream]
        updated = sum(stage.updated - stage.restored for stage in own)
        return sum(stage.created for stage in own), updated


class Experience(Struct, frozen=True, kw_only=True):
    """What was learned. `prepare`, `between` and `finish` are seconds by job, newest first;
    `created` and `updated` are records for each arrival, by stream, `requests` those for each
    record that a full run reads, `parts` the slices that last shared a sweep.
    """

    costs: Costs
    jobs: int
    prepare: tuple[float, ...]
    between: tuple[float, ...]
    finish: tuple[float, ...]
    created: Mapping[Stream, float]
    updated: Mapping[Stream, float]
    requests: Mapping[Stream, float]
    parts: Mapping[Stream, int]

    def written(self, stream: Stream) -> float:
        """Records written for each arrival."""
        return self.created.get(stream, 0.0) + self.updated.get(stream, 0.0)

    def new_share(self, stream: Stream) -> float:
        """How many of the records that are written are new, from 0 to 1."""
        return self.created.get(stream, 0.0) / max(self.written(stream), 1e-9)


def experience(
    jobs: Sequence[JobRun],
    page_sizes: Mapping[Stream, int],
    arrived: Mapping[tuple[datetime, datetime], float],
) -> Experience:
    """What jobs teach. `page_sizes` are the source's; `arrived` says how many records arrived
    within the times that jobs covered.
    """
    return Experience(
        costs=learn([run for job in jobs for run in _passes(job, page_sizes)]),
        jobs=len(jobs),
        prepare=_seconds(jobs, {"prepare"}) or (STATED_PREPARE,),
        between=tuple(
            sum(seconds for stage, seconds in job.timed() if stage.kind in {"retry", "remove"})
            for job in jobs
        ),
        finish=_seconds(jobs, {"finish"}) or (STATED_FINISH,),
        created={stream: _share(jobs, arrived, stream, created=True) for stream in Stream},
        updated={stream: _share(jobs, arrived, stream, created=False) for stream in Stream},
        requests={stream: share for stream in Stream if (share := _requests(jobs, stream))},
        parts=_parts(jobs),
    )


def _passes(job: JobRun, page_sizes: Mapping[Stream, int]) -> Iterable[PassRun]:
    for stage, seconds in job.timed():
        if stage.kind == "pass" and stage.stream is not None:
            pages = stage.read / page_sizes.get(stage.stream, 100)
            yield PassRun(
                stream=stage.stream,
                pages=pages if stage.window else max(1.0, pages),
                window=stage.window,
                written=stage.created + stage.updated,
                parts=stage.parts,
                seconds=seconds,
            )


def _seconds(jobs: Sequence[JobRun], kinds: set[str]) -> tuple[float, ...]:
    return tuple(seconds for job in jobs for stage, seconds in job.timed() if stage.kind in kinds)


def _share(
    jobs: Sequence[JobRun],
    arrived: Mapping[tuple[datetime, datetime], float],
    stream: Stream,
    *,
    created: bool,
) -> float:
    """Records of a stream created, or updated, for each arrival; few arrivals say little."""
    kept = 1.0 if stream is Stream.ORDERS else 0.0
    stated = kept if created else STATED_WRITTEN[stream] - kept
    came, written = _STATED_ARRIVALS, _STATED_ARRIVALS * stated
    for job in jobs:
        if job.covered is not None:
            came += arrived.get(job.covered, 0.0)
            written += job.total(stream)[0 if created else 1]
    return written / came


def _parts(jobs: Sequence[JobRun]) -> dict[Stream, int]:
    """Newest first: what the last sweep of each stream was cut into."""
    found: dict[Stream, int] = {}
    for job in jobs:
        if job.kind == "full" or job.cutover:
            for stage in job.stages:
                if stage.kind == "pass" and stage.stream is not None and not stage.closing:
                    found.setdefault(stage.stream, stage.parts)
    return found


def _requests(jobs: Sequence[JobRun], stream: Stream) -> float:
    """Requests for each record that a full run reads, 0 where none was measured."""
    own = [
        stage
        for job in jobs
        if job.kind == "full"
        for stage in job.stages
        if stage.kind == "pass" and stage.stream is stream
    ]
    read = sum(stage.read for stage in own)
    return sum(stage.requests for stage in own) / read if read else 0.0
