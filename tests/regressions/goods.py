"""Goods of a practice shop, and what becomes of them on the other one."""

from __future__ import annotations

from typing import Any

from tests.connectors.practice import Practice
from tests.engine.practice_stores import Stores

PRODUCTS: dict[str, Any] = {"streams": ["products"]}


def goods(count: int, **fields: Any) -> list[dict[str, Any]]:
    """Published products, not in the shop yet."""
    return [
        {"name": f"Thing {n}", "sku": f"SKU-{n:03}", "status": "publish", "regular_price": "5.00"}
        | fields
        for n in range(count)
    ]


async def stocked(stores: Stores, count: int) -> list[int]:
    """So many products on both shops; their ids at the source."""
    made = await stores.old.load(product=goods(count))
    await stores.run("full")
    return made["product"]


async def change(shop: Practice, number: int, **fields: Any) -> None:
    """A change by the shop's staff."""
    await shop.admin("PUT", f"products/{number}", fields)


async def prices(shop: Practice) -> dict[str, float]:
    """Prices by SKU, each record once."""
    found: dict[str, float] = {}
    for page in range(1, 100):
        query = f"orderby=id&order=asc&per_page=100&page={page}&status=any"
        rows = await shop.admin("GET", f"products?{query}")
        for row in rows:
            assert row["sku"] not in found, "a product is there twice"
            found[row["sku"]] = float(row["regular_price"] or 0)
        if len(rows) < 100:
            return found
    raise AssertionError("the shop holds more than a test needs")


async def by_window(stores: Stores) -> dict[str, int]:
    """A run that finds by its window what there is to find, and leaves nothing to the audit."""
    row = await stores.run(**PRODUCTS)
    assert row["passes"]["products"]["mode"] == "window"
    counters = await stores.bench.counters(row["id"])
    assert "missed" not in counters
    return counters
