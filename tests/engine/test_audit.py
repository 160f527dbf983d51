"""Timestamps that lie are found out within the promised number of runs, and never by mistake."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import request_cancel, to_json
from connectors.base import Finding, Severity
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.shop import START, contents
from tests.engine.test_runs import customer, fill, order, product

ORDERS = ["orders"]
LOST = Finding("filter_loses_records", "It leaves records out.")


async def set_policies(bench: Bench, **policies: Any) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE migrations SET policies = CAST(:policies AS jsonb)"),
            {"policies": to_json(policies)},
        )


async def migrated(bench: Bench, count: int = 9, **policies: Any) -> None:
    """A migration whose earlier records lie far behind the next window."""
    await set_policies(bench, **policies)
    fill(bench, count)
    await bench.run("full")
    bench.source.tick(hours=1)
    bench.target.writes.clear()
    bench.source.gets.clear()


async def until_audited(bench: Bench, job: UUID) -> None:
    """Work until the pass is done and the audit is what comes next."""
    for _ in range(50):
        if (await bench.job(job))["stage"] == 2:
            return
        await bench.turn()
    raise AssertionError("the pass did not end")


async def state(bench: Bench, stream: str = "orders") -> dict[str, Any]:
    rows = await bench.rows("SELECT * FROM stream_states WHERE stream = :stream", stream=stream)
    return rows[0] if rows else {}


async def recent(bench: Bench, **params: Any) -> dict[str, Any]:
    bench.source.tick(minutes=10)
    return await bench.run("recent", **{"streams": ORDERS, **params})


@pytest.mark.parametrize(("changed", "run"), [("o1", 1), ("o4", 2), ("o8", 3)])
async def test_silent_change_is_found_when_its_page_has_its_turn(
    bench: Bench, changed: str, run: int
) -> None:
    await migrated(bench, 9, audit={"runs": 3})
    bench.source.change_silently(Stream.ORDERS, changed, note="by a plugin")
    for _ in range(run - 1):
        await recent(bench)
        assert bench.target.writes == []
        assert (await state(bench))["demoted_at"] is None
    row = await recent(bench)
    assert row["status"] == "succeeded"
    assert bench.target.writes == [("update", Stream.ORDERS, changed)]
    assert (await bench.counters(row["id"]))["missed"] == 1
    found = await state(bench)
    assert (found["reason"], found["demoted_at"] is None) == ("silent_change", False)
    [record] = found["evidence"]["records"]
    assert record == {"id": changed, "change": "silent_change", "stamp": START.isoformat()}
    [event] = await bench.rows("SELECT data FROM job_events WHERE type = 'stream.demoted'")
    assert event["data"]["records"] == [changed]


async def test_backdated_record_is_brought_over_and_the_next_run_sweeps(bench: Bench) -> None:
    await migrated(bench, 9, audit={"runs": 3})
    for each in ("o10", "o80"):
        bench.source.put(Stream.ORDERS, each, order(int(each[1:])), stamp=START)
    await recent(bench)
    assert bench.target.writes == [("create", Stream.ORDERS, "o10")]
    assert (await state(bench))["reason"] == "never_shown"
    row = await recent(bench)
    assert row["passes"]["orders"]["mode"] == "sweep"
    assert bench.target.writes[1:] == [("create", Stream.ORDERS, "o80")]
    assert "audited" not in await bench.counters(row["id"]), "a sweep needs no audit"


async def test_rounds_follow_each_other_and_each_verifies_everything(bench: Bench) -> None:
    await migrated(bench, 9, audit={"runs": 3})
    seen = []
    for _ in range(7):
        row = await recent(bench)
        assert (await bench.counters(row["id"]))["audited"] == 3
        found = await state(bench)
        seen.append((found["audit_round"], found["audited"]))
        assert found["proven_at"] is not None
    assert seen == [(0, 3), (0, 6), (1, 9), (1, 3), (1, 6), (2, 9), (2, 3)]


async def test_audit_reads_its_share_and_no_more(bench: Bench) -> None:
    await migrated(bench, 30, audit={"runs": 5})
    bench.source.asked.clear()
    row = await recent(bench)
    assert (await bench.counters(row["id"]))["audited"] == 6
    window_pages, share = 1, 2
    assert bench.source.asked["page"] <= window_pages + share


async def test_change_that_the_next_window_shows_is_no_miss(bench: Bench) -> None:
    """A record becomes visible late: within the overlap nobody has lied."""
    await migrated(bench, 3, audit={"runs": 1})
    stamp = bench.source.now + timedelta(minutes=10) - timedelta(seconds=59)
    job = await bench.start("recent", streams=ORDERS)
    bench.source.tick(minutes=10)
    await until_audited(bench, job)
    bench.source.put(Stream.ORDERS, "o1", replace(order(1), note="seen late"), stamp=stamp)
    await bench.finish(job)
    assert (await state(bench))["demoted_at"] is None
    assert bench.target.writes == []
    await recent(bench)
    assert bench.target.writes == [("update", Stream.ORDERS, "o1")]


async def test_change_behind_the_overlap_is_a_miss(bench: Bench) -> None:
    await migrated(bench, 3, audit={"runs": 1})
    stamp = bench.source.now + timedelta(minutes=10) - timedelta(seconds=61)
    job = await bench.start("recent", streams=ORDERS)
    bench.source.tick(minutes=10)
    await until_audited(bench, job)
    bench.source.put(Stream.ORDERS, "o1", replace(order(1), note="seen too late"), stamp=stamp)
    await bench.finish(job)
    assert (await state(bench))["reason"] == "silent_change"


async def test_half_written_record_is_no_miss(bench: Bench) -> None:
    await migrated(bench, 3, audit={"runs": 1})
    bench.source.torn["o1"] = [replace(order(1), status="pending", lines=())]
    row = await recent(bench)
    assert bench.source.gets == ["o1"], "it was looked at again"
    assert (await state(bench))["demoted_at"] is None
    assert bench.target.writes == []
    assert "missed" not in await bench.counters(row["id"])


async def test_second_look_waits_until_the_source_has_settled(bench: Bench) -> None:
    await migrated(bench, 3, audit={"runs": 1}, settle=0.5)
    bench.source.change_silently(Stream.ORDERS, "o1", note="x")
    bench.source.tick(minutes=10)
    job = await bench.start("recent", streams=ORDERS)
    await until_audited(bench, job)
    await bench.turn()
    await bench.turn()
    assert await bench.rows("SELECT 1 FROM slices WHERE waiting = 'audit_settling'")
    assert bench.source.gets == []
    row = await bench.finish(job)
    assert bench.source.gets == ["o1"]
    assert row["status"] == "succeeded"
    assert (await state(bench))["reason"] == "silent_change"


async def test_record_without_a_stamp_that_changed_is_a_miss(bench: Bench) -> None:
    await migrated(bench, 3, audit={"runs": 1})
    bench.source.change_silently(Stream.ORDERS, "o1", note="x")
    bench.source.stampless.add("o1")
    await recent(bench)
    [record] = (await state(bench))["evidence"]["records"]
    assert record["stamp"] is None


async def test_migration_that_began_with_since_knows_nothing_of_older_records(
    bench: Bench,
) -> None:
    bench.source.put(Stream.ORDERS, "old", order(1), stamp=START - timedelta(days=9))
    bench.source.put(Stream.ORDERS, "new", order(2))
    await set_policies(bench, audit={"runs": 1})
    await bench.run("recent", streams=ORDERS, since=(START - timedelta(hours=1)).isoformat())
    await recent(bench)
    assert [each.number for each in contents(bench.target, Stream.ORDERS)] == ["2"]
    assert (await state(bench))["demoted_at"] is None


async def test_record_in_quarantine_is_no_miss(bench: Bench) -> None:
    await migrated(bench, 3, audit={"runs": 1})
    bench.source.put(Stream.ORDERS, "o1", replace(order(1), note="x"))
    bench.source.tick(minutes=10)
    bench.target.script = ["refused"]
    await bench.run("recent", streams=ORDERS)
    bench.target.script = ["refused"] * 9
    bench.source.tick(hours=1)
    row = await recent(bench)
    assert row["status"] == "completed_with_errors"
    assert (await bench.counters(row["id"]))["audited"] == 3
    assert (await state(bench))["demoted_at"] is None


async def test_crashed_audit_goes_on_where_it_stopped(bench: Bench) -> None:
    await migrated(bench, 9, audit={"runs": 1})
    bench.source.change_silently(Stream.ORDERS, "o1", note="x")
    bench.source.tick(minutes=10)
    job = await bench.start("recent", streams=ORDERS)
    await until_audited(bench, job)
    await bench.turn()
    bench.source.read_failures = [None, _Die()]
    with pytest.raises(_Die):
        await bench.turn()
    await bench.lapse()
    bench.source.reads.clear()
    row = await bench.finish(job)
    assert bench.source.reads[0] == (Stream.ORDERS, "o2")
    assert bench.target.writes == [("update", Stream.ORDERS, "o1")]
    assert (await bench.counters(row["id"]))["audited"] == 9


class _Die(BaseException):
    """The end of a worker."""


async def test_cancelled_audit_is_read_again_by_the_next_run(bench: Bench) -> None:
    await migrated(bench, 9, audit={"runs": 1})
    bench.source.change_silently(Stream.ORDERS, "o8", note="x")
    bench.source.tick(minutes=10)
    job = await bench.start("recent", streams=ORDERS)
    await until_audited(bench, job)
    async with bench.resources.engine.begin() as connection:
        await request_cancel(connection, job)
    assert (await bench.finish(job))["status"] == "cancelled"
    assert await state(bench) == {}
    await recent(bench)
    assert bench.target.writes == [("update", Stream.ORDERS, "o8")]


async def test_failed_probe_makes_the_pass_of_the_same_job_a_sweep(bench: Bench) -> None:
    await migrated(bench)
    bench.source.findings = [(LOST,), (LOST,)]
    bench.source.change_silently(Stream.ORDERS, "o8", note="x")
    row = await recent(bench)
    assert row["passes"]["orders"]["mode"] == "sweep"
    assert bench.target.writes == [("update", Stream.ORDERS, "o8")]
    found = await state(bench)
    assert (found["reason"], found["message"]) == (LOST.code, LOST.message)
    bench.source.asked.clear()
    row = await recent(bench)
    assert row["passes"]["orders"]["mode"] == "sweep"
    assert bench.source.asked["probe"] == 0, "a swept stream has nothing to prove"


async def test_probe_that_fails_once_is_put_down_to_a_shop_that_changes(bench: Bench) -> None:
    await migrated(bench)
    bench.source.findings = [(LOST,), ()]
    row = await recent(bench)
    assert row["passes"]["orders"]["mode"] == "window"
    assert (await state(bench))["demoted_at"] is None


async def test_warning_of_a_probe_is_told_and_changes_nothing(bench: Bench) -> None:
    await migrated(bench)
    bench.source.findings = [(Finding("stamp_in_the_future", "Odd.", Severity.WARNING),)]
    row = await recent(bench)
    assert row["passes"]["orders"]["mode"] == "window"
    [event] = await bench.rows("SELECT data FROM job_events WHERE type = 'probe.warning'")
    assert event["data"]["code"] == "stamp_in_the_future"


async def test_probe_costs_two_requests_a_stream_and_job(bench: Bench) -> None:
    await migrated(bench)
    bench.source.asked.clear()
    await recent(bench, streams=None)
    assert bench.source.asked["probe"] == 2 * 2, "products and orders are read by window"


async def test_cutover_sweeps_and_audits_nothing(bench: Bench) -> None:
    await migrated(bench)
    row = await recent(bench, cutover=True)
    assert "audited" not in await bench.counters(row["id"])


async def test_untrusted_streams_are_not_audited(bench: Bench) -> None:
    await migrated(bench)
    row = await recent(bench, streams=["customers", "inventory"])
    assert "audited" not in await bench.counters(row["id"])


async def test_cutover_does_not_look_once_more_by_the_stamps_of_a_demoted_stream(
    bench: Bench,
) -> None:
    await migrated(bench)
    bench.source.findings = [(LOST,), (LOST,)]
    await recent(bench)
    row = await recent(bench, cutover=True, streams=["products", "orders"])
    closing = [each["stream"] for each in row["plan"] if each.get("closing")]
    assert closing == ["products"]


async def test_shallow_sweep_reads_what_is_new_or_stamped_anew(bench: Bench) -> None:
    await migrated(bench, 9, sweep={"orders": "shallow"})
    bench.source.put(Stream.ORDERS, "o3", replace(order(3), note="stamped"))
    bench.source.put(Stream.ORDERS, "o90", order(90), stamp=START)
    bench.source.change_silently(Stream.ORDERS, "o5", note="unstamped")
    bench.source.gets.clear()
    row = await recent(bench, cutover=True)
    assert row["passes"]["orders"]["depth"] == "shallow"
    assert sorted(bench.source.gets) == ["o3", "o90"]
    assert sorted(bench.target.writes) == [
        ("create", Stream.ORDERS, "o90"),
        ("update", Stream.ORDERS, "o3"),
    ]
    counters = await bench.counters(row["id"])
    assert counters["read"] - counters["unchanged"] == 2


async def test_shallow_sweep_in_parts_covers_everything(bench: Bench) -> None:
    await migrated(bench, 20, sweep={"products": "shallow"})
    bench.source.parts = 3
    for n in range(0, 20, 4):
        bench.source.put(Stream.PRODUCTS, f"p{n}", product(n, featured=True))
    await recent(bench, cutover=True, streams=["products"])
    assert len(bench.target.writes) == 5


async def test_streams_are_swept_deep_unless_their_stamps_are_trusted(bench: Bench) -> None:
    await migrated(bench, 5, sweep={"orders": "shallow", "customers": "shallow"})
    bench.source.findings = [(LOST,), (LOST,)]
    bench.source.change_silently(Stream.ORDERS, "o1", note="unstamped")
    bench.source.change_silently(Stream.CUSTOMERS, "u1", first_name="B")
    row = await recent(bench, streams=["customers", "orders"])
    assert {each["depth"] for each in row["passes"].values()} == {"deep"}
    assert sorted(each for _, _, each in bench.target.writes) == ["o1", "u1"]
    row = await recent(bench, cutover=True, streams=["orders"])
    assert row["passes"]["orders"]["depth"] == "deep"


async def test_horizon_leaves_out_old_closed_records_and_says_so(bench: Bench) -> None:
    old, young = START - timedelta(days=400), START - timedelta(days=10)
    bench.source.put(Stream.ORDERS, "closed", order(1), made=old)
    bench.source.put(Stream.ORDERS, "open", replace(order(2), status="on_hold"), made=old)
    bench.source.put(Stream.ORDERS, "young", order(3), made=young)
    await set_policies(bench, horizon={"orders": {"days": 365}}, audit={"runs": 1})
    row = await bench.run("full", streams=ORDERS)
    assert row["passes"]["orders"]["horizon"] is None
    assert len(bench.target.creates()) == 3, "a full run leaves nothing out"
    for each in ("closed", "open", "young"):
        bench.source.change_silently(Stream.ORDERS, each, note="x")
    bench.target.writes.clear()
    row = await recent(bench, cutover=True)
    assert sorted(each for _, _, each in bench.target.writes) == ["open", "young"]
    horizon = bench.source.now - timedelta(days=365)
    assert row["passes"]["orders"]["horizon"] == horizon.isoformat()


async def test_audit_looks_no_further_back_than_sweeps_do(bench: Bench) -> None:
    old = START - timedelta(days=400)
    await set_policies(bench, horizon={"orders": {"days": 365}}, audit={"runs": 1})
    bench.source.put(Stream.ORDERS, "closed", order(1), made=old)
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    await bench.run("full", streams=ORDERS)
    bench.source.change_silently(Stream.ORDERS, "closed", note="x")
    bench.source.tick(hours=1)
    await recent(bench)
    assert (await state(bench))["demoted_at"] is None
