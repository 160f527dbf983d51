"""Shopify shows what every connector must show, against a practice store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.records import Category, Content, Stream
from connectors.shopify import CONNECTOR
from connectors.testing.contents import contents, customer, order, product
from connectors.testing.contract import DescriptionContract, SourceContract, TargetContract
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts

_KINDS = {
    Stream.CATEGORIES: "collection",
    Stream.PRODUCTS: "product",
    Stream.CUSTOMERS: "customer",
    Stream.ORDERS: "order",
    Stream.INVENTORY: "product",
}
_FAULTS: dict[str, dict[str, Any]] = {
    "throttled": {"throttled": {}},
    "throttled_for_a_day": {"throttled_for_a_day": {}},
    "server_error": {"server_error": {}},
    "cut_off": {"timeout_before": {}},
    "web_page": {"web_page": {}},
    "half_json": {"half_json": {}},
    "bad_request": {"server_error": {"status": 400}},
    "forbidden": {"server_error": {"status": 403}},
    "not_found": {"server_error": {"status": 404}},
    "lost_answer": {"timeout_after": {"times": 3, "mutations": True}},
}
_CHANGES = {
    Stream.CATEGORIES: {"descriptionHtml": "changed"},
    Stream.PRODUCTS: {"descriptionHtml": "changed"},
    Stream.CUSTOMERS: {"lastName": "changed"},
    Stream.ORDERS: {"note": "changed"},
}


class ShopifyBench:
    """A practice store as the contract suite wants it. Small pages make many of them."""

    def __init__(self, shop: ShopifyShop) -> None:
        self._shop = shop
        self._made = 0

    def source(self) -> Any:
        return self._shop.source(page_size=5)

    reader = source

    def target(self) -> Any:
        return self._shop.target()

    def locked_out(self) -> Any:
        return self._shop.target(token="shpat_wrong")

    async def shut_out(self) -> Any:
        return self._shop.source(token="shpat_wrong")

    async def fill(self, stream: Stream, count: int) -> list[str]:
        documents = [self._document(stream, each) for each in range(count)]
        made = await self._shop.load(**{_KINDS[stream]: documents})
        return [str(each) for each in made[_KINDS[stream]]]

    def _document(self, stream: Stream, number: int) -> dict[str, Any]:
        self._made += 1
        name = f"Thing {self._made}"
        match stream:
            case Stream.CATEGORIES:
                return {"title": name}
            case Stream.CUSTOMERS:
                return {"email": f"c{self._made}@example.test", "lastName": name}
            case Stream.ORDERS:
                each = {"shopMoney": {"amount": "2.55", "currencyCode": "GBP"}}
                line = {"title": "Mug", "quantity": 1 + number % 3, "priceSet": each}
                return {"lineItems": [line], "financialStatus": "PAID"}
            case _:
                return {"title": name, **self._only_variant(number)}

    def _only_variant(self, number: int) -> dict[str, Any]:
        location = self._shop.store.location["id"]
        stock = {"locationId": location, "name": "available", "quantity": number}
        variant = {
            "sku": f"SKU-{self._made}",
            "price": "2.55",
            "optionValues": [{"optionName": "Title", "name": "Default Title"}],
            "inventoryQuantities": [stock],
        }
        options = [{"name": "Title", "values": [{"name": "Default Title"}]}]
        return {"productOptions": options, "variants": [variant]}

    async def change(self, stream: Stream, ids: Sequence[str]) -> None:
        for each in ids:
            record = {"kind": _KINDS[stream], "id": int(each)}
            if stream is Stream.INVENTORY:
                await self._shop.edit(op="set_stock", quantity=77, **record)
            else:
                await self._shop.edit(op="update", values=_CHANGES[stream], **record)

    async def edit(self, stream: Stream, target_id: str, text: str) -> None:
        [name] = _CHANGES[stream]
        record = {"kind": _KINDS[stream], "id": int(target_id)}
        await self._shop.edit(op="update", values={name: text}, **record)

    async def foreign(self, stream: Stream) -> str:
        [made] = await self.fill(stream, 1)
        return made

    async def is_shown(self, stream: Stream, target_id: str) -> bool:
        kind = _KINDS[stream].capitalize()
        record = self._shop.store.tables[kind].get(int(target_id))
        return record is not None and record.get("status") not in ("ARCHIVED", "DRAFT")

    async def remove(self, stream: Stream, ids: Sequence[str]) -> None:
        for each in ids:
            await self._shop.edit(op="delete", kind=_KINDS[stream], id=int(each))

    async def pass_time(self, seconds: float) -> None:
        self._shop.now[0] += seconds

    async def now(self) -> datetime:
        return datetime.fromtimestamp(self._shop.now[0], UTC)

    async def fail_next(self, how: str) -> None:
        if how == "ignores_filter":
            self._shop.way.armed = True
            return
        if how == "lost_answer":
            # What is made once before all writes is not what the test wants to lose.
            async with self._shop.target() as target:
                await target.mute({})
        await self._shop.faults(**_FAULTS[how])

    def contents(self, stream: Stream, count: int) -> list[Content]:
        return contents(stream, count)

    def impossible(self, stream: Stream) -> Content | None:
        match stream:
            case Stream.CATEGORIES:
                return Category(name="")
            case Stream.PRODUCTS:
                return product(9, name="")
            case Stream.CUSTOMERS:
                return customer(9, email="not an email")
            case Stream.ORDERS:
                return order(9, customer="999999")
            case _:
                return None

    async def side_effects(self) -> dict[str, int]:
        found = await self._shop.effects()
        counts: dict[str, int] = found["counts"]
        return counts


@pytest.fixture
async def bench() -> AsyncIterator[ShopifyBench]:
    async with shopify_shop() as shop:
        yield ShopifyBench(shop)


class TestShopify(DescriptionContract):
    connector = CONNECTOR


class TestShopifySource(SourceContract):
    connector = CONNECTOR


class TestShopifyTarget(TargetContract):
    connector = CONNECTOR
