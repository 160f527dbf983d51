"""The least that could be done: plain pages and COPY. No ledger, no digests, no way to resume."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import httpx
import msgspec

_PAGE = 100
_AT_ONCE = 4


class _Row(msgspec.Struct):
    id: int


_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_id = msgspec.json.Decoder(_Row).decode


async def copy_orders(url: str, orders: int, dsn: str) -> float:
    """Copy all orders as they come into one table of documents; the seconds it took."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("DROP TABLE IF EXISTS plain")
        await connection.execute("CREATE TABLE plain (id bigint PRIMARY KEY, data jsonb)")
        began = time.perf_counter()
        async with httpx.AsyncClient(base_url=url) as client:
            async for page in _pages(client, orders):
                records = [(_id(row).id, bytes(row).decode()) for row in _rows(page)]
                await connection.copy_records_to_table("plain", records=records)
        seconds = time.perf_counter() - began
        count = await connection.fetchval("SELECT count(*) FROM plain")
        await connection.execute("DROP TABLE plain")
    finally:
        await connection.close()
    if count != orders:
        raise RuntimeError(f"the baseline copied {count} of {orders} orders")
    return seconds


async def _pages(client: httpx.AsyncClient, orders: int) -> AsyncIterator[bytes]:
    """Bodies in order, a few being fetched ahead."""
    ahead: list[asyncio.Task[httpx.Response]] = []
    for offset in range(0, orders, _PAGE):
        query: dict[str, str | int] = {
            "per_page": _PAGE,
            "offset": offset,
            "order": "asc",
            "orderby": "id",
        }
        ahead.append(asyncio.create_task(client.get("/wp-json/wc/v3/orders", params=query)))
        if len(ahead) >= _AT_ONCE:
            yield (await ahead.pop(0)).content
    for each in ahead:
        yield (await each).content
