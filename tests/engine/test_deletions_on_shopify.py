"""What Shopify's history calls deleted goes from the target by a window, once it is proven."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from connectors import registry
from connectors.shopify import CONNECTOR as SHOPIFY
from tests.connectors.shopify_shop import TOKEN, ShopifyShop, shopify_shop
from tests.engine.conftest import Bench
from tests.engine.shop import fake_connector

pytestmark = pytest.mark.contracts


@pytest.fixture
async def shop(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ShopifyShop]:
    """A store with twelve products that are on the target already."""
    async with shopify_shop() as opened:
        await opened.control("POST", "seed", {"products": 12})
        opened.now[0] += 3600
        platforms = {
            "shopify": replace(SHOPIFY, source=lambda _: opened.source()),
            "fake": fake_connector(idempotent=True),
        }
        monkeypatch.setattr(registry, "connectors", lambda: platforms)
        await bench.place("source", "shopify", opened.url, access_token=TOKEN)
        await ran(bench, opened, "full")
        yield opened


async def ran(bench: Bench, shop: ShopifyShop, kind: str = "recent") -> dict[str, Any]:
    shop.now[0] += 60
    return await bench.run(kind, streams=["products"])


async def removals(bench: Bench) -> list[tuple[str, str]]:
    rows = await bench.rows("SELECT source_id, status FROM removals ORDER BY source_id")
    return [(each["source_id"], each["status"]) for each in rows]


async def test_a_product_that_the_history_calls_deleted_is_removed_by_a_window(
    bench: Bench, shop: ShopifyShop
) -> None:
    gone = next(iter(shop.store.tables["Product"]))
    await shop.edit(op="delete", kind="product", id=gone)
    row = await ran(bench, shop)
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert row["passes"]["products"]["mode"] == "window"
    assert await removals(bench) == [(str(gone), "done")]
    await ran(bench, shop)
    assert await removals(bench) == [(str(gone), "done")]


async def test_a_history_that_lies_removes_nothing(bench: Bench, shop: ShopifyShop) -> None:
    shop.store.event(next(iter(shop.store.tables["Product"].values())), "destroy")
    row = await ran(bench, shop)
    assert row["status"] == "succeeded"
    assert await removals(bench) == []


async def test_many_that_the_history_calls_deleted_trip_the_brake(
    bench: Bench, shop: ShopifyShop
) -> None:
    for each in list(shop.store.tables["Product"])[:9]:
        await shop.edit(op="delete", kind="product", id=each)
    row = await ran(bench, shop)
    assert row["error"]["code"] == "deletion_brake"
    assert {status for _, status in await removals(bench)} == {"held"}
