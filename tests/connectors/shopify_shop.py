"""A Shopify practice store in process, with connectors on it."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from connectors.base import StoreAccess
from connectors.budget import LocalBudget
from connectors.shopify import CONNECTOR
from connectors.shopify.api import Api, open_api
from connectors.shopify.source import ShopifySource
from connectors.shopify.target import ShopifyTarget
from tests.connectors.forgetful import Forgetful
from tests.contracts_location import require
from tests.shopify_store import App, open_store

TOKEN = "shpat_practice"
_hosts = itertools.count(1)


@dataclass
class ShopifyShop:
    """One store, its clock, and connectors that talk to it. `slept` holds every wait asked for."""

    app: App
    url: str
    now: list[float]
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        # The bucket fills by the shop's clock, and so by the same clock it is waited for.
        self.budget = LocalBudget(clock=lambda: self.now[0])
        self.way = Forgetful(httpx.ASGITransport(self.app))

    @property
    def store(self) -> Any:
        return self.app.store

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self.app.requests

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        # Seconds since 1970 have no room for less, and no sleep is shorter.
        self.now[0] += max(seconds, 0.001)

    def transport(self) -> httpx.ASGITransport:
        return httpx.ASGITransport(self.app)

    def access(self, *, token: str = TOKEN, **settings: Any) -> StoreAccess:
        return StoreAccess(
            CONNECTOR.settings(url=self.url, **settings),
            CONNECTOR.credentials(access_token=token),
            budgets=lambda _: self.budget,
        )

    def api(self, *, token: str = TOKEN, **settings: Any) -> Api:
        access = self.access(token=token, **settings)
        return open_api(access, transport=self.way, sleep=self.sleep)

    def source(self, *, token: str = TOKEN, **settings: Any) -> ShopifySource:
        access = self.access(token=token, **settings)
        api = self.api(token=token, **settings)
        return ShopifySource(access, api, files=self.transport())

    def target(self, *, token: str = TOKEN, **settings: Any) -> ShopifyTarget:
        access = self.access(token=token, **settings)
        api = self.api(token=token, **settings)
        return ShopifyTarget(access, api, files=self.transport(), clock=self.time)

    def time(self) -> datetime:
        return datetime.fromtimestamp(self.now[0], UTC)

    async def effects(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.control("GET", "effects")
        return found

    # --- what a test does to the store by hand ---------------------------------------------------

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        async with httpx.AsyncClient(transport=self.transport(), base_url=self.url) as client:
            answer = await client.request(method, f"/_control/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def load(self, **documents: list[dict[str, Any]]) -> dict[str, list[int]]:
        made: dict[str, list[int]] = await self.control("POST", "load", documents)
        return made

    async def edit(self, **edit: Any) -> None:
        await self.control("POST", "edits", edit)

    async def faults(self, **faults: Any) -> None:
        await self.control("PUT", "faults", faults)


@asynccontextmanager
async def shopify_shop(**config: Any) -> AsyncIterator[ShopifyShop]:
    """A new, empty store. Its time stands still but for what the connector waits."""
    require("shopify")
    now = [float(int(time.time()))]
    app = open_store(time_source=lambda: now[0], **config)
    try:
        yield ShopifyShop(app, f"http://shopify-{next(_hosts)}.test", now)
    finally:
        await app.close()
