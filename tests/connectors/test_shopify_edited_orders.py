"""Orders that staff edited: they arrive with what was sold, and their lines come to their totals.

The schema does not say whether Shopify notes a removal as a refund without money or leaves it out
of an order's totals. Every test that removes something is run with both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Sweep
from connectors.records import Order, Stream
from connectors.shopify.documents_writing import REFUND_ORDER
from connectors.shopify.edited import as_sold, worth
from connectors.shopify.mapping_orders import order as mapped
from connectors.shopify.pairing import pair_order
from connectors.shopify.wire import Nodes, WireAmount, WireBag, WireId
from connectors.shopify.wire_orders import (
    WireAllocation,
    WireDiscountApplication,
    WireFee,
    WireFulfilment,
    WireLine,
    WireOrder,
    WireRefund,
    WireRefundedLine,
    WireShippedLine,
    WireShippingLine,
    WireTax,
)
from connectors.testing.contents import order
from connectors.testing.sweeps import read
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts

BULK = {"bulk": "RecentSync_0123456789abcdef"}
both = pytest.mark.parametrize("noted", [True, False], ids=["noted", "left out"])


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "GBP"}}


def tax(amount: str) -> dict[str, Any]:
    return {"title": "VAT", "rate": 0.2, "priceSet": money(amount)}


def line(title: str, quantity: int, price: str, vat: str) -> dict[str, Any]:
    return {
        "title": title,
        "quantity": quantity,
        "priceSet": money(price),
        "taxLines": [tax(vat)],
        "requiresShipping": True,
    }


async def sold(shop: ShopifyShop, **more: Any) -> int:
    """A mug for 20 and three pots for 6.67 each, a percentage off, and two ways of sending."""
    given = {
        "lineItems": [line("Mug", 1, "20.00", "3.60"), line("Pot", 3, "6.67", "3.61")],
        "shippingLines": [{"title": "Post", "priceSet": money("4.00"), "taxLines": [tax("0.80")]}],
        "discountCode": {"itemPercentageDiscountCode": {"code": "TEN", "percentage": 10}},
        "transactions": [{"kind": "SALE", "status": "SUCCESS", "amountSet": money("48.02")}],
        **more,
    }
    [made] = (await shop.load(order=[given]))["order"]
    return made


async def edit(shop: ShopifyShop, order: int, *removed: tuple[int, int], **more: Any) -> None:
    """Remove (line, units)."""
    gone = [{"line": place, "quantity": units} for place, units in removed]
    await shop.edit(op="edit", kind="order", id=order, remove=gone, **more)


async def pay_back(shop: ShopifyShop, order: int, amount: str) -> None:
    """Pay money back, for no goods."""
    paid = [{"amount": amount, "kind": "REFUND", "gateway": "manual", "orderId": _gid(order)}]
    given = {"orderId": _gid(order), "transactions": paid}
    async with shop.api() as api:
        await api.ask(REFUND_ORDER, dict[str, Any], {"input": given, "key": f"{order}-{amount}"})


async def give_back(shop: ShopifyShop, order: int, place: int, units: int, amount: str) -> None:
    """Take units back, and pay so much for them."""
    number = shop.store.tables["Order"][order]["_lines"][place]
    item = {"lineItemId": f"gid://shopify/LineItem/{number}", "quantity": units}
    paid = [{"amount": amount, "kind": "REFUND", "gateway": "manual", "orderId": _gid(order)}]
    given = {"orderId": _gid(order), "refundLineItems": [item], "transactions": paid}
    async with shop.api() as api:
        await api.ask(REFUND_ORDER, dict[str, Any], {"input": given, "key": f"{order}-{place}"})


def _gid(order: int) -> str:
    return f"gid://shopify/Order/{order}"


async def arrived(shop: ShopifyShop) -> Order:
    """The only order, which pages, a bulk operation and a direct look show alike."""
    async with shop.source() as source:
        [record] = await read(source, Stream.ORDERS, Sweep())
        assert await read(source, Stream.ORDERS, Sweep(), BULK) == [record]
        assert await source.get(Stream.ORDERS, [record.id]) == {record.id: record}
    assert isinstance(record.content, Order)
    return record.content


def goods(order: Order) -> list[tuple[str, int]]:
    return [(each.name, each.quantity) for each in order.lines]


def sum_of(order: Order) -> Decimal:
    parts = [*order.lines, *order.shipping_lines, *order.fees]
    return sum((each.total.amount + each.tax.amount for each in parts), Decimal(0))


async def test_an_order_that_nobody_edited_is_as_it_was_sold(shop: ShopifyShop):
    await sold(shop)
    order = await arrived(shop)
    assert goods(order) == [("Mug", 1), ("Pot", 3)]
    assert order.total.amount == sum_of(order) == Decimal("48.02")


@both
async def test_a_line_that_an_edit_removed_was_never_sold(shop: ShopifyShop, noted: bool):
    await edit(shop, await sold(shop), (1, 3), noted=noted)
    order = await arrived(shop)
    assert goods(order) == [("Mug", 1)]
    assert (order.total.amount, order.tax_total.amount) == (Decimal("26.40"), Decimal("4.40"))
    assert order.discount_total.amount == Decimal("2.00")
    assert sum_of(order) == order.total.amount
    assert order.refunds == ()


@both
@pytest.mark.parametrize("included", [True, False])
async def test_units_that_an_edit_removed_take_their_share_along(
    shop: ShopifyShop, noted: bool, included: bool
):
    await edit(shop, await sold(shop, taxesIncluded=included), (1, 1), noted=noted)
    order = await arrived(shop)
    assert goods(order) == [("Mug", 1), ("Pot", 2)]
    pot = order.lines[1]
    full = Decimal("13.34") - (pot.tax.amount if included else 0)
    assert pot.total.amount + order.discounts[0].amount.amount - 2 == full
    assert pot.tax.amount in (Decimal("2.40"), Decimal("2.41"))
    assert sum_of(order) == order.total.amount
    assert sum(each.amount.amount + each.shipping_amount.amount for each in order.taxes) == (
        order.tax_total.amount
    )
    assert order.refunds == ()


@pytest.mark.parametrize("included", [True, False])
@pytest.mark.parametrize("price", ["6.67", "9.99", "10.01", "3.35", "0.07"])
async def test_a_share_that_the_store_rounds_otherwise_comes_to_its_totals(
    shop: ShopifyShop, price: str, included: bool
):
    """A third is taken off, and the store rounds what is left; prices and discounts tell apart."""
    code = {"itemPercentageDiscountCode": {"code": "THIRD", "percentage": 33}}
    cups, pots = line("Cup", 4, price, "1.03"), line("Pot", 3, price, "0.00")
    given = {"lineItems": [cups, pots], "discountCode": code, "taxesIncluded": included}
    await edit(shop, await sold(shop, **given), (0, 3), (1, 1), noted=False)
    order = await arrived(shop)
    assert goods(order) == [("Cup", 1), ("Pot", 2)]
    assert sum_of(order) == order.total.amount
    parts = [*order.lines, *order.shipping_lines]
    assert sum(each.tax.amount for each in parts) == order.tax_total.amount


@both
async def test_an_order_of_which_everything_was_removed_bears_no_tax(
    shop: ShopifyShop, noted: bool
):
    await edit(shop, await sold(shop), (0, 1), (1, 3), remove_shipping=True, noted=noted)
    order = await arrived(shop)
    assert (order.lines, order.taxes, order.total.amount) == ((), (), 0)


@both
async def test_a_way_of_sending_that_an_edit_removed_was_never_sold(shop: ShopifyShop, noted: bool):
    await edit(shop, await sold(shop), remove_shipping=True, noted=noted)
    order = await arrived(shop)
    assert order.shipping_lines == ()
    assert order.total.amount == sum_of(order) == Decimal("43.22")


@both
async def test_money_that_is_given_back_after_an_edit_is_a_refund(shop: ShopifyShop, noted: bool):
    number = await sold(shop)
    await edit(shop, number, (1, 2), noted=noted)
    await give_back(shop, number, 0, 1, "21.60")
    order = await arrived(shop)
    assert goods(order) == [("Mug", 1), ("Pot", 1)]
    [refund] = order.refunds
    assert (refund.amount.amount, [each.quantity for each in refund.lines]) == (
        Decimal("21.60"),
        [1],
    )
    assert sum_of(order) == order.total.amount


@both
@pytest.mark.parametrize(
    ("back", "left"),
    [("21.62", []), ("25.62", ["4.00"]), ("5.00", [])],
    ids=["all", "more", "less"],
)
async def test_money_for_what_an_edit_removed_is_no_refund_of_what_was_sold(
    shop: ShopifyShop, noted: bool, back: str, left: list[str]
):
    """48.02 were paid; what is left of the order costs 26.40."""
    number = await sold(shop)
    await edit(shop, number, (1, 3), noted=noted)
    await pay_back(shop, number, back)
    order = await arrived(shop)
    assert order.total.amount == sum_of(order) == Decimal("26.40")
    assert [each.amount.amount for each in order.refunds] == [Decimal(each) for each in left]


async def test_money_given_back_for_nothing_is_a_refund_where_nothing_was_removed(
    shop: ShopifyShop,
):
    number = await sold(shop)
    await edit(shop, number)
    await pay_back(shop, number, "5.00")
    order = await arrived(shop)
    assert [each.amount.amount for each in order.refunds] == [Decimal("5.00")]


@both
@pytest.mark.parametrize("included", [True, False])
async def test_totals_that_count_one_kind_of_removal_alone_are_understood(
    shop: ShopifyShop, noted: bool, included: bool
):
    """Goods that were removed and a removed way of sending need not be counted alike."""
    number = await sold(shop, taxesIncluded=included)
    await edit(shop, number, (1, 3), noted=noted)
    await edit(shop, number, remove_shipping=True, noted=not noted)
    order = await arrived(shop)
    assert (goods(order), order.shipping_lines) == ([("Mug", 1)], ())
    assert order.total.amount == sum_of(order)
    assert order.tax_total.amount == Decimal("3.60")


async def test_goods_given_back_for_nothing_were_sold_where_nobody_edited(shop: ShopifyShop):
    number = await sold(shop)
    await give_back(shop, number, 1, 1, "0.00")
    order = await arrived(shop)
    assert goods(order) == [("Mug", 1), ("Pot", 3)]
    assert [each.quantity for each in order.refunds[0].lines] == [1]


async def test_what_was_sent_is_not_taken_for_removed(shop: ShopifyShop):
    """Shopify's edits leave alone what was sent: it came back, and for nothing."""
    number = await sold(shop, fulfillmentStatus="FULFILLED")
    await give_back(shop, number, 1, 1, "0.00")
    shop.store.tables["Order"][number]["edited"] = True
    order = await arrived(shop)
    assert goods(order) == [("Mug", 1), ("Pot", 3)]
    assert [each.quantity for each in order.refunds[0].lines] == [1]


@both
async def test_an_edited_order_that_is_cancelled_later_keeps_its_goods(
    shop: ShopifyShop, noted: bool
):
    """Of a cancelled order nothing is current any more, and that does not make it empty."""
    number = await sold(shop)
    await edit(shop, number, (1, 3), noted=noted)
    for each in shop.store.tables["Order"][number]["_lines"]:
        held = shop.store.tables["LineItem"][each]
        held["_refunded"] = held["quantity"] - held["_uncounted"]
    shop.store.tables["Order"][number]["cancelledAt"] = "2026-01-02T03:04:05Z"
    order = await arrived(shop)
    assert goods(order) == [("Mug", 1), ("Pot", 3)]


@both
async def test_a_cancelled_order_has_the_ways_of_sending_that_its_total_counts(
    shop: ShopifyShop, noted: bool
):
    number = await sold(shop)
    await edit(shop, number, remove_shipping=True, noted=noted)
    shop.store.tables["Order"][number]["cancelledAt"] = "2026-01-02T03:04:05Z"
    order = await arrived(shop)
    assert order.total.amount == sum_of(order)


def test_a_way_of_sending_that_was_removed_is_no_pair_of_one_that_was_brought_over():
    """Of the target's order, whose team gave it another way."""
    bag = WireBag(WireAmount("4.00"))
    gone = WireShippingLine("Post", bag, id="gid://shopify/ShippingLine/1", is_removed=True)
    kept = WireShippingLine("Courier", bag, id="gid://shopify/ShippingLine/2")
    row = WireOrder("gid://shopify/Order/1", "#1", "GBP", bag, shipping_lines=Nodes([gone, kept]))
    [ours] = order(1).shipping_lines
    assert pair_order(order(1), row) == {f"shipping:{ours.id}": "2"}


def test_what_a_removal_was_worth_is_taken_from_its_note_to_the_cent():
    """A pound off three pieces is no whole number of pennies for one."""

    def bag(amount: str) -> WireBag:
        return WireBag(WireAmount(amount))

    code = WireAllocation(bag("1.00"), WireDiscountApplication(code="ONE"))
    cups = WireLine("gid://shopify/LineItem/1", "Cup", 3, bag("3.00"), current_quantity=2)
    cups.discount_allocations = [code]
    note = WireRefundedLine(1, WireId(cups.id), bag("0.66"), bag("0.00"))
    removal = WireRefund("gid://shopify/Refund/1", bag("0.00"), refund_line_items=Nodes([note]))
    row = WireOrder("gid://shopify/Order/1", "#1", "GBP", bag("2.00"), edited=True)
    row.line_items, row.refunds = Nodes([cups]), [removal]
    sold = as_sold(row)
    assert worth(sold) == Decimal(sold.total_price_set.shop_money.amount) == Decimal("1.34")
    assert sold.refunds == []
    assert (cups.quantity, row.total_price_set) == (3, bag("2.00")), "what was given stays"


@pytest.mark.parametrize("counts", [True, False])
def test_the_tax_of_a_fee_is_not_taken_for_that_of_what_was_removed(counts: bool):
    """A cup for 10 stays and a pot for 5 goes; a fee bears more than half the tax of the pot."""

    def bag(amount: str) -> WireBag:
        return WireBag(WireAmount(amount))

    def vat(amount: str) -> list[WireTax]:
        return [WireTax("VAT", bag(amount))]

    cup = WireLine("gid://shopify/LineItem/1", "Cup", 1, bag("10.00"), current_quantity=1)
    pot = WireLine("gid://shopify/LineItem/2", "Pot", 1, bag("5.00"), current_quantity=0)
    cup.tax_lines, pot.tax_lines = vat("2.00"), vat("1.00")
    fee = WireFee("gid://shopify/AdditionalFee/3", "Import", bag("4.00"), tax_lines=vat("0.80"))
    total, tax = ("22.80", "3.80") if counts else ("16.80", "2.80")
    row = WireOrder("gid://shopify/Order/1", "#1", "GBP", bag(total), edited=True)
    row.line_items, row.additional_fees, row.total_tax_set = Nodes([cup, pot]), [fee], bag(tax)
    kept = as_sold(row)
    assert kept.total_tax_set == bag("2.80")
    assert kept.total_price_set == bag("16.80")


def test_goods_that_came_back_for_nothing_were_sold_though_others_were_removed():
    """Of three cups one was sent and came back, and one of the others was taken out."""

    def bag(amount: str) -> WireBag:
        return WireBag(WireAmount(amount))

    cups = WireLine("gid://shopify/LineItem/1", "Cup", 3, bag("9.00"), current_quantity=1)
    notes = [
        WireRefundedLine(1, WireId(cups.id), bag("3.00"), bag("0.00"), restock_type=kind)
        for kind in ("CANCEL", "RETURN")
    ]
    row = WireOrder("gid://shopify/Order/1", "#1", "GBP", bag("9.00"), edited=True)
    row.line_items = Nodes([cups])
    row.refunds = [
        WireRefund(f"gid://shopify/Refund/{n}", bag("0.00"), refund_line_items=Nodes([each]))
        for n, each in enumerate(notes)
    ]
    sent = WireShippedLine(WireId(cups.id), 1)
    shipment = WireFulfilment("gid://shopify/Fulfillment/1", "SUCCESS")
    shipment.fulfillment_line_items = Nodes([sent])
    row.fulfillments = [shipment]
    kept = as_sold(row)
    assert [each.quantity for each in kept.line_items.nodes] == [2]
    assert [each.id for each in kept.refunds] == ["gid://shopify/Refund/1"]
    assert kept.total_price_set == bag("6.00")


@pytest.mark.parametrize("included", [True, False])
def test_a_fee_holds_its_tax_where_prices_do(included: bool):
    def bag(amount: str) -> WireBag:
        return WireBag(WireAmount(amount))

    cup = WireLine("gid://shopify/LineItem/1", "Cup", 1, bag("12.00"))
    fee = WireFee("gid://shopify/AdditionalFee/3", "Import", bag("6.00"))
    cup.tax_lines, fee.tax_lines = [WireTax("VAT", bag("2.00"))], [WireTax("VAT", bag("1.00"))]
    total = bag("18.00" if included else "21.00")
    row = WireOrder("gid://shopify/Order/1", "#1", "GBP", total, taxes_included=included)
    row.line_items, row.additional_fees, row.total_tax_set = Nodes([cup]), [fee], bag("3.00")
    content = mapped(row).content
    assert isinstance(content, Order)
    assert sum_of(content) == content.total.amount == worth(row)


async def test_money_that_is_reserved_and_not_taken_has_no_time(shop: ShopifyShop) -> None:
    """Targets take a payment with a time for one whose money came."""
    held = {"kind": "AUTHORIZATION", "status": "SUCCESS", "amountSet": money("48.02")}
    await sold(shop, transactions=[held])
    async with shop.source() as source:
        [record] = await read(source, Stream.ORDERS, Sweep())
    content = record.content
    assert isinstance(content, Order)
    assert (content.status, content.paid_at) == ("on_hold", None)
    assert [each.at for each in content.transactions] == [None]
