"""Setting stock: what of each variant can be sold, at one location."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec import Struct

from connectors.base import Applied, Operation, Outcome, Refused
from connectors.errors import StoreError
from connectors.levels import countable, losses_of
from connectors.medusa.api import Api, RefusedRequest
from connectors.medusa.bodies import Body
from connectors.medusa.changing import Attempt, no_such
from connectors.medusa.reading import rows_of
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.shop import Shop
from connectors.medusa.wire import (
    WireInventoryItem,
    WireLocationLevel,
    WireStock,
    WireStockVariant,
)
from connectors.records import InventoryLevel, Stream
from connectors.writing import write_each

_PRODUCT = "the product of this stock is not on the target"
_LOCATION = "the store has no stock location"
_NEGATIVE = "Medusa counts no stock below zero"


class _ItemAnswer(Struct):
    inventory_item: WireInventoryItem


class _Task(NamedTuple):
    """A level that can be set, and the variant it is of."""

    operation: Operation
    level: InventoryLevel
    variant: WireStockVariant


class StockWriter:
    """Sets stock of one store."""

    def __init__(self, api: Api, shop: Shop, settings: MedusaSettings) -> None:
        self._api = api
        self._shop = shop
        self._places = settings.location_ids

    async def write_all(
        self, operations: Sequence[Operation], room: asyncio.Semaphore
    ) -> list[Outcome]:
        """All levels in one request; where the store refuses that, each in its own. Raises
        `StoreError` where nothing was applied.
        """
        attempt = Attempt()
        try:
            async with room:
                return await self._set(operations)
        except RefusedRequest:
            return await write_each(operations, self._write, room, attempt)
        except StoreError as error:
            return [attempt.outcome(each, error) for each in operations]

    async def _write(self, operation: Operation) -> Outcome:
        [outcome] = await self._set([operation])
        return outcome

    async def _set(self, operations: Sequence[Operation]) -> list[Outcome]:
        """Setting the same again changes nothing. Raises `StoreError`."""
        location = await self._shop.location()
        products = {_level(each).product for each in operations}
        page = await rows_of(self._api, Stream.INVENTORY, sorted(filter(None, products)))
        rows: dict[str, WireStock] = {row.id: row for row in page.rows}
        outcomes: list[Outcome] = []
        tasks: list[_Task] = []
        for operation in operations:
            found = _task(operation, rows, location)
            if isinstance(found, Refused):
                outcomes.append(found)
            else:
                tasks.append(found)
        await self._set_flags(tasks)
        await self._set_levels([each for each in tasks if each.level.counted], location)
        return outcomes + [
            Applied(
                source_id=each.operation.source_id,
                target_id=each.level.record_id,
                losses=losses_of(each.operation),
            )
            for each in tasks
        ]

    async def _set_flags(self, tasks: Sequence[_Task]) -> None:
        """Whether stock is counted, and may go below zero: a request for each product."""
        bodies: defaultdict[str, list[Body]] = defaultdict(list)
        for _, level, variant in tasks:
            wanted = (level.counted, level.counted and level.backorders != "no")
            if wanted != (variant.manage_inventory, variant.allow_backorder):
                counted, backorders = wanted
                flags = {"manage_inventory": counted, "allow_backorder": backorders}
                bodies[level.product].append({"id": variant.id, **flags})
        for product, update in bodies.items():
            await self._send(f"products/{product}/variants/batch", {"update": update})

    async def _set_levels(self, tasks: Sequence[_Task], location: str) -> None:
        parts: defaultdict[str, list[Body]] = defaultdict(list)
        for _, level, variant in tasks:
            item, pieces, levels = await self._item(level, variant)
            there = next((each for each in levels if each.location_id == location), None)
            stocked = self._stocked((level.quantity or Decimal(0)) * pieces, levels, there)
            if there is None or there.stocked_quantity != stocked:
                body = {"inventory_item_id": item, "location_id": location}
                parts["update" if there else "create"].append(body | {"stocked_quantity": stocked})
        if parts:
            await self._send("inventory-items/location-levels/batch", dict(parts))

    def _stocked(
        self,
        wanted: Decimal,
        levels: Sequence[WireLocationLevel],
        there: WireLocationLevel | None,
    ) -> Decimal:
        """What has to lie at the location. What is reserved for open orders of the target is not
        there to be sold: it comes on top. What other locations have to sell is there already.
        """
        for each in levels:
            if each is there:
                wanted += each.reserved_quantity
            elif not self._places or each.location_id in self._places:
                wanted -= each.stocked_quantity - each.reserved_quantity
        return max(Decimal(0), wanted)

    async def _item(
        self, level: InventoryLevel, variant: WireStockVariant
    ) -> tuple[str, Decimal, Sequence[WireLocationLevel]]:
        """The inventory item of a variant, how many of it one piece takes, and its levels."""
        for link in variant.inventory_items or ():
            if link is not None and link.inventory is not None:
                levels = link.inventory.location_levels or ()
                return link.inventory.id, link.required_quantity or Decimal(1), levels
        return await self._new_item(level, variant), Decimal(1), ()

    async def _new_item(self, level: InventoryLevel, variant: WireStockVariant) -> str:
        """An inventory item for a variant that has none, as one that was never counted."""
        body = {"sku": variant.sku or None, "title": variant.sku or variant.id}
        answer = await self._api.send("POST", "inventory-items", body, _ItemAnswer)
        item = answer.inventory_item.id
        path = f"products/{level.product}/variants/{variant.id}/inventory-items"
        await self._send(path, {"inventory_item_id": item, "required_quantity": 1})
        return item

    async def _send(self, path: str, body: Body) -> None:
        query = {"fields": "id"}
        await self._api.send("POST", path, body, dict[str, Any], query=query)


def _level(operation: Operation) -> InventoryLevel:
    if not isinstance(operation.content, InventoryLevel):
        raise TypeError("an operation of another stream")
    return countable(operation.content)


def _task(operation: Operation, rows: dict[str, WireStock], location: str) -> _Task | Refused:
    level = _level(operation)
    if not location:
        return no_such(operation, "no_stock_location", _LOCATION)
    if level.counted and level.quantity is not None and level.quantity < 0:
        return no_such(operation, "quantity_negative", _NEGATIVE)
    row = rows.get(level.product)
    found = _variant(row, level) if row else None
    if found is None:
        return no_such(operation, "unknown_product", _PRODUCT)
    return _Task(operation, level, found)


def _variant(row: WireStock, level: InventoryLevel) -> WireStockVariant | None:
    """The variant that a level is of; of a simple product the only one."""
    there = row.variants or []
    if level.variant is None:
        return there[0] if len(there) == 1 else None
    return next((each for each in there if each.id == level.variant), None)
