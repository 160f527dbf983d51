"""A practice store in this process: no socket, no real time, and a record of every request."""

from __future__ import annotations

import itertools
import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
from msgspec.structs import replace

from connectors.base import StoreAccess
from connectors.budget import LocalBudget
from connectors.woocommerce import CONNECTOR
from connectors.woocommerce.api import Api, open_api
from connectors.woocommerce.source import WooCommerceSource
from connectors.woocommerce.target import WooCommerceTarget
from sandbox.app import App, create_app
from sandbox.store import StoreConfig
from tests.connectors.forgetful import Forgetful

_hosts = itertools.count(1)


@dataclass
class Asked:
    """One request as it was sent; signatures are left out of the query."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@dataclass
class Instead:
    """An answer that one request gets instead of the shop's own, for what the shop cannot do.

    `query`: what the request must have asked for besides.
    """

    method: str
    path: str
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)

    def is_for(self, asked: Asked) -> bool:
        return (
            self.method == asked.method
            and asked.path.endswith(self.path)
            and self.query.items() <= asked.query.items()
        )


class _Recorder(httpx.AsyncBaseTransport):
    """Passes requests on and remembers them."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, asked: list[Asked], instead: list[Instead]
    ) -> None:
        self._inner = inner
        self._asked = asked
        self._instead = instead

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        query = {name: value for name, value in pairs if not name.startswith("oauth_")}
        body = json.loads(request.content) if request.content else None
        asked = Asked(request.method, request.url.path, query, body)
        self._asked.append(asked)
        for each in self._instead:
            if each.is_for(asked):
                self._instead.remove(each)
                return httpx.Response(each.status, json=each.body, headers=each.headers)
        return await self._inner.handle_async_request(request)


@dataclass
class Practice:
    """One shop, its clock, and connectors that talk to it. `slept` holds every wait asked for."""

    app: App
    url: str
    now: list[float]
    asked: list[Asked] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    instead: list[Instead] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.budget = LocalBudget(clock=lambda: self.now[0])
        basic = b64encode(b"ck_practice:cs_practice").decode()
        admitted = {"authorization": f"Basic {basic}", "x-forwarded-proto": "https"}
        self.way = Forgetful(httpx.ASGITransport(self.app), admitted)

    @property
    def store(self) -> Any:
        return self.app.store

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now[0] += seconds

    def api(self, *, imports: bool = False, **settings: Any) -> Api:
        return open_api(
            self.access(**settings),
            imports=imports,
            transport=_Recorder(self.way, self.asked, self.instead),
            sleep=self.sleep,
        )

    def access(self, *, key: str = "ck_practice", **settings: Any) -> StoreAccess:
        return StoreAccess(
            CONNECTOR.settings(url=self.url, **settings),
            CONNECTOR.credentials(consumer_key=key, consumer_secret="cs_practice"),
            budgets=lambda _: self.budget,
        )

    def source(self, **settings: Any) -> WooCommerceSource:
        return WooCommerceSource(self.access(**settings), self.api(**settings))

    def target(self, **settings: Any) -> WooCommerceTarget:
        return WooCommerceTarget(self.access(**settings), self.api(imports=True, **settings))

    # --- what a test does to the shop by hand ----------------------------------------------------

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
            answer = await client.request(method, f"/_control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def load(self, **documents: list[dict[str, Any]]) -> dict[str, list[int]]:
        made: dict[str, list[int]] = await self.control("POST", "load", documents)
        return made

    async def edit(self, **edit: Any) -> None:
        await self.control("POST", "edits", edit)

    async def faults(self, **faults: Any) -> None:
        await self.control("PUT", "faults", faults)

    async def effects(self) -> dict[str, Any]:
        found: dict[str, Any] = await self.control("GET", "records")
        return found

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        """What the shop's staff does, over the API but not by the connector under test, and not
        out of its budget.
        """
        own = LocalBudget()
        access = replace(self.access(), budgets=lambda _: own)
        async with open_api(
            access, transport=httpx.ASGITransport(self.app), sleep=self.sleep
        ) as api:
            return await api.send(method, path, body or {}, Any)

    def requests(self, method: str = "", path: str = "") -> list[Asked]:
        return [each for each in self.asked if each.method.startswith(method) and path in each.path]


@asynccontextmanager
async def practice(**config: Any) -> AsyncIterator[Practice]:
    """A new, empty shop. Its time stands still but for what the connector waits."""
    now = [float(int(time.time()))]
    app = create_app(StoreConfig(time_source=lambda: now[0], **config))
    try:
        yield Practice(app, f"http://shop-{next(_hosts)}.test", now)
    finally:
        await app.close()
