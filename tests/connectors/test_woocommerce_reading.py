"""What WooCommerce does to readers, and what its readers may rely on nevertheless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Sweep, Window
from connectors.errors import BadAnswer, SignInAgain, StoreError
from connectors.records import InventoryLevel, Order, Product, Record, Stream, money
from connectors.testing.sweeps import ids_of, read
from tests.connectors.practice import Instead, Practice, practice

MUG = {"name": "Mug", "quantity": 2, "subtotal": "5.10", "total": "5.10"}


async def test_windows_are_asked_for_in_the_only_form_that_is_right_everywhere(shop: Practice):
    since = datetime(2026, 3, 29, 0, 59, 59, 900_000, tzinfo=UTC)
    async with shop.source() as source:
        await read(source, Stream.ORDERS, Window(since, since))
    query = shop.requests("GET", "/orders")[0].query
    assert query["modified_after"] == "2026-03-29T00:59:58"
    assert query["dates_are_gmt"] == "true"
    assert query["orderby"] == "id"
    assert "modified_before" not in query
    assert "page" not in query


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Kolkata"])
async def test_a_window_holds_the_same_records_in_every_time_zone(zone: str):
    async with practice(timezone=zone) as shop:
        old = datetime.fromtimestamp(shop.now[0] - 600, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        made = await shop.load(
            product=[
                {"name": "old", "date_modified_gmt": old},
                {"name": "new"},
            ]
        )
        async with shop.source() as source:
            now = await source.server_time()
            seen = await read(source, Stream.PRODUCTS, Window(now - timedelta(minutes=5), now))
        assert ids_of(seen) == {str(made["product"][1])}


async def test_orders_in_the_trash_are_read_and_carts_are_not(shop: Practice):
    made = await shop.load(
        order=[
            {"status": "completed"},
            {"status": "checkout-draft"},
            {"status": "trash"},
            {"status": "on-hold"},
        ]
    )
    async with shop.source() as source:
        records = await read(source, Stream.ORDERS, Sweep())
        assert await source.count(Stream.ORDERS, Sweep()) == 3
    statuses = {record.id: record.content.status for record in records}
    done, _, binned, held = map(str, made["order"])
    assert statuses == {done: "completed", binned: "trashed", held: "on_hold"}


async def test_products_of_every_status_are_read_the_trash_as_archived(shop: Practice):
    made = await shop.load(
        product=[
            {"name": each, "status": each} for each in ("publish", "draft", "private", "trash")
        ]
    )
    async with shop.source() as source:
        records = await read(source, Stream.PRODUCTS, Sweep())
    statuses = [record.content.status for record in records]
    assert len(records) == len(made["product"])
    assert statuses == ["published", "draft", "private", "archived"]


async def test_customers_of_every_role_are_read(shop: Practice):
    await shop.load(customer=[{"email": "boss@example.test", "role": "shop_manager"}])
    async with shop.source() as source:
        records = await read(source, Stream.CUSTOMERS, Sweep())
    assert {"shop_manager", "administrator"} <= {record.content.role for record in records}


async def test_a_customer_without_a_date_of_change_has_no_stamp(shop: Practice):
    made = await shop.load(customer=[{"email": "ann@example.test"}])
    [ann] = made["customer"]
    await shop.edit(op="set_modified", kind="customer", id=ann, gmt=None)
    async with shop.source() as source:
        [record] = (await source.get(Stream.CUSTOMERS, [str(ann)])).values()
    assert record.stamp is None


async def test_a_filter_that_is_ignored_shows_in_the_count_of_outsiders(shop: Practice):
    old = datetime.fromtimestamp(shop.now[0] - 600, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    await shop.load(product=[{"name": str(each), "date_modified_gmt": old} for each in range(3)])
    source = shop.source()
    plain = source._api.list

    async def deaf(path, query, row):
        return await plain(path, {k: v for k, v in query.items() if k != "modified_after"}, row)

    source._api.list = deaf
    async with source:
        now = await source.server_time()
        window = Window(now - timedelta(minutes=5), now)
        pages = [page async for page in source.read(Stream.PRODUCTS, window, {}, None)]
    assert sum(page.outside for page in pages) == 3
    assert sum(len(page.records) for page in pages) == 3


async def test_sales_figures_stock_and_dates_are_not_a_products_content(shop: Practice):
    made = await shop.load(product=[{"name": "Mug", "sku": "MUG", "regular_price": "2.55"}])
    [mug] = made["product"]
    async with shop.source() as source:
        before = (await source.get(Stream.PRODUCTS, [str(mug)]))[str(mug)]
        shop.now[0] += 50
        await shop.edit(
            op="patch",
            id=mug,
            fields={"total_sales": 9, "stock_quantity": 3, "average_rating": "4.5"},
        )
        await shop.edit(op="bump", kind="product", id=mug)
        after = (await source.get(Stream.PRODUCTS, [str(mug)]))[str(mug)]
    assert after.stamp > before.stamp
    assert after.content == before.content


async def test_a_product_comes_with_all_its_variations(shop: Practice):
    parent = await shop.admin(
        "POST",
        "products",
        {
            "name": "Shirt",
            "type": "variable",
            "attributes": [{"name": "Size", "variation": True, "options": ["S", "M"]}],
        },
    )
    for size, price in (("S", "9.95"), ("M", "10.95")):
        body = {
            "sku": f"SHIRT-{size}",
            "regular_price": price,
            "attributes": [{"name": "Size", "option": size}],
            "manage_stock": True,
            "stock_quantity": 4,
        }
        await shop.admin("POST", f"products/{parent['id']}/variations", body)
    async with shop.source() as source:
        [record] = await read(source, Stream.PRODUCTS, Sweep())
        levels = await read(source, Stream.INVENTORY, Sweep())
        some = await source.get(Stream.INVENTORY, [levels[0].id])
    content = record.content
    assert isinstance(content, Product)
    assert [variant.sku for variant in content.variants] == ["SHIRT-S", "SHIRT-M"]
    assert content.variants[1].regular_price == money("10.95", "GBP")
    assert content.regular_price is None
    assert {level.id for level in levels} == {
        f"{record.id}:{variant.id}" for variant in content.variants
    }
    assert all(
        isinstance(level.content, InventoryLevel) and level.content.quantity == Decimal(4)
        for level in levels
    )
    assert some == {levels[0].id: levels[0]}


async def test_an_order_comes_with_its_refunds(shop: Practice):
    order = await shop.admin(
        "POST", "orders", {"status": "completed", "line_items": [{**MUG, "product_id": 0}]}
    )
    await shop.admin(
        "POST",
        f"orders/{order['id']}/refunds",
        {
            "amount": "2.55",
            "reason": "Broken",
            "api_refund": False,
            "line_items": [
                {"id": order["line_items"][0]["id"], "quantity": 1, "refund_total": "2.55"}
            ],
        },
    )
    async with shop.source() as source:
        [record] = await read(source, Stream.ORDERS, Sweep())
    content = record.content
    assert isinstance(content, Order)
    [refund] = content.refunds
    assert (refund.amount, refund.reason) == (money("2.55", "GBP"), "Broken")
    [line] = refund.lines
    assert line.line == content.lines[0].id
    assert (line.quantity, line.total) == (1, money("2.55", "GBP"))


async def refunded_orders(shop: Practice, count: int) -> list[dict[str, Any]]:
    orders = []
    for number in range(count):
        order = await shop.admin(
            "POST", "orders", {"status": "completed", "line_items": [{**MUG, "product_id": 0}]}
        )
        for amount in ("0.50", "0.25")[: 1 + number % 2]:
            back = {"amount": amount, "api_refund": False}
            await shop.admin("POST", f"orders/{order['id']}/refunds", back)
        orders.append(order)
    return orders


def amounts(records: list[Record]) -> list[list[str]]:
    return [
        [str(refund.amount.amount) for refund in record.content.refunds]
        for record in records
        if isinstance(record.content, Order)
    ]


async def test_the_refunds_of_a_page_of_orders_come_in_one_request(shop: Practice):
    await refunded_orders(shop, 4)
    shop.asked.clear()
    async with shop.source() as source:
        records = await read(source, Stream.ORDERS, Sweep())
    assert amounts(records) == [["0.5"], ["0.5", "0.25"]] * 2
    assert len(shop.requests("GET", "/refunds")) == 1


@pytest.mark.parametrize("listed", [[], None], ids=["list-is-incomplete", "woocommerce-8"])
async def test_refunds_that_the_list_across_orders_lacks_are_asked_of_the_order(
    shop: Practice, listed
):
    await refunded_orders(shop, 2)
    shop.asked.clear()
    unknown = {"code": "rest_no_route", "message": "No route", "data": {"status": 404}}
    shop.instead.append(
        Instead("GET", "/wc/v3/refunds", 200, listed)
        if listed is not None
        else Instead("GET", "/wc/v3/refunds", 404, unknown)
    )
    async with shop.source() as source:
        records = await read(source, Stream.ORDERS, Sweep())
    assert amounts(records) == [["0.5"], ["0.5", "0.25"]]
    assert len(shop.requests("GET", "/refunds")) == 3


async def test_an_order_that_is_half_written_is_read_as_it_stands_and_whole_later(shop: Practice):
    await shop.faults(torn_reads={"seconds": 1.0, "probability": 1.0})
    await shop.admin(
        "POST", "orders", {"status": "completed", "line_items": [{**MUG, "product_id": 0}]}
    )
    async with shop.source() as source:
        [torn] = await read(source, Stream.ORDERS, Sweep())
        shop.now[0] += 2
        [whole] = await read(source, Stream.ORDERS, Sweep())
    assert (torn.content.status, torn.content.lines) == ("pending", ())
    assert whole.content.status == "completed"
    assert len(whole.content.lines) == 1
    assert torn.stamp == whole.stamp


async def test_unreadable_and_short_pages_hide_no_other_record(shop: Practice):
    made = await shop.load(order=[{"status": "completed"} for _ in range(60)])
    await shop.faults(unreadable={"share": 0.15}, short_pages={"probability": 0.3})
    readable = {str(each) for each in made["order"] if not shop.store.faults.unreadable(each)}
    assert readable < {str(each) for each in made["order"]}
    async with shop.source(page_size=7) as source:
        assert ids_of(await read(source, Stream.ORDERS, Sweep())) == readable


async def test_records_that_cannot_be_understood_are_named_and_spoil_no_page(shop: Practice):
    made = await shop.load(
        order=[{"status": "completed", "total": "1.00"}, {"status": "completed", "total": "x"}]
    )
    good, bad = map(str, made["order"])
    await shop.edit(op="patch", kind="order", id=int(good), fields={"total": 1.5})
    async with shop.source() as source:
        pages = [page async for page in source.read(Stream.ORDERS, Sweep(), {}, None)]
        records = [record for page in pages for record in page.records]
        failed = [each for page in pages for each in page.failed]
        assert [record.id for record in records] == [good]
        assert records[0].content.total == money("1.5", "GBP")
        assert [each for each, _ in failed] == [bad]
        with pytest.raises(BadAnswer):
            await source.get(Stream.ORDERS, [bad])


async def test_what_no_list_shows_is_asked_for_alone_before_it_counts_as_gone(shop: Practice):
    made = await shop.load(order=[{"status": "wc-shipped"}])
    [hidden] = map(str, made["order"])
    async with shop.source() as source:
        assert await read(source, Stream.ORDERS, Sweep()) == []
        found = await source.get(Stream.ORDERS, [hidden, "4711", "no number"])
    assert set(found) == {hidden}


async def test_many_records_are_split_into_parts_that_are_read_from_their_own_place(
    shop: Practice,
):
    made = await shop.load(product=[{"name": f"p{each}", "sku": f"{each}"} for each in range(50)])
    async with shop.source(page_size=5) as source:
        parts = await source.split(Stream.PRODUCTS, Sweep(), 4)
        assert len(parts) == 4
        for gone in made["product"][:20:2]:
            await shop.edit(op="hard_delete", kind="product", id=gone)
        seen = [
            record.id
            for part in parts
            for record in await read(source, Stream.PRODUCTS, Sweep(), part)
        ]
    assert len(seen) == len(set(seen))
    assert set(seen) == {str(each) for each in made["product"]} - {
        str(each) for each in made["product"][:20:2]
    }


async def test_a_small_extent_is_one_part(shop: Practice):
    await shop.load(product=[{"name": "p"} for _ in range(9)])
    async with shop.source(page_size=5) as source:
        assert await source.split(Stream.PRODUCTS, Sweep(), 8) == [{}]


async def test_requests_over_plain_http_are_signed_and_show_no_secret(shop: Practice):
    seen = []
    async with shop.source() as source:
        client = source._api.http._client
        client.event_hooks = {"request": [remember(seen)]}
        await source.server_time()
    [request] = seen
    assert request.url.params["oauth_signature_method"] == "HMAC-SHA256"
    assert "authorization" not in request.headers
    assert "cs_practice" not in str(request.url)


def remember(seen: list):
    async def note(request) -> None:
        seen.append(request)

    return note


async def test_a_wrong_key_is_told_from_an_empty_store(shop: Practice):
    source = type(shop.source())(shop.access(key="ck_wrong"), shop.api(key="ck_wrong"))
    async with source:
        with pytest.raises(SignInAgain):
            await source.count(Stream.ORDERS, Sweep())


async def test_the_currency_of_prices_is_asked_for_once_or_taken_from_the_settings(
    shop: Practice,
):
    await shop.load(product=[{"name": "p", "regular_price": "3.00"} for _ in range(12)])
    async with shop.source(page_size=5) as source:
        records = await read(source, Stream.PRODUCTS, Sweep())
    assert records[0].content.regular_price == money("3", "GBP")
    assert len(shop.requests("GET", "/settings")) == 1
    async with shop.source(currency="JPY") as source:
        records = await read(source, Stream.PRODUCTS, Sweep())
    assert records[0].content.regular_price == money("3", "JPY")


async def test_every_failure_is_a_store_error(shop: Practice):
    await shop.faults(error_before={"probability": 1.0, "status": 500})
    async with shop.source() as source:
        for stream in Stream:
            with pytest.raises(StoreError):
                await read(source, stream, Sweep())


async def test_a_record_that_nobody_can_read_does_not_end_the_feed():
    """The add-on's feed names it once more, among others that no list shows."""
    async with practice(addon=True) as shop:
        line = {"name": "Cloth", "product_id": 0, "quantity": 1, "total": "3.00"}
        orders = [
            await shop.admin("POST", "orders", {"line_items": [line], "status": "completed"})
            for _ in range(2)
        ]
        strange, plain = orders
        by_metre = [{**each, "quantity": 1.5} for each in strange["line_items"]]
        await shop.edit(op="patch", kind="order", id=strange["id"], fields={"line_items": by_metre})
        async with shop.source() as source:
            now = await source.server_time()
            window = Window(now - timedelta(minutes=5), now)
            pages = [page async for page in source.read(Stream.ORDERS, window, {}, None)]
    assert pages[-1].resume is None
    assert {record.id for page in pages for record in page.records} == {str(plain["id"])}
    assert {each for page in pages for each in page.failed} == {
        (str(strange["id"]), "a quantity is not whole")
    }
