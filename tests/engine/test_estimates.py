"""What an estimate says before a run, against what the run then does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.errors import StoreFailed, StoreTooSlow
from app.schemas.planning import EstimateKind, EstimateOut
from app.services import estimates, opening
from connectors.errors import Unreachable
from connectors.records import Order, Stream
from tests.engine.conftest import Bench
from tests.engine.shop import START, FakeStore
from tests.engine.test_runs import fill, order


async def estimated(bench: Bench, kind: EstimateKind | None = None, **more: Any) -> EstimateOut:
    return await estimates.estimate(bench.resources, "move", kind, more.get("at"))


async def read_by(bench: Bench, job: dict[str, Any]) -> dict[str, int]:
    """Records that a job read, by stream."""
    rows = await bench.rows(
        "SELECT stream, sum(coalesce((counters->>'read')::int, 0)) AS read FROM slices"
        " WHERE job_id = :job AND stream IS NOT NULL GROUP BY stream",
        job=job["id"],
    )
    return {row["stream"]: row["read"] for row in rows}


def records(found: EstimateOut) -> dict[str, int]:
    return {str(each.stream): each.records for each in found.streams}


def dated(number: int, made_at: Any) -> Order:
    return replace(order(number), created_at=made_at)


async def test_estimate_before_a_full_run_is_what_the_run_reads(bench: Bench) -> None:
    fill(bench)
    found = await estimated(bench)
    assert found.kind is EstimateKind.FULL
    assert {each.basis for each in found.streams} == {"counted"}
    job = await bench.run("full")
    assert records(found) == await read_by(bench, job)


async def test_estimate_before_a_recent_run_counts_the_window_and_the_sweeps(
    bench: Bench,
) -> None:
    fill(bench)
    await bench.run("full")
    bench.source.tick(hours=2)
    bench.source.put(Stream.ORDERS, "991", dated(991, bench.source.now))
    bench.source.tick(minutes=1)
    found = await estimated(bench)
    orders = next(each for each in found.streams if each.stream is Stream.ORDERS)
    assert (found.kind, orders.mode, orders.records, orders.changed) == ("recent", "window", 1, 1)
    assert orders.in_scope == len(bench.source.rows[Stream.ORDERS]) - 1
    job = await bench.run("recent")
    assert records(found) == await read_by(bench, job)


async def test_cutover_reads_everything_and_waits_twice(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("""UPDATE migrations SET policies = '{"settle": 30}'"""))
    recent = await estimated(bench, EstimateKind.RECENT)
    cutover = await estimated(bench, EstimateKind.CUTOVER)
    assert records(cutover) == {str(stream): len(bench.source.rows[stream]) for stream in Stream}
    assert cutover.seconds.expected > recent.seconds.expected + 30


async def test_what_arrives_until_the_run_begins_is_expected(bench: Bench) -> None:
    begin = START - timedelta(days=14)
    bench.source.now = START
    for hour in range(14 * 24):
        made_at = begin + timedelta(hours=hour)
        row = str(5000 + hour)
        bench.source.put(Stream.ORDERS, row, dated(5000 + hour, made_at), stamp=made_at)
    await bench.run("full", streams=["orders"])
    later = await estimated(bench, EstimateKind.FULL, at=bench.source.now + timedelta(hours=48))
    orders = next(each for each in later.streams if each.stream is Stream.ORDERS)
    assert orders.records - orders.arriving == 14 * 24
    assert 43 <= orders.arriving <= 53, "one an hour, for two days"
    assert orders.low < orders.records < (orders.high or 0)


async def test_measured_rates_replace_the_stated_ones(bench: Bench) -> None:
    fill(bench)
    before = await estimated(bench)
    assert before.rates.basis == "stated"
    assert "No run" in before.notes[-1]
    await bench.run("full")
    after = await estimated(bench, EstimateKind.FULL)
    assert (after.rates.basis, after.rates.jobs) == ("measured", 1)
    assert after.seconds.expected < before.seconds.expected, "memory is fast"


async def test_points_follow_the_policy(bench: Bench) -> None:
    fill(bench)
    found = await estimated(bench)
    orders = len(bench.source.rows[Stream.ORDERS])
    assert next(e.points for e in found.streams if e.stream is Stream.ORDERS) == orders
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql(
            'UPDATE migrations SET policies = \'{"points": {"orders": 2.5}}\''
        )
    found = await estimated(bench)
    assert next(e.points for e in found.streams if e.stream is Stream.ORDERS) == 2.5 * orders


async def test_a_source_that_cannot_count_is_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: Any) -> None:
        return None

    monkeypatch.setattr(FakeStore, "count", unknown)
    fill(bench)
    found = await estimated(bench)
    assert {each.basis for each in found.streams} == {"read"}
    job = await bench.run("full")
    assert records(found) == await read_by(bench, job)
    assert {each.basis for each in (await estimated(bench, EstimateKind.FULL)).streams} == {
        "ledger"
    }


async def test_a_silent_source_is_a_problem_and_no_endless_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: Any) -> None:
        await asyncio.Event().wait()

    async def away(*_: Any) -> None:
        raise Unreachable("The store cannot be reached.")

    monkeypatch.setattr(FakeStore, "count", silent)
    monkeypatch.setattr(opening, "SECONDS", 0.1)
    with pytest.raises(StoreTooSlow):
        await estimated(bench)
    monkeypatch.setattr(opening, "SECONDS", 30.0)
    monkeypatch.setattr(FakeStore, "count", away)
    with pytest.raises(StoreFailed) as caught:
        await estimated(bench)
    assert caught.value.extra == {"store": "source", "store_code": "store_unreachable"}
