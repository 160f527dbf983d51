"""The queue only wakes: what it forgets, repeats, blocks or breaks costs seconds and no record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from arq.connections import create_pool
from arq.constants import in_progress_key_prefix, job_key_prefix, result_key_prefix
from arq.jobs import serialize_job
from arq.utils import timestamp_ms
from pydantic import SecretStr
from redis.asyncio import Redis

from app.queue import QUEUE_NAME, RUN_SLICE, ArqQueue, Wake, redis_settings, serialize
from app.resources import Resources
from connectors.records import Stream
from tests.engine.conftest import Bench, WakeList
from tests.engine.shop import contents
from tests.engine.test_runs import fill
from workers import jobs
from workers.jobs import Desk
from workers.main import _serve_queue
from workers.schedule import reap


@dataclass
class Bell:
    """A desk that only notes which slices it was woken for."""

    rung: list[UUID] = field(default_factory=list)

    async def take(self, slice_id: UUID) -> None:
        self.rung.append(slice_id)


@pytest.fixture
async def resources(bench: Bench, servers: Any) -> AsyncIterator[Resources]:
    """The bench's, with a real queue that is empty."""
    settings = bench.resources.settings.model_copy(
        update={"redis_url": SecretStr(servers.redis_url), "reaper_seconds": 0.1}
    )
    queue = ArqQueue(servers.redis_url)
    redis = Redis.from_url(servers.redis_url)
    await redis.flushdb()
    yield replace(bench.resources, settings=settings, queue=queue)
    await redis.flushdb()
    await redis.aclose()
    await queue.close()


@asynccontextmanager
async def working(resources: Resources, desk: Any) -> AsyncIterator[None]:
    """A worker's loop, as it is set up in its process."""
    loop = asyncio.create_task(_serve_queue(resources, desk, "tester"))
    try:
        yield
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(loop, 30)


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


async def test_wake_is_heard_though_the_one_before_it_died_with_its_worker(
    resources: Resources,
) -> None:
    """A killed worker's job stays in progress, and its result or its text may stay behind."""
    slice_id, bell = uuid4(), Bell()
    pool = await create_pool(redis_settings(str(resources.settings.redis_url.get_secret_value())))
    dead = f"{slice_id}:1"
    await resources.queue.send([Wake(slice_id, 1)])
    for prefix in (in_progress_key_prefix, result_key_prefix):
        await pool.set(prefix + dead, b"1")
    await resources.queue.send([Wake(slice_id, 2)])
    async with working(resources, bell):
        await until(lambda: bell.rung == [slice_id])
    await pool.aclose()


async def test_wakes_of_many_dead_workers_do_not_block_the_living(resources: Resources) -> None:
    """Ids of running jobs stay at the head of the queue, and only so many are looked at."""
    slice_id, bell = uuid4(), Bell()
    pool = await create_pool(redis_settings(str(resources.settings.redis_url.get_secret_value())))
    for number in range(400):
        stale = f"{uuid4()}:{number}"
        body = serialize_job(RUN_SLICE, ("x",), {}, None, timestamp_ms(), serializer=serialize)
        await pool.set(job_key_prefix + stale, body)
        await pool.set(in_progress_key_prefix + stale, b"1")
        await pool.zadd(QUEUE_NAME, {stale: 1})
    await resources.queue.send([Wake(slice_id, 1)])
    async with working(resources, bell):
        await until(lambda: bell.rung == [slice_id])
    await pool.aclose()


async def test_wake_that_comes_twice_is_worked_on_once(bench: Bench, resources: Resources) -> None:
    fill(bench)
    job = await bench.start("full")
    desk = Desk(resources, "tester")
    async with working(resources, desk):

        async def ended() -> bool:
            due = await bench.rows("SELECT id, wakes FROM slices WHERE NOT done")
            await resources.queue.send(
                [Wake(row["id"], row["wakes"] + n) for row in due for n in (1_000, 2_000)]
            )
            return (await bench.job(job))["status"] == "succeeded"

        await until(ended, 60)
    creates = bench.target.creates()
    assert len(creates) == len(set(creates)) == 2 + 4 * 7


async def test_queue_that_forgets_every_wake_is_told_again(
    bench: Bench, resources: Resources
) -> None:
    """As a Redis that is restarted whenever a slice has sent for the next one."""
    fill(bench)
    job = await bench.start("full")

    async def ended() -> bool:
        await reap(resources)
        await asyncio.sleep(0.1)
        return (await bench.job(job))["status"] == "succeeded"

    forgetful = replace(resources, queue=WakeList())
    async with working(forgetful, Desk(forgetful, "tester")):
        await until(ended, 90)
    assert len(forgetful.queue.wakes) > 3
    assert contents(bench.target, Stream.CUSTOMERS) == contents(bench.source, Stream.CUSTOMERS)
    assert len(bench.target.creates()) == 2 + 4 * 7


async def test_error_in_a_wake_does_not_give_the_slice_up(
    bench: Bench, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """arq drops a job that raises for good; nothing that goes wrong may reach it."""
    fill(bench)
    failed: list[UUID] = []
    real = jobs.work

    async def work(resources: Resources, slice_id: UUID, **options: Any) -> None:
        if slice_id not in failed:
            failed.append(slice_id)
            raise RuntimeError("out of memory")
        await real(resources, slice_id, **options)

    monkeypatch.setattr(jobs, "work", work)
    job = await bench.start("full")
    async with working(resources, Desk(resources, "tester")):

        async def ended() -> bool:
            await reap(resources)
            await asyncio.sleep(0.1)
            return (await bench.job(job))["status"] == "succeeded"

        await until(ended, 90)
    assert len(failed) > 3


async def test_queue_that_cannot_be_reached_raises_nothing() -> None:
    queue = ArqQueue("redis://127.0.0.1:1/0")
    await queue.send([Wake(uuid4(), 1)])
    assert not await queue.ping()
