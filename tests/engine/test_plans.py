"""What is planned for a migration, from what its runs have left behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from app.errors import InvalidPlan
from app.schemas.planning import ActivityOut, PlanOut
from app.services import plans
from connectors.base import StoreReport, TaxBasis
from connectors.errors import Unreachable
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.launching import twin
from tests.engine.shop import START, FakeStore
from tests.engine.test_runs import fill, order

ZONE = "Europe/Berlin"


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(_: Any) -> StoreReport:
        return StoreReport(platform_version="1", timezone=ZONE)

    monkeypatch.setattr(FakeStore, "check", check)


def sell(bench: Bench, made_at: datetime, first: int = 5000, each: int = 2) -> None:
    """Some orders, made at a moment."""
    for number in range(first, first + each):
        content = replace(order(number), created_at=made_at)
        bench.source.put(Stream.ORDERS, str(number), content, stamp=made_at)


def sell_for_days(bench: Bench, days: int) -> None:
    """Two orders at 9 o'clock UTC, which is 10 in Berlin in March, every day."""
    for day in range(1, days + 1):
        sell(bench, (START - timedelta(days=day)).replace(hour=9), first=5000 + 10 * day)


async def planned(bench: Bench, **more: Any) -> PlanOut:
    values = {"launch": bench.source.now + timedelta(days=2), "freeze_at": None} | more
    return await plans.plan(bench.resources, "move", **values)


async def shown(bench: Bench) -> ActivityOut:
    return await plans.activity(bench.resources, "move")


def codes(found: PlanOut) -> set[str]:
    return {each.code for each in found.risks}


async def test_arrivals_are_learned_from_what_was_copied(bench: Bench) -> None:
    sell_for_days(bench, 20)
    await bench.run("full")
    found = await shown(bench)
    assert (found.total, found.basis, found.zone, found.stream) == (40, "created", ZONE, "orders")
    assert found.per_day == pytest.approx(2, rel=0.15)
    assert found.busiest is not None
    assert found.busiest.hour == 10
    assert (found.final_sync.needed, found.final_sync.code) == (True, "sells")


async def test_running_again_counts_no_arrival_twice(bench: Bench) -> None:
    """Nor does a change of an order that was counted."""
    sell_for_days(bench, 3)
    await bench.run("full")
    bench.source.tick(hours=1)
    bench.source.edit(Stream.ORDERS, "5010", note="ring twice")
    await bench.run("recent")
    await bench.run("full")
    [row] = await bench.rows("SELECT sum(count) AS number FROM arrivals WHERE stream = 'orders'")
    assert row["number"] == 6


async def test_records_that_came_without_us_are_told_by_their_stamps(bench: Bench) -> None:
    sell_for_days(bench, 5)
    await bench.run("full")
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM arrivals")
    found = await shown(bench)
    assert (found.basis, found.total) == ("stamps", 10)


@pytest.mark.parametrize("basis", ["created", "stamps"])
async def test_a_shop_that_sold_long_ago_is_known_to_be_quiet(bench: Bench, basis: str) -> None:
    """No order in twelve weeks is an observation, not a lack of one."""
    sell_for_days(bench, 3)
    await bench.run("full")
    async with bench.resources.engine.begin() as connection:
        if basis == "stamps":
            await connection.exec_driver_sql("DELETE FROM arrivals")
        await connection.exec_driver_sql(
            "UPDATE cursors SET watermark = watermark + interval '100 days'"
        )
    found = await shown(bench)
    assert (found.total, found.basis, found.busiest) == (0, basis, None)
    assert found.since is not None
    assert found.until is not None
    assert found.until - found.since == timedelta(weeks=12)
    assert (found.final_sync.needed, found.final_sync.code) == (False, "quiet")


@pytest.mark.parametrize("side", ["source", "target"])
async def test_what_was_only_put_back_on_the_target_is_no_change(bench: Bench, side: str) -> None:
    sell_for_days(bench, 3)
    await bench.run("full")
    bench.source.tick(hours=1)
    if side == "source":
        bench.source.edit(Stream.ORDERS, "5010", note="ring twice")
    else:
        bench.target.edit(Stream.ORDERS, await twin(bench, Stream.ORDERS, "5010"), note="by hand")
        async with bench.resources.engine.begin() as connection:
            await connection.exec_driver_sql(
                "UPDATE links SET drifted = '{note}' WHERE stream = 'orders' AND source_id = '5010'"
            )
    row = await bench.run("recent")
    assert (await bench.counters(row["id"]))["updated"] == 1
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE cursors SET watermark = watermark + interval '100 days'"
        )
    found = (await shown(bench)).final_sync
    assert found.code == ("changes" if side == "source" else "quiet")


async def test_after_an_adoption_changes_are_known_from_its_baseline_on(bench: Bench) -> None:
    """Not from the first of them on, which would make a rush of a few orders."""
    sell_for_days(bench, 3)
    await bench.run("full")
    baseline = START - timedelta(days=40)
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM arrivals")
    job = await bench.start("adopt", since=baseline.isoformat())
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE jobs SET status = 'succeeded', finished_at = now() WHERE id = $1", (job,)
        )
    found = await shown(bench)
    assert (found.basis, found.since, found.total) == ("stamps", baseline, 6)
    assert found.per_day < 1


async def test_nothing_is_known_before_the_first_run(bench: Bench) -> None:
    found = await shown(bench)
    assert (found.total, found.basis, found.busiest) == (0, "none", None)
    assert (found.final_sync.needed, found.final_sync.code) == (None, "no_history")


async def test_plan_before_the_first_run_begins_with_it(bench: Bench) -> None:
    fill(bench)
    found = await planned(bench)
    assert found.runbook[0].key == "full"
    assert codes(found) >= {"no_baseline", "few_runs", "little_history", "untrusted_streams"}
    assert found.rates.basis == "stated"
    assert found.fits


async def test_plan_of_a_selling_shop_has_times_for_everything(bench: Bench) -> None:
    sell_for_days(bench, 20)
    await bench.run("full")
    bench.source.tick(hours=1)
    await bench.run("recent")
    found = await planned(bench)
    assert found.fits
    assert found.convergence.converges
    assert [each.key for each in found.runbook][-7:] == [
        "last_recent",
        "freeze",
        "cutover",
        "verify",
        "gate",
        "switch",
        "late_orders",
    ]
    assert 0 < found.freeze.median <= found.freeze.p95 < 60
    assert found.freeze.starts_at < found.freeze.latest_end < found.launch_at
    assert found.rates.basis == "measured"
    assert len(found.windows) == 3
    assert all(each.turned_away < 0.5 for each in found.windows)
    assert "no_baseline" not in codes(found)
    assert found.ask_expert is None


async def test_a_freeze_at_the_busy_hour_has_more_to_bring_over(bench: Bench) -> None:
    sell_for_days(bench, 20)
    await bench.run("full")
    tomorrow = START + timedelta(days=1)
    busy = await planned(bench, freeze_at=tomorrow.replace(hour=10))
    calm = await planned(bench, freeze_at=tomorrow.replace(hour=4))
    assert busy.freeze.arrivals > 4 * calm.freeze.arrivals
    assert busy.freeze.starts_at == tomorrow.replace(hour=10)


async def test_a_launch_in_five_minutes_does_not_fit(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")
    found = await planned(bench, launch=bench.source.now + timedelta(minutes=5))
    assert not found.fits
    assert found.risks[0].code == "tight_window"


async def test_migrations_own_launch_is_planned_for(bench: Bench) -> None:
    fill(bench)
    without = await planned(bench, launch=None)
    assert (without.launch_is_set, without.launch_at) == (
        False,
        bench.source.now.replace(minute=0) + timedelta(days=7, hours=1),
    )
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE migrations SET launch_at = '2026-03-04T06:00Z'")
    found = await planned(bench, launch=None)
    assert (found.launch_is_set, found.launch_at.isoformat()) == (
        True,
        "2026-03-04T06:00:00+00:00",
    )


async def test_a_launch_that_has_passed_is_said_and_one_in_a_week_planned_for(
    bench: Bench,
) -> None:
    fill(bench)
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE migrations SET launch_at = '2025-03-04T06:00Z'")
    found = await planned(bench, launch=None)
    assert found.launch_is_set is False
    assert found.launch_at > bench.source.now + timedelta(days=6)
    assert found.risks[0].code == "launch_passed"
    assert "launch_passed" not in codes(await planned(bench))


async def test_moments_that_cannot_be_planned_for_are_refused(bench: Bench) -> None:
    past, soon = bench.source.now - timedelta(hours=1), bench.source.now + timedelta(hours=2)
    for asked in ({"launch": past}, {"freeze_at": past}, {"launch": soon, "freeze_at": soon}):
        with pytest.raises(InvalidPlan):
            await planned(bench, **asked)


async def test_records_in_quarantine_endanger_the_launch(bench: Bench) -> None:
    fill(bench)
    bench.target.script = ["refused"] * 200
    await bench.run("full")
    found = await planned(bench)
    assert found.risks[0].code == "quarantine_open"
    [row] = await bench.rows("SELECT count(*) AS number FROM quarantine WHERE status = 'open'")
    assert found.risks[0].evidence == {"records": row["number"]}


async def test_prices_that_mean_something_else_on_the_target_are_known_before_anything_is_copied(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(store: FakeStore) -> StoreReport:
        basis = TaxBasis.NET if store.shop is bench.target else TaxBasis.GROSS
        return StoreReport(platform_version="1", timezone=ZONE, currency="EUR", tax_basis=basis)

    monkeypatch.setattr(FakeStore, "check", check)
    found = {each.code: each for each in (await planned(bench)).risks}
    assert found["taxes_differ"].weight == "high"
    assert "currencies_differ" not in found


async def test_plan_does_without_a_target_that_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check(store: FakeStore) -> StoreReport:
        if store.shop is bench.target:
            raise Unreachable("The store cannot be reached.")
        return StoreReport(platform_version="1", timezone=ZONE, currency="EUR")

    monkeypatch.setattr(FakeStore, "check", check)
    assert (await planned(bench)).zone == ZONE


async def test_plan_does_without_a_source_that_is_away(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise Unreachable("The store cannot be reached.")

    sell_for_days(bench, 10)
    await bench.run("full")
    monkeypatch.setattr(FakeStore, "check", away)
    found = await plans.plan(bench.resources, "move", launch=None, freeze_at=None)
    assert found.zone == "UTC"
    assert found.risks[0].code == "source_unreachable"
    assert found.freeze.median > 0
