"""Writing a WooCommerce store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

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
    Withdrawal,
)
from connectors.cms import CmsPages
from connectors.errors import BadAnswer
from connectors.grants import Lack, Work
from connectors.records import Record, Stream
from connectors.redirects import Redirect, Redirected
from connectors.session import Session
from connectors.woocommerce import silence
from connectors.woocommerce.addon import Addon
from connectors.woocommerce.api import Api, open_api, proxy_headers
from connectors.woocommerce.batches import ADDON_GONE
from connectors.woocommerce.cms import cms_pages
from connectors.woocommerce.desk import WooCommerceDesk
from connectors.woocommerce.finding import Finder
from connectors.woocommerce.lacking import lacks
from connectors.woocommerce.loading import Loader
from connectors.woocommerce.permalinks import product_paths
from connectors.woocommerce.redirects import AT_ONCE, Redirects
from connectors.woocommerce.removing import Remover
from connectors.woocommerce.settings import WooCommerceSettings
from connectors.woocommerce.shopper import WooCommerceShopper
from connectors.woocommerce.single import SingleRecords
from connectors.woocommerce.traces import WooCommerceTraces
from connectors.woocommerce.wordpress import (
    examine,
    examine_addon,
    examine_keys,
    examine_writing,
)
from connectors.woocommerce.writing_exact import ExactOrderWriter
from connectors.woocommerce.writing_orders import OrderWriter
from connectors.woocommerce.writing_others import PlainWriter
from connectors.woocommerce.writing_products import ProductWriter


class WooCommerceTarget(Session):
    """One store, to write to."""

    redirects_at_once = AT_ONCE

    def __init__(self, access: StoreAccess, api: Api | None = None) -> None:
        if not isinstance(access.settings, WooCommerceSettings):
            raise TypeError("settings of another platform")
        self._settings = access.settings
        self._api = api or open_api(access, imports=True)
        super().__init__(self._api.http)
        loader = Loader(self._api, self._settings)
        self._addon = Addon(self._api, imports=True)
        self._finder = Finder(self._api, loader, self._addon)
        self._single = SingleRecords(self._api, loader)
        self._orders = OrderWriter(self._api, loader)
        self._exact = ExactOrderWriter(self._addon)
        self._products = ProductWriter(self._api, loader, images=self._settings.copy_images)
        self._others = PlainWriter(self._api, self._finder, self._addon)
        self._remover = Remover(self._api)
        self._redirects = Redirects(self._addon)
        self.desk = WooCommerceDesk(self._api, loader)
        self.shopper = WooCommerceShopper(self._api, proxy_headers(self._settings))
        self.traces = WooCommerceTraces(self._api, self._addon)
        self._writing = asyncio.Semaphore(self._settings.write_concurrency)

    async def check(self) -> StoreReport:
        """Prove that a WooCommerce answers and lets us read and write; nothing is changed."""
        report = await examine(self._api, self._settings)
        more = await examine_writing(self._api)
        version, told = await examine_addon(self._addon)
        more += examine_keys(report.platform_version, version)
        return replace(report, findings=(*report.findings, *more, *told), addon=version)

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """What the key may not read or write of it."""
        return await lacks(self._api, work, writing=True)

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """By our key, by SKU, email, slug or name. Raises `StoreError`."""
        return await self._finder.find(stream, operations)

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records, as a source reads them. Raises `StoreError`."""
        return await self._single.get(stream, ids)

    async def page_paths(self, stream: Stream, ids: Sequence[str]) -> dict[str, str] | None:
        """Products' own addresses; those of categories the REST API does not tell."""
        return await product_paths(self._api, ids) if stream is Stream.PRODUCTS else None

    async def cms_pages(self, most: int) -> CmsPages:
        """Pages and posts of the WordPress below, as far as it tells them to anybody."""
        return await cms_pages(self._api, most)

    async def write(self, stream: Stream, operations: Sequence[Operation]) -> list[Outcome]:
        """Create and update; one outcome each."""
        if not operations:
            return []
        async with self._writing:
            match stream:
                case Stream.CATEGORIES:
                    return await self._others.categories(operations)
                case Stream.PRODUCTS:
                    return await self._products.write(operations)
                case Stream.CUSTOMERS:
                    return await self._others.customers(operations)
                case Stream.ORDERS:
                    exact = await self._addon.is_usable()
                    return await (self._exact if exact else self._orders).write(operations)
                case Stream.INVENTORY:
                    return await self._others.levels(operations)

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        """The status of each record that is there."""
        return await self._remover.standing(stream, withdrawals)

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Applied | Refused]:
        """Unpublish products, trash orders, or delete for good."""
        async with self._writing:
            return await self._remover.remove(stream, withdrawals, action)

    async def restore(
        self, stream: Stream, withdrawals: Sequence[Withdrawal]
    ) -> list[Applied | Refused]:
        """Give archived records their former status."""
        async with self._writing:
            return await self._remover.restore(stream, withdrawals)

    async def check_redirects(self) -> None:
        """Prove that the add-on is there and takes redirects. Raises `StoreError`, `NotTaken`."""
        await self._redirects.check()

    async def redirect(self, redirects: Sequence[Redirect]) -> list[Redirected]:
        """Redirect paths permanently, by the add-on. Raises `StoreError`."""
        return await self._redirects.make(redirects)

    async def loud(self) -> Json:
        """Which types of mail are on. With the add-on none has to be turned off: our requests
        write none, and those of other people do as before.
        """
        if await self._addon.is_usable():
            return silence.NOTHING
        return await silence.loud(self._api)

    async def mute(self, before: Json) -> None:
        """Turn those mails off."""
        await self.prove_silence(before)
        await silence.mute(self._api, before, self._settings.write_settle)

    async def prove_silence(self, before: Json) -> None:
        """The add-on is there still, where it was relied on."""
        if before.get(silence.ADDON) and not await self._addon.is_usable():
            text = "the add-on that keeps mails off is not there any more"
            raise BadAnswer(text, code=ADDON_GONE)

    async def unmute(self, before: Json) -> None:
        """Turn them on again."""
        await silence.unmute(self._api, before, self._settings.write_settle)
