"""What each step costs for one order, alone: where a whole run can spend its time.

`python -m benchmarks components`. Times are microseconds of this process's processor time for one
order, and of waiting time beside it; PostgreSQL's own processor time is given for the target.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec
import uvloop

from app.embedded import start
from benchmarks.orders import serialised
from benchmarks.processes import cpu_seconds, source_shop
from connectors.base import Operation, StoreAccess, Sweep
from connectors.digest import digest
from connectors.postgres.settings import PostgresCredentials, PostgresSettings
from connectors.postgres.target import PostgresTarget
from connectors.records import Record, Stream
from connectors.references import references, with_target_ids
from connectors.woocommerce.mapping_orders import order
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from connectors.woocommerce.source import WooCommerceSource
from connectors.woocommerce.wire import WireOrder

_PAGE = 100


class Costs:
    """Collects and prints one line a step."""

    def __init__(self, orders: int) -> None:
        self.orders = orders

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure a block that treats all orders once."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        per = 1e6 / self.orders
        print(f"{name:44} {cpu * per:7.1f} µs cpu {wall * per:8.1f} µs wall", flush=True)

    def settle(self) -> None:
        """Take what was made so far out of the garbage collector's sight: a worker, which holds
        one page at a time, never has to search so much.
        """
        gc.collect()
        gc.freeze()

    def note(self, name: str, seconds: float) -> None:
        """Print one more figure, of the step before."""
        print(f"  {name:42} {seconds * 1e6 / self.orders:7.1f} µs cpu", flush=True)


def _mapping(costs: Costs, bodies: Sequence[bytes]) -> list[Record]:
    pages = [b"[" + b",".join(bodies[n : n + _PAGE]) + b"]" for n in range(0, len(bodies), _PAGE)]
    decode = msgspec.json.Decoder(list[WireOrder], strict=False).decode
    with costs.step("decode (msgspec)"):
        for page in pages:
            decode(page)
    wires = [wire for page in pages for wire in decode(page)]
    costs.settle()
    with costs.step("map to canonical records"):
        for wire in wires:
            order(wire)
    records = [order(wire) for wire in wires]
    costs.settle()
    with costs.step("digest"):
        for record in records:
            digest(record.content)
    with costs.step("references"):
        for record in records:
            list(references(record.content))
    with costs.step("exchange references"):
        for record in records:
            with_target_ids(record.content, lambda reference: reference.id)
    return records


async def _fetching(costs: Costs, url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        with costs.step("fetch pages (httpx alone)"):
            for offset in range(0, costs.orders, _PAGE):
                query: dict[str, str | int] = {
                    "per_page": _PAGE,
                    "offset": offset,
                    "order": "asc",
                    "orderby": "id",
                }
                await client.get("/wp-json/wc/v3/orders", params=query)
    access = StoreAccess(
        WooCommerceSettings(url=url),
        WooCommerceCredentials.model_validate(
            {"consumer_key": "ck_" + "0" * 40, "consumer_secret": "cs_" + "0" * 40}
        ),
    )
    async with WooCommerceSource(access) as source:
        with costs.step("WooCommerceSource.read (fetch, decode, map)"):
            async for _ in source.read(Stream.ORDERS, Sweep(), {}, None):
                pass


async def _writing(costs: Costs, records: Sequence[Record], database_url: str) -> None:
    dsn = database_url.replace("postgresql+asyncpg://", "postgresql://")
    observer = await asyncpg.connect(dsn)
    creates = [
        Operation(source_id=each.id, key=f"bench:orders:{each.id}", content=each.content)
        for each in records
    ]
    costs.settle()
    for size in (100, 500, 1000):
        access = StoreAccess(
            PostgresSettings.model_validate({"schema": f"size{size}", "pool_size": 1}),
            PostgresCredentials.model_validate({"dsn": dsn}),
        )
        async with PostgresTarget(access) as target:
            await target.find(Stream.ORDERS, [])
            query = "SELECT pid FROM pg_stat_activity WHERE application_name = 'recent-sync'"
            pid = await observer.fetchval(query)
            for name in ("create", "same again"):
                before = cpu_seconds(pid)
                with costs.step(f"PostgresTarget.write, {name}, by {size}"):
                    await _write(target, creates, size)
                costs.note("of the server beside it", cpu_seconds(pid) - before)
    await observer.close()


async def _write(target: PostgresTarget, operations: Sequence[Operation], size: int) -> None:
    for begin in range(0, len(operations), size):
        await target.write(Stream.ORDERS, operations[begin : begin + size])


async def _measure(orders: int, log: Path) -> None:
    costs = Costs(orders)
    records = _mapping(costs, [serialised(number) for number in range(1, orders + 1)])
    with source_shop(orders, log) as (url, _):
        await _fetching(costs, url)
    with start(ephemeral=True) as servers:
        parts = urlsplit(servers.database_url)
        await _writing(costs, records, parts.geturl())


def run(orders: int, log: Path) -> None:
    """Measure all steps with so many orders and print the table."""
    uvloop.run(_measure(orders, log))
