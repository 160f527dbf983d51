"""A store that wants to be left alone for long holds no worker and hides no job."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from connectors.budget import LocalBudget
from connectors.errors import TryLater
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.practice_stores import Stores
from tests.engine.shop import contents
from tests.engine.test_runs import fill
from tests.regressions.goods import goods, prices

DAY = 86_400.0


async def test_store_that_asks_for_a_day_gets_minutes_and_gives_the_slice_back(
    bench: Bench,
) -> None:
    fill(bench)
    job = await bench.start("full")
    bench.source.read_failures = [TryLater("busy", after=DAY)]
    began = time.monotonic()
    while not await bench.rows("SELECT id FROM slices WHERE waiting IS NOT NULL"):
        assert await bench.turn(), "somebody waits with a slice in hand"
    assert time.monotonic() - began < 60
    [row] = await bench.rows(
        "SELECT lease_until, waiting, due_at - clock_timestamp() AS pause FROM slices"
        " WHERE waiting IS NOT NULL"
    )
    assert (row["lease_until"], row["waiting"]) == (None, "store_busy")
    assert timedelta(0) < row["pause"] <= timedelta(minutes=5)
    assert (await bench.finish(job))["status"] == "succeeded"
    assert contents(bench.target, Stream.CUSTOMERS) == contents(bench.source, Stream.CUSTOMERS)
    assert len(bench.target.creates()) == 2 + 4 * 7


@pytest.mark.parametrize(
    "faults",
    [
        {"rate_limit": {"probability": 0.3, "shape": "seconds", "retry_after": 1}},
        {"rate_limit": {"probability": 0.3, "shape": "date", "retry_after": 1}},
        {"rate_limit": {"probability": 0.3, "shape": "none"}},
    ],
    ids=["seconds", "date", "nothing said"],
)
async def test_refused_request_loses_no_record(
    stores: Stores, faults: dict[str, dict[str, object]]
) -> None:
    stores.page_size = 5
    await stores.old.load(product=goods(30))
    await stores.old.faults(**faults)
    await stores.new.faults(**faults)
    await stores.run("full", streams=["products"])
    for each in (stores.old, stores.new):
        # Whoever looks is no job, and would give up after a few refusals.
        await each.faults(rate_limit=None)
    assert len(await prices(stores.old)) == len(await prices(stores.new)) == 30
    assert max((*stores.old.slept, *stores.new.slept), default=0.0) < 120


async def test_store_that_is_left_alone_for_a_day_loses_no_record(stores: Stores) -> None:
    stores.page_size = 5
    await stores.old.load(product=goods(30))
    passed = [0.0]
    for each in (stores.old, stores.new):
        await each.faults(rate_limit_day={"probability": 1.0, "times": 2})
        each.budget = LocalBudget(clock=lambda: passed[0])
    job = await stores.bench.start("full", streams=["products"])
    for _ in range(10):
        while await stores.bench.turn():
            pass
        passed[0] += DAY
        await stores.bench.pass_time()
    assert (await stores.bench.job(job))["status"] == "succeeded"
    assert len(await prices(stores.old)) == len(await prices(stores.new)) == 30
    assert max((*stores.old.slept, *stores.new.slept), default=0.0) < 120
