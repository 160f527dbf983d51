"""A migration between two practice stores that have the add-on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors.comparison import compare
from connectors.records import Stream
from connectors.storefront import Storefront
from connectors.woocommerce import CONNECTOR
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench
from tests.engine.practice_stores import Stores, between_practice_stores

GOODS = {"status": "publish", "regular_price": "2.55", "manage_stock": True, "stock_quantity": 9}
ORDER: dict[str, Any] = {
    "status": "completed",
    "number": "A-77",
    "date_created_gmt": "2019-03-04T05:06:07",
    "date_paid_gmt": "2019-03-04T05:07:00",
    "date_completed_gmt": "2019-03-06T08:00:00",
    "discount_total": "2.00",
    "shipping_total": "0.00",
    "cart_tax": "1.62",
    "total_tax": "1.62",
    "total": "19.62",
    "prices_include_tax": True,
    "line_items": [
        {
            "name": "Mug",
            "product_id": 0,
            "quantity": 2,
            "subtotal": "20.00",
            "subtotal_tax": "1.80",
            "total": "18.00",
            "total_tax": "1.62",
            "taxes": [{"id": 7, "total": "1.62", "subtotal": "1.80"}],
            "meta_data": [],
        }
    ],
    "coupon_lines": [{"id": 3, "code": "ten", "discount": "2.00", "discount_tax": "0.18"}],
    "tax_lines": [
        {
            "id": 4,
            "rate_code": "US-CA-TAX-1",
            "rate_id": 7,
            "label": "CA Tax",
            "compound": False,
            "tax_total": "1.62",
            "shipping_tax_total": "0.00",
            "rate_percent": 9.0,
            "meta_data": [],
        }
    ],
}


@pytest.fixture
async def stores(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    async with between_practice_stores(bench, monkeypatch, addon=True, tax_rate="20") as opened:
        yield opened


async def removals(stores: Stores) -> list[tuple[str, str]]:
    rows = await stores.bench.rows("SELECT source_id, status FROM removals ORDER BY at")
    return [(each["source_id"], each["status"]) for each in rows]


async def test_orders_of_long_ago_are_equal_on_a_shop_with_other_taxes(stores: Stores):
    """Nothing of what the add-on keeps is left out of the comparison."""
    await stores.old.load(order=[ORDER])
    await stores.run("full")
    losses = {stream: each.losses_in(addon=True) for stream, each in CONNECTOR.writes.items()}
    assert {each.field for each in losses[Stream.ORDERS]} == {"fulfilments"}
    async with stores.old.source() as source, stores.new.source() as target:
        found = await compare(source, target, [Stream.ORDERS], losses)
    assert found.agrees
    assert found.streams[Stream.ORDERS].compared == 1
    there = await stores.only(stores.new, "orders")
    assert (there["number"], there["date_created_gmt"]) == ("A-77", "2019-03-04T05:06:07")
    effects = await stores.new.effects()
    assert (effects["mails"], effects["stock_movements"]) == ({}, {})
    assert not stores.new.requests("PUT", "settings")


async def test_what_the_feed_calls_deleted_is_removed_by_a_window(stores: Stores):
    goods = [GOODS | {"name": f"Mug {n}", "sku": f"MUG-{n}"} for n in range(5)]
    ids = (await stores.old.load(product=goods))["product"]
    await stores.run("full")
    await stores.old.admin("DELETE", f"products/{ids[1]}?force=true")
    row = await stores.run()
    assert row["passes"]["products"]["mode"] == "window"
    assert await removals(stores) == [(str(ids[1]), "done")]
    found = await stores.all(stores.new, "products")
    assert [each["status"] for each in found] == [
        "publish",
        "draft",
        "publish",
        "publish",
        "publish",
    ]
    stores.new.asked.clear()
    await stores.run()
    assert await removals(stores) == [(str(ids[1]), "done")]


async def test_many_that_the_feed_calls_deleted_trip_the_brake(stores: Stores):
    goods = [GOODS | {"name": f"Mug {n}", "sku": f"MUG-{n}"} for n in range(12)]
    ids = (await stores.old.load(product=goods))["product"]
    await stores.run("full")
    for each in ids[:9]:
        await stores.old.admin("DELETE", f"products/{each}?force=true")
    stores.wait(60)
    row = await stores.bench.run("recent")
    assert row["error"]["code"] == "deletion_brake"
    assert {status for _, status in await removals(stores)} == {"held"}


async def test_a_lying_feed_removes_nothing(stores: Stores):
    [mug] = (await stores.old.load(product=[GOODS | {"name": "Mug", "sku": "MUG"}]))["product"]
    await stores.run("full")
    # Somebody restored the shop's records, not the feed.
    stores.old.store.feed.deleted("product", mug, 0)
    await stores.run()
    assert await removals(stores) == []


async def test_a_window_brings_what_moved_no_date(stores: Stores):
    await stores.run("full")
    old = {"date_created_gmt": "2020-01-02T03:04:05"}
    await stores.old.admin("POST", "products", GOODS | {"name": "Mug", "sku": "MUG"} | old)
    row = await stores.run()
    assert row["passes"]["products"]["mode"] == "window"
    assert (await stores.only(stores.new, "products"))["sku"] == "MUG"


async def test_a_window_brings_a_refund_that_was_deleted(stores: Stores):
    [sold] = (await stores.old.load(order=[ORDER]))["order"]
    body = {"amount": "3.00", "reason": "Broken", "api_refund": False}
    await stores.old.admin("POST", f"orders/{sold}/refunds", body)
    await stores.run("full")
    [refund] = (await stores.only(stores.new, "orders"))["refunds"]
    assert refund["total"] == "-3.00"
    stores.wait(500)
    await stores.run()
    [gone] = (await stores.only(stores.old, "orders"))["refunds"]
    await stores.old.admin("DELETE", f"orders/{sold}/refunds/{gone['id']}?force=true")
    row = await stores.run()
    assert row["passes"]["orders"]["mode"] == "window"
    assert (await stores.only(stores.new, "orders"))["refunds"] == []


async def test_an_order_of_a_run_without_the_add_on_becomes_exact(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """The fee that held its taxes goes, and the taxes are themselves."""
    async with between_practice_stores(bench, monkeypatch, tax_rate="20") as stores:
        await stores.old.load(order=[ORDER])
        await stores.run("full")
        before = await stores.only(stores.new, "orders")
        assert [each["name"] for each in before["fee_lines"]] == ["Tax"]
        _give_addon(stores)
        here = await stores.only(stores.old, "orders")
        stores.old.store.save("order", stores.old.store.read("order", here["id"]) | CHANGED)
        await stores.run()
        after = await stores.only(stores.new, "orders")
    assert after["id"] == before["id"]
    assert (after["fee_lines"], after["total"], after["total_tax"]) == ([], "29.62", "1.62")


CHANGED = {"total": "29.62", "shipping_total": "10.00"}


def _give_addon(stores: Stores) -> None:
    for shop in (stores.old, stores.new):
        shop.app.install_addon()


async def test_a_job_that_relied_on_the_add_on_writes_nothing_without_it(stores: Stores):
    """Mails are on: somebody took the plugin away while the job ran."""
    await stores.old.load(customer=[{"email": "ann@example.test", "username": "ann"}])
    job = await stores.bench.start("full")
    for _ in range(20):
        if await stores.bench.rows("SELECT 1 FROM slices WHERE kind = 'read'"):
            break
        await stores.bench.turn()
    stores.new.app.install_addon(there=False)
    row = await stores.bench.finish(job)
    assert row["error"]["code"] == "addon_gone"
    effects = await stores.new.effects()
    assert (effects["mails"], effects["writes"].get("api", {})) == ({}, {})
    await stores.run("full")
    assert (await stores.only(stores.new, "customers"))["email"] == "ann@example.test"
    assert (await stores.new.effects())["mails"] == {}


# --- redirects of old paths ---------------------------------------------------------------------

OWN = "from,to\n/shop/mug.html,/product/mug-3/\n/sale/,/shop/mug.html\n"


async def pushed(bench: Bench, csv: str = OWN) -> dict[str, str]:
    """What became of redirects that people add, by path. A third push has nothing left to do."""
    async with api_of(bench) as api:
        answer = await api.post("/redirects/own", json={"csv": csv})
        assert answer.status_code == 200, answer.text
        found: dict[str, str] = {}
        for _ in range(3):
            answer = await api.post("/redirects/push", json={"again": True})
            assert answer.status_code == 200, answer.text
            found |= {each["path"]: each["state"] for each in answer.json()["items"]}
    assert answer.json()["left"] == 0
    return found


async def test_redirects_are_pushed_to_a_shop_with_the_add_on(stores: Stores):
    goods = {"name": "Mug", "slug": "mug-3", "status": "publish", "regular_price": "1"}
    await stores.old.load(product=[goods])
    await stores.run("full")
    assert await pushed(stores.bench) == {"/shop/mug.html": "made", "/sale/": "made"}
    transport = httpx.ASGITransport(stores.new.app)
    async with Storefront(stores.new.url, transport=transport) as pages:
        for path in ("/shop/mug.html", "/sale"):
            found = await pages.visit(path)
            assert (len(found.hops), found.found) == (1, True)
            assert found.url.endswith("/product/mug-3/")


async def test_a_shop_without_the_add_on_takes_no_redirects_and_says_why(stores: Stores):
    stores.new.app.install_addon(there=False)
    async with api_of(stores.bench) as api:
        await api.post("/redirects/own", json={"csv": OWN})
        answer = await api.post("/redirects/push", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "redirects_not_taken")
    assert "addon_missing" in answer.json()["detail"]
