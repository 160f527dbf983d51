"""The real shop: what is loaded, and what its replay does."""

import asyncio
import re
from decimal import Decimal

import pytest

from sandbox import seed, shop
from sandbox.data import compact

SMALL = 0.01


@pytest.fixture
async def stocked(open_shop):
    """A store with a hundredth of the shop's orders and all they refer to."""
    keeper = open_shop()
    keeper.counts = await keeper.control("POST", "seed", {"scale": SMALL})
    return keeper


async def everything(keeper, path, **query):
    found, page = [], 1
    while batch := await keeper.items(path, per_page=100, page=page, orderby="id", **query):
        found += batch
        page += 1
    return found


def test_the_data_is_the_shop_it_should_be():
    history = shop.load()
    before = history.snapshot(seed.AS_OF)
    orders = [invoice for invoice in before if not invoice.cancellation]
    after = history.events(seed.AS_OF, 15)
    assert len(orders) == 18_642
    assert len([invoice for invoice in after if not invoice.cancellation]) == 1_317
    assert sum(invoice.cancellation for invoice in after) == 210
    assert 4_200 < len({invoice.customer for invoice in orders if invoice.customer}) < 4_300
    codes = [article.code for article in history.articles]
    assert len({code.lower() for code in codes}) == len(codes)


def test_compacting_drops_write_offs_and_links_cancellations():
    head = "InvoiceNo StockCode Description Quantity InvoiceDate UnitPrice CustomerID Country"
    rows = [
        ("1", "10001a", "MUG", "6", "2010-12-01T08:26:00", "2.55", "17", "France"),
        ("1", "10002", "CUP", "-6", "2010-12-01T08:26:00", "2.55", "17", "France"),
        ("2", "10001A", "MUG", "2", "2010-12-01T09:00:00", "0", "17", "France"),
        ("A3", "B", "Bad debt", "1", "2010-12-01T09:10:00", "9", "", "France"),
        ("C4", "10001A", "MUG", "-2", "2010-12-02T08:00:00", "2.55", "17", "France"),
    ]
    table = [dict(zip(head.split(), row, strict=True)) for row in rows]
    names = compact.defaultdict(compact.Counter)
    invoices = compact.read(table, names)
    compact.link_cancellations(invoices)
    assert [(each.number, each.cancellation, each.cancels) for each in invoices] == [
        (1, False, -1),
        (4, True, 0),
    ]
    assert invoices[0].lines == [compact.Line("10001A", 6, 255)]


async def test_a_scaled_shop_holds_what_its_orders_refer_to(stocked):
    orders = await everything(stocked, "orders")
    assert 120 < stocked.counts["orders"] < 260
    customers = {person["id"] for person in await everything(stocked, "customers", role="all")}
    products = {product["id"] for product in await everything(stocked, "products")}
    assert {order["customer_id"] for order in orders} <= {0, *customers}
    assert {line["product_id"] for order in orders for line in order["line_items"]} <= {
        0,
        *products,
    }


async def test_totals_are_the_sums_of_lines(stocked):
    kinds = ("line_items", "shipping_lines", "fee_lines")
    for order in await everything(stocked, "orders"):
        worth = sum(Decimal(line["total"]) for kind in kinds for line in order[kind])
        assert Decimal(order["total"]) == worth + Decimal(order["total_tax"])
        for line in order["line_items"]:
            assert abs(line["price"] * line["quantity"] - float(line["total"])) < 0.01


async def test_seeded_and_created_orders_have_the_same_fields(stocked):
    seeded = (await stocked.items("orders", per_page=1, status="completed"))[0]
    line = {"product_id": seeded["line_items"][0]["product_id"]}
    made = await stocked.make("orders", line_items=[line])
    assert set(made) == set(seeded)
    assert set(made["line_items"][0]) == set(seeded["line_items"][0])


async def test_seeding_mails_nobody_and_moves_no_stock(stocked):
    records = await stocked.control("GET", "records")
    assert (records["mails"], records["stock_movements"]) == ({}, {})


async def test_the_same_seed_gives_the_same_shop(stocked, open_shop):
    twin = open_shop()
    await twin.control("POST", "seed", {"scale": SMALL})
    assert await everything(twin, "orders") == await everything(stocked, "orders")


async def test_emails_are_nobodys(stocked):
    for person in await everything(stocked, "customers", role="all"):
        assert re.search(r"@example\.(com|net|org)$", person["email"])


async def test_a_shop_is_seeded_once(stocked):
    answer = await stocked.http.post("/_control/seed", json={"scale": SMALL})
    assert answer.status_code == 409


async def test_some_orders_are_of_guests_and_some_refunded(open_shop):
    keeper = open_shop(tax_rate="20")
    await keeper.control("POST", "seed", {"scale": 0.05})
    orders = await everything(keeper, "orders")
    guests = sum(order["customer_id"] == 0 for order in orders) / len(orders)
    assert 0.12 < guests < 0.28
    statuses = {order["status"] for order in orders}
    assert {"completed", "refunded", "cancelled"} <= statuses
    for order in orders:
        refunded = -sum(Decimal(entry["total"]) for entry in order["refunds"])
        if order["status"] == "refunded":
            assert refunded == Decimal(order["total"])
        else:
            assert refunded < Decimal(order["total"]) or not order["refunds"]


async def replayed(keeper, **options):
    await keeper.control("POST", "replay", {"seconds": 0.05, "scale": 0.03, **options})
    await keeper.app.control.replay._task
    return await keeper.control("GET", "replay")


async def test_a_replay_does_what_the_shop_did(stocked):
    before = len(await everything(stocked, "orders"))
    state = await replayed(stocked)
    assert state["status"] == "finished"
    assert state["done"] == state["total"] > 0
    assert state["errors"] == 0
    assert state["orders_created"] > 10
    assert state["half_written"] > 0
    assert state["prices_changed"] > 0
    assert state["categories_renamed"] == 1
    assert len(await everything(stocked, "orders")) == before + state["orders_created"]


async def test_a_replay_leaves_no_order_half_written(stocked):
    await replayed(stocked)
    fresh = await stocked.items("orders", after="2025-11-01T00:00:00", per_page=100)
    assert fresh
    kinds = ("line_items", "shipping_lines", "fee_lines")
    assert all(any(order[kind] for kind in kinds) for order in fresh)


async def test_the_shops_own_side_effects_are_told_apart(stocked):
    await replayed(stocked)
    records = await stocked.control("GET", "records")
    assert set(records["mails"]) == {"replay"}
    assert set(records["stock_movements"]) == {"replay"}
    await stocked.make("customers", email="a@example.com")
    assert (await stocked.control("GET", "records"))["mails"]["api"] == 1


async def test_a_freeze_finishes_half_written_orders_and_stops(stocked):
    await stocked.control("POST", "replay", {"seconds": 30, "scale": 0.2})
    state = await stocked.control("POST", "replay/freeze")
    assert state["status"] == "frozen"
    counts = (await stocked.control("GET", "records"))["writes"]
    await asyncio.sleep(0.2)
    assert (await stocked.control("GET", "records"))["writes"] == counts


async def test_a_replay_can_be_stopped_and_only_one_runs(stocked):
    await stocked.control("POST", "replay", {"seconds": 30, "scale": 0.1})
    again = await stocked.http.post("/_control/replay", json={"seconds": 1})
    assert again.status_code == 409
    assert (await stocked.control("POST", "replay/stop"))["status"] == "stopped"


async def test_an_unseeded_store_cannot_replay(open_shop):
    answer = await open_shop().http.post("/_control/replay", json={})
    assert answer.status_code == 409
