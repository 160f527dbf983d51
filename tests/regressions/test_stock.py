"""What a shop does not sell, no target sells, whether it counts pieces or not."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.records import Stream
from tests.engine.launching import checked
from tests.engine.test_woocommerce_to_shopify import Move, changes, move
from tests.shopify_store.stock import available

__all__ = ["move"]

pytestmark = pytest.mark.contracts


def thing(name: str, **stock: Any) -> dict[str, Any]:
    return {"name": name, "sku": name, "status": "publish", "regular_price": "5.00", **stock}


def sold(move: Move) -> dict[str, bool]:
    """Whether a shopper can buy each product once more, by name."""
    tables = move.new.store.tables
    found = {}
    for product in tables["Product"].values():
        [variant] = [tables["ProductVariant"][each] for each in product["_variants"]]
        item = tables["InventoryItem"][variant["_item"]]
        anything = not item["tracked"] or variant["inventoryPolicy"] == "CONTINUE"
        found[product["title"]] = anything or available(move.new.store, item) > 0
    return found


async def test_what_is_sold_out_without_being_counted_is_sold_out_on_shopify(move: Move) -> None:
    """And that it is counted as none, or what is allowed without a notice, alarms nobody."""
    things = [
        thing("Gone", stock_status="outofstock"),
        thing("Waits", stock_status="outofstock", backorders="notify"),
        thing("Endless"),
        thing("Ordered", stock_status="onbackorder"),
        thing("Promised", manage_stock=True, stock_quantity=0, backorders="notify"),
        thing("Counted", manage_stock=True, stock_quantity=3),
    ]
    numbers = (await move.old.load(product=things))["product"]
    await move.run("full")
    expected = {
        "Gone": False,
        "Waits": False,
        "Endless": True,
        "Ordered": True,
        "Promised": True,
        "Counted": True,
    }
    assert sold(move) == expected
    await move.agrees()
    _, results = await checked(move.bench, checks=["data.content"])
    assert results["data.content"]["evidence"] == []
    assert "inventory.counted 2" in results["data.content"]["summary"]
    await move.old.admin("PUT", f"products/{numbers[0]}", {"stock_status": "instock"})
    await move.run()
    assert sold(move) == {**expected, "Gone": True}
    move.new.requests.clear()
    await move.run("full", streams=[Stream.INVENTORY])
    assert changes(move.new) == []
