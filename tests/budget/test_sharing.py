"""Several processes, one real store with a real limit, one Redis: counted in the store's log."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
import redis as sync_redis

from app.budget import SharedBudgets
from app.embedded import Servers
from benchmarks.asking import Way
from benchmarks.limited import FixedWindow, LeakyBucket, LimitedStore, serving
from benchmarks.limits import askers
from connectors.errors import TryLater
from connectors.http import StoreHttp

pytestmark = pytest.mark.slow

PROCESSES = 3
WARM_UP = 5.0
"""Seconds in which the processes that start meet a store they do not know."""


@pytest.fixture
def bucket() -> Iterator[LimitedStore]:
    """A store that allows 20 requests a second, and has few in hand."""
    with serving(LimitedStore(LeakyBucket(400, left=80))) as store:
        yield store


def longest_silence(store: LimitedStore, since: float, until: float) -> float:
    """Seconds in which the store heard nothing."""
    times = [since, *(each.at for each in store.log if since <= each.at <= until), until]
    return max(later - sooner for sooner, later in pairwise(times))


def when_spent(store: LimitedStore, seconds: float = 60) -> float:
    """Wait until the store's bucket is nearly empty; answers with that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if store.log and store.limit.left < store.limit.most / 10:
            return time.monotonic()
        time.sleep(0.05)
    raise AssertionError("the bucket was never spent")


@pytest.mark.parametrize(("most", "seconds"), [(40, 30), (400, 24)])
def test_a_bucket_is_used_nearly_whole_and_hardly_anybody_is_refused(
    servers, tmp_path: Path, most: int, seconds: float
):
    """A bucket of 40 is so small that processes which do not share are refused all the time."""
    with (
        serving(LimitedStore(LeakyBucket(most, left=most / 5))) as bucket,
        askers(
            bucket,
            Way.SHARED,
            servers.redis_url,
            processes=PROCESSES,
            seconds=seconds,
            log=tmp_path / "errors",
        ) as running,
    ):
        since = when_spent(bucket) + WARM_UP
        running.finish(120)
    until = max(each.at for each in bucket.log)
    assert until - since > 5
    share = bucket.share(since, until)
    assert share.used >= 0.9
    assert share.refused < 0.01
    names = [each.name.rpartition(".")[0] for each in bucket.log if each.at >= since]
    by_process = Counter(name.partition(".")[0] for name in names)
    assert len(by_process) == PROCESSES
    assert min(by_process.values()) > len(names) / PROCESSES / 3, "nobody starves"


def test_windows_are_used_nearly_whole_and_hardly_anybody_is_refused(servers, tmp_path: Path):
    limit = FixedWindow(quota=125, length=5.0)
    with (
        serving(LimitedStore(limit)) as store,
        askers(
            store,
            Way.SHARED,
            servers.redis_url,
            processes=PROCESSES,
            seconds=20,
            log=tmp_path / "errors",
        ) as running,
    ):
        running.finish(120)
    since, until = limit.steady(store.log)
    assert until - since >= 2 * limit.length
    share = store.share(since, until)
    assert share.used >= 0.9
    assert share.refused < 0.01


# --- what a refusal says -------------------------------------------------------------------------


def in_two_seconds() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


async def other_workers(stack: AsyncExitStack, redis_url: str, url: str) -> list[StoreHttp]:
    """Two clients of one store, each with a connection to Redis of its own."""
    clients = []
    for _ in range(2):
        budgets = SharedBudgets(redis_url)
        stack.push_async_callback(budgets.close)
        clients.append(await stack.enter_async_context(StoreHttp(url, budgets=budgets)))
    return clients


async def get(http: StoreHttp, name: str) -> int:
    return await http.request("GET", f"/?{name}", decode=lambda answer: answer.status)


@pytest.mark.parametrize(
    ("form", "least"), [(lambda: "1", 1.0), (lambda: "1.5", 1.5), (in_two_seconds, 0.9)]
)
async def test_every_form_of_retry_after_holds_everybody(
    servers, bucket: LimitedStore, form: Callable[[], str], least: float
):
    async with AsyncExitStack() as stack:
        first, second = await other_workers(stack, servers.redis_url, bucket.url)
        await get(first, "before")
        bucket.retry_after.append(form())
        refused = asyncio.create_task(get(first, "refused"))
        await asyncio.sleep(0.5)  # its answer is there, and told
        assert await asyncio.gather(refused, get(second, "other")) == [200, 200]
        assert (first.stats.throttled, second.stats.throttled) == (1, 0)
    _, no, *later = bucket.log
    assert no.refused
    assert [each.refused for each in later] == [False, False]
    assert min(each.at for each in later) - no.at >= least - 0.05


async def test_a_day_is_waited_by_nobody_and_the_store_is_left_alone(servers, bucket: LimitedStore):
    async with AsyncExitStack() as stack:
        first, second = await other_workers(stack, servers.redis_url, bucket.url)
        bucket.retry_after.append("86400")
        began = time.monotonic()
        with pytest.raises(TryLater) as refused:
            await get(first, "refused")
        with pytest.raises(TryLater) as held:
            await get(second, "other")
        assert time.monotonic() - began < 4, "nobody slept"
        for caught in (refused, held):
            assert caught.value.code == "store_limits"
            assert caught.value.after == pytest.approx(86_400, abs=60)
        assert (second.stats.requests, second.stats.throttled) == (0, 0)
    assert len(bucket.log) == 1, "no other worker asks that store"


# --- Redis that goes and forgets -----------------------------------------------------------------


def test_a_redis_that_forgets_midway_costs_no_refusals(
    servers, bucket: LimitedStore, tmp_path: Path
):
    with askers(
        bucket,
        Way.SHARED,
        servers.redis_url,
        processes=PROCESSES,
        seconds=14,
        log=tmp_path / "errors",
    ) as running:
        since = when_spent(bucket)
        with sync_redis.Redis.from_url(servers.redis_url) as client:
            for _ in range(3):
                client.flushdb()
                client.script_flush()
                time.sleep(1)
        running.finish(120)
    until = max(each.at for each in bucket.log)
    assert longest_silence(bucket, since, until) < 5
    share = bucket.share(since, until)
    assert share.used >= 0.85
    assert share.refused < 0.05


def test_a_redis_that_is_away_for_a_while_stops_nobody(
    own_servers: Servers, bucket: LimitedStore, tmp_path: Path
):
    with askers(
        bucket,
        Way.SHARED,
        own_servers.redis_url,
        processes=PROCESSES,
        seconds=22,
        log=tmp_path / "errors",
    ) as running:
        gone = when_spent(bucket)
        with own_servers.without_valkey():
            time.sleep(6)
        back = time.monotonic()
        running.finish(120)
    assert bucket.share(gone, back).used >= 0.5
    assert longest_silence(bucket, gone, back) < 4
    end = max(each.at for each in bucket.log)
    after = bucket.share(back + 3, end)
    assert end - back > 6
    assert after.used >= 0.85
    assert after.refused < 0.05


async def test_a_redis_that_hangs_costs_a_second_once(own_servers: Servers, bucket: LimitedStore):
    budgets = SharedBudgets(own_servers.redis_url)
    async with StoreHttp(bucket.url, budgets=budgets) as http:
        await get(http, "before")
        with sync_redis.Redis.from_url(own_servers.redis_url) as client:
            client.execute_command("CLIENT", "PAUSE", "30000", "ALL")
        began = time.monotonic()
        for number in range(10):
            await get(http, f"during.{number}")
        assert time.monotonic() - began < 20
    await budgets.close()
