"""Writing a Shopify store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

import httpx
from msgspec.structs import replace

from connectors.base import (
    Action,
    Applied,
    Json,
    Match,
    Operation,
    Outcome,
    Refused,
    StoreAccess,
    StoreReport,
    Traffic,
    Withdrawal,
)
from connectors.cms import CmsPages
from connectors.grants import Lack, Work
from connectors.records import Record, Stream
from connectors.redirects import Redirect, Redirected
from connectors.shopify.api import Api, open_api
from connectors.shopify.changing import Attempt
from connectors.shopify.cms import cms_pages
from connectors.shopify.desk import ShopifyDesk
from connectors.shopify.files import Files
from connectors.shopify.finding import Finder
from connectors.shopify.importing import Importer
from connectors.shopify.keys import Keys
from connectors.shopify.lacking import lacks
from connectors.shopify.loading import Loader
from connectors.shopify.publishing import Channels
from connectors.shopify.redirects import AT_ONCE, Redirects
from connectors.shopify.removing import Remover
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.shop import READ_SCOPES, REDIRECT_SCOPES, WRITE_SCOPES, examine
from connectors.shopify.single import SingleRecords
from connectors.shopify.traces import ShopifyTraces
from connectors.shopify.writing_orders import OrderWriter
from connectors.shopify.writing_others import PlainWriter
from connectors.shopify.writing_products import ProductWriter
from connectors.shopify.writing_stock import StockWriter
from connectors.writing import WriteOne, write_each


def _now() -> datetime:
    return datetime.now(UTC)


class ShopifyTarget:
    """One store, to write to. By its `clock` sales begin and end."""

    redirects_at_once = AT_ONCE

    def __init__(
        self,
        access: StoreAccess,
        api: Api | None = None,
        *,
        files: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        if not isinstance(access.settings, ShopifySettings):
            raise TypeError("settings of another platform")
        self._settings = access.settings
        self._api = api or open_api(access)
        loader = Loader(self._api, self._settings)
        self._keys = Keys(self._api)
        self._finder = Finder(self._api, loader, self._keys)
        self._single = SingleRecords(self._api, loader)
        self.desk = ShopifyDesk(self._api, loader)
        self.traces = ShopifyTraces(self._api)
        self._channels = Channels(self._api, self._settings)
        products = ProductWriter(self._api, loader, self._keys, self._channels, clock)
        others = PlainWriter(self._api, loader, self._keys, self._finder, self._channels)
        orders = OrderWriter(self._api, loader, self._keys)
        stock = StockWriter(self._api, self._single, self._settings)
        self._writers: dict[Stream, WriteOne] = {
            Stream.CATEGORIES: others.collection,
            Stream.PRODUCTS: products.write,
            Stream.CUSTOMERS: others.customer,
            Stream.ORDERS: orders.write,
            Stream.INVENTORY: stock.write,
        }
        self._remover = Remover(self._api)
        importer = Importer(self._api, Files(self._api, self._settings, transport=files))
        self._redirects = Redirects(self._api, importer)
        self._room = asyncio.Semaphore(self._settings.write_concurrency)

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._api.__aexit__(*exc)

    def traffic(self) -> Traffic:
        """Requests sent since the store was opened, and how many it refused for now."""
        return Traffic(self._api.stats.requests, self._api.stats.throttled)

    async def check(self) -> StoreReport:
        """Prove that the store answers, lets us read and write, and has the sales channels that are
        meant; nothing is changed.
        """
        report = await examine(self._api, self._settings, READ_SCOPES | WRITE_SCOPES)
        findings = await self._channels.examine()
        return replace(report, findings=(*report.findings, *findings))

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """The access scopes that it needs and the app does not have."""
        return await lacks(self._api, work, writing=True)

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """By our key, by SKU, email, handle or title. Raises `StoreError`."""
        return await self._finder.find(stream, operations)

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records, as a source reads them. Raises `StoreError`."""
        return await self._single.get(stream, ids)

    async def cms_pages(self, most: int) -> CmsPages:
        """Pages, blogs and articles, where the app may read them."""
        return await cms_pages(self._api, self._settings.public_pages, most)

    async def write(self, stream: Stream, operations: Sequence[Operation]) -> list[Outcome]:
        """Create and update; one outcome each."""
        if not operations:
            return []
        return await write_each(operations, self._writers[stream], self._room, Attempt())

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        """The status of each record that is there."""
        return await self._remover.standing(stream, withdrawals)

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Applied | Refused]:
        """Archive products, or delete for good."""
        return await self._remover.remove(stream, withdrawals, action)

    async def restore(
        self, stream: Stream, withdrawals: Sequence[Withdrawal]
    ) -> list[Applied | Refused]:
        """Give archived products their former status."""
        return await self._remover.restore(stream, withdrawals)

    async def loud(self) -> Json:
        """Nothing has to be turned off: every request says that no mail is to be sent, and imported
        orders leave stock alone.
        """
        return {}

    async def mute(self, before: Json) -> None:  # noqa: ARG002  nothing is restored
        """Make the definitions of our keys: what a write needs is made before the first one."""
        for stream in Stream:
            if stream is not Stream.INVENTORY:
                await self._keys.define(stream)

    async def unmute(self, before: Json) -> None:
        """There is nothing to restore."""

    async def check_redirects(self) -> None:
        """Prove that the app may redirect paths. Raises `StoreError`."""
        await examine(self._api, self._settings, REDIRECT_SCOPES)

    async def redirect(self, redirects: Sequence[Redirect]) -> list[Redirected]:
        """Redirect old paths; one answer each, in order. Raises `StoreError`."""
        return await self._redirects.make(redirects)
