"""Orders of another shop on Shopify: as they were, once, and without anybody noticing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Applied, Operation, Refused, Uncertain
from connectors.comparable import Names, comparable
from connectors.records import (
    Discount,
    FeeLine,
    Order,
    OrderLine,
    RefundLine,
    ShippingLine,
    Stream,
    Tax,
)
from connectors.shopify import CONNECTOR
from connectors.shopify.api import Document
from connectors.shopify.bodies_orders import order_body
from connectors.testing.contents import LONG_AGO, customer, gbp, line, order, product, refund
from connectors.testing.operations import applied, operations
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts

LOST = {loss.field for loss in CONNECTOR.writes[Stream.ORDERS].losses}


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


async def write(shop: ShopifyShop, *contents: Order, **values: Any) -> list[Any]:
    async with shop.target() as target:
        return await target.write(
            Stream.ORDERS, operations(Stream.ORDERS, list(contents), **values)
        )


async def written(shop: ShopifyShop, content: Order, **values: Any) -> Order:
    [outcome] = await write(shop, content, **values)
    assert isinstance(outcome, Applied), outcome
    assert isinstance(outcome.content, Order)
    return outcome.content


def taken_back() -> RefundLine:
    """One piece of the first line of the first order."""
    return RefundLine(line="11", quantity=1, total=gbp("2.55"), tax=gbp("0"))


def differing(left: Order, right: Order) -> set[str]:
    """Names of fields that do not compare equal, without those that are declared as lost."""
    ours, theirs = comparable(left, Names()), comparable(right, Names())
    return {name for name in ours if ours[name] != theirs[name]} - LOST


def taxed(content: Order) -> Order:
    lines = (
        line(
            1,
            quantity=3,
            total=gbp("10"),
            subtotal=gbp("12"),
            tax=gbp("2"),
            subtotal_tax=gbp("2.4"),
        ),
        line(
            2,
            quantity=7,
            total=gbp("9.99"),
            subtotal=gbp("9.99"),
            tax=gbp("2"),
            subtotal_tax=gbp("2"),
        ),
    )
    shipping = ShippingLine(id="3", title="Post", method="post", total=gbp("5"), tax=gbp("1"))
    return replace(
        content,
        lines=lines,
        shipping_lines=(shipping,),
        shipping_total=gbp("5"),
        fees=(FeeLine(id="4", name="Wrapping", total=gbp("2.5"), tax=gbp("0.5")),),
        taxes=(Tax(label="VAT", rate=Decimal(20), amount=gbp("4.5"), shipping_amount=gbp("1")),),
        discounts=(Discount(code="WELCOME", amount=gbp("2")),),
        tax_total=gbp("5.5"),
        total=gbp("32.99"),
    )


async def test_an_order_keeps_all_that_is_not_declared_as_lost(shop: ShopifyShop):
    content = taxed(order(1))
    shown = await written(shop, content)
    assert differing(content, shown) == set()
    assert (shown.number, shown.created_at, shown.completed_at) == (
        content.number,
        LONG_AGO,
        LONG_AGO,
    )
    assert (shown.total, shown.tax_total) == (gbp("32.99"), gbp("5.5"))


async def test_totals_that_no_price_of_one_piece_gives_are_exact(shop: ShopifyShop):
    """10.00 for three pieces: two at 3.33 and one at 3.34, read as one line again."""
    odd = line(1, quantity=3, total=gbp("10"), subtotal=gbp("10"))
    content = replace(order(1), lines=(odd,), total=gbp("16.70"))
    shown = await written(shop, content)
    [only] = shown.lines
    assert (only.quantity, only.total) == (3, gbp("10"))
    assert shown.total == gbp("16.7")


@pytest.mark.parametrize(
    "status",
    ["pending", "processing", "completed", "on_hold", "failed", "cancelled", "refunded", "packed"],
)
async def test_every_status_is_read_as_it_was(shop: ShopifyShop, status: str):
    paid = status in ("processing", "completed", "refunded", "cancelled")
    content = order(
        1,
        status=status,
        paid_at=LONG_AGO if paid else None,
        completed_at=LONG_AGO if status == "completed" else None,
        refunds=(refund(5, "37.30"),) if status == "refunded" else (),
    )
    shown = await written(shop, content)
    assert shown.status == status
    assert differing(content, shown) == set()


async def test_a_kept_status_gives_way_to_what_happens_on_the_target(shop: ShopifyShop):
    content = order(1, status="on_hold", paid_at=None, completed_at=None)
    [made] = await write(shop, content)
    document = "mutation($i:OrderMarkAsPaidInput!){orderMarkAsPaid(input:$i){order{id}}}"
    async with shop.api() as api:
        given = {"i": {"id": f"gid://shopify/Order/{made.target_id}"}}
        await api.ask(Document(document), dict[str, Any], given)
    async with shop.source() as source:
        found = await source.get(Stream.ORDERS, [made.target_id])
    assert found[made.target_id].content.status == "processing"  # type: ignore[union-attr]


async def test_nobody_hears_of_it_and_no_stock_moves(shop: ShopifyShop):
    contents = [
        order(1, refunds=(refund(5, "2.55", taken_back()),)),
        order(2, status="cancelled"),
        order(3, status="processing", completed_at=None),
    ]
    await write(shop, *contents)
    assert (await shop.effects())["counts"] == {}


async def test_the_address_of_an_order_does_not_become_its_customers(shop: ShopifyShop):
    """Shopify says that an order's address overwrites the default one of its customer."""
    async with shop.target() as target:
        people = await target.write(Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [customer(1)]))
        person = applied(people)["1"].target_id
        before = await target.get(Stream.CUSTOMERS, [person])
        away = replace(customer(1).billing, line1="Far away")
        content = order(1, customer=person, billing=away, shipping=away)
        [made] = await target.write(Stream.ORDERS, operations(Stream.ORDERS, [content]))
        assert await target.get(Stream.CUSTOMERS, [person]) == before
    assert isinstance(made, Applied)
    assert made.content.customer == person  # type: ignore[union-attr]


async def test_lines_name_their_products_and_variants(shop: ShopifyShop):
    async with shop.target() as target:
        sent = operations(Stream.PRODUCTS, [product(1)])
        goods = applied(await target.write(Stream.PRODUCTS, sent))["1"]
        content = replace(order(1), lines=(line(1, product=goods.target_id),), total=gbp("22.00"))
        [made] = await target.write(Stream.ORDERS, operations(Stream.ORDERS, [content]))
    assert isinstance(made, Applied)
    [only] = made.content.lines  # type: ignore[union-attr]
    assert (only.product, only.variant, only.name) == (goods.target_id, None, "Mug 1")


async def test_an_order_without_goods_is_one(shop: ShopifyShop):
    content = replace(order(1), lines=(), fees=(), total=gbp("4.20"))
    shown = await written(shop, content)
    assert shown.lines == ()
    assert differing(content, shown) == set()


async def test_a_refund_is_made_once_however_often_it_is_sent(shop: ShopifyShop):
    given = refund(5, "2.55", taken_back())
    content = order(1, refunds=(given,))
    [made] = await write(shop, content)
    for _ in range(2):
        again = await written(shop, content, target_id=made.target_id)
        assert [each.amount for each in again.refunds] == [gbp("2.55")]
        assert [part.line for each in again.refunds for part in each.lines] == [again.lines[0].id]


async def test_what_a_broken_off_write_left_undone_is_done_by_the_next(shop: ShopifyShop):
    """The order is there, its refund is not: the same order sent again gets it."""
    content = order(1, refunds=(refund(5, "2.55"),), status="cancelled")
    [create] = operations(Stream.ORDERS, [content])
    async with shop.target() as target:
        await target.mute({})
        bare = replace(create, content=replace(content, refunds=(), status="processing"))
        made = applied(await target.write(Stream.ORDERS, [bare]))["1"]
        found = await target.find(Stream.ORDERS, [create])
        assert found["1"].target_id == made.target_id
        whole = replace(create, target_id=made.target_id, children=found["1"].children)
        done = applied(await target.write(Stream.ORDERS, [whole]))["1"]
    assert done.content.status == "cancelled"  # type: ignore[union-attr]
    assert len(done.content.refunds) == 1  # type: ignore[union-attr]


async def test_a_failure_after_the_order_was_made_is_uncertain(shop: ShopifyShop):
    content = order(1, refunds=(refund(5, "2.55"),))
    async with shop.target() as target:
        await target.mute({})
        await shop.faults(timeout_before=None)
        sent = operations(Stream.ORDERS, [content])
        made = applied(await target.write(Stream.ORDERS, sent))["1"]
        more = replace(content, refunds=(*content.refunds, refund(6, "1.00")))
        update = replace(sent[0], content=more, target_id=made.target_id)
        await shop.faults(timeout_before={"times": 50, "mutations": True})
        [outcome] = await target.write(Stream.ORDERS, [update])
    assert isinstance(outcome, Uncertain)
    assert outcome.running


async def test_payment_and_dispatch_that_come_later_reach_the_order(shop: ShopifyShop):
    content = order(1, status="pending", paid_at=None, completed_at=None)
    [made] = await write(shop, content)
    later = replace(content, status="completed", paid_at=LONG_AGO)
    changed = frozenset({"status", "paid_at"})
    shown = await written(shop, later, target_id=made.target_id, changed=changed)
    assert shown.status == "completed"
    assert shown.paid_at is not None
    assert not (await shop.effects())["counts"].get("mail")


async def test_attributes_that_the_team_added_stay(shop: ShopifyShop):
    content = order(1, status="on_hold", paid_at=None, completed_at=None)
    [made] = await write(shop, content)
    gid = f"gid://shopify/Order/{made.target_id}"
    document = Document("mutation($i:OrderInput!){orderUpdate(input:$i){order{id}}}")
    team = {"key": "Packed by", "value": "Ann"}
    async with shop.api() as api:
        await api.ask(document, dict[str, Any], {"i": {"id": gid, "customAttributes": [team]}})
    later = replace(content, status="packed")
    shown = await written(shop, later, target_id=made.target_id, changed=frozenset({"status"}))
    assert shown.status == "packed"
    assert shown.extra["attributes"] == {"Packed by": "Ann"}


async def test_lines_that_changed_on_the_source_are_told_of(shop: ShopifyShop):
    content = order(1)
    [made] = await write(shop, content)
    more = replace(content, lines=(*content.lines, line(99)), total=gbp("52.60"))
    [outcome] = await write(
        shop, more, target_id=made.target_id, changed=frozenset({"lines", "total"})
    )
    assert isinstance(outcome, Refused)
    assert outcome.code == "order_fixed"


async def test_a_development_store_is_not_pressed_for_more_than_it_takes():
    """Five new orders a minute: the sixth is to be sent later, not refused."""
    async with shopify_shop(orders_a_minute=5) as shop:
        sent = operations(Stream.ORDERS, [order(each) for each in range(1, 8)])
        async with shop.target() as target:
            outcomes = await target.write(Stream.ORDERS, sent)
            late = [each for each in outcomes if isinstance(each, Uncertain)]
            assert len(late) == 2
            assert not any(each.running for each in late)
            shop.now[0] += 61
            again = [each for each in sent if each.source_id in {e.source_id for e in late}]
            assert len(applied(await target.write(Stream.ORDERS, again))) == 2
        assert len(shop.store.tables["Order"]) == 7


async def test_a_second_order_of_the_same_key_is_refused_by_the_store(shop: ShopifyShop):
    await write(shop, order(1))
    [outcome] = await write(shop, order(1))
    assert isinstance(outcome, Refused)
    assert len(shop.store.tables["Order"]) == 1


def test_a_line_of_no_pieces_is_left_to_the_store_to_refuse():
    nothing = OrderLine(
        id="1",
        name="A",
        quantity=0,
        total=gbp("0"),
        subtotal=gbp("0"),
        tax=gbp("0"),
        subtotal_tax=gbp("0"),
    )
    sent = Operation(source_id="1", key="m1:orders:1", content=replace(order(1), lines=(nothing,)))
    body = order_body(sent, sent.content, {})  # type: ignore[arg-type]
    assert body["lineItems"][0]["quantity"] == 0
