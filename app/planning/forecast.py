"""How long the source has to stand still, and whether repeated runs catch up with it.

The freeze lasts from the source's stop until the cutover run has ended. That run prepares, waits
until what was written can be seen, sweeps every stream, looks once more after the same wait, and
ends. What it has to write is what arrived since the run before it; how much that is, and how long
each part takes, is drawn many times over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from random import Random

from msgspec import Struct

from app.planning.arrivals import drawn
from app.planning.costs import Costs
from connectors.records import Stream

DRAWS = 2_000
_MOST_PASSES = 50
_CLOSE_ENOUGH = 1.1
_STEADY = 0.15
"""How far one whole run may differ from another, beside what its passes do."""


class Swept(Struct, frozen=True, kw_only=True):
    """A stream as a cutover or a `recent` reads it.

    `records` are in scope; `written` is how many of them are written for each arrival, and
    `changed` how many are to be written already. `windowed`: its timestamps say what changed.
    """

    stream: Stream
    records: int
    page_size: int
    parts: int = 1
    written: float = 0.0
    changed: int = 0
    windowed: bool = False

    @property
    def pages(self) -> int:
        """The pages of a sweep; even an empty list is asked for once."""
        return max(1, math.ceil(self.records / self.page_size))


class Cutover(Struct, frozen=True, kw_only=True):
    """What the last run has to do. Seconds throughout.

    `arrivals` are expected between the run before it and the freeze, with `spread` as in
    `Profile`. `settle` is waited for twice. `prepare`, `between` and `finish` are what earlier runs
    took before, beside and after their passes; one of each is drawn.
    """

    streams: tuple[Swept, ...]
    arrivals: float
    spread: float
    settle: float
    prepare: tuple[float, ...]
    between: tuple[float, ...]
    finish: tuple[float, ...]


class Range(Struct, frozen=True):
    """Seconds: half of all cases are below `median`, 95 of 100 below `p95`."""

    median: float
    p95: float


class Freeze(Struct, frozen=True, kw_only=True):
    """The forecast, and what it is made of on average: seconds by what takes them."""

    seconds: Range
    parts: Mapping[str, float]


def freeze(cutover: Cutover, costs: Costs, *, seed: int = 0, draws: int = DRAWS) -> Freeze:
    """The forecast; the same seed draws the same."""
    dice = Random(seed)  # noqa: S311 - repeatable draws, no secret
    found = sorted(_one(cutover, costs, dice) for _ in range(draws))
    return Freeze(
        seconds=Range(_at(found, 0.5), _at(found, 0.95)),
        parts={
            "prepare": _mean(cutover.prepare),
            "settle": 2 * cutover.settle,
            **{str(each.stream): _sweep(each, costs, cutover.arrivals) for each in cutover.streams},
            "closing": sum(_closing(each, costs) for each in cutover.streams),
            "between": _mean(cutover.between),
            "finish": _mean(cutover.finish),
        },
    )


def _one(cutover: Cutover, costs: Costs, dice: Random) -> float:
    came = drawn(dice, cutover.arrivals, cutover.spread)
    # Half of what passes differ by is common to a whole run: the shop is busy, or it is not.
    shared = costs.spread / math.sqrt(2)
    passes = sum(
        _sweep(each, costs, came) * dice.lognormvariate(0, shared) + _closing(each, costs)
        for each in cutover.streams
    )
    steady = _STEADY if costs.measured else costs.spread
    working = passes * dice.lognormvariate(0, math.hypot(shared, steady))
    fixed = sum(
        dice.choice(each) for each in (cutover.prepare, cutover.between, cutover.finish) if each
    )
    return 2 * cutover.settle + fixed + working


def _sweep(swept: Swept, costs: Costs, arrivals: float) -> float:
    written = swept.changed + swept.written * arrivals
    return costs.seconds(swept.stream, pages=swept.pages, written=written, parts=swept.parts)


def _closing(swept: Swept, costs: Costs) -> float:
    """The last look: a window of a page. Streams without timestamps are not read again."""
    return _look(swept, costs) if swept.windowed else 0.0


def _look(swept: Swept, costs: Costs) -> float:
    """A window in which hardly anything lies."""
    return costs.seconds(swept.stream, pages=0, written=0, window=True)


class Convergence(Struct, frozen=True, kw_only=True):
    """Whether runs one after the other catch up.

    `load` is how many seconds of work a second of selling makes, on average, `peak` in the busiest
    hour of the week: below 1 a run is done before as much has come again. `shortest` is how long a
    run takes once they have caught up, and `passes` how many it takes to get there; both None
    where they never do.
    """

    converges: bool
    load: float
    peak: float
    shortest: float | None
    passes: int | None


def convergence(
    streams: Sequence[Swept],
    costs: Costs,
    *,
    fixed: float,
    mean: float,
    peak: float,
    behind: float,
) -> Convergence:
    """`fixed` are a run's seconds beside its passes, `mean` and `peak` arrivals an hour, `behind`
    the seconds since the last run.
    """
    each_arrival = sum(costs.per_write(each.stream) * each.written for each in streams)
    base = fixed + sum(
        _look(each, costs) if each.windowed else _sweep(each, costs, arrivals=0) for each in streams
    )
    load, busiest = each_arrival * mean / 3600, each_arrival * peak / 3600
    if load >= 1:
        return Convergence(converges=False, load=load, peak=busiest, shortest=None, passes=None)
    shortest = base / (1 - load)
    length, passes = base + load * behind, 1
    while length > shortest * _CLOSE_ENOUGH and passes < _MOST_PASSES:
        length, passes = base + load * length, passes + 1
    return Convergence(converges=True, load=load, peak=busiest, shortest=shortest, passes=passes)


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
