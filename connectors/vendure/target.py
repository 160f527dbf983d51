"""Writing a Vendure store."""

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
from connectors.grants import Lack, Work
from connectors.records import Record, Stream
from connectors.session import Session
from connectors.vendure.addressing import AddressWriter
from connectors.vendure.api import Api, open_api
from connectors.vendure.changing import Attempt
from connectors.vendure.desk import VendureDesk
from connectors.vendure.facets import FacetBook
from connectors.vendure.finding import Finder
from connectors.vendure.lacking import findings, lacks
from connectors.vendure.loading import Loader
from connectors.vendure.removing import Remover
from connectors.vendure.settings import VendureSettings
from connectors.vendure.shop import Shops
from connectors.vendure.shopper import VendureShopper
from connectors.vendure.single import SingleRecords
from connectors.vendure.walking import Walker
from connectors.vendure.writing_orders import OrderWriter
from connectors.vendure.writing_others import PlainWriter
from connectors.vendure.writing_products import ProductWriter
from connectors.vendure.writing_stock import StockWriter
from connectors.writing import WriteOne, write_each


class VendureTarget(Session):
    """One store, to write to."""

    def __init__(self, access: StoreAccess, api: Api | None = None) -> None:
        if not isinstance(access.settings, VendureSettings):
            raise TypeError("settings of another platform")
        settings = access.settings
        api = api or open_api(access)
        super().__init__(api.http)
        self._api = api
        self._shops = Shops(api, settings)
        walker = Walker(api)
        loader = Loader(api, self._shops, walker)
        facets = FacetBook(api, loader)
        addresses = AddressWriter(api, loader)
        self._finder = Finder(loader)
        self.desk = VendureDesk(api, loader)
        self.shopper = VendureShopper(api, self._shops, settings)
        self._single = SingleRecords(loader)
        self._products = ProductWriter(api, loader, facets)
        others = PlainWriter(api, loader, facets, self._finder, addresses)
        self._writers: dict[Stream, WriteOne] = {
            Stream.CATEGORIES: others.collection,
            Stream.PRODUCTS: self._products.write,
            Stream.CUSTOMERS: others.customer,
            Stream.ORDERS: OrderWriter(api, loader, addresses.countries).write,
            Stream.INVENTORY: StockWriter(api, loader, settings).write,
        }
        self._remover = Remover(api, loader, walker)
        self._room = asyncio.Semaphore(settings.write_concurrency)

    async def check(self) -> StoreReport:
        """Prove that the store answers and lets us in; nothing is changed."""
        report = await self._shops.examine(writing=True)
        told = await findings(self._api, self._shops, writing=True)
        return replace(report, findings=(*report.findings, *told))

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """The permissions that it needs and the administrator does not have."""
        return await lacks(self._api, self._shops, work, writing=True)

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """By our key, by SKU, email, slug or name. Raises `StoreError`."""
        return await self._finder.find(stream, operations)

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records, as a source reads them. Raises `StoreError`."""
        return await self._single.get(stream, ids)

    async def write(self, stream: Stream, operations: Sequence[Operation]) -> list[Outcome]:
        """Create and update; one outcome each."""
        if not operations:
            return []
        if stream is Stream.PRODUCTS:
            await self._products.prepare(operations)
        return await write_each(operations, self._writers[stream], self._room, Attempt())

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        """Whether each record that is there is enabled."""
        return await self._remover.standing(stream, withdrawals)

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Applied | Refused]:
        """Disable products, or delete for good."""
        return await self._remover.remove(stream, withdrawals, action)

    async def restore(
        self, stream: Stream, withdrawals: Sequence[Withdrawal]
    ) -> list[Applied | Refused]:
        """Enable products again that were."""
        return await self._remover.restore(stream, withdrawals)

    async def loud(self) -> Json:
        """Nothing has to be turned off: every request asks the add-on for silence by itself."""
        return {}

    async def mute(self, before: Json) -> None:
        """There is nothing to turn off."""

    async def unmute(self, before: Json) -> None:
        """There is nothing to restore."""
