"""Writing categories, customers and stock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from connectors.base import Applied, Loss, Operation, Outcome
from connectors.errors import StoreError
from connectors.medusa.api import Api, RefusedRequest
from connectors.medusa.bodies import (
    Body,
    address_body,
    category_body,
    customer_body,
    new_customer_body,
)
from connectors.medusa.changing import Attempt, gone, no_such
from connectors.medusa.fields import FIELDS
from connectors.medusa.finding import Finder, level_id
from connectors.medusa.mapping_customers import PARTS, customer, place
from connectors.medusa.mapping_products import category
from connectors.medusa.parts import PART, own_id, text_of
from connectors.medusa.reading import rows_of
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.shop import Shop
from connectors.medusa.wire import (
    WireAddress,
    WireCategory,
    WireCustomer,
    WireInventoryItem,
    WireLocationLevel,
    WireStock,
    WireStockVariant,
)
from connectors.records import Address, Category, Customer, InventoryLevel, Stream

_SLUG = Loss("slug", "Another record of the target has this slug.")


class _CategoryAnswer(Struct):
    product_category: WireCategory | None = None


class _CustomerAnswer(Struct):
    customer: WireCustomer


class _ItemAnswer(Struct):
    inventory_item: WireInventoryItem


class PlainWriter:
    """Writes categories and customers to one store."""

    def __init__(self, api: Api, finder: Finder) -> None:
        self._api = api
        self._finder = finder
        self._one_category = asyncio.Lock()

    # --- categories -----------------------------------------------------------------------------

    async def category(self, operation: Operation) -> Outcome:
        """Create or update one category; its parent has to be there. One after the other: Medusa
        numbers all of one parent with each. Raises `StoreError`.
        """
        async with self._one_category:
            return await self._category(operation)

    async def _category(self, operation: Operation) -> Outcome:
        content = operation.content
        if not isinstance(content, Category):
            raise TypeError("an operation of another stream")
        if operation.target_id is None:
            body = category_body(content, None) | {"external_id": operation.key}
            path = "product-categories"
        else:
            body = category_body(content, operation.changed)
            path = f"product-categories/{operation.target_id}"
        try:
            row = await self._send_category(path, body)
        except RefusedRequest as error:
            if "handle" not in error.taken:
                raise
            if operation.target_id is None:
                match = await self._finder.one(Stream.CATEGORIES, operation)
                if match is not None:
                    return await self._category(replace(operation, target_id=match.target_id))
                body["handle"] = f"{content.slug}-{own_id('', operation.key)[1:7].lower()}"
            else:
                body.pop("handle")
            row = await self._send_category(path, body)
        if row is None:
            return gone(operation)
        losses = [_SLUG] if content.slug and row.handle != content.slug else []
        return Applied(
            source_id=operation.source_id,
            target_id=row.id,
            content=category(row).content,
            losses=tuple(losses),
        )

    async def _send_category(self, path: str, body: Body) -> WireCategory | None:
        """The category; None where there is none to change: Medusa then answers with nothing."""
        query = {"fields": FIELDS[Stream.CATEGORIES]}
        answer = await self._api.send("POST", path, body, _CategoryAnswer, query=query)
        return answer.product_category

    # --- customers ------------------------------------------------------------------------------

    async def customer(self, operation: Operation) -> Outcome:
        """Create or update one customer, then its addresses. Raises `StoreError` while nothing of
        it was applied.
        """
        content = operation.content
        if not isinstance(content, Customer):
            raise TypeError("an operation of another stream")
        if operation.target_id is None:
            try:
                row = await self._send_customer(
                    "customers", new_customer_body(content, operation.key)
                )
            except RefusedRequest as error:
                if "email" not in error.taken:
                    raise
                match = await self._finder.one(Stream.CUSTOMERS, operation)
                if match is None:
                    raise
                return await self.customer(replace(operation, target_id=match.target_id))
        else:
            row = await self._updated(operation, content, operation.target_id)
        attempt = Attempt()
        attempt.touched = True
        try:
            await self._write_addresses(operation, content, row)
            row = await self._customer(row.id)
        except StoreError as error:
            return attempt.outcome(operation, error)
        return Applied(
            source_id=operation.source_id, target_id=row.id, content=customer(row).content
        )

    async def _updated(self, operation: Operation, content: Customer, target: str) -> WireCustomer:
        body = customer_body(content, operation.changed)
        if not body:
            return await self._customer(target)
        return await self._send_customer(f"customers/{target}", body)

    async def _send_customer(self, path: str, body: Body) -> WireCustomer:
        query = {"fields": FIELDS[Stream.CUSTOMERS]}
        return (await self._api.send("POST", path, body, _CustomerAnswer, query=query)).customer

    async def _customer(self, target: str) -> WireCustomer:
        query = {"fields": FIELDS[Stream.CUSTOMERS]}
        return (await self._api.get(f"customers/{target}", _CustomerAnswer, query)).customer

    async def _write_addresses(
        self, operation: Operation, content: Customer, row: WireCustomer
    ) -> None:
        """The address for bills and the one for goods, each paired with the one that is there.
        Doubles, which an earlier request left whose answer was lost, are deleted.
        """
        for part in PARTS:
            if operation.changed is not None and part not in operation.changed:
                continue
            where: Address | None = getattr(content, part)
            there = place(row.addresses or (), part)
            ours = [each for each in row.addresses or () if text_of(each.metadata, PART) == part]
            path = f"customers/{row.id}/addresses"
            if where is not None:
                known = f"{path}/{there.id}" if there else path
                await self._send_customer(known, address_body(part, where))
            superfluous = [each for each in ours if where is None or each is not there]
            await self._drop(path, superfluous)

    async def _drop(self, path: str, addresses: list[WireAddress]) -> None:
        for each in addresses:
            await self._api.send(
                "DELETE", f"{path}/{each.id}", None, dict[str, Any], repeatable=True
            )


class StockWriter:
    """Sets stock of one store, at one location."""

    def __init__(self, api: Api, shop: Shop, settings: MedusaSettings) -> None:
        self._api = api
        self._shop = shop
        self._places = settings.location_ids

    async def write(self, operation: Operation) -> Outcome:
        """Set what can be sold of one variant. Raises `StoreError`."""
        level = operation.content
        if not isinstance(level, InventoryLevel):
            raise TypeError("an operation of another stream")
        location = await self._shop.location()
        if not location:
            text = "the store has no stock location"
            return no_such(operation, "no_stock_location", text)
        wanted = level.quantity or Decimal(0)
        if level.counted and wanted < 0:
            text = "Medusa counts no stock below zero"
            return no_such(operation, "quantity_negative", text)
        page = await rows_of(self._api, Stream.INVENTORY, [level.product] if level.product else [])
        found = _variant(page.rows[0], level) if page.rows else None
        if found is None:
            text = "the product of this stock is not on the target"
            return no_such(operation, "unknown_product", text)
        await self._set_variant(level, found)
        if level.counted:
            await self._set_quantity(level, found, location)
        return Applied(source_id=operation.source_id, target_id=level_id(level))

    async def _set_variant(self, level: InventoryLevel, found: WireStockVariant) -> None:
        backorders = level.counted and level.backorders != "no"
        if (found.manage_inventory, found.allow_backorder) != (level.counted, backorders):
            body = {"manage_inventory": level.counted, "allow_backorder": backorders}
            await self._send(
                f"products/{level.product}/variants/batch", {"update": [{"id": found.id, **body}]}
            )

    async def _set_quantity(
        self, level: InventoryLevel, found: WireStockVariant, location: str
    ) -> None:
        """What is reserved for open orders of the target is not there to be sold: it comes on top.
        What other locations have to sell is there already.
        """
        item, pieces, levels = await self._item(level, found)
        there = next((each for each in levels if each.location_id == location), None)
        stocked = (level.quantity or Decimal(0)) * pieces
        for each in levels:
            if each is there:
                stocked += each.reserved_quantity
            elif not self._places or each.location_id in self._places:
                stocked -= each.stocked_quantity - each.reserved_quantity
        stocked = max(Decimal(0), stocked)
        if there is not None and there.stocked_quantity == stocked:
            return
        body = {"inventory_item_id": item, "location_id": location, "stocked_quantity": stocked}
        kind = "update" if there else "create"
        await self._send("inventory-items/location-levels/batch", {kind: [body]})

    async def _item(
        self, level: InventoryLevel, found: WireStockVariant
    ) -> tuple[str, Decimal, Sequence[WireLocationLevel]]:
        """The inventory item of a variant, how many of it one piece takes, and its levels."""
        for link in found.inventory_items or ():
            if link is not None and link.inventory is not None:
                levels = link.inventory.location_levels or ()
                return link.inventory.id, link.required_quantity or Decimal(1), levels
        return await self._new_item(level, found), Decimal(1), ()

    async def _new_item(self, level: InventoryLevel, found: WireStockVariant) -> str:
        """An inventory item for a variant that has none, as one that was not counted before."""
        body = {"sku": found.sku or None, "title": found.sku or found.id}
        answer = await self._api.send("POST", "inventory-items", body, _ItemAnswer)
        item = answer.inventory_item.id
        path = f"products/{level.product}/variants/{found.id}/inventory-items"
        await self._send(path, {"inventory_item_id": item, "required_quantity": 1})
        return item

    async def _send(self, path: str, body: Body) -> None:
        query = {"fields": "id"}
        await self._api.send("POST", path, body, dict[str, Any], query=query)


def _variant(row: WireStock, level: InventoryLevel) -> WireStockVariant | None:
    """The variant that a level is of; of a simple product the only one."""
    there = row.variants or []
    if level.variant is None:
        return there[0] if len(there) == 1 else None
    return next((each for each in there if each.id == level.variant), None)
