"""Writing stock: at one location, only from the quantity that was seen there."""

from __future__ import annotations

import uuid
from typing import Any

from connectors.base import Applied, Operation, Outcome, Refused
from connectors.errors import TryLater
from connectors.levels import countable, losses_of
from connectors.records import InventoryLevel
from connectors.shopify.api import Api
from connectors.shopify.changing import RefusedInput, change
from connectors.shopify.documents_writing import (
    ACTIVATE_STOCK,
    LOCATIONS,
    SET_POLICY,
    SET_STOCK,
    TRACK_STOCK,
)
from connectors.shopify.parts import gid, number
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.single import SingleRecords
from connectors.shopify.wire import WireLocations, WireStock

_STALE = frozenset({"CHANGE_FROM_QUANTITY_STALE", "COMPARE_QUANTITY_STALE"})
_LOOKS = 4
_POLICIES = {"no": "DENY"}


class StockWriter:
    """Writes levels to one location of one store."""

    def __init__(self, api: Api, single: SingleRecords, settings: ShopifySettings) -> None:
        self._api = api
        self._single = single
        self._location = gid("Location", settings.location_ids[0]) if settings.locations else ""

    async def location(self) -> str:
        """Where stock is written: the first one set, else the store's first active one."""
        if not self._location:
            found = await self._api.ask(LOCATIONS, WireLocations)
            active = sorted(int(number(e.id)) for e in found.locations.nodes if e.is_active)
            if not active:
                raise TryLater("the store has no active location", after=60.0)
            self._location = gid("Location", str(active[0]))
        return self._location

    async def write(self, operation: Operation) -> Outcome:
        """Set one level. Raises `StoreError`. Every step may be sent twice."""
        if not isinstance(operation.content, InventoryLevel):
            raise TypeError("an operation of another stream")
        content = countable(operation.content)
        if not content.product:
            return _refused(operation, "unknown_product", "its product is not on the target")
        quantity = content.quantity
        if content.counted and (quantity is None or quantity != quantity.to_integral_value()):
            return _refused(operation, "quantity_not_whole", "Shopify takes whole quantities only")
        place = content.record_id
        for _ in range(_LOOKS):
            row = await self._single.stock(place)
            if row is None:
                return _refused(operation, "gone", "its product is not there any more", gone=True)
            try:
                await self._set(row, content)
            except RefusedInput as error:
                if not error.codes & _STALE:
                    raise
                # Somebody bought or counted meanwhile: look again.
                continue
            return Applied(
                source_id=operation.source_id, target_id=place, losses=losses_of(operation)
            )
        raise TryLater("the stock changes faster than it can be set", after=5.0)

    async def _set(self, row: WireStock, content: InventoryLevel) -> None:
        policy = _POLICIES.get(content.backorders, "CONTINUE")
        if row.inventory_policy != policy:
            variants = [{"id": row.id, "inventoryPolicy": policy}]
            await change(self._api, SET_POLICY, {"product": row.product.id, "variants": variants})
        item = row.inventory_item
        if item.tracked != content.counted:
            await change(
                self._api, TRACK_STOCK, {"id": item.id, "input": {"tracked": content.counted}}
            )
        if content.counted:
            await self._set_quantity(row, int(content.quantity or 0))

    async def _set_quantity(self, row: WireStock, quantity: int) -> None:
        """Set what is available at our location, so that all locations together have `quantity`.

        Other locations keep theirs.
        """
        item, location = row.inventory_item, await self.location()
        available = {
            each.location.id: sum(e.quantity for e in each.quantities if e.name == "available")
            for each in item.inventory_levels.nodes
        }
        if location not in available:
            await change(
                self._api,
                ACTIVATE_STOCK,
                {"item": item.id, "location": location, "key": str(uuid.uuid4())},
            )
        before = available.pop(location, 0)
        wanted = quantity - sum(available.values())
        if wanted == before:
            return
        one: dict[str, Any] = {
            "inventoryItemId": item.id,
            "locationId": location,
            "quantity": wanted,
            "changeFromQuantity": before,
        }
        given = {"name": "available", "reason": "correction", "quantities": [one]}
        # A new key for each look: the same key with another quantity would be refused.
        await change(self._api, SET_STOCK, {"input": given, "key": str(uuid.uuid4())})


def _refused(operation: Operation, code: str, message: str, *, gone: bool = False) -> Refused:
    return Refused(source_id=operation.source_id, code=code, message=message, gone=gone)
