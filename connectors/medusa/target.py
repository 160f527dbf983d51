"""Writing a Medusa store."""

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
from connectors.medusa.api import Api, open_api
from connectors.medusa.changing import Attempt
from connectors.medusa.desk import MedusaDesk
from connectors.medusa.finding import Finder
from connectors.medusa.lacking import lacks
from connectors.medusa.loading import Loader
from connectors.medusa.removing import Remover
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.shop import Shop
from connectors.medusa.shopper import MedusaShopper
from connectors.medusa.writing_orders import OrderWriter
from connectors.medusa.writing_others import PlainWriter
from connectors.medusa.writing_products import ProductWriter
from connectors.medusa.writing_stock import StockWriter
from connectors.records import Record, Stream
from connectors.session import Session
from connectors.writing import WriteOne, write_each


class MedusaTarget(Session):
    """One store, to write to."""

    def __init__(self, access: StoreAccess, api: Api | None = None) -> None:
        if not isinstance(access.settings, MedusaSettings):
            raise TypeError("settings of another platform")
        self._settings = access.settings
        self._api = api or open_api(access)
        super().__init__(self._api.http)
        self._shop = Shop(self._api, self._settings)
        self._loader = Loader(self._api, self._shop, self._settings)
        self._finder = Finder(self._api)
        self.desk = MedusaDesk(self._api, self._loader)
        self.shopper = MedusaShopper(self._api, self._shop)
        others = PlainWriter(self._api, self._finder)
        self._orders = OrderWriter(self._api, self._shop)
        self._others: dict[Stream, WriteOne] = {
            Stream.CATEGORIES: others.category,
            Stream.CUSTOMERS: others.customer,
        }
        self._products = ProductWriter(self._api, self._shop, self._finder)
        self._stock = StockWriter(self._api, self._shop, self._settings)
        self._remover = Remover(self._api)
        self._room = asyncio.Semaphore(self._settings.write_concurrency)

    async def check(self) -> StoreReport:
        """Prove that a Medusa server answers and lets us in; tell what cannot be written."""
        report = await self._shop.report()
        return replace(report, findings=(*report.findings, *await self._shop.findings()))

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """The lists of it that the store refuses the key."""
        return await lacks(self._api, work, writing=True)

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """By our key, by SKU, email, handle or name. Raises `StoreError`."""
        return await self._finder.find(stream, operations)

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records, as a source reads them. Raises `StoreError`."""
        return await self._loader.get(stream, ids)

    async def write(self, stream: Stream, operations: Sequence[Operation]) -> list[Outcome]:
        """Create and update; one outcome each."""
        if not operations:
            return []
        match stream:
            case Stream.PRODUCTS:
                return await self._products.write_all(operations, self._room)
            case Stream.INVENTORY:
                return await self._stock.write_all(operations, self._room)
            case Stream.ORDERS:
                async with self._room:
                    return await self._orders.write(operations)
            case _:
                return await write_each(operations, self._others[stream], self._room, Attempt())

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        """The status of each record that is there."""
        return await self._remover.standing(stream, withdrawals)

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Applied | Refused]:
        """Unpublish products, or delete for good."""
        return await self._remover.remove(stream, withdrawals, action)

    async def restore(
        self, stream: Stream, withdrawals: Sequence[Withdrawal]
    ) -> list[Applied | Refused]:
        """Give archived products their former status."""
        return await self._remover.restore(stream, withdrawals)

    async def loud(self) -> Json:
        """Nothing has to be turned off: Medusa itself mails nobody, and orders come in through the
        add-on, which announces none of them.
        """
        return {}

    async def mute(self, before: Json) -> None:
        """There is nothing to turn off."""

    async def unmute(self, before: Json) -> None:
        """There is nothing to restore."""
