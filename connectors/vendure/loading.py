"""Making records of what a page shows of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, cast

import msgspec
from msgspec import Raw

from connectors.records import Record, Stream
from connectors.vendure.api import Api, decoder
from connectors.vendure.documents import KINDS, MEMBERSHIPS, OUR_VALUES, listing, selection
from connectors.vendure.mapping_customers import customer
from connectors.vendure.mapping_orders import order
from connectors.vendure.mapping_products import category, level, product, value_of
from connectors.vendure.parts import OUR_FACET, Coins, UnmappableError, is_id
from connectors.vendure.shop import Shop, Shops
from connectors.vendure.walking import Position, Question, Walker
from connectors.vendure.wire import (
    Listed,
    Wire,
    WireCollection,
    WireCustomer,
    WireFiltered,
    WireId,
    WireProduct,
    WireStock,
)
from connectors.vendure.wire_orders import WireOrder

ROWS: dict[Stream, type[Any]] = {
    Stream.CATEGORIES: WireCollection,
    Stream.PRODUCTS: WireProduct,
    Stream.CUSTOMERS: WireCustomer,
    Stream.ORDERS: WireOrder,
    Stream.INVENTORY: WireStock,
}
Failed = tuple[str, str]
_COLLECTIONS = 500


class _Facet(Wire):
    id: str
    values: list[WireId]


class Loader:
    """Turns rows of a list into records. Remembers which collections go by our facet."""

    def __init__(self, api: Api, shops: Shops, walker: Walker) -> None:
        self._api = api
        self._shops = shops
        self._walker = walker
        self._members: dict[str, str] = {}

    async def shop(self) -> Shop:
        """The store. Raises `StoreError`."""
        return await self._shops.shop()

    async def load(self, stream: Stream, rows: Sequence[Raw]) -> tuple[list[Record], list[Failed]]:
        """Records, and (id, reason) of those that could not be understood. Raises `StoreError`."""
        shop = await self.shop()
        decode = decoder(cast("Hashable", ROWS[stream])).decode
        wires: list[Any] = []
        failed: list[Failed] = []
        for raw in rows:
            try:
                wires.append(decode(raw))
            except msgspec.ValidationError as error:
                row: WireId = decoder(WireId).decode(raw)
                failed.append((row.id, str(error)))
        if stream in (Stream.PRODUCTS, Stream.CATEGORIES):
            await self._learn_members(wires)
        records: list[Record] = []
        for wire in wires:
            try:
                records.append(self.record(stream, wire, shop))
            except UnmappableError as error:
                failed.append((wire.id, str(error)))
        return records, failed

    def record(self, stream: Stream, wire: Any, shop: Shop) -> Record:
        """One record. Raises `UnmappableError`."""
        match stream:
            case Stream.CATEGORIES:
                return category(wire, self._members)
            case Stream.PRODUCTS:
                coins = Coins(shop.precision, shop.channel.default_currency_code)
                return product(wire, coins, self._members, shop.tax_classes)
            case Stream.CUSTOMERS:
                return customer(wire)
            case Stream.ORDERS:
                return order(wire, shop.precision)
            case Stream.INVENTORY:
                return level(wire, tracks=shop.tracks, threshold=shop.threshold)

    async def rows(self, stream: Stream, field: str, values: Sequence[str]) -> list[Raw]:
        """Rows whose `field` is one of the values. Raises `StoreError`."""
        shop = await self.shop()
        kind = KINDS[stream]
        asked = {"filter": {field: {"in": list(values)}}}
        document = listing(kind, selection(stream, shop))
        size = max(1, len(values))
        steps = self._walker.walk(Question(document, kind.list, asked), size, Position())
        return [row async for step in steps for row in step.rows]

    async def by_ids(self, stream: Stream, ids: Sequence[str]) -> list[Raw]:
        """Rows by the store's own ids; those that are not there are left out."""
        asked = [each for each in ids if is_id(each)]
        return await self.rows(stream, "id", asked) if asked else []

    async def members(self, *, anew: bool = False) -> dict[str, str]:
        """Collections by the value of our facet that lets products in. Raises `StoreError`."""
        if anew or not self._members:
            answer = await self._api.ask(OUR_VALUES, dict[str, Listed[_Facet]])
            ours = {each.id for facet in answer["facets"].items for each in facet.values}
            self._members = await self._collections_by(ours) if ours else {}
        return self._members

    async def _collections_by(self, values: set[str]) -> dict[str, str]:
        steps = self._walker.walk(Question(MEMBERSHIPS, "collections"), _COLLECTIONS, Position())
        decode = decoder(WireFiltered).decode
        found: list[WireFiltered] = [decode(row) async for step in steps for row in step.rows]
        return {
            value: each.id
            for each in found
            for wire in each.filters
            if (value := value_of(wire)) in values
        }

    async def _learn_members(self, wires: Sequence[WireProduct | WireCollection]) -> None:
        """Look at the collections where a row has a value that may be one of ours, and is new."""
        values: set[str] = set()
        for wire in wires:
            if isinstance(wire, WireProduct):
                found = (each.id for each in wire.facet_values if each.facet.code == OUR_FACET)
                values.update(found)
            else:
                values.update(value for each in wire.filters if (value := value_of(each)))
        if not values <= self._members.keys():
            await self.members(anew=True)
