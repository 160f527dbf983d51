"""What a shop does not sell, no target sells, whether it counts pieces or not."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.records import Stream
from tests.connectors.practice import Practice
from tests.engine.launching import bad, checked
from tests.engine.practice_stores import Stores
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


async def shared(shop: Practice) -> tuple[int, dict[str, int]]:
    """A shirt that counts five for its sizes S and M; of L it counts two more. Ids by size."""
    body = thing("Shirt", type="variable", manage_stock=True, stock_quantity=5)
    sizes = [{"name": "Size", "variation": True, "options": ["S", "M", "L"]}]
    [parent] = (await shop.load(product=[{**body, "attributes": sizes}]))["product"]
    made = {}
    for size in ("S", "M", "L"):
        own = {"manage_stock": True, "stock_quantity": 2} if size == "L" else {}
        option = {"attributes": [{"name": "Size", "option": size}], "sku": f"SHIRT-{size}"}
        body = {"regular_price": "5.00", **option, **own}
        made[size] = (await shop.admin("POST", f"products/{parent}/variations", body))["id"]
    return parent, made


async def sell(shop: Practice, parent: int, variation: int, quantity: int) -> None:
    line = {"product_id": parent, "variation_id": variation, "quantity": quantity}
    await shop.admin("POST", "orders", {"status": "processing", "line_items": [line]})


def counted(move: Move) -> dict[str, int | None]:
    """What of each size can be sold on Shopify, None for endless."""
    tables = move.new.store.tables
    found = {}
    for variant in tables["ProductVariant"].values():
        item = tables["InventoryItem"][variant["_item"]]
        size = str(item["sku"]).rpartition("-")[2]
        found[size] = available(move.new.store, item) if item["tracked"] else None
    return found


async def test_stock_that_variations_share_is_counted_for_each_on_shopify(move: Move) -> None:
    parent, sizes = await shared(move.old)
    await move.run("full")
    assert counted(move) == {"S": 5, "M": 5, "L": 2}
    await move.agrees()
    await sell(move.old, parent, sizes["S"], 3)
    await move.run()
    assert counted(move) == {"S": 2, "M": 2, "L": 2}
    assert await move.quarantine() == []
    await move.agrees()
    _, results = await checked(move.bench, checks=["data", "effects.stock"])
    assert bad(results) == set(), results
    assert "inventory.shared 2" in results["data.content"]["summary"]
    move.new.requests.clear()
    await move.run("full", streams=[Stream.INVENTORY])
    assert changes(move.new) == []
    await move.old.admin("PUT", f"products/{parent}", {"manage_stock": False})
    await move.run()
    assert counted(move) == {"S": None, "M": None, "L": 2}


async def test_stock_that_is_wrong_on_shopify_is_not_excused_by_being_shared(move: Move) -> None:
    await shared(move.old)
    await move.run("full")
    tables = move.new.store.tables
    for variant in tables["ProductVariant"].values():
        item = tables["InventoryItem"][variant["_item"]]
        if item["sku"] == "SHIRT-M":
            [number] = item["_levels"].values()
            tables["InventoryLevel"][number]["_available"] = 50
    assert not (await move.compared()).agrees
    _, results = await checked(move.bench, checks=["data.content"])
    assert bad(results) == {"data.content"}
    await move.run()
    assert counted(move) == {"S": 5, "M": 5, "L": 2}


async def test_stock_that_variations_share_stays_shared_on_woocommerce(stores: Stores) -> None:
    parent, sizes = await shared(stores.old)
    await stores.run("full")
    there = await stores.only(stores.new, "products")
    path = f"products/{there['id']}/variations?per_page=100"

    async def shown() -> dict[str, tuple[Any, int]]:
        return {
            each["sku"].rpartition("-")[2]: (each["manage_stock"], each["stock_quantity"])
            for each in await stores.new.admin("GET", path)
        }

    assert await shown() == {"S": ("parent", 5), "M": ("parent", 5), "L": (True, 2)}
    await sell(stores.old, parent, sizes["M"], 1)
    await stores.run()
    assert await shown() == {"S": ("parent", 4), "M": ("parent", 4), "L": (True, 2)}
    assert await stores.bench.rows("SELECT code FROM quarantine") == []
    _, results = await checked(stores.bench, checks=["data"])
    assert bad(results) == set(), results
    row = await stores.run("full")
    counters = await stores.bench.counters(row["id"])
    assert (counters.get("created", 0), counters.get("updated", 0)) == (0, 0)
    await stores.old.admin("PUT", f"products/{parent}", {"manage_stock": False})
    await stores.run()
    assert await shown() == {"S": (False, None), "M": (False, None), "L": (True, 2)}
