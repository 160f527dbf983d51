"""How large a run is: records, entity points, requests and seconds. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from app.planning.costs import Costs
from app.planning.measured import Experience
from connectors.base import WriteCapability
from connectors.records import Stream

POINTS: Mapping[Stream, float] = {
    Stream.CATEGORIES: 0.1,
    Stream.PRODUCTS: 1.0,
    Stream.CUSTOMERS: 1.0,
    Stream.ORDERS: 1.0,
    Stream.INVENTORY: 0.1,
}
"""Entity points a record, unless the migration says otherwise (`policies.points`)."""

_Z90 = 1.645
_LEAST = 0.1
"""However well things were measured: a shop is busier one day than another."""


class Basis(StrEnum):
    """Where a number of records is from. `counted`: the store's own count. `read`: all were read.
    `ledger`: as many are on the target. `sampled`: reckoned from a part that was read. `expected`:
    from what earlier runs brought. `at_least`: so many were read, and there are more.
    """

    COUNTED = "counted"
    READ = "read"
    LEDGER = "ledger"
    SAMPLED = "sampled"
    EXPECTED = "expected"
    AT_LEAST = "at_least"


class Number(Struct, frozen=True, kw_only=True):
    """How many records, between `low` and `high` (None: nobody knows how many)."""

    records: int
    low: int
    high: int | None
    basis: Basis
    sample: str | None = None

    @classmethod
    def exact(cls, records: int, basis: Basis, sample: str | None = None) -> Number:
        """A number without an error."""
        return cls(records=records, low=records, high=records, basis=basis, sample=sample)

    def plus(self, more: float) -> Number:
        """With records that are still to come; their number may be off by twice its root."""
        slack = 2 * math.sqrt(more)
        return Number(
            records=self.records + round(more),
            low=self.low + round(max(0.0, more - slack)),
            high=None if self.high is None else self.high + round(more + slack),
            basis=self.basis,
            sample=self.sample,
        )


def by_ratio(seen: Sequence[tuple[int, int]], groups: int) -> Number:
    """How many records there are, from pages of (records, groups) that were read and the number of
    all groups: levels of stock from products.

    The error is that of the ratio between pages, for 95 of 100 cases.
    """
    records, known = (sum(column) for column in zip(*seen, strict=True))
    ratio = records / known
    estimate = ratio * groups
    pages = len(seen)
    squares = sum((each - ratio * of) ** 2 for each, of in seen)
    variance = squares / max(1, pages - 1) * pages * (groups / known) ** 2
    margin = 2 * math.sqrt(variance * max(0.0, 1 - known / groups)) if groups > known else 0.0
    return Number(
        records=round(estimate),
        low=max(records, math.floor(estimate - margin)),
        high=max(records, math.ceil(estimate + margin)),
        basis=Basis.SAMPLED,
        sample=f"{records:,} records of {known:,} of {groups:,} products",
    )


class Reading(Struct, frozen=True, kw_only=True):
    """A stream as a run reads it: what it reads, how much of that it creates and updates."""

    stream: Stream
    number: Number
    created: float
    updated: float
    page_size: int
    parts: int
    writes: WriteCapability
    window: bool = False
    closing: bool = False


class Requests(Struct, frozen=True):
    """Requests to both stores."""

    source: int
    target: int


class Duration(Struct, frozen=True):
    """Seconds; nine of ten cases lie between `low` and `high`."""

    expected: float
    low: float
    high: float


_ASKED_FOR = frozenset({Stream.CATEGORIES, Stream.PRODUCTS})
"""What the team makes on the target too: whether a new one is there already is asked anywhere."""


def requests(reading: Reading, experience: Experience, *, full: bool) -> Requests:
    """What a stream costs both stores. A full run that was measured says it best: it knows of
    requests for variants and refunds, which no page size tells of.
    """
    pages = max(1, math.ceil(reading.number.records / reading.page_size))
    writes, created = reading.writes, math.ceil(reading.created)
    target = math.ceil((created + math.ceil(reading.updated)) / writes.batch)
    if not writes.idempotent and (not writes.refuses_doubles or reading.stream in _ASKED_FOR):
        target += math.ceil(created / writes.find_batch)
    if writes.merges:
        target += math.ceil(reading.updated / writes.find_batch)
    measured = experience.requests.get(reading.stream)
    if full and measured:
        return Requests(max(pages, round(measured * reading.number.records) - target), target)
    return Requests(pages, target)


def seconds(reading: Reading, costs: Costs) -> float:
    """How long the pass takes."""
    pages = reading.number.records / reading.page_size
    pages = pages if reading.window else max(1.0, pages)
    written = reading.created + reading.updated
    passing = costs.seconds(
        reading.stream, pages=pages, written=written, parts=reading.parts, window=reading.window
    )
    last_look = costs.seconds(reading.stream, pages=0, written=0, window=True)
    return passing + (last_look if reading.closing else 0.0)


def duration(passes: float, fixed: float, costs: Costs) -> Duration:
    """A run's length from that of its passes and what is beside them."""
    spread = max(_LEAST, costs.spread) * _Z90
    return Duration(
        round(passes + fixed, 1),
        round(passes * math.exp(-spread) + fixed, 1),
        round(passes * math.exp(spread) + fixed, 1),
    )


def parts_of(records: int, page_size: int, parallel: int) -> int:
    """Into how many slices a sweep is cut where none was: two pages each at least, as connectors
    do it, and no more than a few that run beside each other.
    """
    return max(1, min(parallel, _BESIDE, records // (2 * page_size)))


_BESIDE = 4
