"""The same between two practice stores, over WooCommerce's own API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.engine.conftest import Bench
from tests.engine.practice_stores import Stores, between_practice_stores

COUNTED = {"manage_stock": True, "stock_quantity": 50}


@pytest.fixture(params=["0", "7.25"], ids=["untaxed", "taxed"])
async def stores(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Stores]:
    async with between_practice_stores(bench, monkeypatch, tax_rate=request.param) as opened:
        yield opened


def told(order: dict[str, Any]) -> dict[str, Any]:
    """What people see of an order, beside whom it belongs to and which products it is of."""
    lines = [
        {name: line[name] for name in ("id", "name", "quantity", "subtotal", "total", "total_tax")}
        for line in order["line_items"]
    ]
    fees = [(fee["id"], fee["total"]) for fee in order["fee_lines"]]
    sums = {name: order[name] for name in ("status", "total", "total_tax", "discount_total")}
    return {"lines": lines, "fees": fees, **sums}


async def sold(stores: Stores, status: str) -> None:
    """An order of a customer, of a product and of a variation, whose stock is counted."""
    mug = {"name": "Mug", "sku": "MUG", "status": "publish", "regular_price": "2.55", **COUNTED}
    shirt = {"name": "Shirt", "type": "variable", "sku": "SHIRT", "status": "publish"}
    product = await stores.old.admin("POST", "products", mug)
    parent = await stores.old.admin("POST", "products", shirt)
    size = {"sku": "SHIRT-L", "regular_price": "9.00", **COUNTED}
    variation = await stores.old.admin("POST", f"products/{parent['id']}/variations", size)
    owner = await stores.old.admin("POST", "customers", {"email": "ann@example.com"})
    lines = [
        {"product_id": product["id"], "quantity": 2, "total": "5.10", "subtotal": "5.10"},
        {
            "product_id": parent["id"],
            "variation_id": variation["id"],
            "quantity": 1,
            "total": "9.00",
            "subtotal": "9.00",
        },
    ]
    await stores.old.load(
        order=[
            {
                "status": status,
                "customer_id": owner["id"],
                "total": "14.10",
                "date_created_gmt": "2025-03-01T12:00:00",
                "date_modified_gmt": "2025-03-01T12:00:00",
                "billing": {"email": "ann@example.com"},
                "line_items": [
                    each | {"name": name, "total_tax": "0.00", "subtotal_tax": "0.00"}
                    for each, name in zip(lines, ("Mug", "Shirt - L"), strict=True)
                ],
            }
        ]
    )


@pytest.mark.parametrize("status", ["processing", "pending"])
async def test_order_gets_its_customer_and_products_and_nothing_else_moves(
    stores: Stores, status: str
) -> None:
    await sold(stores, status)
    await stores.scope("orders")
    await stores.run("full")
    guests = await stores.only(stores.new, "orders")
    assert guests["customer_id"] == 0
    assert [line["product_id"] for line in guests["line_items"]] == [0, 0]
    await stores.scope("categories", "products", "customers", "orders", "inventory")
    await stores.run("recent", since="2020-01-01T00:00:00Z")
    order = await stores.only(stores.new, "orders")
    customer = await stores.only(stores.new, "customers")
    products = {each["sku"]: each for each in await stores.all(stores.new, "products")}
    assert order["customer_id"] == customer["id"]
    assert [(line["product_id"], line["variation_id"]) for line in order["line_items"]] == [
        (products["MUG"]["id"], 0),
        (products["SHIRT"]["id"], products["SHIRT"]["variations"][0]),
    ]
    assert told(order) == told(guests)
    assert float(order["total"]) == 14.10
    assert products["MUG"]["stock_quantity"] == 50
    effects = await stores.new.effects()
    assert (effects["stock_movements"], effects["mails"]) == ({}, {})
    assert await stores.conflicts() == []
    for kind, params in (("recent", {}), ("full", {}), ("recent", {"cutover": True})):
        stores.new.asked.clear()
        await stores.run(kind, **params)
        sent = [each for each in stores.new.requests("P", "batch") if any(each.body.values())]
        assert [each for each in sent if "settings" not in each.path] == []
