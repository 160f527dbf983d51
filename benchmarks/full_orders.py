"""100,000 orders through the real service into PostgreSQL, then 1,000 changed ones.

API, workers, PostgreSQL and Valkey run as they do for a user who types `recent-sync up`; the
source is a shop that answers out of pre-serialised bytes, so that the time is ours.
"""

from __future__ import annotations

import asyncio
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
from benchmarks.processes import cpu_seconds, source_shop
from benchmarks.service import Run, Service, running

_CHANGED = 1_000
_SHOP = "bench_shop"
_SLUG = "bench"

FULL_GOAL = 40.0
RECENT_GOAL = 2.0
MEMORY_GOAL = 300.0


class Report(Struct, kw_only=True):
    """What was measured. Seconds, megabytes, and microseconds of processor time an order."""

    orders: int
    workers: int
    plain_seconds: float
    full_seconds: float
    recent_seconds: float
    again_seconds: float
    worker_memory: list[float]
    worker_cpu: float
    source_cpu: float
    problems: list[str]

    def goals(self) -> dict[str, bool]:
        """Which goals are met. Those of time hold for 100,000 orders and in proportion."""
        return {
            "full": self.full_seconds < FULL_GOAL * max(self.orders, 5_000) / 100_000,
            "recent": self.recent_seconds < RECENT_GOAL,
            "memory": max(self.worker_memory) < MEMORY_GOAL,
            "correct": not self.problems,
        }


def measure(orders: int, workers: int, folder: Path) -> Report:
    """Run everything once, with all data in `folder`."""
    log = folder / "source.log"
    with (
        start(folder) as servers,
        source_shop(orders, log) as (url, source_pid),
        running(folder, workers=workers) as service,
    ):
        dsn = asyncio.run(_database(servers.database_url))
        plain = asyncio.run(copy_orders(url, orders, dsn))
        _register(service, url, dsn)
        before = service.worker_seconds(), cpu_seconds(source_pid)
        full = service.run("full", _SLUG, patience=1800)
        after = service.worker_seconds(), cpu_seconds(source_pid)
        problems = asyncio.run(_differences(dsn, orders, 0))
        # What changes within the lag behind the source's clock is left to the next run.
        changed = min(_CHANGED, orders)
        httpx.post(f"{url}/_bench/touch", params={"count": changed}).raise_for_status()
        time.sleep(1)
        recent = service.run("recent", _SLUG, patience=300)
        problems += _unexpected(recent, changed)
        problems += asyncio.run(_differences(dsn, orders, changed))
        again = service.run("recent", _SLUG, patience=300)
        problems += _unexpected(again, 0)
        return Report(
            orders=orders,
            workers=workers,
            plain_seconds=plain,
            full_seconds=full.seconds,
            recent_seconds=recent.seconds,
            again_seconds=again.seconds,
            worker_memory=service.memory(),
            worker_cpu=(after[0] - before[0]) * 1e6 / orders,
            source_cpu=(after[1] - before[1]) * 1e6 / orders,
            problems=problems,
        )


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
    lines = [
        ("plain pages + COPY, no ledger", f"{report.plain_seconds:8.1f} s", None),
        ("full", f"{report.full_seconds:8.1f} s   {rate:,.0f} orders/s", "full"),
        (f"recent, {_CHANGED} changed", f"{report.recent_seconds:8.2f} s", "recent"),
        ("recent, nothing changed", f"{report.again_seconds:8.2f} s", None),
        ("worker memory, peak", f"{max(report.worker_memory):8.0f} MB", "memory"),
        ("worker processor time, an order", f"{report.worker_cpu:8.0f} µs", None),
        ("source processor time, an order", f"{report.source_cpu:8.0f} µs", None),
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
