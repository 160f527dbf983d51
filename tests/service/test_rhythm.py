"""When schedules tick, clock changes included. Nothing here waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from app.moments import duration, resolve
from app.services.rhythm import MOST_MISSED, Rhythm, Tick, check_cron

BERLIN = ZoneInfo("Europe/Berlin")
MAKING = datetime(2026, 1, 1, tzinfo=UTC)
LAUNCH = datetime(2026, 11, 27, 18, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(rhythm: Rhythm, after: str, count: int) -> list[str]:
    return [f"{each.at:%d %H:%M}" for each in islice(rhythm.ticks(utc(after)), count)]


def berlin(cron: str) -> Rhythm:
    return Rhythm(MAKING, cron=cron, zone=BERLIN)


def test_an_hour_that_is_left_out_is_made_up_for_right_after_it():
    # On 29 March 2026 the clocks in Berlin go from 2:00 to 3:00, which is 1:00 in UTC.
    assert times(berlin("30 2 * * *"), "2026-03-27T12:00", 4) == [
        "28 01:30",
        "29 01:00",
        "30 00:30",
        "31 00:30",
    ]


def test_two_times_in_an_hour_that_is_left_out_become_one():
    assert times(berlin("0,30 2 * * *"), "2026-03-28T12:00", 3) == [
        "29 01:00",
        "30 00:00",
        "30 00:30",
    ]


def test_a_time_that_comes_twice_is_taken_once():
    # On 25 October 2026 the clocks in Berlin go from 3:00 back to 2:00, which is 1:00 in UTC.
    nightly = berlin("30 2 * * *")
    assert times(nightly, "2026-10-24T12:00", 2) == ["25 00:30", "26 01:30"]
    for minute in range(30, 100, 7):
        # Whoever asks within the repeated hour does not find the tick of its first time again.
        asked = utc("2026-10-25T00:00") + timedelta(minutes=minute)
        assert next(nightly.ticks(asked)).at == utc("2026-10-26T01:30"), asked


def test_every_quarter_goes_through_both_nights_without_a_hole_or_a_double():
    for night in ("2026-03-28T22:00", "2026-10-24T22:00"):
        found = [each.at for each in islice(berlin("*/15 * * * *").ticks(utc(night)), 24)]
        expected = [utc(night) + timedelta(minutes=15 * number) for number in range(1, 25)]
        assert found == expected


def test_an_interval_knows_no_clock_change():
    rhythm = Rhythm(utc("2026-03-28T22:10"), every=timedelta(hours=1))
    assert times(rhythm, "2026-03-28T22:09", 5) == [
        "28 22:10",
        "28 23:10",
        "29 00:10",
        "29 01:10",
        "29 02:10",
    ]


def test_until_launch_and_then_the_final_one():
    rhythm = Rhythm(
        LAUNCH - timedelta(hours=1),
        every=timedelta(minutes=15),
        until=LAUNCH,
        final=LAUNCH - timedelta(minutes=20),
    )
    ticks = list(rhythm.ticks(LAUNCH - timedelta(hours=2)))
    assert ticks == [
        Tick(utc("2026-11-27T17:00")),
        Tick(utc("2026-11-27T17:15")),
        Tick(utc("2026-11-27T17:30")),
        Tick(utc("2026-11-27T17:40"), final=True),
    ]


def test_what_was_missed_is_one_tick_with_a_count():
    rhythm = Rhythm(MAKING, every=timedelta(minutes=15))
    due = rhythm.due(utc("2026-03-01T10:00"), utc("2026-03-01T12:07"))
    assert due is not None
    assert (due.tick.at, due.missed) == (utc("2026-03-01T12:00"), 7)
    assert rhythm.due(due.tick.at, utc("2026-03-01T12:14")) is None


@pytest.mark.parametrize("cron", ["* * * * *", "0 4 * * *", "0 4 1 * *", "0 0 29 2 *"])
def test_the_latest_tick_is_found_after_years(cron):
    rhythm = Rhythm(MAKING, cron=cron)
    now = utc("2032-03-01T12:00:30")
    due = rhythm.due(MAKING, now)
    assert due is not None
    assert due.tick.at <= now
    assert next(rhythm.ticks(due.tick.at)).at > now
    assert 0 <= due.missed <= MOST_MISSED


def test_a_missed_final_tick_stands_for_all_before_it():
    rhythm = Rhythm(MAKING, every=timedelta(minutes=15), final=utc("2026-01-01T12:05"))
    due = rhythm.due(utc("2026-01-01T11:00"), utc("2026-01-02T00:00"))
    assert due is not None
    assert due.tick == Tick(utc("2026-01-01T12:05"), final=True)
    assert due.missed == 5 - 1
    assert rhythm.due(due.tick.at, utc("2027-01-01T00:00")) is None


def test_nothing_ticks_before_its_start():
    for rhythm in (
        Rhythm(LAUNCH, cron="*/5 * * * *"),
        Rhythm(LAUNCH, every=timedelta(minutes=5)),
    ):
        assert rhythm.due(MAKING, LAUNCH - timedelta(seconds=1)) is None
        assert next(rhythm.ticks(MAKING)).at == LAUNCH


@pytest.mark.parametrize(
    "cron", ["", "* * * *", "* * * * * *", "60 * * * *", "0 0 30 2 *", "@daily", "a b c d e"]
)
def test_what_is_no_expression_or_never_comes_is_refused(cron):
    with pytest.raises(ValueError, match=r"\."):
        check_cron(cron, BERLIN)


def test_moments_move_with_the_launch():
    assert resolve("launch", LAUNCH) == LAUNCH
    assert resolve("launch-20m", LAUNCH) == LAUNCH - timedelta(minutes=20)
    assert resolve("launch+3d", LAUNCH) == LAUNCH + timedelta(days=3)
    assert resolve("launch+3d", None) is None
    assert resolve("2026-11-27T19:00:00+01:00", None) == LAUNCH


@pytest.mark.parametrize("text", ["", "Launch", "launch-", "launch-20", "2026-11-27", "tomorrow"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match="a moment is text"):
        resolve(text, LAUNCH)


@pytest.mark.parametrize("text", ["", "0m", "15", "m", "1h30m", "-5m", "1w"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="a duration is"):
        duration(text)
