"""Two workers that both believe they hold a slice, and others that come too late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import create_engine
from app.services.lifecycle import request_cancel
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.shop import contents, fake_connector
from tests.engine.test_runs import customer, fill
from workers.engine.errors import LeaseLost
from workers.engine.failpoints import Crash
from workers.engine.leases import Lease, claim
from workers.engine.slices import work


class Stopped:
    """A worker's clock. While the worker is stopped, the time of all others goes on."""

    def __init__(self) -> None:
        self.behind = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.behind


async def due(bench: Bench, kind: str) -> Any:
    rows = await bench.rows("SELECT id FROM slices WHERE NOT done AND kind = :kind", kind=kind)
    return rows[0]["id"]


async def until_reading(bench: Bench) -> Any:
    """Let the job come so far that a slice is there to be read; answers with the slice."""
    for _ in range(5):
        rows = await bench.rows("SELECT id FROM slices WHERE NOT done AND kind = 'read'")
        if rows:
            return rows[0]["id"]
        await bench.turn()
    raise AssertionError("nothing to read")


@pytest.mark.parametrize("moment", ["looked", "written"])
async def test_worker_that_was_stopped_past_its_lease_doubles_and_overwrites_nothing(
    bench: Bench, moment: str
) -> None:
    for n in range(5):
        bench.source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
    job = await bench.start("full", streams=["customers"])
    held, clock = await until_reading(bench), Stopped()
    stopped = []

    async def stop(_: object) -> None:
        if stopped:
            return
        stopped.append(True)
        await bench.lapse()
        bench.source.put(Stream.CUSTOMERS, "u0", replace(customer(0), first_name="Newer"))
        assert (await bench.finish(job))["status"] == "succeeded"
        clock.behind = 60.0

    bench.target.hooks[moment] = stop
    await work(bench.resources, held, holder="stopped", stopping=lambda: False, clock=clock)
    assert stopped
    creates = bench.target.creates()
    assert len(creates) == len(set(creates)) == 5
    assert contents(bench.target, Stream.CUSTOMERS) == contents(bench.source, Stream.CUSTOMERS)
    writes = len(bench.target.writes)
    assert (await bench.run("recent"))["status"] == "succeeded"
    assert len(bench.target.writes) == writes


async def test_worker_stopped_between_two_writes_of_a_page_sends_nothing_more(
    bench: Bench,
) -> None:
    for n in range(2):
        bench.source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
    await bench.start("full", streams=["customers"])
    held, clock = await until_reading(bench), Stopped()

    async def stop(_: object) -> None:
        clock.behind = 60.0

    bench.target.hooks["written"] = stop
    await work(bench.resources, held, holder="stopped", stopping=lambda: False, clock=clock)
    assert len(bench.target.writes) == 1


async def test_worker_that_comes_too_late_does_not_silence_a_store_for_good(bench: Bench) -> None:
    fill(bench, 2)
    job = await bench.start("full")
    held = await due(bench, "prepare")
    stopped = []

    async def stop(_: object) -> None:
        if not stopped:
            stopped.append(True)
            await bench.lapse()
            assert (await bench.finish(job))["status"] == "succeeded"

    bench.target.hooks["listened"] = stop
    await work(bench.resources, held, holder="stopped", stopping=lambda: False)
    assert stopped
    assert bench.target.mails_on
    [store] = await bench.rows("SELECT muted_by, unmuted FROM stores WHERE name = 'target'")
    assert store == {"muted_by": [], "unmuted": None}


async def _die_at(bench: Bench, moment: str, *, late: bool) -> asyncio.Task[None]:
    """Run a job whose worker dies; its last request, about mails, is carried out seconds later."""
    bench.use(fake_connector(settle=4.0))
    bench.source.put(Stream.CUSTOMERS, "u0", customer(0))
    requests: list[asyncio.Task[None]] = []

    async def carry_out() -> None:
        await asyncio.sleep(3.0)
        bench.target.mails_on = late

    async def die(_: object) -> None:
        requests.append(asyncio.create_task(carry_out()))
        raise Crash

    bench.target.hooks[moment] = die
    job = await bench.start("full", streams=["customers"])
    with pytest.raises(Crash):
        await bench.finish(job)
    bench.target.hooks.clear()
    await bench.lapse()
    assert (await bench.finish(job))["status"] == "succeeded"
    return requests[0]


async def test_silence_that_a_dead_worker_asked_for_does_not_outlive_the_job(bench: Bench) -> None:
    await (await _die_at(bench, "muting", late=False))
    assert bench.target.mails_on


async def test_voice_that_a_dead_worker_gave_back_does_not_break_into_the_next_job(
    bench: Bench,
) -> None:
    request = await _die_at(bench, "unmuting", late=True)
    following = await bench.start("full", streams=["customers"])
    await bench.turn()
    assert not bench.target.mails_on
    await request
    assert not bench.target.mails_on
    assert (await bench.finish(following))["status"] == "succeeded"
    assert bench.target.mails_on


@pytest.fixture
async def impatient(engine_database: str) -> AsyncIterator[AsyncEngine]:
    """The connections of a worker whose server waits one second for it."""
    engine = create_engine(engine_database, abandoned=1.0)
    yield engine
    await engine.dispose()


async def test_worker_that_stands_still_in_a_transaction_blocks_nobody_for_long(
    bench: Bench, impatient: AsyncEngine
) -> None:
    await bench.start("full")
    held = await due(bench, "prepare")
    lease = await claim(impatient, held, holder="stopped", lease=2.0)
    assert lease is not None
    with pytest.raises(DBAPIError):
        await _stand_still(bench, lease)


async def _stand_still(bench: Bench, lease: Lease) -> None:
    async with lease.fenced() as transaction:
        taken = asyncio.create_task(_take_over(bench, lease.held.id))
        assert await asyncio.wait_for(taken, timeout=20) is not None
        await transaction.connection.execute(text("SELECT 1"))


async def _take_over(bench: Bench, held: Any) -> Any:
    while True:
        lease = await claim(bench.resources.engine, held, holder="next", lease=2.0)
        if lease is not None:
            return lease
        await asyncio.sleep(0.1)


async def test_cancelled_job_writes_no_more_than_the_pages_in_hand(bench: Bench) -> None:
    for n in range(60):
        bench.source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
    bench.source.parts = 2
    job = await bench.start("full", streams=["customers"])
    await until_reading(bench)
    reads = await bench.rows("SELECT id FROM slices WHERE NOT done AND kind = 'read'")
    assert len(reads) == 2
    at_cancel = []

    async def cancel(_: object) -> None:
        if len(bench.target.writes) == 8:
            async with bench.resources.engine.begin() as connection:
                await request_cancel(connection, job)
            at_cancel.append(len(bench.target.writes))

    bench.target.hooks["written"] = cancel
    await asyncio.gather(
        *(
            work(bench.resources, each["id"], holder=f"w{n}", stopping=lambda: False)
            for n, each in enumerate(reads)
        )
    )
    assert (await bench.finish(job))["status"] == "cancelled"
    assert len(bench.target.writes) - at_cancel[0] <= len(reads) * bench.source.page_size
    assert bench.target.mails_on


async def test_what_takes_longer_than_a_lease_does_not_hold_up_its_own_heartbeat(
    bench: Bench,
) -> None:
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    await bench.start("full", streams=["customers"])
    lease = await claim(bench.resources.engine, await until_reading(bench), holder="a", lease=60)
    assert lease is not None
    note = text("UPDATE migrations SET slug = 'noted'")
    async with lease.fenced_at_the_end() as connection:
        await connection.execute(note)
        assert await asyncio.wait_for(lease.renew(), 10)
    assert await bench.rows("SELECT slug FROM migrations") == [{"slug": "noted"}]
    await bench.lapse()

    async def lose_it() -> None:
        async with lease.fenced_at_the_end() as connection:
            await connection.execute(text("UPDATE migrations SET slug = 'too late'"))
            other = await claim(bench.resources.engine, lease.held.id, holder="b", lease=60)
            assert other is not None

    with pytest.raises(LeaseLost):
        await lose_it()
    assert await bench.rows("SELECT slug FROM migrations") == [{"slug": "noted"}]
