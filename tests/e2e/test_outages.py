"""Redis and PostgreSQL go away in the middle: the job goes on, and nothing is lost."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import redis

from tests.e2e.conftest import Launch
from tests.fixtures.servers import foreign_servers

pytestmark = pytest.mark.e2e


def setting(launch: Launch, name: str) -> str:
    """A setting of the workers: where their servers are."""
    return launch.scene.worker.environment[f"RECENT_SYNC_{name}"]


def forget_limits(launch: Launch) -> None:
    """Let the stores be asked again: what Redis and the workers know of their limits is dropped."""
    with redis.Redis.from_url(setting(launch, "REDIS_URL")) as server:
        for key in server.scan_iter("recent-sync:budget:*"):
            server.delete(key)
    launch.kill_workers()


def drop_connections(url: str) -> None:
    """What a restart of PostgreSQL does to those who are connected."""

    async def drop() -> None:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND application_name = 'recent-sync'"
        )
        await connection.close()

    asyncio.run(drop())


def test_redis_that_forgets_and_stops_costs_seconds(launch: Launch) -> None:
    with redis.Redis.from_url(setting(launch, "REDIS_URL")) as server:
        job = launch.start("full")
        server.flushdb()
        launch.wait_for_progress(job, "read", 100)
        with suppress(redis.ConnectionError):
            if all(foreign_servers()):
                # Not ours to stop: everybody who is connected is thrown out instead.
                server.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
            else:
                server.shutdown(nosave=True)
    assert launch.wait(job)["status"] == "succeeded"


def test_postgresql_that_drops_its_connections_costs_seconds(launch: Launch) -> None:
    job = launch.start("full")
    for read in (100, 1000):
        launch.wait_for_progress(job, "read", read)
        drop_connections(setting(launch, "DATABASE_URL"))
    view = launch.wait(job)
    assert view["status"] == "succeeded", view
    assert launch.scene.target.effects().duplicates == 0


def test_store_that_wants_a_day_is_left_alone_by_every_worker(launch: Launch) -> None:
    source = launch.scene.source
    source.switch_faults({"rate_limit_day": {"times": 1}})
    try:
        job = launch.start("full")
        deadline = time.monotonic() + 60
        while launch.job(job)["waiting"] != ["store_limits"]:
            assert time.monotonic() < deadline, launch.job(job)
            time.sleep(0.2)
        asked = source.effects().requests
        until = datetime.fromisoformat(launch.job(job)["waiting_until"])
        assert until - datetime.now(UTC) > timedelta(hours=23)
        answer = launch.scene.api.post(f"/stores/{launch.migration}-a/check", {})
        assert answer["source"]["code"] == "store_limits"
        time.sleep(5)
        assert source.effects().requests == asked
        launch.scene.api.post(f"/jobs/{job}/cancel", {})
        assert launch.wait(job)["status"] == "cancelled"
        assert source.effects().requests == asked
    finally:
        source.switch_faults({"rate_limit_day": None})
        forget_limits(launch)
    assert launch.run("full")["status"] == "succeeded"
