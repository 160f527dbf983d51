"""Choosing a sample that shows as much as it can of what there is. Pure."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from connectors.records import Record, Stream
from connectors.references import references
from workers.engine.demo.traits import FIRST, Traits, traits

_ROOM = 8
"""For each record of the sample, so many records of another stream may come with it."""

AT_RANDOM = "random"


class Seen(NamedTuple):
    """A record that was looked at: what is special about it, and which records it names."""

    id: str
    traits: Traits
    names: frozenset[tuple[Stream, str]]


def seen(record: Record) -> Seen:
    """What choosing needs to know of a record."""
    named = frozenset((each.stream, each.id) for each in references(record.content))
    return Seen(record.id, traits(record), named)


def unreadable(record_id: str) -> Seen:
    """A record that is there and cannot be understood: odd enough to be told about."""
    return Seen(record_id, {"unreadable": 1.0}, frozenset())


class Choice(NamedTuple):
    """Chosen records with their reasons. `too_large` counts records that would have brought more
    others along than there is room for.
    """

    reasons: dict[str, list[str]]
    too_large: int


def choose(looked_at: Iterable[Seen], size: int, seed: str) -> Choice:
    """Up to `size` records: of every reason the one that has most of it, then some at random."""
    records = list({each.id: each for each in looked_at}.values())
    order = random.Random(seed)  # noqa: S311  no secret
    order.shuffle(records)
    best = _best(records)
    chosen = _Chosen(size)
    for reason in sorted(best, key=lambda each: _rank(each, records)):
        chosen.take_first(best[reason], reason)
    for each in records:
        chosen.take(each, AT_RANDOM)
    return Choice(chosen.reasons, len(chosen.too_large))


def _best(records: Sequence[Seen]) -> dict[str, list[Seen]]:
    """By reason, the records that have it, most of it first."""
    having: defaultdict[str, list[Seen]] = defaultdict(list)
    for each in records:
        for reason in each.traits:
            having[reason].append(each)
    for reason, found in having.items():
        found.sort(key=lambda each: -each.traits[reason])
    return having


def _rank(reason: str, records: Sequence[Seen]) -> tuple[int, int, str]:
    if reason in FIRST:
        return FIRST.index(reason), 0, reason
    return len(FIRST), sum(reason in each.traits for each in records), reason


class _Chosen:
    def __init__(self, size: int) -> None:
        self._size = size
        self.reasons: dict[str, list[str]] = {}
        self.names: set[tuple[Stream, str]] = set()
        self.too_large: set[str] = set()

    def take_first(self, records: Sequence[Seen], reason: str) -> None:
        """Take the first one that fits."""
        for each in records:
            if self.take(each, reason):
                return

    def take(self, record: Seen, reason: str) -> bool:
        """Whether the record is in the sample now, for this reason too."""
        if record.id in self.reasons:
            if reason != AT_RANDOM:
                self.reasons[record.id].append(reason)
            return True
        if len(self.reasons) >= self._size:
            return False
        if not self._has_room(record):
            self.too_large.add(record.id)
            return False
        self.reasons[record.id] = [reason]
        self.names |= record.names
        return True

    def _has_room(self, record: Seen) -> bool:
        counts = Counter(stream for stream, _ in self.names | record.names)
        return all(count <= self._size * _ROOM for count in counts.values())
