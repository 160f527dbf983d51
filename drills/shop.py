"""A practice store in this process, and the way our connectors take to it."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from msgspec.structs import replace

from connectors.base import StoreAccess
from connectors.woocommerce import CONNECTOR
from connectors.woocommerce.api import Api, open_api
from connectors.woocommerce.source import WooCommerceSource
from connectors.woocommerce.target import WooCommerceTarget
from drills.clock import VirtualLoop
from sandbox.app import App, create_app
from sandbox.store import ORIGIN, Store, StoreConfig
from sandbox.wire import Doc

Passing = Callable[["Shop", httpx.Request, bool], Awaitable[None]]
"""Called with a request before it reaches the store (False) and after the store has answered."""

CREDENTIALS = {"consumer_key": "ck_practice", "consumer_secret": "cs_practice"}
WRITE_SETTLE = 20.0
"""Seconds for which a write without an answer may still be running: no fault takes longer."""

_hosts = itertools.count(1)


class Shop:
    """One store. Its clock is the loop's, but for what skews it."""

    def __init__(
        self,
        name: str,
        loop: VirtualLoop,
        *,
        timezone: str,
        page_size: int,
        addon: bool = False,
    ) -> None:
        self.name = name
        config = StoreConfig(time_source=loop.now, timezone=timezone, addon=addon)
        self.app: App = create_app(config)
        # Connectors remember how fast a host is: every world has hosts of its own.
        self.url = f"http://{name}-{next(_hosts)}.test"
        self.page_size = page_size

    @property
    def store(self) -> Store:
        """The store's inside."""
        return self.app.store

    def settings(self) -> dict[str, Any]:
        """As a person would enter them."""
        return {
            "url": self.url,
            "auth": "basic",
            "behind_https_proxy": True,
            "currency": "GBP",
            "page_size": self.page_size,
            "write_settle": WRITE_SETTLE,
            "copy_images": False,
        }

    def api(
        self,
        access: StoreAccess | None = None,
        passing: Passing | None = None,
        *,
        imports: bool = False,
    ) -> Api:
        """The store's API; without `passing` nothing happens to requests on their way."""
        way = _Way(self, passing)
        return open_api(access or self.access(), imports=imports, transport=way)

    def access(self) -> StoreAccess:
        """Settings and credentials, validated."""
        return StoreAccess(
            CONNECTOR.settings.model_validate({**self.settings(), "page_size": 100}),
            CONNECTOR.credentials.model_validate(CREDENTIALS),
        )

    def source(self) -> WooCommerceSource:
        """To read the store to whose requests nothing happens."""
        return WooCommerceSource(self.access(), self.api())

    def connect(
        self, access: StoreAccess, passing: Passing, *, imports: bool = False
    ) -> tuple[StoreAccess, Api]:
        """What a connector needs, with something happening to requests on their way."""
        return access, self.api(access, passing, imports=imports)

    @contextmanager
    def by_hand(self, who: str) -> Iterator[Store]:
        """What people do in the shop, not by its API; `who` stands in its records."""
        token = ORIGIN.set(who)
        try:
            yield self.store
        finally:
            ORIGIN.reset(token)
            self.store.storage.commit()

    def docs(self, kind: str) -> list[Doc]:
        """All documents of a kind as they are, in the order of their ids."""
        rows = self.store.storage.rows(
            "SELECT id FROM records WHERE kind = ? AND latest = 1 ORDER BY id", (kind,)
        )
        found = [self.store.read(kind, int(record_id)) for (record_id,) in rows]
        return [doc for doc in found if doc is not None]

    def writes_over_api(self) -> int:
        """Records written by clients of the API so far."""
        return sum(count for what, count in self.store.writes.items() if what.startswith("api "))


class _Way(httpx.AsyncBaseTransport):
    """The way of a request to the store and of its answer back."""

    def __init__(self, shop: Shop, passing: Passing | None) -> None:
        self._inner = httpx.ASGITransport(shop.app)
        self._shop = shop
        self._passing = passing

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._passing is None:
            return await self._inner.handle_async_request(request)
        await self._passing(self._shop, request, False)
        response = await self._inner.handle_async_request(request)
        await self._passing(self._shop, request, True)
        return response


def practice(source: Shop, target: Shop, passing: Passing) -> dict[str, Any]:
    """The platform of both shops, as the registry offers it."""
    shops = {each.url: each for each in (source, target)}

    def shop(access: StoreAccess) -> Shop:
        url: Any = getattr(access.settings, "url", "")
        return shops[url]

    def reader(access: StoreAccess) -> WooCommerceSource:
        return WooCommerceSource(*shop(access).connect(access, passing))

    def writer(access: StoreAccess) -> WooCommerceTarget:
        return WooCommerceTarget(*shop(access).connect(access, passing, imports=True))

    return {CONNECTOR.name: replace(CONNECTOR, source=reader, target=writer)}
