"""A practice shop moves to a real WooCommerce with the add-on, while it sells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import to_json
from connectors import registry
from connectors.base import Connector
from connectors.comparison import Comparison, compare
from connectors.records import Stream
from connectors.woocommerce import CONNECTOR
from tests.connectors.practice import Practice, practice
from tests.engine.conftest import Bench
from tests.engine.shop import FakeCredentials, FakeSettings
from tests.engine.test_addon_practice import ORDER, pushed
from tests.woocommerce_addon.shops import RealShop
from tests.woocommerce_addon.site import Site, what_is_missing

COUNT = 24
STATUSES = ("completed", "processing", "on-hold", "pending", "cancelled", "failed", "refunded")
LOSSES = {stream: each.losses_in(addon=True) for stream, each in CONNECTOR.writes.items()}


@dataclass
class Move:
    """A migration from a practice shop to a real one."""

    bench: Bench
    old: Practice
    new: RealShop
    site: Site

    async def run(self, kind: str, **params: Any) -> None:
        self.old.now[0] += 60
        row = await self.bench.run(kind, **params)
        assert (row["status"], row["error"]) == ("succeeded", None)

    async def compared(self) -> Comparison:
        async with self.old.source() as source, self.new.source() as target:
            return await compare(source, target, list(Stream), LOSSES)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    missing = what_is_missing()
    if missing:
        pytest.skip(f"no real shop: {missing}")
    with Site(tmp_path_factory.mktemp("s")) as opened:
        yield opened


@pytest.fixture
async def move(bench: Bench, site: Site, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Move]:
    new = RealShop(site, 1)
    async with practice(addon=True, currency="USD", tax_rate="9") as old:
        platform = Connector(
            name="fake",
            title="Practice",
            settings=FakeSettings,
            credentials=FakeCredentials,
            reads=CONNECTOR.reads,
            writes={
                stream: replace(each, write_settle=0.5) for stream, each in CONNECTOR.writes.items()
            },
            source=lambda _: old.source(),
            target=lambda _: new.target(),
        )
        monkeypatch.setattr(registry, "connectors", lambda: {"fake": platform})
        # The old shop's time stands still: a cutover would wait for ever for it to settle.
        async with bench.resources.engine.begin() as connection:
            policies = to_json({"settle": 0})
            await connection.execute(
                text("UPDATE migrations SET policies = CAST(:policies AS jsonb)"),
                {"policies": policies},
            )
        yield Move(bench, old, new, site)


async def test_a_selling_shop_arrives_record_by_record(move: Move):
    """Nothing is missing, wrong or doubled, and nobody on the new side hears of it."""
    products = await _fill(move.old)
    move.site.forget_mails()
    await move.run("full")
    await _sell(move.old, products)
    await move.run("recent")
    await move.run("recent", cutover=True)
    found = await move.compared()
    assert {
        stream: (each.missing, each.wrong, each.doubled) for stream, each in found.streams.items()
    } == dict.fromkeys(Stream, (0, 0, 0)), [
        (pair.source_id, pair.fields)
        for each in found.streams.values()
        for pair in each.wrong_pairs
    ]
    assert found.streams[Stream.ORDERS].compared == COUNT + 1
    assert move.site.mails == []


async def test_redirects_are_pushed_and_lead_visitors_on(move: Move):
    """Also before WordPress guesses by the beginning of a slug."""
    async with move.new.api() as api:
        body = {"name": "Mug", "slug": "mug-3", "regular_price": "10"}
        await api.send("POST", "products", body, Any)
    own = "from,to\n/shop/mug.html,/product/mug-3/\n/product/mu/,/product/mug-3/?size=2\n"
    assert await pushed(move.bench, own) == {"/shop/mug.html": "made", "/product/mu/": "made"}
    for path, query in (("/shop/mug.html", ""), ("/product/mu", "?size=2")):
        found = await move.new.visit(path)
        assert (len(found.hops), found.status) == (1, 200)
        assert found.url.endswith(f"/product/mug-3/{query}")


async def _fill(old: Practice) -> list[int]:
    """A small shop: orders of long ago, with taxes, coupons, customers and products."""
    [first] = await old.admin("GET", "products/categories")
    goods = [
        {
            "name": f"Mug {n}",
            "sku": f"MUG-{n}",
            "categories": [{name: first[name] for name in ("id", "name", "slug")}],
            "status": "publish",
            "price": "10.00",
            "regular_price": "10.00",
            "manage_stock": True,
            "stock_quantity": 40 + n,
            "date_created_gmt": "2019-01-02T03:04:05",
        }
        for n in range(8)
    ]
    people = [{"email": f"c{n}@example.test", "username": f"c{n}"} for n in range(5)]
    made = await old.load(product=goods, customer=people)
    orders = [
        ORDER
        | {
            "number": f"A-{n}",
            "status": STATUSES[n % len(STATUSES)],
            "currency": "USD",
            "customer_id": made["customer"][n % 5],
            "billing": {"first_name": "Ann", "email": f"c{n % 5}@example.test", "country": "GB"},
            "line_items": [ORDER["line_items"][0] | {"product_id": made["product"][n % 8]}],
        }
        for n in range(COUNT)
    ]
    await old.load(order=orders)
    return made["product"]


async def _sell(old: Practice, products: list[int]) -> None:
    """A sale with a refund, and a product that is taken out of the shop."""
    body = {
        "status": "processing",
        "line_items": [{"product_id": products[0], "quantity": 2}],
        "billing": {"first_name": "Ann", "email": "ann@example.test", "country": "GB"},
    }
    sold = await old.admin("POST", "orders", body)
    back = {"amount": "1.00", "reason": "Late", "api_refund": False, "api_restock": False}
    await old.admin("POST", f"orders/{sold['id']}/refunds", back)
    await old.admin("PUT", f"orders/{sold['id']}", {"status": "completed"})
    await old.admin("PUT", f"products/{products[1]}", {"regular_price": "11.00"})
