"""A worker that ends at any named place costs time, and neither loses nor doubles a record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID

import pytest
from msgspec.structs import replace

from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.shop import contents
from tests.engine.test_runs import customer, fill, order, product
from workers.engine import failpoints
from workers.engine.failpoints import Crash, FailpointError, Place
from workers.schedule import reap

IN_A_SLICE = [place for place in Place if place not in (Place.HEARTBEAT, Place.REAPER)]
KINDS = {"full": {}, "recent": {}, "cutover": {"cutover": True}}


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def survive(bench: Bench, job: UUID) -> int:
    """Work until the job has ended, as a new worker after every crash. Answers with the crashes."""
    crashes = 0
    for _ in range(300):
        try:
            if not await bench.turn():
                await bench.pass_time()
        except Crash:
            crashes += 1
            await bench.lapse()
        if (await bench.job(job))["status"] not in ("queued", "running"):
            return crashes
    raise AssertionError("the job did not end")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", IN_A_SLICE)
async def test_worker_that_dies_loses_nothing_and_doubles_nothing(
    bench: Bench, place: Place, kind: str
) -> None:
    fill(bench)
    if kind != "full":
        await bench.run("full")
    bench.source.tick(minutes=1)
    bench.source.put(Stream.PRODUCTS, "p3", product(3, featured=True))
    bench.source.put(Stream.CUSTOMERS, "u90", customer(90))
    bench.source.put(Stream.ORDERS, "o90", order(90, who="u90"))
    failpoints.arm(f"{place}=crash")
    name = "full" if kind == "full" else "recent"
    job = await bench.start(name, **KINDS[kind])
    assert await survive(bench, job) == 1
    assert (await bench.job(job))["status"] == "succeeded"
    assert contents(bench.target, Stream.CUSTOMERS) == contents(bench.source, Stream.CUSTOMERS)
    numbers = [[o.number for o in contents(s, Stream.ORDERS)] for s in (bench.source, bench.target)]
    assert numbers[0] == numbers[1]
    assert [p.sku for p in contents(bench.target, Stream.PRODUCTS) if p.featured] == ["SKU-3"]
    creates = bench.target.creates()
    assert len(creates) == len(set(creates))
    assert bench.target.mails_on
    bench.target.writes.clear()
    again = await bench.run("recent")
    assert (again["status"], bench.target.writes) == ("succeeded", [])


async def test_connection_that_breaks_after_the_target_wrote_doubles_nothing(bench: Bench) -> None:
    fill(bench)
    failpoints.arm("after_write=reset:2")
    job = await bench.start("full")
    for _ in range(200):
        if not await bench.turn():
            await bench.lapse()
            await bench.pass_time()
        if (await bench.job(job))["status"] not in ("queued", "running"):
            break
    assert (await bench.job(job))["status"] == "succeeded"
    creates = bench.target.creates()
    assert len(creates) == len(set(creates)) == 2 + 4 * 7


async def test_heartbeat_that_fails_once_is_followed_by_another(bench: Bench) -> None:
    fill(bench)
    bench.source.put(Stream.CUSTOMERS, "u0", replace(customer(0), first_name="Slow"))
    slow = asyncio.Event()

    async def dawdle(_):
        if not slow.is_set():
            slow.set()
            await asyncio.sleep(1.6)

    bench.target.hooks["written"] = dawdle
    failpoints.arm("heartbeat=reset")
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    fences = await bench.rows("SELECT max(fence) AS most FROM slices WHERE kind = 'read'")
    assert fences == [{"most": 1}], "nobody had to take over"


async def test_wake_that_the_reaper_lost_is_sent_again(bench: Bench) -> None:
    await bench.start("full")
    await bench.lapse()
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE slices SET sent_at = NULL")
    failpoints.arm("reaper=reset")
    with pytest.raises(ConnectionResetError):
        await reap(bench.resources)
    assert bench.resources.queue.wakes == []
    async with bench.resources.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE slices SET sent_at = sent_at - interval '7 s'")
    assert await reap(bench.resources) == 1


def test_nothing_strikes_that_was_not_armed() -> None:
    failpoints.arm_from_environment({})
    for place in Place:
        failpoints.reach(place)


def test_failpoint_strikes_once_at_its_hit() -> None:
    failpoints.arm_from_environment({"RECENT_SYNC_FAILPOINTS": "after_fetch=crash:2, reaper=reset"})
    failpoints.reach(Place.AFTER_FETCH)
    with pytest.raises(Crash):
        failpoints.reach(Place.AFTER_FETCH)
    failpoints.reach(Place.AFTER_FETCH)
    with pytest.raises(ConnectionResetError):
        failpoints.reach(Place.REAPER)


@pytest.mark.parametrize("words", ["nowhere=kill", "reaper=explode", "reaper", "reaper=kill:0"])
def test_words_that_mean_nothing_are_refused(words: str) -> None:
    with pytest.raises(FailpointError):
        failpoints.arm(words)
