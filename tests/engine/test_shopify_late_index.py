"""Shopify's searches see changes late: a window must not close over what they do not show yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from connectors import registry
from connectors.records import Customer, Product, Stream
from connectors.shopify import CONNECTOR as SHOPIFY
from tests.connectors.shopify_shop import TOKEN, ShopifyShop, shopify_shop
from tests.engine.conftest import Bench
from tests.engine.shop import contents, fake_connector

pytestmark = pytest.mark.contracts

STREAMS = ["products", "customers", "orders"]


@pytest.fixture
async def late(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ShopifyShop]:
    """A store whose searches are twenty seconds behind, and a target that takes everything."""
    async with shopify_shop() as shop:
        await shop.control("POST", "seed", {"products": 12, "customers": 12, "orders": 12})
        shop.now[0] += 3600
        platforms = {
            "shopify": replace(SHOPIFY, source=lambda _: shop.source()),
            "fake": fake_connector(idempotent=True),
        }
        monkeypatch.setattr(registry, "connectors", lambda: platforms)
        await bench.place("source", "shopify", shop.url, access_token=TOKEN)
        await shop.faults(search_lag={"seconds": 20})
        yield shop


async def test_no_change_is_lost_to_an_index_that_is_late(bench: Bench, late: ShopifyShop) -> None:
    """Windows alone have to do it: what the audit has to find is a change that was lost."""

    async def run(kind: str) -> None:
        row = await bench.run(kind, streams=STREAMS)
        assert (row["status"], row["error"]) == ("succeeded", None)
        assert "missed" not in await bench.counters(row["id"])
        mode = "sweep" if kind == "full" else "window"
        assert {each["mode"] for each in row["passes"].values()} == {mode}

    await run("full")
    made = {kind: list(late.store.tables[kind]) for kind in ("Product", "Customer", "Order")}
    values: dict[str, dict[str, Any]] = {
        "Product": {"descriptionHtml": "changed"},
        "Customer": {"firstName": "changed"},
        "Order": {"note": "changed"},
    }
    for turn in range(12):
        for kind, numbers in made.items():
            await late.edit(op="update", kind=kind, id=numbers[turn], values=values[kind])
        late.now[0] += 7  # less than the index is late
        await run("recent")
    late.now[0] += 60
    await run("recent")
    products: list[Product] = contents(bench.target, Stream.PRODUCTS)
    assert [each.description for each in products] == ["changed"] * 12
    customers: list[Customer] = contents(bench.target, Stream.CUSTOMERS)
    assert [each.first_name for each in customers] == ["changed"] * 12
    assert [each.note for each in contents(bench.target, Stream.ORDERS)] == ["changed"] * 12


async def test_a_stamp_that_moves_without_a_change_writes_nothing(
    bench: Bench, late: ShopifyShop
) -> None:
    await bench.run("full", streams=STREAMS)
    bench.target.writes.clear()
    for kind in ("Product", "Customer", "Order"):
        for number in late.store.tables[kind]:
            await late.edit(op="bump", kind=kind, id=number)
    late.now[0] += 60
    row = await bench.run("recent", streams=STREAMS)
    assert (row["status"], bench.target.writes) == ("succeeded", [])
