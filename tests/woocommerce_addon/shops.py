"""The shops that a test of the add-on runs against: one that is played, and real ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

import httpx

from connectors.base import StoreAccess
from connectors.storefront import Storefront, Visit
from connectors.woocommerce import CONNECTOR
from connectors.woocommerce.api import Api, open_api
from connectors.woocommerce.source import WooCommerceSource
from connectors.woocommerce.target import WooCommerceTarget
from tests.connectors.practice import Practice
from tests.woocommerce_addon.site import Site


class Shop(Protocol):
    """A shop with the add-on. What a test makes in it is told apart by a number of its own."""

    number: int

    def source(self) -> WooCommerceSource: ...

    def target(self) -> WooCommerceTarget: ...

    def api(self, *, imports: bool = False, key: str = "") -> Api:
        """The REST API; with another key as somebody else."""
        ...

    async def visit(self, path: str) -> Visit:
        """What a visitor of the public pages comes to."""
        ...

    async def mails(self) -> int:
        """How many mails have left since this was asked last."""
        ...

    async def deliveries(self) -> int:
        """How many deliveries webhooks have caused so far."""
        ...

    async def write_stock(self, product: int, quantity: int) -> None:
        """Write stock past WooCommerce, as some extensions do."""
        ...

    async def write_pages(self, kind: str, titles: Sequence[str], status: str = "publish") -> None:
        """Pages or posts of WordPress itself, besides those that WooCommerce makes for itself."""
        ...


class PlayedShop:
    """A practice store."""

    number = 1

    def __init__(self, practice: Practice) -> None:
        self._practice = practice
        self.source = practice.source
        self.target = practice.target
        self._mails = 0

    def api(self, *, imports: bool = False, key: str = "") -> Api:
        return self._practice.api(imports=imports, key=key or "ck_practice")

    async def visit(self, path: str) -> Visit:
        transport = httpx.ASGITransport(self._practice.app)
        async with Storefront(self._practice.url, transport=transport) as pages:
            return await pages.visit(path)

    async def mails(self) -> int:
        found = sum((await self._practice.effects())["mails"].values())
        self._mails, before = found, self._mails
        return found - before

    async def deliveries(self) -> int:
        return sum((await self._practice.effects())["webhooks"].values())

    async def write_stock(self, product: int, quantity: int) -> None:
        await self._practice.edit(op="silent_stock", id=product, quantity=quantity)

    async def write_pages(self, kind: str, titles: Sequence[str], status: str = "publish") -> None:
        await self._practice.load(**{kind: [{"title": each, "status": status} for each in titles]})


class RealShop:
    """A WordPress with WooCommerce. Several tests share one."""

    def __init__(self, site: Site, number: int) -> None:
        self._site = site
        self.number = number

    def _access(self, key: str = "owner") -> StoreAccess:
        return StoreAccess(
            CONNECTOR.settings(url=self._site.url, currency="USD"),
            CONNECTOR.credentials(consumer_key=f"ck_{key}", consumer_secret=f"cs_{key}"),
        )

    def source(self) -> WooCommerceSource:
        return WooCommerceSource(self._access())

    def target(self) -> WooCommerceTarget:
        return WooCommerceTarget(self._access())

    def api(self, *, imports: bool = False, key: str = "") -> Api:
        return open_api(self._access(key or "owner"), imports=imports)

    async def visit(self, path: str) -> Visit:
        async with Storefront(self._site.url) as pages:
            return await pages.visit(path)

    async def mails(self) -> int:
        found = len(self._site.mails)
        self._site.forget_mails()
        return found

    async def deliveries(self) -> int:
        query = "['hook' => 'woocommerce_deliver_webhook_async', 'per_page' => -1]"
        return int(self._site.run(f"echo count(as_get_scheduled_actions({query}, 'ids'));"))

    async def write_stock(self, product: int, quantity: int) -> None:
        self._site.run(f"update_post_meta({product}, '_stock', {quantity});")

    async def write_pages(self, kind: str, titles: Sequence[str], status: str = "publish") -> None:
        post = f"['post_type' => '{kind}', 'post_status' => '{status}', 'post_title' => $title]"
        self._site.run(
            "WC_Install::create_pages();"
            f"foreach (json_decode({json.dumps(json.dumps(list(titles)))}) as $title)"
            f" {{ wp_insert_post({post}); }}"
        )
