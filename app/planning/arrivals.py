"""When a shop sells: arrivals by hour of the week, learned from what has arrived, and expected.

Counts come by UTC hour; the week is the shop's own. An hour of the week that was hardly seen leans
on the same hour of other days, and that one on the mean, so that a shop which is an hour old has a
rate as well. What is older counts less.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from msgspec import Struct

HOUR = timedelta(hours=1)
HOURS_A_WEEK = 168
_WEEK = timedelta(weeks=1)
LONGEST = timedelta(weeks=12)
"""History further back says little about next week."""

_HALF_LIFE = timedelta(weeks=3)
_LEAN = 4.0
"""An hour of the week leans on wider means as if those were so many hours of its own."""

_UNKNOWN_SPREAD = 2.0
_FULL_DAYS = 5


class Profile(Struct, frozen=True, kw_only=True):
    """Arrivals an hour, by hour of the week from Monday 0:00 on in the shop's zone.

    `spread` is the variance of a day's arrivals in units of their mean: 1 where they come
    independently of each other. `total` arrivals were seen within `hours` hours.
    """

    zone: str
    rates: tuple[float, ...]
    spread: float
    total: int
    hours: float

    @property
    def mean(self) -> float:
        """Arrivals an hour, over the whole week."""
        return sum(self.rates) / HOURS_A_WEEK

    def expected(self, begin: datetime, end: datetime) -> float:
        """How many arrive between two moments; 0 where the second is not later."""
        zone = ZoneInfo(self.zone)
        # A whole week holds each of its hours once, but for the two in which clocks change.
        weeks = max(0, (end - begin) // _WEEK)
        return weeks * sum(self.rates) + sum(
            self.rates[hour_of_week(hour, zone)] * (share / HOUR)
            for hour, share in _hours(begin + weeks * _WEEK, end)
        )


def hour_of_week(hour: datetime, zone: ZoneInfo) -> int:
    """0 to 167, by the shop's clock when a UTC hour begins."""
    local = hour.astimezone(zone)
    return local.weekday() * 24 + local.hour


def learn(
    counts: Mapping[datetime, int], *, since: datetime, until: datetime, zone: str
) -> Profile:
    """The profile of arrivals that were counted by UTC hour between two moments.

    `since` is when counting began; hours without a count had no arrival.
    """
    place = ZoneInfo(zone)
    begin = max(since, until - LONGEST)
    seen = [0.0] * HOURS_A_WEEK
    watched = [0.0] * HOURS_A_WEEK
    total = 0
    for hour, share in _hours(begin, until):
        weight = math.pow(0.5, (until - hour) / _HALF_LIFE)
        count = counts.get(hour, 0)
        total += count
        seen[hour_of_week(hour, place)] += weight * count
        watched[hour_of_week(hour, place)] += weight * (share / HOUR)
    rates = _rates(seen, watched)
    made = Profile(
        zone=zone,
        rates=rates,
        spread=_UNKNOWN_SPREAD,
        total=total,
        hours=max(0.0, (until - begin) / HOUR),
    )
    return Profile(
        zone=zone,
        rates=rates,
        spread=_spread(made, counts, begin, until),
        total=total,
        hours=made.hours,
    )


def counted(counts: Mapping[datetime, int], begin: datetime, end: datetime) -> float:
    """How many arrived between two moments; of an hour that is cut, its share."""
    return sum(counts.get(hour, 0) * (share / HOUR) for hour, share in _hours(begin, end))


def quiet(zone: str) -> Profile:
    """The profile of a shop in which nothing was ever seen to arrive."""
    rates = (0.0,) * HOURS_A_WEEK
    return Profile(zone=zone, rates=rates, spread=_UNKNOWN_SPREAD, total=0, hours=0.0)


def _rates(seen: Sequence[float], watched: Sequence[float]) -> tuple[float, ...]:
    """Each hour of the week, leaning on its hour of the day, which leans on the mean."""
    mean = sum(seen) / sum(watched) if sum(watched) else 0.0
    days = [
        (sum(seen[hour::24]) + _LEAN * mean) / (sum(watched[hour::24]) + _LEAN)
        for hour in range(24)
    ]
    return tuple(
        (seen[hour] + _LEAN * days[hour % 24]) / (watched[hour] + _LEAN)
        for hour in range(HOURS_A_WEEK)
    )


def _spread(
    profile: Profile, counts: Mapping[datetime, int], begin: datetime, until: datetime
) -> float:
    """How much days differ from what was expected of them; what few days say is pulled to the
    stated value.
    """
    day = timedelta(days=1)
    days = int((until - begin) / day)
    found = []
    for number in range(days):
        start, end = until - day * (number + 1), until - day * number
        expected = profile.expected(start, end)
        came = sum(count for hour, count in counts.items() if start <= hour < end)
        if expected > 0:
            found.append((came - expected) ** 2 / expected)
    pulled = (sum(found) + _FULL_DAYS * _UNKNOWN_SPREAD) / (len(found) + _FULL_DAYS)
    return max(1.0, pulled)


def _hours(begin: datetime, end: datetime) -> Iterator[tuple[datetime, timedelta]]:
    """The UTC hours between two moments, each with how much of it lies between them."""
    moment = begin.astimezone(UTC)
    end = end.astimezone(UTC)
    while moment < end:
        hour = moment.replace(minute=0, second=0, microsecond=0)
        following = min(hour + HOUR, end)
        yield hour, following - moment
        moment = following


def drawn(dice: Random, mean: float, spread: float) -> int:
    """How many arrive, by chance: around `mean`, with `spread` times the variance of a Poisson
    count.
    """
    if mean <= 0:
        return 0
    if spread > 1:
        shape = mean / (spread - 1)
        mean = dice.gammavariate(shape, mean / shape)
    return _poisson(dice, mean)


_MANY = 30.0


def _poisson(dice: Random, mean: float) -> int:
    if mean > _MANY:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count
