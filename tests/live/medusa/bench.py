"""A running Medusa store as the contract suite wants it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.medusa.source import MedusaSource
from connectors.medusa.target import MedusaTarget
from connectors.records import Category, Content, Stream
from connectors.testing.contents import contents, customer, product
from connectors.testing.faults import FaultyProxy
from tests.live.medusa.store import MedusaStore
from tests.live.pages import PAGE

PATHS = {
    Stream.CATEGORIES: "product-categories",
    Stream.PRODUCTS: "products",
    Stream.CUSTOMERS: "customers",
    Stream.ORDERS: "orders",
    Stream.INVENTORY: "products",
}
_CHANGED: dict[Stream, dict[str, Any]] = {
    Stream.CATEGORIES: {"description": "changed"},
    Stream.PRODUCTS: {"description": "changed"},
    Stream.CUSTOMERS: {"last_name": "changed"},
    Stream.ORDERS: {"metadata": {"note": "changed"}},
}
_ANNOUNCING = {"order", "payment", "shipment", "delivery", "fulfillment", "return", "auth"}
_AT_ONCE = 8
_TICK = 0.02
_GAP = 1.7
"""Seconds behind which a stamp is more than a second older than `now` says."""


class MedusaBench:
    """One store, reached through a proxy that breaks requests. Small pages make many of them."""

    def __init__(self, store: MedusaStore, proxy: FaultyProxy) -> None:
        self._store = store
        self._proxy = proxy
        self._made = 0
        self._room = asyncio.Semaphore(_AT_ONCE)

    def source(self) -> Any:
        return MedusaSource(self._store.access(url=self._proxy.url, page_size=PAGE))

    reader = source

    def target(self) -> Any:
        return MedusaTarget(self._store.access(url=self._proxy.url))

    def locked_out(self) -> Any:
        return MedusaTarget(self._store.access(url=self._proxy.url, key="sk_wrong"))

    async def shut_out(self) -> Any:
        return MedusaSource(self._store.access(url=self._proxy.url, key="sk_wrong"))

    # --- filling --------------------------------------------------------------------------------

    async def fill(self, stream: Stream, count: int) -> list[str]:
        numbers = range(self._made + 1, self._made + count + 1)
        self._made += count
        if stream in (Stream.PRODUCTS, Stream.INVENTORY):
            return await self._products(numbers, counted=stream is Stream.INVENTORY)
        module, method, row = _MAKERS[stream]
        body = {"module": module, "method": method, "rows": [row(number) for number in numbers]}
        made: list[str] = (await self._store.ask("POST", "test/records", body))["ids"]
        return made

    async def _products(self, numbers: range, *, counted: bool) -> list[str]:
        bodies = [_product(number) for number in numbers]
        fields = "id,variants.inventory_items.inventory_item_id"
        answer = await self._store.ask("POST", "products/batch", {"create": bodies}, fields=fields)
        made = answer["created"]
        if counted:
            levels = [
                {
                    "inventory_item_id": item,
                    "location_id": await self._place(),
                    "stocked_quantity": 3,
                }
                for each in made
                for item in [each["variants"][0]["inventory_items"][0]["inventory_item_id"]]
            ]
            path = "inventory-items/location-levels/batch"
            await self._store.ask("POST", path, {"create": levels})
        return [each["id"] for each in made]

    async def _place(self) -> str:
        found = await self._store.ask("GET", "stock-locations", fields="id")
        place: str = found["stock_locations"][0]["id"]
        return place

    async def _each(self, tasks: Any) -> list[Any]:
        async def one(task: Awaitable[Any]) -> Any:
            async with self._room:
                return await task

        return await asyncio.gather(*map(one, tasks))

    # --- changing -------------------------------------------------------------------------------

    async def change(self, stream: Stream, ids: Sequence[str]) -> None:
        if stream is Stream.INVENTORY:
            items = await self._items(ids)
            levels = [
                {
                    "inventory_item_id": item,
                    "location_id": await self._place(),
                    "stocked_quantity": 77,
                }
                for item in items
            ]
            path = "inventory-items/location-levels/batch"
            await self._store.ask("POST", path, {"update": levels})
            return
        body = _CHANGED[stream]
        await self._each(self._store.ask("POST", f"{PATHS[stream]}/{each}", body) for each in ids)

    async def _items(self, ids: Sequence[str]) -> list[str]:
        fields = "id,variants.inventory_items.inventory_item_id"
        query = {"id[]": list(ids), "fields": fields, "limit": len(ids)}
        found = await self._store.ask("GET", "products", **query)
        return [
            link["inventory_item_id"]
            for each in found["products"]
            for variant in each["variants"]
            for link in variant["inventory_items"]
        ]

    async def edit(self, stream: Stream, target_id: str, text: str) -> None:
        [name] = _CHANGED[stream]
        body = {"metadata": {"note": text}} if stream is Stream.ORDERS else {name: text}
        await self._store.ask("POST", f"{PATHS[stream]}/{target_id}", body)

    async def foreign(self, stream: Stream) -> str:
        [made] = await self.fill(stream, 1)
        return made

    async def is_shown(self, stream: Stream, target_id: str) -> bool:
        try:
            found = await self._store.ask("GET", f"{PATHS[stream]}/{target_id}")
        except httpx.HTTPStatusError:
            return False
        return found.get("product", {}).get("status") != "draft"

    async def remove(self, stream: Stream, ids: Sequence[str]) -> None:
        if stream is Stream.ORDERS:
            # No API deletes orders; a program of the store's own can.
            await self._store.database.execute(
                'UPDATE "order" SET deleted_at = now() WHERE id = ANY($1)', list(ids)
            )
            return
        for each in ids:
            await self._store.ask("DELETE", f"{PATHS[stream]}/{each}")

    # --- time, failures, effects ----------------------------------------------------------------

    async def pass_time(self, seconds: float) -> None:
        """Real time, so as little as is needed: Medusa's stamps tell thousandths of seconds apart.
        Only where a test looks for a gap of a second, it is made; it asks for the smallest time.
        """
        await asyncio.sleep(_GAP if seconds < 1 else _TICK)

    async def now(self) -> datetime:
        """The store's clock is this machine's. Its `Date` header shows whole seconds, which is half
        a second too early in the middle.
        """
        return datetime.now(UTC) - timedelta(seconds=0.5)

    async def fail_next(self, how: str) -> None:
        self._proxy.fail_next(how)

    def contents(self, stream: Stream, count: int) -> list[Content]:
        return contents(stream, count)

    def impossible(self, stream: Stream) -> Content | None:
        match stream:
            case Stream.CATEGORIES:
                return Category(name="Orphan", slug="orphan", parent="pcat_nowhere")
            case Stream.PRODUCTS:
                # Its SKU is that of the first record sent beside it.
                return product(9, sku="MUG-1")
            case Stream.CUSTOMERS:
                return customer(9, email="not an email")
            case _:
                return None

    async def side_effects(self) -> dict[str, int]:
        reserved = await self._store.database.fetchval("SELECT count(*) FROM reservation_item")
        return {**told_aloud(self._store), "reservations": reserved}


def told_aloud(store: MedusaStore) -> dict[str, int]:
    """Events that a store's programs mail or charge people for. What a module tells of its own rows
    has three words: order.order.created.
    """
    names = [name for name in store.told() if name.count(".") == 1]
    return dict(Counter(each for each in names if each.partition(".")[0] in _ANNOUNCING))


def _product(number: int) -> dict[str, Any]:
    option, value = "Default option", "Default option value"
    variant = {
        "title": "Default variant",
        "sku": f"SKU-{number}",
        "prices": [{"currency_code": "gbp", "amount": 2.55}],
        "options": {option: value},
    }
    return {
        "title": f"Thing {number}",
        "status": "published",
        "options": [{"title": option, "values": [value]}],
        "variants": [variant],
    }


def _category(number: int) -> dict[str, Any]:
    return {"name": f"Thing {number}", "is_active": True}


def _customer(number: int) -> dict[str, Any]:
    return {"email": f"c{number}@example.test"}


def _order(number: int) -> dict[str, Any]:
    line = {"title": "Mug", "quantity": 1 + number % 3, "unit_price": 2.55}
    return {"currency_code": "gbp", "email": f"c{number}@example.test", "items": [line]}


_MAKERS: dict[Stream, tuple[str, str, Callable[[int], dict[str, Any]]]] = {
    Stream.CATEGORIES: ("product", "createProductCategories", _category),
    Stream.CUSTOMERS: ("customer", "createCustomers", _customer),
    Stream.ORDERS: ("order", "createOrders", _order),
}
"""The service of a module, its method, and what it makes a record of."""
