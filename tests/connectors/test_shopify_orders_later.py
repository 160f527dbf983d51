"""What happens to an order after it was written reaches it on Shopify: once, and in silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Applied, Refused
from connectors.records import Fulfilment, Order, OrderLine, RefundLine, Stream, Transaction
from connectors.testing.contents import LONG_AGO, customer, gbp, line, order, product, refund
from connectors.testing.operations import operations
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


async def write(shop: ShopifyShop, content: Any, **values: Any) -> Any:
    stream = Stream.ORDERS if isinstance(content, Order) else values.pop("stream")
    async with shop.target() as target:
        [outcome] = await target.write(stream, operations(stream, [content], **values))
    return outcome


async def later(shop: ShopifyShop, made: Any, content: Order, *changed: str) -> Any:
    fields = frozenset(changed)
    return await write(shop, content, target_id=made.target_id, changed=fields)


def unpaid(**values: Any) -> Order:
    return order(1, status="pending", paid_at=None, completed_at=None, **values)


def paid(*lines: OrderLine, **values: Any) -> Order:
    content = order(1, status="processing", completed_at=None, **values)
    if not lines:
        return content
    rest = content.total.amount - sum(each.total.amount for each in content.lines)
    total = sum((each.total.amount for each in lines), rest)
    return replace(content, lines=lines, total=gbp(str(total)))


def shipment(number: str, *lines: tuple[str, int], **values: Any) -> Fulfilment:
    fields = {"status": "success", "tracking": number} | values
    return Fulfilment(id=number or "0", lines=lines, **fields)


def shipments(shown: Order) -> list[tuple[str, list[int]]]:
    """Tracking numbers, and pieces line by line; a fee is a line for Shopify, and none here."""
    goods = {each.id for each in shown.lines}
    found = [
        (each.tracking, [pieces for part, pieces in each.lines if part in goods])
        for each in shown.fulfilments
    ]
    return sorted(each for each in found if each[1])


# --- a reference that arrives later --------------------------------------------------------------


async def test_a_guests_order_is_given_its_customer_and_nothing_else_of_it_changes(
    shop: ShopifyShop,
):
    content = paid()
    made = await write(shop, content)
    assert made.content.customer is None
    person = await write(shop, customer(1), stream=Stream.CUSTOMERS)
    async with shop.source() as source:
        before = await source.get(Stream.CUSTOMERS, [person.target_id])
    for _ in range(2):
        known = replace(content, customer=person.target_id)
        mended = await later(shop, made, known, "customer")
        assert isinstance(mended, Applied)
        assert replace(mended.content, customer=None) == made.content
        assert mended.content.customer == person.target_id
    async with shop.source() as source:
        assert await source.get(Stream.CUSTOMERS, [person.target_id]) == before
    assert (await shop.effects())["counts"] == {}
    sent = [each for each in shop.requests if "orderCustomerSet" in each["query"]]
    assert len(sent) == 1


async def test_a_customer_whom_the_store_does_not_take_is_told_of(shop: ShopifyShop):
    content = paid()
    made = await write(shop, content)
    outcome = await later(shop, made, replace(content, customer="999"), "customer")
    assert isinstance(outcome, Refused)


async def test_a_line_without_its_product_is_told_as_lost_when_that_arrives(shop: ShopifyShop):
    free = paid(line(11))
    made = await write(shop, free)
    assert made.losses == ()
    goods = await write(shop, product(1), stream=Stream.PRODUCTS)
    named = replace(free, lines=(line(11, product=goods.target_id),))
    mended = await later(shop, made, named, "lines")
    assert isinstance(mended, Applied)
    assert [each.field for each in mended.losses] == ["lines"]
    assert [each.product for each in mended.content.lines] == [None]
    first = await write(shop, replace(named, number="2"), start=2)
    assert first.losses == ()


# --- shipments ----------------------------------------------------------------------------------


async def test_shipments_arrive_one_by_one_with_their_numbers(shop: ShopifyShop):
    """Some of the goods, the rest, and at last the status that says so."""
    content = paid(line(11, quantity=3), line(12, quantity=2))
    made = await write(shop, content)
    assert made.content.fulfilments == ()
    first = replace(content, fulfilments=(shipment("A1", ("11", 2)),))
    for _ in range(2):
        shown = (await later(shop, made, first, "fulfilments")).content
        assert shipments(shown) == [("A1", [2])]
        assert shown.status == "processing"
    rest = shipment("B1, B2", ("11", 1), ("12", 2))
    both = replace(first, fulfilments=(*first.fulfilments, rest), status="completed")
    for _ in range(2):
        shown = (await later(shop, made, both, "fulfilments", "status")).content
        assert shipments(shown) == [("A1", [2]), ("B1, B2", [1, 2])]
        assert shown.status == "completed"
    assert not (await shop.effects())["counts"]


async def test_an_order_of_which_some_goods_left_arrives_so(shop: ShopifyShop):
    """Nobody sends them a second time."""
    goods = (line(11, quantity=3), line(12, quantity=2))
    content = paid(*goods, fulfilments=(shipment("A1", ("12", 2)),))
    shown = (await write(shop, content)).content
    assert shipments(shown) == [("A1", [2])]
    assert shown.extra["fulfilment_status"] == "partially_fulfilled"


async def test_a_shipment_of_two_lines_that_stand_for_one_is_of_both(shop: ShopifyShop):
    odd = line(11, quantity=3, total=gbp("10"), subtotal=gbp("10"))
    content = paid(odd, fulfilments=(shipment("", ("11", 3)),))
    made = await write(shop, content)
    again = await later(shop, made, content, "fulfilments")
    assert shipments(again.content) == shipments(made.content)
    assert len(made.content.fulfilments) == 1


@pytest.mark.parametrize("status", ["cancelled", "error"])
async def test_a_shipment_that_never_left_is_none(shop: ShopifyShop, status: str):
    content = paid(fulfilments=(shipment("A1", ("11", 1), status=status),))
    assert (await write(shop, content)).content.fulfilments == ()


async def test_goods_that_the_team_sent_are_not_sent_again(shop: ShopifyShop):
    content = paid(line(11, quantity=2))
    made = await write(shop, content)
    all_of_it = replace(content, fulfilments=(shipment("TEAM", ("11", 2)),))
    await later(shop, made, all_of_it, "fulfilments")
    ours = replace(content, fulfilments=(shipment("A1", ("11", 1)),))
    shown = (await later(shop, made, ours, "fulfilments")).content
    assert shipments(shown) == [("TEAM", [2])]


async def test_a_shipment_whose_answer_was_lost_is_not_made_twice(shop: ShopifyShop):
    content = paid(line(11, quantity=4))
    made = await write(shop, content)
    some = replace(content, fulfilments=(shipment("A1", ("11", 1)),))
    await shop.faults(timeout_after={"times": 1, "only": "fulfillmentCreate"})
    await later(shop, made, some, "fulfilments")
    shown = (await later(shop, made, some, "fulfilments")).content
    assert shipments(shown) == [("A1", [1])]


# --- payment, refunds, cancellation --------------------------------------------------------------


async def test_a_payment_that_fails_later_is_read_as_failed(shop: ShopifyShop):
    made = await write(shop, unpaid())
    failed = await later(shop, made, replace(unpaid(), status="failed"), "status")
    assert failed.content.status == "failed"
    assert failed.losses == ()
    back = await later(shop, made, paid(), "status", "paid_at")
    assert back.content.status == "processing"


async def test_a_refund_and_a_cancellation_that_come_later_reach_the_order(shop: ShopifyShop):
    content = paid()
    made = await write(shop, content)
    one = RefundLine(line="11", quantity=1, total=gbp("2.55"), tax=gbp("0"))
    refunded = replace(content, refunds=(refund(5, "2.55", one),))
    ended = replace(refunded, status="cancelled")
    for _ in range(2):
        shown = (await later(shop, made, refunded, "refunds")).content
        assert [each.amount for each in shown.refunds] == [gbp("2.55")]
    for _ in range(2):
        shown = (await later(shop, made, ended, "status")).content
        assert (shown.status, len(shown.refunds)) == ("cancelled", 1)
    assert (await shop.effects())["counts"] == {}


async def test_what_can_reach_an_order_does_although_its_lines_are_refused(shop: ShopifyShop):
    content = unpaid()
    made = await write(shop, content)
    more = replace(
        content,
        status="processing",
        paid_at=LONG_AGO,
        lines=(*content.lines, line(99)),
        total=gbp("52.60"),
    )
    outcome = await later(shop, made, more, "lines", "total", "status", "paid_at")
    assert isinstance(outcome, Refused)
    assert outcome.code == "order_fixed"
    async with shop.source() as source:
        shown: Any = (await source.get(Stream.ORDERS, [made.target_id]))[made.target_id].content
    assert shown.status == "processing"


# --- amounts below the minor unit ----------------------------------------------------------------


def finely(quantity: int, net: str, tax: str) -> OrderLine:
    """A line whose sums have more decimals than money has."""
    sums = {"total": gbp(net), "subtotal": gbp(net), "tax": gbp(tax), "subtotal_tax": gbp(tax)}
    return line(11, quantity=quantity, **sums)


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ((finely(1, "8.2645", "1.7355"),), "10.00"),
        ((finely(3, "1.005", "0.064"),), "1.07"),
        (tuple(replace(finely(1, "0.335", "0"), id=each) for each in "123"), "1.01"),
    ],
    ids=["tax taken out of a price", "three pieces", "rounded by the line"],
)
@pytest.mark.parametrize("known", [True, False], ids=["what changed", "all of it"])
async def test_sums_below_the_minor_unit_hold_no_later_change_up(
    shop: ShopifyShop, lines: Any, total: str, known: bool
):
    content = paid(lines=lines, total=gbp(total), shipping_lines=(), fees=())
    made = await write(shop, content)
    assert isinstance(made, Applied)
    noted = replace(content, note="Ring twice")
    changed = frozenset({"note"}) if known else None
    again = await write(shop, noted, target_id=made.target_id, changed=changed)
    assert isinstance(again, Applied), again
    assert again.content.note == "Ring twice"


async def test_a_refund_below_the_minor_unit_is_paid_out_once(shop: ShopifyShop):
    content = paid()
    made = await write(shop, content)
    refunded = replace(content, refunds=(refund(5, "2.5449"),))
    for _ in range(3):
        shown = (await later(shop, made, refunded, "refunds")).content
        assert [each.amount for each in shown.refunds] == [gbp("2.54")]
    # Shopify remembers the key of a request for a while only.
    assert len([each for each in shop.requests if "refundCreate" in each["query"]]) == 1


async def test_lines_that_somebody_edited_on_the_target_hold_no_note_up(shop: ShopifyShop):
    """The order's lines differ, and the source did not touch its own."""
    made = await write(shop, paid())
    other = replace(paid(line(99)), note="Ring twice")
    noted = await later(shop, made, other, "note")
    assert isinstance(noted, Applied)
    assert noted.content.note == "Ring twice"
    assert isinstance(await later(shop, made, other, "note", "lines"), Refused)


# --- dates of payments ---------------------------------------------------------------------------


async def test_a_payment_that_comes_later_is_told_to_have_another_date(shop: ShopifyShop):
    """Shopify dates it itself, which is no difference that a verification should find."""
    made = await write(shop, unpaid())
    assert {each.field for each in made.losses} == set()
    back = await later(shop, made, paid(), "status", "paid_at")
    assert back.content.paid_at not in (None, LONG_AGO)
    assert {each.field for each in back.losses} == {"paid_at"}


async def test_a_payment_of_which_the_source_has_no_date_is_told_as_well(shop: ShopifyShop):
    made = await write(shop, unpaid())
    back = await later(shop, made, replace(paid(), paid_at=None), "status")
    assert {each.field for each in back.losses} == {"paid_at"}


async def test_what_is_paid_and_given_back_between_two_runs_is_given_back_in_full(
    shop: ShopifyShop,
):
    """A refund that named no payment gave back the goods and none of their money."""
    made = await write(shop, unpaid())
    piece = RefundLine(line="11", quantity=1, total=gbp("2.55"), tax=gbp("0"))
    content = paid(refunds=(refund(1, "2.55", piece), refund(2, "1")))
    back = await later(shop, made, content, "status", "paid_at", "refunds")
    assert isinstance(back, Applied), back
    assert isinstance(back.content, Order)
    assert [each.amount for each in back.content.refunds] == [gbp("2.55"), gbp("1")]


@pytest.mark.parametrize("status", ["processing", "completed"])
async def test_an_order_of_zero_goes_on_without_a_payment(shop: ShopifyShop, status: str):
    """Shopify refuses a payment of nothing, and with it the order was refused."""
    none = {"lines": (line(1, each="0"),), "fees": (), "shipping_lines": (), "transactions": ()}
    content = unpaid(**none, total=gbp("0"), shipping_total=gbp("0"))
    made = await write(shop, content)
    back = await later(shop, made, replace(content, status=status, paid_at=LONG_AGO), "status")
    assert isinstance(back, Applied), back
    assert isinstance(back.content, Order)
    assert (back.content.status, back.losses) == (status, ())


async def test_what_a_cancelled_order_gave_back_had_come(shop: ShopifyShop):
    """Without a payment Shopify takes no refund of it, and the order is refused."""
    content = replace(unpaid(refunds=(refund(1, "5"),)), status="cancelled")
    outcome = await write(shop, content)
    assert isinstance(outcome, Applied), outcome
    assert isinstance(outcome.content, Order)
    assert [each.amount for each in outcome.content.refunds] == [gbp("5")]


async def test_a_part_of_the_money_that_came_is_paid_and_the_rest_is_open(shop: ShopifyShop):
    """As an order that nothing was paid for, its customer would be asked for all of it again."""
    came = Transaction(gateway="card", amount=gbp("10"), at=LONG_AGO)
    made = await write(shop, unpaid(transactions=(came,)))
    assert (made.content.status, made.losses) == ("pending", ())
    assert made.content.extra["financial_status"] == "partially_paid"
    [shown] = made.content.transactions
    assert (shown.gateway, shown.amount, shown.at) == ("card", gbp("10"), LONG_AGO)
    back = (await later(shop, made, paid(), "status", "paid_at")).content
    assert back.status == "processing"
    assert [each.amount for each in back.transactions] == [gbp("10"), gbp("27.30")]
