"""Windows, the runbook, the need for a final run, and what endangers a launch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace

from app.planning.activity import need
from app.planning.arrivals import HOUR, Profile, learn, quiet
from app.planning.forecast import Range
from app.planning.launch import Course, best_windows, course, lead, quietest, runbook, until
from app.planning.pricing import misfits
from app.planning.risks import Signs, ask_expert, risks
from connectors.base import StoreReport, TaxBasis
from connectors.records import Stream

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
FROZEN = Range(median=120.0, p95=180.0)
_PRICED = StoreReport(platform_version="1", currency="EUR", tax_basis=TaxBasis.GROSS)


def day_shop() -> Profile:
    """Sells from 8 to 20 o'clock."""
    hours = (NOW.replace(minute=0) - HOUR * number for number in range(1, 5 * 168))
    counts = {hour: 5 for hour in hours if 8 <= hour.hour < 20}
    return learn(counts, since=NOW - timedelta(weeks=5), until=NOW, zone="UTC")


def planned(launch: datetime, **more: Any) -> Course:
    values: dict[str, Any] = {"ahead": 600.0, "verify": 300.0, "before": 0.0} | more
    return course(now=NOW, launch=launch, frozen=FROZEN, **values)


def signs(**changes: Any) -> Signs:
    """Of a migration that nothing endangers."""
    calm: dict[str, Any] = {
        "baseline": True,
        "missing": 0.0,
        "converges": True,
        "history_hours": 2000.0,
        "jobs": 9,
        "same_platform": True,
        "pages": 400,
        "untrusted": (),
        "demoted": (),
        "lost": {},
        "unkept": {},
        "quarantined": 0,
        "conflicts": 0,
        "source_answers": True,
    }
    return Signs(**(calm | changes))


def test_the_freeze_begins_as_late_as_is_safe() -> None:
    launch = NOW + timedelta(days=1)
    found = planned(launch)
    assert found.freeze == launch - timedelta(seconds=180 + 300 + 300)
    assert found.last_recent == found.freeze - timedelta(seconds=600)
    assert (found.verify, found.fits) == (found.freeze + timedelta(seconds=180), True)


@pytest.mark.parametrize(
    ("minutes", "more", "short"),
    [
        (23, {}, 0.0),
        (22, {}, 60.0),
        (10, {}, 780.0),
        (23, {"before": 3600.0}, 3600.0),
        (60, {"freeze_at": NOW + timedelta(minutes=55)}, 480.0),
    ],
)
def test_a_window_that_is_too_tight_says_by_how_much(
    minutes: int, more: dict[str, Any], short: float
) -> None:
    found = planned(NOW + timedelta(minutes=minutes), **more)
    assert found.short_by == short
    assert found.fits == (short == 0)


def test_quiet_hours_are_the_best_windows_and_stand_apart() -> None:
    found = best_windows(
        day_shop(),
        earliest=NOW,
        latest=NOW + timedelta(days=3),
        length=timedelta(minutes=40),
    )
    assert len(found) == 3
    assert all(not 8 <= each.starts_at.hour < 20 for each in found)
    assert found[0].turned_away <= found[-1].turned_away < 1
    ordered = sorted(found, key=lambda each: each.starts_at)
    assert all(a.ends_at <= b.starts_at for a, b in pairwise(ordered))


def test_no_window_is_left_where_the_launch_is_too_near() -> None:
    length = timedelta(hours=2)
    assert best_windows(day_shop(), earliest=NOW, latest=NOW + HOUR, length=length) == []


def test_of_windows_that_are_alike_the_later_comes_first() -> None:
    found = best_windows(
        quiet("UTC"), earliest=NOW, latest=NOW + timedelta(days=2), length=timedelta(hours=1)
    )
    assert found[0].starts_at > found[1].starts_at > found[2].starts_at


def test_runbook_goes_from_the_first_run_to_the_switch() -> None:
    plan = planned(NOW + timedelta(days=10), before=5400.0)
    steps = runbook(
        "spring", plan, full_seconds=5400.0, recent_seconds=40.0, frozen=FROZEN, verify=300.0
    )
    keys = [each.key for each in steps]
    assert keys == [
        "full",
        "recents",
        "recents",
        "recents",
        "last_recent",
        "freeze",
        "cutover",
        "verify",
        "gate",
        "switch",
        "late_orders",
    ]
    assert [each.at for each in steps] == sorted(each.at for each in steps)
    daily, hourly, often = (each for each in steps if each.key == "recents")
    assert (daily.every, hourly.every, often.every) == (86_400, 3600, 900)
    assert (daily.until, hourly.until) == (hourly.at, often.at)
    assert [each.command for each in steps[6:]] == [
        "recent-sync run recent --cutover -m spring --wait",
        "recent-sync run verify -m spring --wait",
        "recent-sync readiness -m spring",
        None,
        "recent-sync run stragglers -m spring --until 2026-12-08T09:30:00Z",
    ]
    assert steps[-2].at == plan.switch


def test_moments_are_full_minutes_and_the_freeze_is_not_later_than_safe() -> None:
    launch = NOW + timedelta(days=1, seconds=30)
    frozen = Range(median=120.0, p95=181.4)
    found = course(now=NOW, launch=launch, frozen=frozen, ahead=600, verify=300, before=0)
    assert found.freeze == launch - timedelta(minutes=13, seconds=30)
    assert found.verify == found.freeze + timedelta(minutes=4)
    steps = runbook("s", found, full_seconds=61.7, recent_seconds=5, frozen=frozen, verify=300)
    assert {each.at.second for each in steps if each.key not in {"switch", "late_orders"}} == {0}
    assert {each.at.microsecond for each in steps} == {0}


def test_where_no_launch_is_set_a_full_hour_in_a_week_is_planned_for() -> None:
    assert until(None, NOW) == datetime(2026, 12, 2, 10, tzinfo=UTC)
    assert until(None, NOW.replace(minute=0)) == datetime(2026, 12, 2, 9, tzinfo=UTC)
    assert until(NOW, NOW) == NOW


def test_runs_that_are_long_come_less_often() -> None:
    plan = planned(NOW + timedelta(days=3))
    steps = runbook(
        "s", plan, full_seconds=None, recent_seconds=1500.0, frozen=FROZEN, verify=300.0
    )
    assert min(each.every for each in steps if each.every) == 3000
    assert steps[0].key != "full"


def test_a_launch_within_the_hour_needs_no_rhythm() -> None:
    plan = planned(NOW + timedelta(minutes=25))
    steps = runbook("s", plan, full_seconds=None, recent_seconds=5.0, frozen=FROZEN, verify=300.0)
    assert steps[0].key == "last_recent"


def test_the_last_run_before_the_freeze_has_time_to_end() -> None:
    assert lead(None) == lead(20.0) == 600
    assert lead(900.0) == 1800
    assert lead(90_000.0) == 3600


def test_a_selling_shop_needs_a_final_run() -> None:
    found = need(day_shop(), word="orders", expected=60.0, hours=24.0, changed=0)
    assert (found.needed, found.code) == (True, "sells")
    assert "60 within the 24 hours until the launch" in found.reason
    found = need(day_shop(), word="orders", expected=6.0, hours=24.0, changed=0, is_launch=False)
    assert "6 within the next 24 hours:" in found.reason


def test_a_shop_that_only_changes_needs_one_too() -> None:
    found = need(quiet("UTC"), word="orders", expected=0.0, hours=24.0, changed=12)
    assert (found.needed, found.code) == (True, "changes")


def test_nobody_can_tell_of_a_shop_without_history() -> None:
    found = need(quiet("UTC"), word="orders", expected=0.0, hours=24.0, changed=0)
    assert (found.needed, found.code) == (None, "no_history")
    assert "0 hours" not in found.reason


def test_a_quiet_shop_needs_none() -> None:
    watched = learn({}, since=NOW - timedelta(weeks=4), until=NOW, zone="UTC")
    found = need(watched, word="orders", expected=0.0, hours=24.0, changed=0)
    assert (found.needed, found.code) == (False, "quiet")


def test_busiest_and_quietest_hours_are_named() -> None:
    assert 8 <= quietest(day_shop(), max)[1] < 20
    assert not 8 <= quietest(day_shop())[1] < 20


def test_nothing_endangers_a_calm_migration() -> None:
    assert risks(signs()) == []
    assert ask_expert([]) is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"missing": 600.0}, "tight_window"),
        ({"passed": 60.0}, "launch_passed"),
        ({"source_answers": False}, "source_unreachable"),
        ({"baseline": False}, "no_baseline"),
        ({"converges": False}, "not_converging"),
        ({"history_hours": 3.0}, "little_history"),
        ({"jobs": 1}, "few_runs"),
        ({"same_platform": False}, "seo_at_stake"),
        ({"lost": {"slug": 3}}, "seo_at_stake"),
        ({"lost": {"extra": 3}}, "custom_fields_unmapped"),
        ({"unkept": {Stream.PRODUCTS: frozenset({"extra"})}}, "custom_fields_unmapped"),
        ({"lost": {"number": 3}}, "order_numbers"),
        ({"unkept": {Stream.ORDERS: frozenset({"number"})}}, "order_numbers"),
        ({"untrusted": (Stream.CUSTOMERS,)}, "untrusted_streams"),
        ({"quarantined": 2}, "quarantine_open"),
        ({"conflicts": 2}, "conflicts_open"),
        ({"pricing": misfits(_PRICED, replace(_PRICED, currency="USD"))}, "currencies_differ"),
        (
            {"pricing": misfits(_PRICED, replace(_PRICED, tax_basis=TaxBasis.NET))},
            "taxes_differ",
        ),
    ],
)
def test_each_sign_is_told_alone(changes: dict[str, Any], code: str) -> None:
    [found] = risks(signs(**changes))
    assert found.code == code
    assert found.message.endswith(".")
    assert found.advice.endswith(".")


def test_the_gravest_come_first_and_several_of_them_call_for_an_expert() -> None:
    found = risks(signs(history_hours=3.0, quarantined=2, missing=60.0))
    assert [each.weight for each in found] == ["high", "high", "low"]
    assert "tight_window, quarantine_open" in (ask_expert(found) or "")
    assert ask_expert(found[:1]) is None


def test_runs_that_never_catch_up_call_for_an_expert() -> None:
    assert ask_expert(risks(signs(converges=False))) is not None
