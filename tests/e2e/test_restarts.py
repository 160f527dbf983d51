"""Servers and processes are restarted in the middle of a job: nothing is lost or doubled by it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from time import monotonic

import pytest
import redis

from app.cli.service import wait_until_ready
from app.embedded import Servers
from tests.e2e.arena import KINDS, Arena, everything_is_asked_for, open_arena, until
from tests.fixtures.servers import Addresses

pytestmark = pytest.mark.e2e

Restart = Callable[[Arena, Servers], None]


def restart_valkey(arena: Arena, servers: Servers) -> None:
    """It forgets all wakes, and then goes away as well."""
    with redis.Redis.from_url(arena.redis_url) as server:
        server.flushall()
    servers.restart_valkey(immediate=True)


def restart_postgresql(_: Arena, servers: Servers) -> None:
    """As after a crash: transactions that were under way are undone."""
    servers.restart_postgres(immediate=True)


def restart_api(arena: Arena, _: Servers) -> None:
    """`kill -9`; the supervisor starts another one."""
    restart_process(arena, "api", signal.SIGKILL)
    wait_until_ready(arena.scene.supervisor, arena.scene.api.url)


def restart_everything(arena: Arena, servers: Servers) -> None:
    """One process after the other, in good order, as an upgrade does it."""
    for name in arena.scene.supervisor.pids():
        if name == "api" or name.startswith("worker"):
            restart_process(arena, name, signal.SIGTERM)
    servers.restart_valkey(immediate=False)
    servers.restart_postgres(immediate=False)
    wait_until_ready(arena.scene.supervisor, arena.scene.api.url)


def restart_process(arena: Arena, name: str, number: signal.Signals) -> None:
    """Return once there is another process of that name."""
    before = arena.scene.supervisor.pids()[name]
    os.kill(before, number)
    until(
        lambda: arena.scene.supervisor.pids().get(name, before) != before, f"another {name} process"
    )


RESTARTS: dict[str, Restart] = {
    "valkey": restart_valkey,
    "postgresql": restart_postgresql,
    "api": restart_api,
    "everything": restart_everything,
}


def chosen() -> list[tuple[str, str]]:
    """Everything with every kind of job, or with one kind each, in turn."""
    return [
        (what, kind)
        for row, what in enumerate(RESTARTS)
        for turn, kind in enumerate(KINDS)
        if everything_is_asked_for() or row % len(KINDS) == turn
    ]


@pytest.fixture(scope="module")
def arena(own_servers: Servers) -> Iterator[Arena]:
    """Two workers and a shop that takes them some seconds, on servers that may be restarted."""
    addresses = Addresses(own_servers.database_url, own_servers.redis_url)
    with open_arena(addresses, workers=2, size=4) as opened:
        yield opened


@pytest.mark.parametrize(("what", "kind"), chosen())
def test_restart_in_the_middle_of_a_job_costs_seconds(
    arena: Arena,
    own_servers: Servers,
    what: str,
    kind: str,
    record_property: Callable[[str, object], None],
) -> None:
    record_property("cell", [what, kind, "restart"])
    arena.begin_anew()
    if kind != "full":
        arena.run("full")
        arena.trade()
    arena.scene.target.ask("POST", "/records/reset")
    began = monotonic()
    job = arena.start(kind)
    until(lambda: arena.job(job)["totals"]["read"] > 20, "the job to be under way")
    assert arena.job(job)["status"] == "running"
    RESTARTS[what](arena, own_servers)
    arena.finish(job)
    seconds = monotonic() - began
    arena.prove(kind)
    record_property("seconds", seconds)
