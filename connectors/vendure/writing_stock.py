"""Writing stock: set at one location, so that what is for sale at all of them is as wanted."""

from __future__ import annotations

import asyncio
from typing import Any

from connectors.base import Applied, Operation, Outcome, Refused
from connectors.errors import BadAnswer
from connectors.levels import countable, losses_of
from connectors.records import InventoryLevel, Stream
from connectors.vendure.api import Api, decoder
from connectors.vendure.bodies import Body
from connectors.vendure.changing import gone
from connectors.vendure.documents_writing import LOCATIONS, UPDATE_VARIANTS
from connectors.vendure.loading import Loader
from connectors.vendure.settings import VendureSettings
from connectors.vendure.shop import Shop
from connectors.vendure.wire import Listed, WireId, WireStock

_MUCH = -1_000_000
"""How far below zero stock may fall where the source sets no limit."""


class StockWriter:
    """Writes levels to one location of one store."""

    def __init__(self, api: Api, loader: Loader, settings: VendureSettings) -> None:
        self._api = api
        self._loader = loader
        self._location = settings.stock_location
        self._asking = asyncio.Lock()

    async def write(self, operation: Operation) -> Outcome:
        """Set one level. Raises `StoreError`. It may be sent twice."""
        if not isinstance(operation.content, InventoryLevel):
            raise TypeError("an operation of another stream")
        content = countable(operation.content)
        if not content.product:
            return _refused(operation, "unknown_product", "its product is not on the target")
        quantity = content.quantity
        if content.counted and (quantity is None or quantity != quantity.to_integral_value()):
            return _refused(operation, "quantity_not_whole", "Vendure takes whole quantities only")
        row = await self._stock(content)
        if row is None:
            return gone(operation, "product")
        shop = await self._loader.shop()
        body = stock_body(content, row, shop, await self.location())
        if body:
            given = {"input": [{"id": row.id, **body}]}
            await self._api.ask(UPDATE_VARIANTS, dict[str, list[WireId]], given)
        return Applied(
            source_id=operation.source_id,
            target_id=content.record_id,
            losses=losses_of(operation),
        )

    async def location(self) -> str:
        """Where stock is written: the one that was set, else the store's first one."""
        async with self._asking:
            if not self._location:
                found = await self._api.ask(LOCATIONS, dict[str, Listed[WireId]])
                if not found["stockLocations"].items:
                    raise BadAnswer("the store has no stock location", code="store_no_location")
                self._location = found["stockLocations"].items[0].id
            return self._location

    async def _stock(self, content: InventoryLevel) -> WireStock | None:
        """The variant that the level is of."""
        field, value = (
            ("id", content.variant) if content.variant else ("productId", content.product)
        )
        raws: list[Any] = (
            await self._loader.by_ids(Stream.INVENTORY, [value])
            if field == "id"
            else await self._loader.rows(Stream.INVENTORY, field, [value])
        )
        rows: list[WireStock] = [decoder(WireStock).decode(each) for each in raws]
        fits = [
            each
            for each in rows
            if each.product_id == content.product and bool(each.options) == bool(content.variant)
        ]
        return fits[0] if fits else None


def stock_body(content: InventoryLevel, row: WireStock, shop: Shop, location: str) -> Body:
    """What of a variant is to be changed so that it has the level; nothing where it has."""
    counted = content.counted
    tracked = shop.tracks if row.track_inventory == "INHERIT" else row.track_inventory == "TRUE"
    body: Body = {}
    if tracked != counted:
        body["trackInventory"] = "TRUE" if counted else "FALSE"
    if counted:
        body |= _threshold(content, row, shop) | _on_hand(content, row, location)
    return body


def _threshold(content: InventoryLevel, row: WireStock, shop: Shop) -> Body:
    now = shop.threshold if row.use_global_out_of_stock_threshold else row.out_of_stock_threshold
    backorders = content.backorders != "no"
    if backorders == (now < 0):
        return {}
    return {
        "useGlobalOutOfStockThreshold": False,
        "outOfStockThreshold": _MUCH if backorders else 0,
    }


def _on_hand(content: InventoryLevel, row: WireStock, location: str) -> Body:
    """What has to lie at our location: other locations keep theirs, open orders hold some."""
    levels = {each.stock_location_id: each for each in row.stock_levels}
    ours = levels.get(location)
    others = sum(
        each.stock_on_hand - each.stock_allocated
        for each in row.stock_levels
        if each.stock_location_id != location
    )
    held = ours.stock_allocated if ours else 0
    wanted = int(content.quantity or 0) - others + held
    if ours is not None and ours.stock_on_hand == wanted:
        return {}
    return {"stockLevels": [{"stockLocationId": location, "stockOnHand": wanted}]}


def _refused(operation: Operation, code: str, message: str) -> Refused:
    return Refused(source_id=operation.source_id, code=code, message=message)
