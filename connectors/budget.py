"""What a store allows: one budget that all who ask the store spend from.

Before a request is sent, its `Place` asks the budget, which answers how long to wait; nought means
that the request may go. When the answer is there, the budget is told what it said: `Word`. From
that it learns how many points there are and how fast they come back; a store that says nothing is
not paced here at all. A request that has to wait, or that was refused, keeps its place: points are
kept for it before any that came later.

`LocalBudget` serves one process. The same rules with a memory that all processes share are in
`app.budget`; both follow one description, and a test compares them step by step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import NamedTuple, Protocol

from connectors.concurrency import PerLoop, loop_time

PROBE_PAUSE = 0.05
"""Seconds after which those that wait for the word of the first request look again."""

GRACE = 2.0
"""Seconds after its time for which the points of a request that does not ask again are kept."""

ENOUGH = 1e-6
"""What sums of fractions may lack of a whole point."""


class Pace(NamedTuple):
    """What may be spent, in points; a request costs one where the store does not say more.

    `level` is what is there now and `most` what there can ever be. A bucket regains `rate` points
    a second. A window has no rate: `ends` is in how many seconds it is full again (0: a bucket)
    and `length` how long it lasts, 0 where the store does not say. `smooth` paces whose `level`
    says nothing about the next second only ever lower what is believed.
    """

    level: float
    most: float
    rate: float = 0.0
    ends: float = 0.0
    length: float = 0.0
    smooth: bool = False


class Word(NamedTuple):
    """What an answer said: its pace, whether it was a refusal, and for how many seconds the store
    wants to be left alone by everybody.
    """

    pace: Pace | None = None
    refused: bool = False
    hold: float = 0.0


@dataclass(slots=True)
class Place:
    """A request's place, kept over its attempts. All but `cost` belongs to the budget: `number`
    orders places, `mark` is what had been spent with this request, `epoch` names the memory that
    gave both.
    """

    cost: float = 1.0
    number: int = 0
    mark: float = 0.0
    epoch: str = ""


class Budget(Protocol):
    """One store's budget. Neither call ever fails or waits for the store."""

    async def ask(self, place: Place, patience: float) -> float:
        """Seconds to wait before asking again; 0: send now. Where that is more than `patience`,
        the place is given up.
        """
        ...

    async def tell(self, place: Place, word: Word) -> None:
        """What came of a request that was let go."""
        ...


Budgets = Callable[[str], Budget]
"""The budget of a store, by its origin (scheme, host and port)."""


class Kind(StrEnum):
    """What is known of a store: nothing yet, that it says nothing, or its pace."""

    UNKNOWN = "unknown"
    FREE = "free"
    PACED = "paced"


_epochs = itertools.count(1)


class LocalBudget:
    """A budget that this process alone spends from. `clock` is in seconds.

    `probe`: for so many seconds the first request goes alone, and others wait for its word. One
    process asks a few things at once at most and needs no such care; many together do.
    """

    def __init__(self, clock: Callable[[], float] = loop_time, probe: float = 0.0) -> None:
        self._clock = clock
        self._alone = probe
        self._epoch = f"local {next(_epochs)}"
        self._numbers = itertools.count(1)
        self._queue: dict[int, tuple[float, float]] = {}  # number: cost, and when it asks again
        self._kind = Kind.UNKNOWN
        self._hold = 0.0
        self._probe = 0.0
        self._spent = 0.0
        self._seen = 0.0
        self._level = self._most = self._rate = 0.0
        self._at = self._ends = self._length = 0.0

    async def ask(self, place: Place, patience: float) -> float:
        """Seconds to wait before asking again; 0: send now."""
        now = self._clock()
        if place.epoch != self._epoch:
            place.epoch, place.number = self._epoch, next(self._numbers)
        wait = self._wait(place, now)
        if wait > 0:
            if wait > patience:
                self._queue.pop(place.number, None)
            else:
                self._enqueue(place, now + wait)
            return wait
        self._queue.pop(place.number, None)
        self._spent += place.cost
        self._level -= place.cost
        place.mark = self._spent
        return 0.0

    async def tell(self, place: Place, word: Word) -> None:
        """What came of a request that was let go."""
        now = self._clock()
        # What another memory let go is not counted here, but its word is as fresh as any.
        mark = place.mark if place.epoch == self._epoch else self._spent
        if word.hold > 0:
            self._hold = max(self._hold, now + word.hold)
        if word.pace is not None:
            self._learn(word.pace, mark, now)
        elif self._kind is Kind.UNKNOWN:
            self._kind = Kind.FREE
        if word.refused:
            self._regain(now)
            self._level = min(self._level, 0.0)
            if place.epoch == self._epoch:
                self._enqueue(place, max(now, self._hold))

    def _enqueue(self, place: Place, due: float) -> None:
        if self._kind is Kind.PACED:
            self._queue[place.number] = (place.cost, due)

    def _wait(self, place: Place, now: float) -> float:
        pause = max(0.0, self._hold - now)
        if self._kind is Kind.FREE or (self._kind is Kind.UNKNOWN and pause):
            return pause
        if self._kind is Kind.UNKNOWN:
            if not self._probe:
                self._probe = now + self._alone
                return 0.0
            return min(PROBE_PAUSE, max(0.0, self._probe - now))
        self._regain(now)
        need = self._ahead(place.number, now) + min(place.cost, self._most)
        return max(pause, self._until(need, now))

    def _ahead(self, number: int, now: float) -> float:
        for gone in [each for each, (_, due) in self._queue.items() if due + GRACE < now]:
            del self._queue[gone]
        return sum(cost for each, (cost, _) in self._queue.items() if each < number)

    def _until(self, need: float, now: float) -> float:
        lack = need - self._level
        if lack <= ENOUGH:
            return 0.0
        wait = lack / self._rate
        if self._ends and now + wait > self._ends:
            return self._ends - now + max(0.0, need - self._most / 2) / self._rate
        return wait

    def _regain(self, now: float) -> None:
        if self._ends and now >= self._ends:
            began = self._ends + floor((now - self._ends) / self._length) * self._length
            self._level = self._most / 2 + self._rate * (now - began)
            self._ends = began + self._length
        else:
            self._level = min(self._most, self._level + self._rate * max(0.0, now - self._at))
        self._at = now

    def _learn(self, pace: Pace, mark: float, now: float) -> None:
        """Believe the newest word. Whatever was let go after its request is not in it yet.

        Half of a window may be spent at once, so that a short run is quick; the other half is
        let go evenly until the window ends, so that a long one never stands still.
        """
        self._regain(now)
        level, rate = pace.level, pace.rate
        self._most = pace.most
        if pace.ends:
            self._length = pace.length or max(self._length, pace.ends)
            self._ends = now + pace.ends
            rate = pace.most / 2 / self._length
            level -= rate * pace.ends
        else:
            self._ends = self._length = 0.0
        self._rate = rate
        if mark >= self._seen:
            self._seen = mark
            believed = level - (self._spent - mark)
            lower = pace.smooth and self._kind is Kind.PACED
            self._level = min(self._level, believed) if lower else believed
        self._kind = Kind.PACED


local_budget = PerLoop(LocalBudget)
"""The budget that all objects of one event loop share for one store."""
