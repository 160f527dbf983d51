"""What passes cost, learned from those that ran. Seconds throughout.

A pass takes a time of its own, a window more than a sweep because the source is probed before it,
some for each page that a slice reads and some for each record that it writes. What is measured
pulls the stated values towards it, first over all streams together, then stream by stream; a stream
that was never read takes what the others have taught.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from connectors.records import Stream

Rates = tuple[float, float, float, float]
"""Seconds a pass, a window besides, a page and a written record."""

STATED: Rates = (0.5, 2.0, 1.0, 0.05)
"""Where nothing was measured: a shop on a common host, some questions before a window, one page in
a second, twenty records written in another one.
"""

STATED_SPREAD = 0.7
"""How far the stated values may be off: about half to twice."""

_OPEN = 3.0
_BOUND = 0.5
"""How freely a measurement moves the stated values, and a stream those of all streams: the
standard deviation of each in units of itself.
"""

_NOISE = 0.2
_NOISE_WEIGHT = 4.0
_SHORTEST = 0.25


class PassRun(Struct, frozen=True, kw_only=True):
    """A pass that ran: its pages and its writes, with how many slices shared them. `window`: it
    read what had changed, and not everything.
    """

    stream: Stream
    pages: float
    written: float
    parts: int = 1
    window: bool = False
    seconds: float

    @property
    def load(self) -> Rates:
        """What its time is reckoned from."""
        return _load(self.pages, self.written, self.parts, window=self.window)


class Costs(Struct, frozen=True, kw_only=True):
    """Rates by stream, and for all others.

    `spread` is by how much a pass may take longer or shorter, as the standard deviation of the
    logarithm; `runs` is how many passes taught it.
    """

    common: Rates = STATED
    streams: Mapping[Stream, Rates] = {}
    spread: float = STATED_SPREAD
    runs: int = 0

    @property
    def measured(self) -> bool:
        """Whether there was anything to learn from."""
        return self.runs > 0

    def seconds(
        self,
        stream: Stream,
        *,
        pages: float,
        written: float,
        parts: int = 1,
        window: bool = False,
    ) -> float:
        """How long a pass is expected to take."""
        rates = self.streams.get(stream, self.common)
        return _product(rates, _load(pages, written, parts, window=window))

    def per_write(self, stream: Stream) -> float:
        """Seconds that one more record to write takes."""
        return self.streams.get(stream, self.common)[3]


def _load(pages: float, written: float, parts: int, *, window: bool) -> Rates:
    """A pass as its costs count it: slices that run beside each other share pages and writes."""
    lanes = max(1, parts)
    return 1.0, float(window), pages / lanes, written / lanes


def learn(runs: Sequence[PassRun]) -> Costs:
    """The costs that passes had."""
    if not runs:
        return Costs()
    common = _fit(runs, STATED, _OPEN)
    streams = {
        stream: _fit(own, common, _BOUND)
        for stream in Stream
        if (own := [run for run in runs if run.stream is stream])
    }
    errors = [
        math.log(max(run.seconds, _SHORTEST) / max(_product(streams[run.stream], run.load), 1e-9))
        for run in runs
        if run.seconds > _SHORTEST
    ]
    weighed = _NOISE_WEIGHT * _NOISE**2 + sum(each**2 for each in errors)
    spread = math.sqrt(weighed / (_NOISE_WEIGHT + len(errors)))
    return Costs(common=common, streams=streams, spread=spread, runs=len(runs))


def _fit(runs: Sequence[PassRun], prior: Rates, freedom: float) -> Rates:
    """Least squares of relative errors, held by what was believed before; never below zero."""
    free = [0, 1, 2, 3]
    while True:
        found = _solved(runs, prior, freedom, free)
        below = [index for index in free if found[index] < 0]
        if not below:
            return found[0], found[1], found[2], found[3]
        free = [index for index in free if index not in below]


def _solved(
    runs: Iterable[PassRun], prior: Rates, freedom: float, free: Sequence[int]
) -> list[float]:
    """The weights of the features in `free`; those of the others are 0."""
    size = len(free)
    matrix = [[0.0] * size for _ in range(size)]
    right = [0.0] * size
    for row, index in enumerate(free):
        hold = (_NOISE / (freedom * max(prior[index], 1e-6))) ** 2
        matrix[row][row] += hold
        right[row] += hold * prior[index]
    for run in runs:
        scale = max(run.seconds, _SHORTEST)
        scaled = [run.load[index] / scale for index in free]
        for row, left in enumerate(scaled):
            right[row] += left * run.seconds / scale
            for column, other in enumerate(scaled):
                matrix[row][column] += left * other
    solved = _eliminated(matrix, right)
    found = [0.0] * len(prior)
    for index, value in zip(free, solved, strict=True):
        found[index] = value
    return found


def _eliminated(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a small symmetric positive system in place."""
    size = len(right)
    for pivot in range(size):
        for row in range(pivot + 1, size):
            factor = matrix[row][pivot] / matrix[pivot][pivot]
            right[row] -= factor * right[pivot]
            for column in range(pivot, size):
                matrix[row][column] -= factor * matrix[pivot][column]
    solved = [0.0] * size
    for row in reversed(range(size)):
        known = sum(matrix[row][column] * solved[column] for column in range(row + 1, size))
        solved[row] = (right[row] - known) / matrix[row][row]
    return solved


def _product(rates: Sequence[float], load: Sequence[float]) -> float:
    return sum(rate * amount for rate, amount in zip(rates, load, strict=True))
