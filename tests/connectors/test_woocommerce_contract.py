"""WooCommerce shows what every connector must show, against a practice store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.records import Category, Content, Stream
from connectors.testing.contents import contents, customer, order, product
from connectors.testing.contract import DescriptionContract, SourceContract, TargetContract
from connectors.woocommerce import CONNECTOR
from connectors.woocommerce.api import RefusedRequest
from tests.connectors.practice import Practice

_KINDS = {
    Stream.CATEGORIES: "category",
    Stream.PRODUCTS: "product",
    Stream.CUSTOMERS: "customer",
    Stream.ORDERS: "order",
    Stream.INVENTORY: "product",
}
_PATHS = {
    Stream.CATEGORIES: "products/categories",
    Stream.PRODUCTS: "products",
    Stream.CUSTOMERS: "customers",
    Stream.ORDERS: "orders",
    Stream.INVENTORY: "products",
}
_TEXTS = {
    Stream.CATEGORIES: "description",
    Stream.PRODUCTS: "description",
    Stream.CUSTOMERS: "last_name",
    Stream.ORDERS: "customer_note",
    Stream.INVENTORY: "description",
}
_FAULTS: dict[str, dict[str, Any]] = {
    "throttled": {"rate_limit": {"probability": 1.0, "times": 1}},
    "throttled_for_a_day": {"rate_limit_day": {"times": 1}},
    "server_error": {"error_before": {"probability": 1.0, "times": 1, "status": 500}},
    "cut_off": {"timeout_before": {"probability": 1.0, "times": 1}},
    "web_page": {"html_page": {"probability": 1.0, "times": 1}},
    "half_json": {"truncated_json": {"probability": 1.0, "times": 1}},
    "bad_request": {"error_before": {"probability": 1.0, "times": 1, "status": 400}},
    "forbidden": {"error_before": {"probability": 1.0, "times": 1, "status": 403}},
    "not_found": {"error_before": {"probability": 1.0, "times": 1, "status": 404}},
    "lost_answer": {"timeout_after": {"probability": 1.0, "times": 1, "methods": ["POST", "PUT"]}},
}


class PracticeBench:
    """A practice store as the contract suite wants it. Small pages make many of them."""

    def __init__(self, shop: Practice) -> None:
        self._shop = shop
        self._made = 0

    def source(self) -> Any:
        return self._shop.source(page_size=5)

    reader = source

    def target(self) -> Any:
        return self._shop.target()

    async def shut_out(self) -> Any:
        return self._shop.source(key="ck_wrong")

    def locked_out(self) -> Any:
        return self._shop.target(key="ck_wrong")

    async def fill(self, stream: Stream, count: int) -> list[str]:
        documents = [self._document(stream, each) for each in range(count)]
        made = await self._shop.load(**{_KINDS[stream]: documents})
        return [str(each) for each in made[_KINDS[stream]]]

    def _document(self, stream: Stream, number: int) -> dict[str, Any]:
        self._made += 1
        name = f"thing {self._made}"
        match stream:
            case Stream.CATEGORIES:
                return {"name": name}
            case Stream.CUSTOMERS:
                return {"email": f"c{self._made}@example.test", "username": f"c{self._made}"}
            case Stream.ORDERS:
                lines = [{"name": "Mug", "quantity": 1, "total": "2.55", "subtotal": "2.55"}]
                return {"status": "completed", "total": "2.55", "line_items": lines}
            case _:
                stock = {"manage_stock": True, "stock_quantity": number}
                return {"name": name, "sku": f"SKU-{self._made}", "status": "publish", **stock}

    async def fill_old(self, stream: Stream, created: datetime) -> tuple[str, str]:
        document = self._document(stream, 0) | {"date_created_gmt": f"{created:%Y-%m-%dT%H:%M:%S}"}
        rows = [document | {"status": status} for status in ("completed", "processing")]
        closed, still_open = (await self._shop.load(**{_KINDS[stream]: rows}))[_KINDS[stream]]
        return str(closed), str(still_open)

    async def change(self, stream: Stream, ids: Sequence[str]) -> None:
        body: dict[str, Any] = {_TEXTS[stream]: "changed"}
        if stream is Stream.INVENTORY:
            body = {"stock_quantity": 99}
        for each in ids:
            await self._shop.admin("PUT", f"{_PATHS[stream]}/{each}", body)

    async def edit(self, stream: Stream, target_id: str, text: str) -> None:
        await self._shop.admin("PUT", f"{_PATHS[stream]}/{target_id}", {_TEXTS[stream]: text})

    async def foreign(self, stream: Stream) -> str:
        [made] = await self.fill(stream, 1)
        return made

    async def is_shown(self, stream: Stream, target_id: str) -> bool:
        try:
            row = await self._shop.admin("GET", f"{_PATHS[stream]}/{target_id}")
        except RefusedRequest:
            return False
        return row.get("status") not in ("draft", "trash")

    async def remove(self, stream: Stream, ids: Sequence[str]) -> None:
        for each in ids:
            await self._shop.edit(op="hard_delete", kind=_KINDS[stream], id=int(each))

    async def pass_time(self, seconds: float) -> None:
        self._shop.now[0] += seconds

    async def now(self) -> datetime:
        return datetime.fromtimestamp(self._shop.now[0], UTC)

    async def fail_next(self, how: str) -> None:
        if how == "ignores_filter":
            self._shop.way.armed = True
            return
        await self._shop.faults(**_FAULTS[how])

    def contents(self, stream: Stream, count: int) -> list[Content]:
        return contents(stream, count)

    def impossible(self, stream: Stream) -> Content | None:
        match stream:
            case Stream.CATEGORIES:
                return Category(name="Orphan", slug="orphan", parent="999999")
            case Stream.PRODUCTS:
                # Its SKU is that of the first record sent beside it.
                return product(9, sku="MUG-1")
            case Stream.CUSTOMERS:
                return customer(9, email="not an email")
            case Stream.ORDERS:
                return order(9, customer="999999")
            case _:
                return None

    async def side_effects(self) -> dict[str, int]:
        found = await self._shop.effects()
        names = ("mails", "stock_movements", "gateway_refunds", "duplicates")
        return {name: sum(found[name].values()) for name in names}


@pytest.fixture
def bench(shop: Practice) -> PracticeBench:
    return PracticeBench(shop)


class TestWooCommerce(DescriptionContract):
    connector = CONNECTOR


class TestWooCommerceSource(SourceContract):
    connector = CONNECTOR


class TestWooCommerceTarget(TargetContract):
    connector = CONNECTOR
