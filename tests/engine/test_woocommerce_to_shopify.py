"""A selling WooCommerce shop moves to Shopify: full, changes while it sells, recent, cutover.

Both stores are practice stores. In the end every record is compared over both stores' own APIs;
what Shopify cannot keep is what its connector declares, and nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from connectors import registry
from connectors.comparison import Comparison, compare
from connectors.records import Stream
from connectors.shopify import CONNECTOR as SHOPIFY
from connectors.woocommerce import CONNECTOR as WOOCOMMERCE
from tests.connectors.practice import Practice, practice
from tests.connectors.shopify_shop import TOKEN, ShopifyShop, shopify_shop
from tests.engine.conftest import Bench
from tests.engine.selling import sell, sell_again

pytestmark = [pytest.mark.contracts, pytest.mark.slow]


@dataclass
class Move:
    """A migration from one store to the other, whose clocks move together."""

    bench: Bench
    old: Practice
    new: ShopifyShop

    async def run(self, kind: str = "recent", **params: Any) -> dict[str, Any]:
        for shop in (self.old, self.new):
            shop.now[0] += 60
        row = await self.bench.run(kind, **params)
        assert (row["status"], row["error"]) == ("succeeded", None), await self.quarantine()
        return row

    async def quarantine(self) -> list[dict[str, Any]]:
        return await self.bench.rows("SELECT stream, source_id, code, message FROM quarantine")

    async def compared(self) -> Comparison:
        losses = {stream: each.losses for stream, each in SHOPIFY.writes.items()}
        async with self.old.source() as source, self.new.source() as target:
            return await compare(source, target, list(Stream), losses)

    async def agrees(self) -> Comparison:
        found = await self.compared()
        problems = {
            stream: (each.missing_ids, each.wrong_pairs, each.doubled_ids)
            for stream, each in found.streams.items()
            if each.missing or each.wrong or each.doubled or each.foreign
        }
        assert problems == {}
        assert found.agrees
        return found


@pytest.fixture
async def move(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Move]:
    # The limits of Shopify Plus: comparing reads everything at once and has no slice to give back.
    plus = shopify_shop(bucket=20_000.0, restore_rate=1000.0)
    async with practice(tax_rate="20") as old, plus as new:
        quick = {stream: replace(each, write_settle=0.5) for stream, each in SHOPIFY.writes.items()}
        platforms = {
            "woocommerce": replace(WOOCOMMERCE, source=lambda _: old.source()),
            "shopify": replace(
                SHOPIFY,
                writes=quick,
                source=lambda _: new.source(),
                target=lambda _: new.target(),
            ),
        }
        monkeypatch.setattr(registry, "connectors", lambda: platforms)
        keys = {"consumer_key": "ck_practice", "consumer_secret": "cs_practice"}
        await bench.place("source", "woocommerce", old.url, **keys)
        await bench.place("target", "shopify", new.url, access_token=TOKEN)
        # Their time stands still: a cutover would wait for ever for the source to settle.
        async with bench.resources.engine.begin() as connection:
            await connection.execute(text("""UPDATE migrations SET policies = '{"settle": 0}'"""))
        yield Move(bench, old, new)


def changes(shop: ShopifyShop) -> list[str]:
    """Documents that changed the store, but for those that only make sure of definitions."""
    texts = [each["query"] for each in shop.requests if each.get("query")]
    return [text for text in texts if text.startswith("mutation")]


async def test_a_selling_shop_arrives_whole(move: Move) -> None:
    await move.old.control("POST", "seed", {"scale": 0.0015})
    await move.run("full")
    found = await move.agrees()
    assert min(each.equal for each in found.streams.values()) > 10
    await sell(move.old)
    await move.run("recent")
    await move.agrees()
    await sell_again(move.old)
    await move.run("recent", cutover=True)
    await move.agrees()
    assert sum("THROTTLED" in each.get("errors", ()) for each in move.new.requests) == 0
    move.new.requests.clear()
    await move.run("recent")
    assert changes(move.new) == []
    effects = (await move.new.effects())["entries"]
    assert {each["kind"] for each in effects} == {"stock"}
    assert {each["reason"] for each in effects} == {"correction"}


def statuses(move: Move) -> dict[str, str]:
    """What Shopify shows of each product, by name."""
    table = move.new.store.tables["Product"]
    return {each["title"]: each["status"] for each in table.values()}


async def test_products_that_are_gone_are_archived_on_shopify_and_brought_back(move: Move) -> None:
    goods = {"status": "publish", "regular_price": "5.00"}
    things = [goods | {"name": f"Thing {n}", "sku": f"SKU-{n:02}"} for n in range(30)]
    made = (await move.old.load(product=things))["product"]
    await move.run("full", streams=["products"])
    for number in (4, 17):
        await move.old.edit(op="hard_delete", kind="product", id=made[number])
    await move.run("full", streams=["products"])
    archived = [name for name, each in statuses(move).items() if each == "ARCHIVED"]
    assert archived == ["Thing 4", "Thing 17"]
    removals = await move.bench.rows("SELECT id FROM removals")
    undo = {"only": "undo", "ids": [str(each["id"]) for each in removals]}
    await move.run("recent", streams=["products"], options=undo)
    assert set(statuses(move).values()) == {"ACTIVE"}


async def in_scope(move: Move, *streams: Stream) -> None:
    """Which streams the migration brings over from now on."""
    async with move.bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE migrations SET streams = :streams"), {"streams": list(streams)}
        )


async def test_orders_that_came_before_everything_else_are_given_their_customers(
    move: Move,
) -> None:
    """A line that is there cannot be given its product: that is told, once, and nothing is lost."""
    await move.old.control("POST", "seed", {"scale": 0.0005})
    await in_scope(move, Stream.ORDERS)
    await move.run("full")
    orders = move.new.store.tables["Order"].values()
    assert {each["_customer"] for each in orders} == {None}
    before = {each["_n"]: [*each["_lines"]] for each in orders}
    await in_scope(move, *Stream)
    await move.run("recent", since="2000-01-01T00:00:00Z")
    await move.agrees()
    assert {each["_n"]: each["_lines"] for each in orders} == before
    assert any(each["_customer"] for each in orders)
    links = await move.bench.rows("SELECT losses FROM links WHERE stream = 'orders'")
    assert any("lines" in (each["losses"] or ()) for each in links)
    move.new.requests.clear()
    await move.run("recent")
    assert changes(move.new) == []
    kinds = {each["kind"] for each in (await move.new.effects())["entries"]}
    assert kinds == {"stock"}
