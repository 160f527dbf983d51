"""What the add-on promises, shown on a practice store and on real WooCommerce shops alike."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Applied, Operation, Window
from connectors.errors import SignInAgain
from connectors.records import (
    Discount,
    FeeLine,
    Money,
    Order,
    OrderLine,
    Product,
    Refund,
    RefundLine,
    ShippingLine,
    Stream,
    Tax,
    Transaction,
    money,
)
from connectors.testing.contents import HOME, category, customer, product, variant
from connectors.testing.operations import applied, refused
from connectors.woocommerce.api import Api, RefusedRequest
from connectors.woocommerce.wire import WireId
from tests.woocommerce_addon.shops import RealShop, Shop

SOLD = datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC)
GROUPS = (
    *("number", "status", "currency", "total", "tax_total", "shipping_total", "discount_total"),
    *("prices_include_tax", "customer", "email", "billing", "shipping", "discounts"),
    *("transactions", "note", "created_at", "paid_at", "completed_at"),
)


def usd(amount: str) -> Money:
    return money(amount, "USD")


def old_order(number: int, **values: Any) -> Order:
    """An order that this shop would reckon otherwise: other rates, a coupon, dates of long ago."""
    fields: dict[str, Any] = {
        "number": f"A-{number}",
        "status": "completed",
        "currency": "USD",
        "total": usd("27.41"),
        "tax_total": usd("2.41"),
        "shipping_total": usd("5.00"),
        "discount_total": usd("2.00"),
        "prices_include_tax": True,
        "email": "ann@example.test",
        "billing": replace(HOME, email="ann@example.test", country="US", state="CA"),
        "shipping": replace(HOME, phone="", country="US", state="CA"),
        "lines": (
            OrderLine(
                id="11",
                name="A mug & more",
                quantity=2,
                total=usd("18.00"),
                subtotal=usd("20.00"),
                tax=usd("1.66"),
                subtotal_tax=usd("1.85"),
                extra={"meta": {"color": "red"}},
            ),
        ),
        "shipping_lines": (
            ShippingLine(
                id="12", title="Post", method="flat_rate", total=usd("5.00"), tax=usd("0.56")
            ),
        ),
        "fees": (FeeLine(id="13", name="Wrapping", total=usd("2.00"), tax=usd("0.19")),),
        "discounts": (Discount(code="TEN", amount=usd("2.00"), tax=usd("0.19")),),
        "taxes": (
            Tax(
                label="State",
                code="US-CA-STATE-1",
                rate=None,
                amount=usd("1.45"),
                shipping_amount=usd("0.46"),
            ),
            Tax(
                label="County",
                code="US-CA-COUNTY-2",
                rate=None,
                amount=usd("0.40"),
                shipping_amount=usd("0.10"),
                compound=True,
            ),
        ),
        "transactions": (Transaction(gateway="stripe", title="Card", reference=f"ch_{number}"),),
        "note": "Leave it at the door",
        "created_at": SOLD,
        "paid_at": SOLD + timedelta(minutes=1),
        "completed_at": SOLD + timedelta(days=2),
    } | values
    return Order(**fields)


def back(*lines: RefundLine, amount: str = "9.83", name: str = "91") -> Refund:
    day = SOLD + timedelta(days=30)
    return Refund(id=name, amount=usd(amount), reason="Broken", lines=lines, created_at=day)


HALF = RefundLine(line="11", quantity=1, total=usd("9.00"), tax=usd("0.83"))


def operation(shop: Shop, content: Any, number: int = 1, stream: Stream = Stream.ORDERS) -> Any:
    name = f"{shop.number}{number}"
    return Operation(source_id=name, key=f"m{shop.number}:{stream}:{name}", content=content)


def update(first: Operation, made: Applied, content: Order, *fields: str) -> Operation:
    return replace(
        first,
        content=content,
        target_id=made.target_id,
        children=made.children,
        changed=frozenset(fields) or None,
    )


async def write(shop: Shop, *sent: Operation, stream: Stream = Stream.ORDERS) -> dict[str, Applied]:
    async with shop.target() as target:
        return applied(await target.write(stream, sent))


async def shown(shop: Shop, target_id: str) -> Order:
    async with shop.source() as source:
        content = (await source.get(Stream.ORDERS, [target_id]))[target_id].content
    assert isinstance(content, Order)
    return content


def kept(content: Order) -> dict[str, Any]:
    """What of an order two shops should show alike, ids aside."""
    found = {name: getattr(content, name) for name in GROUPS}
    found["discounts"] = [(each.code.lower(), each.amount, each.tax) for each in content.discounts]
    found["transactions"] = [
        (each.gateway, each.title, each.reference) for each in content.transactions
    ]
    found["taxes"] = [
        (each.label, each.code, each.amount, each.shipping_amount, each.compound)
        for each in content.taxes
    ]
    found["lines"] = [
        (each.name, each.quantity, each.total, each.subtotal, each.tax, each.subtotal_tax)
        for each in content.lines
    ]
    found["others"] = [(each.total, each.tax) for each in (*content.shipping_lines, *content.fees)]
    found["refunds"] = [(each.amount, each.reason, each.created_at) for each in content.refunds]
    return found


# --- orders -------------------------------------------------------------------------------------


async def test_an_order_is_kept_exactly(shop: Shop):
    sent = old_order(shop.number, refunds=(back(HALF),))
    [made] = (await write(shop, operation(shop, sent))).values()
    assert made.losses == ()
    assert kept(await shown(shop, made.target_id)) == kept(sent)
    assert set(made.children) == {"11", "shipping:12", "fee:13", "refund:91"}


async def test_a_refund_names_its_part(shop: Shop):
    [made] = (await write(shop, operation(shop, old_order(1, refunds=(back(HALF),))))).values()
    found = await shown(shop, made.target_id)
    [refunded] = found.refunds
    [part] = refunded.lines
    assert (part.line, part.quantity) == (found.lines[0].id, 1)
    assert (part.total, part.tax) == (usd("9.00"), usd("0.83"))


async def test_a_discount_that_was_a_fee_goes_back_with_the_goods(shop: Shop):
    fee = FeeLine(id="13", name="Goodwill", total=usd("-2.00"), tax=usd("-0.19"))
    whole = RefundLine(line="11", quantity=2, total=usd("18.00"), tax=usd("1.66"))
    discount = RefundLine(line="fee:13", quantity=0, total=usd("-2.00"), tax=usd("-0.19"))
    sent = old_order(
        1,
        fees=(fee,),
        total=usd("23.03"),
        tax_total=usd("2.03"),
        refunds=(back(whole, discount, amount="17.47"),),
    )
    [made] = (await write(shop, operation(shop, sent))).values()
    found = await shown(shop, made.target_id)
    [refunded] = found.refunds
    assert [(each.total, each.tax) for each in refunded.lines] == [
        (usd("18.00"), usd("1.66")),
        (usd("-2.00"), usd("-0.19")),
    ]
    assert refunded.amount == usd("17.47")


@pytest.mark.parametrize(
    "status", ["pending", "processing", "on_hold", "completed", "cancelled", "failed", "refunded"]
)
async def test_no_status_has_consequences(shop: Shop, status: str):
    async with shop.api() as api:
        mug = await _mug(api, shop, 1)
        await shop.mails()
        line = replace(old_order(1).lines[0], product=str(mug))
        sent = old_order(shop.number, status=status, lines=(line,))
        first = operation(shop, sent)
        [made] = (await write(shop, first)).values()
        for later in ("processing", "cancelled", status):
            changed = update(first, made, replace(sent, status=later), "status")
            [made] = (await write(shop, changed)).values()
            assert made.losses == ()
        found = await api.get(f"products/{mug}", dict[str, Any])
    assert found["stock_quantity"] == 50
    assert await shop.mails() == 0
    after = await shown(shop, made.target_id)
    assert (after.status, after.paid_at, after.refunds) == (status, sent.paid_at, ())


async def _mug(api: Api, shop: Shop, number: int, **values: Any) -> int:
    body = {"name": "Mug", "sku": f"MUG-{shop.number}-{number}", "regular_price": "10"}
    body |= {"manage_stock": True, "stock_quantity": 50} | values
    made = await api.send("POST", "products", body, dict[str, Any])
    return int(made["id"])


async def test_a_later_cancellation_gives_back_what_was_sold(shop: Shop):
    async with shop.api() as api:
        mug = await _mug(api, shop, 1)
        line = replace(old_order(1).lines[0], product=str(mug))
        sent = old_order(1, status="processing", lines=(line,), refunds=(back(HALF),))
        [made] = (await write(shop, operation(shop, sent))).values()
        await api.send("PUT", f"orders/{made.target_id}", {"status": "cancelled"}, dict[str, Any])
        found = await api.get(f"products/{mug}", dict[str, Any])
    assert found["stock_quantity"] == 51


async def test_an_order_that_is_sent_again_is_the_same_one(shop: Shop):
    sent = operation(shop, old_order(1, refunds=(back(HALF),)))
    [first] = (await write(shop, sent)).values()
    [again] = (await write(shop, sent)).values()
    assert (again.target_id, again.children) == (first.target_id, first.children)
    assert kept(await shown(shop, first.target_id)) == kept(sent.content)


async def test_one_key_at_once_makes_one_order(shop: Shop):
    sent = operation(shop, old_order(1))
    answers = await asyncio.gather(*[write(shop, sent) for _ in range(4)])
    assert len({made.target_id for answer in answers for made in answer.values()}) == 1


async def test_only_what_changed_is_written(shop: Shop):
    sent = old_order(1)
    first = operation(shop, sent)
    [made] = (await write(shop, first)).values()
    async with shop.api() as api:
        await api.send("PUT", f"orders/{made.target_id}", {"customer_note": "Ring"}, Any)
    later = replace(sent, note="never sent", transactions=(), paid_at=SOLD + timedelta(days=1))
    await write(shop, update(first, made, later, "paid_at"))
    found = await shown(shop, made.target_id)
    assert (found.note, found.paid_at) == ("Ring", later.paid_at)
    assert found.lines == (await shown(shop, made.target_id)).lines
    assert found.total == sent.total


async def test_parts_that_change_keep_their_ids_and_gone_ones_go(shop: Shop):
    sent = old_order(1)
    first = operation(shop, sent)
    [made] = (await write(shop, first)).values()
    line = replace(sent.lines[0], quantity=3, total=usd("27.00"), tax=usd("2.50"))
    more = replace(line, id="14", name="Another", quantity=1)
    later = replace(sent, lines=(line, more), fees=(), discounts=(), total=usd("60.00"))
    [again] = (await write(shop, update(first, made, later, "lines", "fees", "total"))).values()
    found = await shown(shop, made.target_id)
    assert [(each.name, each.quantity) for each in found.lines] == [
        (line.name, 3),
        ("Another", 1),
    ]
    assert found.lines[0].id == made.children["11"] == again.children["11"]
    assert (found.fees, found.discounts, found.total) == ((), (), usd("60.00"))


async def test_refunds_follow_the_source_and_those_of_others_stay(shop: Shop):
    sent = old_order(1, refunds=(back(HALF),))
    first = operation(shop, sent)
    [made] = (await write(shop, first)).values()
    own = {"amount": "1.00", "reason": "Goodwill", "api_refund": False}
    async with shop.api() as api:
        await api.send("POST", f"orders/{made.target_id}/refunds", own, dict[str, Any])
    later = replace(sent, refunds=(back(amount="3.00", name="92"),))
    [again] = (await write(shop, update(first, made, later, "refunds"))).values()
    found = await shown(shop, made.target_id)
    assert {(each.amount, each.reason) for each in found.refunds} == {
        (usd("3.00"), "Broken"),
        (usd("1.00"), "Goodwill"),
    }
    assert set(again.children) == {"11", "shipping:12", "fee:13", "refund:92"}


async def test_the_trash_and_the_way_back(shop: Shop):
    sent = old_order(1)
    first = operation(shop, sent)
    [made] = (await write(shop, first)).values()
    gone = update(first, made, replace(sent, status="trashed"), "status")
    await write(shop, gone)
    assert (await shown(shop, made.target_id)).status == "trashed"
    await write(shop, update(first, made, sent, "status"))
    assert kept(await shown(shop, made.target_id)) == kept(sent)


async def test_one_refused_order_spoils_no_other(shop: Shop):
    good, bad = old_order(1), old_order(2, customer="999999")
    async with shop.target() as target:
        outcomes = await target.write(
            Stream.ORDERS, [operation(shop, bad, 1), operation(shop, good, 2)]
        )
    [refusal] = refused([each for each in outcomes if not isinstance(each, Applied)]).values()
    assert refusal.code == "unknown_customer"
    [made] = [each for each in outcomes if isinstance(each, Applied)]
    assert (await shown(shop, made.target_id)).number == "A-1"


async def test_an_order_that_is_gone_is_said_to_be_gone(shop: Shop):
    first = operation(shop, old_order(1))
    lost = replace(first, target_id="999999")
    async with shop.target() as target:
        [refusal] = refused(await target.write(Stream.ORDERS, [lost])).values()
    assert refusal.gone


async def test_a_line_outlives_its_product(shop: Shop):
    line = replace(old_order(1).lines[0], product="999999")
    [made] = (await write(shop, operation(shop, old_order(1, lines=(line,))))).values()
    found = await shown(shop, made.target_id)
    assert [(each.name, each.product) for each in found.lines] == [(line.name, None)]
    assert [each.field for each in made.losses] == ["lines"]


async def test_people_find_an_order_by_its_old_number(shop: Shop):
    if not isinstance(shop, RealShop):
        pytest.skip("the practice store does not search for numbers")
    number = f"OLD/{shop.number}/77"
    sent = operation(shop, replace(old_order(1), number=number))
    [made] = (await write(shop, sent)).values()
    async with shop.api() as api:
        found = await api.list("orders", {"search": number}, WireId)
    assert [str(each.id) for each in found.rows] == [made.target_id]


# --- silence ------------------------------------------------------------------------------------


async def test_only_marked_requests_are_silent(shop: Shop):
    body = {"email": f"loud.{shop.number}@example.test", "username": f"loud{shop.number}"}
    quiet = {"email": f"quiet.{shop.number}@example.test", "username": f"quiet{shop.number}"}
    await shop.mails()
    async with shop.api(imports=True) as api:
        await api.send("POST", "customers", quiet, dict[str, Any])
    assert await shop.mails() == 0
    async with shop.api() as api:
        await api.send("POST", "customers", body, dict[str, Any])
    assert await shop.mails() == 1


async def test_a_marked_order_over_the_rest_api_takes_no_stock(shop: Shop):
    async with shop.api() as plain, shop.api(imports=True) as api:
        mug = await _mug(plain, shop, 1)
        await shop.mails()
        lines = [{"product_id": mug, "quantity": 3}]
        body = {"status": "processing", "line_items": lines}
        made = await api.send("POST", "orders", body, dict[str, Any])
        await api.send("PUT", f"orders/{made['id']}", {"status": "completed"}, dict[str, Any])
        quiet = await plain.get(f"products/{mug}", dict[str, Any])
        await plain.send("POST", "orders", body, dict[str, Any])
        loud = await plain.get(f"products/{mug}", dict[str, Any])
    assert (quiet["stock_quantity"], loud["stock_quantity"]) == (50, 47)
    assert await shop.mails() >= 1


async def test_webhooks_hear_of_other_peoples_orders_alone(shop: Shop):
    hook = {"name": "n", "topic": "order.created", "delivery_url": "http://127.0.0.1:9/"}
    async with shop.api() as api:
        await api.send("POST", "webhooks", hook | {"status": "active"}, dict[str, Any])
        before = await shop.deliveries()
        await write(shop, operation(shop, old_order(1)))
        assert await shop.deliveries() == before
        await api.send("POST", "orders", {"status": "pending"}, dict[str, Any])
        assert await shop.deliveries() > before


async def test_nothing_has_to_be_turned_off_for_others(shop: Shop):
    async with shop.target() as target:
        before = await target.loud()
        await target.mute(before)
    assert before["mails"] == {}


async def test_without_the_mark_no_order_is_imported(shop: Shop):
    body = {"orders": [{"key": "m:orders:1"}]}
    async with shop.api() as api:
        with pytest.raises(RefusedRequest) as caught:
            await api.below("/wp-json/recent-sync/v1/").send("POST", "orders", body, Any)
    assert caught.value.platform_code == "recent_sync_not_silent"


# --- look-up ------------------------------------------------------------------------------------


async def test_every_record_is_found_by_its_key(shop: Shop):
    number = shop.number
    records: dict[Stream, Any] = {
        Stream.CATEGORIES: category(number),
        Stream.PRODUCTS: product(
            number, sku="", kind="variable", variants=(variant(number, "S"), variant(number, "M"))
        ),
        Stream.CUSTOMERS: customer(number),
        Stream.ORDERS: old_order(number, refunds=(back(HALF),)),
    }
    for stream, content in records.items():
        sent = operation(shop, content, stream=stream)
        [made] = (await write(shop, sent, stream=stream)).values()
        other = replace(operation(shop, _renamed(content)), source_id="7", key="m0:none:7")
        async with shop.target() as target:
            # A key finds a record whatever it is called now.
            asked = [replace(sent, content=_renamed(content)), other]
            found = await target.find(stream, asked)
        assert {name: (each.target_id, each.by) for name, each in found.items()} == {
            sent.source_id: (made.target_id, "key")
        }, stream
        assert dict(found[sent.source_id].children) == dict(made.children), stream


def _renamed(content: Any) -> Any:
    if isinstance(content, Order):
        return content
    if isinstance(content, Product):
        variants = tuple(replace(each, sku=f"NEW-{each.sku}") for each in content.variants)
        return replace(content, name="Another", slug="another", variants=variants)
    if hasattr(content, "email"):
        return replace(content, email="other@example.test")
    return replace(content, name="Another", slug="another")


async def test_a_taken_sku_still_finds_what_has_no_key(shop: Shop):
    async with shop.api() as api, shop.target() as target:
        mug = await _mug(api, shop, 1)
        asked = operation(shop, product(1, sku=f"MUG-{shop.number}-1"), stream=Stream.PRODUCTS)
        found = await target.find(Stream.PRODUCTS, [asked])
    assert [(each.target_id, each.by) for each in found.values()] == [(str(mug), "sku")]


# --- the feed -----------------------------------------------------------------------------------


async def window(shop: Shop, stream: Stream) -> tuple[set[str], frozenset[str]]:
    """What a window over the last hour holds: ids of records, and of what was deleted."""
    async with shop.source() as source:
        now = await source.server_time()
        extent = Window(since=now - timedelta(hours=1), until=now)
        pages = [page async for page in source.read(stream, extent, {}, None)]
        deleted = await source.deleted(stream, extent.since)
    assert pages[-1].resume is None
    return {record.id for page in pages for record in page.records}, deleted


async def test_stock_written_past_woocommerce_is_in_the_window(shop: Shop):
    async with shop.api() as api:
        # A product with a date in the past carries it as its date of change.
        past = {"date_created_gmt": "2020-01-02T03:04:05"}
        mug = await _mug(api, shop, 1, **past)
        await shop.write_stock(mug, 3)
    records, _ = await window(shop, Stream.PRODUCTS)
    assert str(mug) in records


async def test_what_was_deleted_is_named(shop: Shop):
    async with shop.api() as api:
        mug, cup = await _mug(api, shop, 1), await _mug(api, shop, 2)
        made = await api.send("POST", "orders", {"status": "pending"}, dict[str, Any])
        await api.delete(f"products/{mug}", force=True)
        await api.delete(f"orders/{made['id']}", force=True)
    records, gone = await window(shop, Stream.PRODUCTS)
    assert str(mug) in gone
    assert str(cup) in records - gone
    assert str(made["id"]) in (await window(shop, Stream.ORDERS))[1]


async def test_a_deleted_refund_brings_its_order(shop: Shop):
    [made] = (await write(shop, operation(shop, old_order(1, refunds=(back(HALF),))))).values()
    number = int(made.target_id)
    refund = made.children["refund:91"]
    async with shop.api() as api:
        feed = api.below("/wp-json/recent-sync/v1/")
        query: dict[str, Any] = {"kind": "order", "since": "2020-01-01T00:00:00"}
        before = await feed.get("changes", dict[str, Any], query)
        last = before["changes"][-1]["seq"]
        await api.delete(f"orders/{number}/refunds/{refund}", force=True)
        after = await feed.get("changes", dict[str, Any], query | {"after": last})
    assert [(each["id"], each["event"]) for each in after["changes"]] == [(number, "changed")]


async def test_variations_speak_for_their_product(shop: Shop):
    shirt = product(shop.number, kind="variable", variants=(variant(shop.number, "S"),))
    sent = operation(shop, shirt, stream=Stream.PRODUCTS)
    [made] = (await write(shop, sent, stream=Stream.PRODUCTS)).values()
    [child] = [target for name, target in made.children.items()]
    async with shop.api() as api:
        feed = api.below("/wp-json/recent-sync/v1/")
        query: dict[str, Any] = {"kind": "product", "since": "2020-01-01T00:00:00"}
        before = (await feed.get("changes", dict[str, Any], query))["changes"][-1]["seq"]
        await api.delete(f"products/{made.target_id}/variations/{child}", force=True)
        after = await feed.get("changes", dict[str, Any], query | {"after": before})
    assert {(each["id"], each["event"]) for each in after["changes"]} == {
        (int(made.target_id), "changed")
    }


async def test_the_feed_comes_in_pages_and_from_a_time(shop: Shop):
    async with shop.api() as api:
        mugs = [await _mug(api, shop, each) for each in range(3)]
        feed = api.below("/wp-json/recent-sync/v1/")
        query: dict[str, Any] = {"kind": "product", "since": "2020-01-01T00:00:00", "limit": 2}
        seen: list[dict[str, Any]] = []
        more = True
        for _ in range(100):
            after = seen[-1]["seq"] if seen else 0
            page = await feed.get("changes", dict[str, Any], query | {"after": after})
            seen += page["changes"]
            more = page["more"]
            if not more:
                break
        later = await feed.get("changes", dict[str, Any], query | {"since": "2100-01-01T00:00:00"})
    numbers = [each["seq"] for each in seen]
    assert not more
    assert numbers == sorted(set(numbers))
    assert set(mugs) <= {each["id"] for each in seen}
    assert later["changes"] == []


# --- who may ------------------------------------------------------------------------------------


async def test_a_check_tells_that_it_is_there(shop: Shop):
    async with shop.source() as source, shop.target() as target:
        for report in (await source.check(), await target.check()):
            assert report.addon == "1.1.0"
            assert not [code for code, _ in report.findings if code.startswith("addon")]


async def test_strangers_are_refused(shop: Shop):
    async with shop.api(key="ck_wrong" if not isinstance(shop, RealShop) else "wrong") as api:
        with pytest.raises(SignInAgain):
            await api.below("/wp-json/recent-sync/v1/").get("status", dict[str, Any])
