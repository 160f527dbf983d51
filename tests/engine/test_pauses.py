"""A store that wants to be left alone: the slice goes back, and the job ends when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.services.lifecycle import request_cancel
from connectors.errors import TryLater
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.test_leases import until_reading
from tests.engine.test_runs import customer

DAY = 86_400.0


async def paused_for_a_day(bench: Bench, parts: int = 1) -> tuple[Any, list[dict[str, Any]]]:
    """A job whose source limits it while it is read; and the job's paused slices."""
    for n in range(5):
        bench.source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
    bench.source.parts = parts

    async def limited(*_: Any) -> None:
        raise TryLater("the store limits our requests", after=DAY, code="store_limits")

    bench.source.hooks["read"] = limited
    job = await bench.start("full", streams=["customers"])
    await until_reading(bench)
    await bench.turn()
    return job, await bench.rows("SELECT * FROM slices WHERE job_id = :job AND NOT done", job=job)


async def test_slice_is_given_back_at_once_and_is_due_when_the_store_says(bench: Bench):
    job, slices = await paused_for_a_day(bench)
    (held,) = slices
    assert held["holder"] is None
    assert held["lease_until"] is None
    assert held["waiting"] == "store_limits"
    assert held["due_at"] - datetime.now(UTC) == pytest.approx(
        timedelta(seconds=DAY), abs=timedelta(minutes=5)
    )
    assert await bench.turn() == 0, "nobody asks before"
    del bench.source.hooks["read"]
    assert (await bench.finish(job))["status"] == "succeeded"
    assert len(bench.target.rows[Stream.CUSTOMERS]) == 5


async def test_cancelling_does_not_wait_for_the_store(bench: Bench):
    job, _ = await paused_for_a_day(bench, parts=2)
    async with bench.resources.engine.begin() as connection:
        await request_cancel(connection, job)
    for _ in range(10):
        if not await bench.turn():
            break
    assert (await bench.job(job))["status"] == "cancelled"
    assert bench.target.mails_on
