"""100,000 orders through the real service into PostgreSQL, then 1,000 changed ones.

API, workers, PostgreSQL and Valkey run as they do for a user who types `recent-sync up`; the
source is a shop that answers out of pre-serialised bytes, so that the time is ours.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec
from msgspec import Struct

from app.embedded import start
from benchmarks.baseline import copy_orders
from benchmarks.processes import (
    cpu_seconds,
    machine_seconds,
    parent,
    source_shop,
    tree_seconds,
)
from benchmarks.service import Run, Service, running
from connectors.records import Stream
from connectors.woocommerce import CONNECTOR as SOURCE

_CHANGED = 1_000
_SHOP = "bench_shop"
_SLUG = "bench"

FULL_GOAL = 40.0
RECENT_GOAL = 2.0
MEMORY_GOAL = 300.0


class Spent(Struct, frozen=True):
    """Processor time so far, in seconds: of ours by part, and of the whole machine."""

    workers: float
    postgres: float
    source: float
    ours: float
    machine: float


class Report(Struct, kw_only=True):
    """What was measured. Seconds and megabytes; `costs` are microseconds of processor time an
    order in `full`, `others` is the share of the machine that was not ours meanwhile.
    """

    orders: int
    workers: int
    plain_seconds: float
    full_seconds: float
    recent_seconds: float
    again_seconds: float
    worker_memory: list[float]
    costs: dict[str, float]
    others: float
    problems: list[str]

    def goals(self) -> dict[str, bool]:
        """Which goals are met. Those of time hold for 100,000 orders and in proportion."""
        return {
            "full": self.full_seconds < FULL_GOAL * max(self.orders, 5_000) / 100_000,
            "recent": self.recent_seconds < RECENT_GOAL,
            "memory": max(self.worker_memory) < MEMORY_GOAL,
            "correct": not self.problems,
        }


class Bench:
    """One measurement: a source, the service, and a database for the shop."""

    def __init__(self, service: Service, orders: int, source: tuple[str, int], dsn: str) -> None:
        self._service = service
        self._orders = orders
        self._url, self._source_pid = source
        self._dsn = dsn
        self._postmaster = asyncio.run(_postmaster(dsn))

    def measure(self, workers: int) -> Report:
        """The baseline, `full`, and `recent` twice: with changes and without."""
        plain = asyncio.run(copy_orders(self._url, self._orders, self._dsn))
        _register(self._service, self._url, self._dsn)
        before = self._spent()
        full = self._service.run("full", _SLUG, patience=1800)
        after = self._spent()
        problems = asyncio.run(_differences(self._dsn, self._orders, 0))
        changed = min(_CHANGED, self._orders)
        httpx.post(f"{self._url}/_bench/touch", params={"count": changed}).raise_for_status()
        # What changed a moment ago may be half-written: a run leaves it to the next one.
        time.sleep(SOURCE.reads[Stream.ORDERS].settle + 1)
        recent = self._service.run("recent", _SLUG, patience=300)
        problems += _unexpected(recent, changed)
        problems += asyncio.run(_differences(self._dsn, self._orders, changed))
        again = self._service.run("recent", _SLUG, patience=300)
        problems += _unexpected(again, 0)
        return Report(
            orders=self._orders,
            workers=workers,
            plain_seconds=plain,
            full_seconds=full.seconds,
            recent_seconds=recent.seconds,
            again_seconds=again.seconds,
            worker_memory=self._service.memory(),
            costs=self._costs(before, after),
            others=_others(before, after, full.seconds),
            problems=problems,
        )

    def _spent(self) -> Spent:
        workers, service = self._service.worker_seconds(), self._service.all_seconds()
        postgres = tree_seconds(self._postmaster)
        source = cpu_seconds(self._source_pid)
        ours = service + postgres + source + time.process_time()
        return Spent(workers, postgres, source, ours, machine_seconds())

    def _costs(self, before: Spent, after: Spent) -> dict[str, float]:
        return {
            name: (getattr(after, name) - getattr(before, name)) * 1e6 / self._orders
            for name in ("workers", "postgres", "source", "ours")
        }


def _others(before: Spent, after: Spent, seconds: float) -> float:
    machine, ours = after.machine - before.machine, after.ours - before.ours
    return max(0.0, machine - ours) / (seconds * (os.cpu_count() or 1))


def measure(orders: int, workers: int, folder: Path) -> Report:
    """Run everything once, with all data in `folder`."""
    with (
        start(folder) as servers,
        source_shop(orders, folder / "source.log") as source,
        running(folder, workers=workers) as service,
    ):
        dsn = asyncio.run(_database(servers.database_url))
        return Bench(service, orders, source, dsn).measure(workers)


async def _postmaster(dsn: str) -> int:
    """The process id of the server behind an address on this machine."""
    connection = await asyncpg.connect(dsn)
    try:
        return parent(connection.get_server_pid())
    finally:
        await connection.close()


async def _database(url: str) -> str:
    """A database of its own for the shop, beside the service's; its address."""
    dsn = url.replace("postgresql+asyncpg://", "postgresql://")
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"CREATE DATABASE {_SHOP}")
    finally:
        await connection.close()
    return urlsplit(dsn)._replace(path=f"/{_SHOP}").geturl()


def _register(service: Service, url: str, dsn: str) -> None:
    service.make(
        "/v1/stores",
        {
            "name": "source",
            "platform": "woocommerce",
            "settings": {"url": url},
            "credentials": {"consumer_key": "ck_" + "0" * 40, "consumer_secret": "cs_" + "0" * 40},
        },
    )
    service.make(
        "/v1/stores",
        {"name": "target", "platform": "postgres", "credentials": {"dsn": dsn}},
    )
    service.make(
        "/v1/migrations",
        {"slug": _SLUG, "source": "source", "target": "target", "streams": ["orders"]},
    )


async def _differences(dsn: str, orders: int, changed: int) -> list[str]:
    """What the target lacks, read from the target itself."""
    connection = await asyncpg.connect(dsn)
    try:
        count, distinct, noted = await connection.fetchrow(
            "SELECT count(*), count(DISTINCT number), count(*) FILTER (WHERE data->>'note' <> '')"
            " FROM shop.orders"
        )
    finally:
        await connection.close()
    found = {"orders": (count, orders), "numbers": (distinct, orders), "changed": (noted, changed)}
    return [
        f"{name} on the target: {have} instead of {wanted}"
        for name, (have, wanted) in found.items()
        if have != wanted
    ]


def _unexpected(run: Run, updated: int) -> list[str]:
    totals: dict[str, Any] = run.job["totals"]
    found = totals["updated"], totals["created"]
    if found == (updated, 0):
        return []
    return [f"a recent run updated and created {found} instead of {(updated, 0)}"]


def show(report: Report) -> None:
    """Print a report for people."""
    rate = report.orders / report.full_seconds
    goals = report.goals()
    free = report.costs["ours"] * report.orders / 1e6 / (os.cpu_count() or 1)
    lines = [
        ("plain pages + COPY, no ledger", f"{report.plain_seconds:8.1f} s", None),
        ("full", f"{report.full_seconds:8.1f} s   {rate:,.0f} orders/s", "full"),
        (f"recent, {_CHANGED} changed", f"{report.recent_seconds:8.2f} s", "recent"),
        ("recent, nothing changed", f"{report.again_seconds:8.2f} s", None),
        ("worker memory, peak", f"{max(report.worker_memory):8.0f} MB", "memory"),
        ("processor time an order", f"{report.costs['ours']:8.0f} µs", None),
        *(
            (f"  of {name}", f"{report.costs[name]:8.0f} µs", None)
            for name in ("workers", "postgres", "source")
        ),
        ("  full, were all cores free", f"{free:8.1f} s at least", None),
        ("the machine's share for others", f"{report.others:8.0%}", None),
    ]
    print(f"{report.orders:,} orders, {report.workers} workers")
    for name, value, goal in lines:
        verdict = "" if goal is None else ("  met" if goals[goal] else "  MISSED")
        print(f"  {name:34}{value}{verdict}")
    for problem in report.problems:
        print(f"  WRONG: {problem}")


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="recent-sync-bench-") as made:
        yield Path(made)


def run(orders: int, workers: int, kept: Path | None, *, as_json: bool) -> bool:
    """Measure and print. Answers whether the result is right; goals are only reported."""
    with _folder(kept) as folder:
        report = measure(orders, workers, folder)
    if as_json:
        print(
            msgspec.json.encode({**msgspec.to_builtins(report), "goals": report.goals()}).decode()
        )
    else:
        show(report)
    return not report.problems
