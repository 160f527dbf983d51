"""A running Vendure store as the contract suite wants it. Small pages make many of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from connectors.base import StoreAccess
from connectors.budget import LocalBudget
from connectors.records import Content, Stream
from connectors.testing.contents import HOME, contents, customer, order
from connectors.testing.faults import FaultyProxy
from connectors.vendure.api import open_api
from connectors.vendure.source import VendureSource
from connectors.vendure.target import VendureTarget
from tests.live.pages import PAGE
from tests.live.vendure import goods
from tests.live.vendure.store import VendureStore

_TICKS = 0.05
"""Seconds: waits of tests that are shorter than this only want stamps to differ surely."""

_SURE = 1.1
_SOON = 0.02


class VendureBench:
    """One store behind a proxy. Its clock is the machine's: no test can move it, and so a wait is
    as long as stamps need to differ.
    """

    def __init__(self, store: VendureStore, proxy: FaultyProxy) -> None:
        self._store = store
        self._proxy = proxy

    def source(self) -> Any:
        access = self._access(page_size=PAGE)
        return VendureSource(access, open_api(access, sleep=_no_time))

    reader = source

    def target(self) -> Any:
        access = self._access()
        return VendureTarget(access, open_api(access, sleep=_no_time))

    def locked_out(self) -> Any:
        return VendureTarget(self._access(password="wrong"))

    async def shut_out(self) -> Any:
        return VendureSource(self._access(password="wrong"))

    def _access(self, **settings: Any) -> StoreAccess:
        own = LocalBudget()
        found = self._store.access(url=self._proxy.url, **settings)
        return replace(found, budgets=lambda _: own)

    async def fill(self, stream: Stream, count: int) -> list[str]:
        return await goods.make(self._store, stream, count)

    async def change(self, stream: Stream, ids: Sequence[str]) -> None:
        await goods.change(self._store, stream, ids)

    async def edit(self, stream: Stream, target_id: str, text: str) -> None:
        await goods.edit(self._store, stream, target_id, text)

    async def foreign(self, stream: Stream) -> str:
        [made] = await self.fill(stream, 1)
        return made

    async def is_shown(self, stream: Stream, target_id: str) -> bool:
        name = _FIELDS[stream]
        shown = "id enabled" if stream is Stream.PRODUCTS else "id"
        document = f"query ($id: ID!) {{ {name}(id: $id) {{ {shown} }} }}"
        found = (await self._store.ask(document, id=target_id))[name]
        return found is not None and found.get("enabled", True)

    async def remove(self, stream: Stream, ids: Sequence[str]) -> None:
        await goods.remove(self._store, stream, ids)

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(_SURE if seconds < _TICKS else _SOON)

    async def now(self) -> datetime:
        return datetime.now(UTC)

    async def fail_next(self, how: str) -> None:
        self._proxy.fail_next(how)

    def contents(self, stream: Stream, count: int) -> list[Content]:
        return contents(stream, count)

    def impossible(self, stream: Stream) -> Content | None:
        match stream:
            case Stream.CUSTOMERS:
                return customer(9, billing=replace(HOME, country="XX"))
            case Stream.ORDERS:
                return order(9, customer="999999")
            case _:
                return None

    async def side_effects(self) -> dict[str, int]:
        return await self._store.control("effects")


_FIELDS = {
    Stream.CATEGORIES: "collection",
    Stream.PRODUCTS: "product",
    Stream.CUSTOMERS: "customer",
    Stream.ORDERS: "order",
}


@asynccontextmanager
async def open_bench(store: VendureStore) -> AsyncIterator[VendureBench]:
    """A bench on a store that is empty."""
    async with FaultyProxy(store.url, is_read=_is_read) as proxy:
        yield VendureBench(store, proxy)


def _is_read(method: str, body: bytes) -> bool:
    """Whether a request changes nothing; to sign in changes nothing that matters."""
    return method != "POST" or b'"query":"query' in body or b"mutation SignIn" in body


async def _no_time(_: float) -> None:
    """Waits between attempts are not what is tested."""
