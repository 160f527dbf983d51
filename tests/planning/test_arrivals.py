"""Arrivals by hour of the week."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import fmean, pvariance
from zoneinfo import ZoneInfo

import pytest

from app.planning.arrivals import HOUR, counted, drawn, hour_of_week, learn, quiet

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def noon_shop(zone: str, weeks: int, *, until: datetime = NOW) -> Counter[datetime]:
    """Ten orders at noon by the shop's clock, every day."""
    place = ZoneInfo(zone)
    hours = (until - HOUR * number for number in range(1, weeks * 168 + 1))
    return Counter({hour: 10 for hour in hours if hour.astimezone(place).hour == 12})


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Europe/Berlin", "Australia/Sydney"])
def test_noon_stays_noon_when_clocks_change(zone: str) -> None:
    """Both changes of clocks lie within the twelve weeks, by whichever zone."""
    found = learn(noon_shop(zone, 12), since=NOW - timedelta(weeks=12), until=NOW, zone=zone)
    for day in range(7):
        rates = found.rates[day * 24 : day * 24 + 24]
        assert max(rates) == rates[12] > 8
        assert rates[11] < 0.5 > rates[13]
    tomorrow = (NOW + timedelta(days=1)).astimezone(ZoneInfo(zone)).replace(hour=12)
    assert found.expected(tomorrow, tomorrow + HOUR) > 8
    assert found.expected(tomorrow - HOUR, tomorrow) < 0.5


def test_an_hour_that_comes_twice_is_expected_twice() -> None:
    """The night in which Berlin falls back has 25 hours."""
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime(2026, 10, 25, tzinfo=berlin).astimezone(UTC)
    counts = {NOW - HOUR * number: 1 for number in range(1, 8 * 168)}
    found = learn(counts, since=NOW - timedelta(weeks=8), until=NOW, zone="Europe/Berlin")
    assert found.expected(begin, begin + timedelta(hours=25)) == pytest.approx(25, rel=0.02)
    [one, two] = [begin + HOUR * 2, begin + HOUR * 3]
    assert hour_of_week(one, berlin) == hour_of_week(two, berlin)


def test_nothing_is_expected_of_a_shop_without_history() -> None:
    found = quiet("UTC")
    assert (found.mean, found.expected(NOW, NOW + timedelta(days=9)), found.total) == (0, 0, 0)
    empty = learn({}, since=NOW, until=NOW, zone="UTC")
    assert empty.mean == 0


def test_a_shop_that_is_an_hour_old_has_a_rate() -> None:
    begin = NOW - HOUR
    found = learn({begin: 6}, since=begin, until=NOW, zone="UTC")
    assert found.total == 6
    assert found.expected(NOW, NOW + HOUR) == pytest.approx(6, rel=0.1)


def test_what_is_expected_adds_up() -> None:
    counts = {NOW - HOUR * number: number % 5 for number in range(1, 1000)}
    found = learn(counts, since=NOW - HOUR * 1000, until=NOW, zone="Asia/Kolkata")
    middle, end = NOW + timedelta(minutes=47), NOW + timedelta(days=3)
    whole = found.expected(NOW, end)
    assert whole == pytest.approx(found.expected(NOW, middle) + found.expected(middle, end))
    assert whole == pytest.approx(72 * 2, rel=0.1)
    assert found.expected(end, NOW) == 0


def test_a_thousand_years_are_reckoned_at_once() -> None:
    counts = {NOW - HOUR * number: 2 for number in range(1, 1000)}
    found = learn(counts, since=NOW - HOUR * 1000, until=NOW, zone="Europe/Berlin")
    end = NOW + timedelta(weeks=52_000, hours=30)
    assert found.expected(NOW, end) == pytest.approx(2 * (52_000 * 168 + 30), rel=0.02)


def test_a_shop_that_grows_is_expected_to_sell_as_it_did_lately() -> None:
    counts = {NOW - HOUR * number: 1 if number > 14 * 24 else 4 for number in range(1, 12 * 168)}
    found = learn(counts, since=NOW - timedelta(weeks=12), until=NOW, zone="UTC")
    assert found.mean > fmean(counts.values()) * 1.2


def test_days_that_differ_widen_the_spread() -> None:
    dice = Random(1)
    days = [dice.choice((2, 30)) for _ in range(60)]
    wild = {NOW - HOUR * number: days[number // 24] for number in range(1, 60 * 24)}
    even = {NOW - HOUR * number: 16 for number in range(1, 60 * 24)}
    since = NOW - timedelta(days=60)
    assert learn(wild, since=since, until=NOW, zone="UTC").spread > 50
    assert learn(even, since=since, until=NOW, zone="UTC").spread < 2


def test_a_cut_hour_counts_its_share() -> None:
    counts = {NOW: 12, NOW + HOUR: 6}
    assert counted(counts, NOW + HOUR / 2, NOW + HOUR * 1.5) == 9


@pytest.mark.parametrize(("mean", "spread"), [(3.0, 1.0), (3.0, 4.0), (80.0, 1.0), (80.0, 5.0)])
def test_draws_have_the_mean_and_the_spread_that_were_asked_for(mean: float, spread: float) -> None:
    dice = Random(5)
    found = [drawn(dice, mean, spread) for _ in range(8000)]
    assert fmean(found) == pytest.approx(mean, rel=0.08)
    assert pvariance(found) == pytest.approx(mean * spread, rel=0.15)
    assert drawn(dice, 0, spread) == 0
