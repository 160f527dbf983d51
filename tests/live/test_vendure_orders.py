"""What Vendure does with orders that nobody expects, and what becomes of them with the add-on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Refused
from connectors.records import InventoryLevel, Order, RefundLine, Stream, Transaction, money
from connectors.testing.contents import LONG_AGO, gbp, level, line, order, product, refund
from connectors.testing.operations import applied, operations
from connectors.vendure.target import VendureTarget
from tests.live.vendure import goods, sales
from tests.live.vendure.store import VendureStore
from tests.live.vendure.writing import again, refused, rich, rows, write

_SETTLED = 0.5
"""Seconds after which a request that waits for a lock waits for it."""


async def test_an_order_keeps_what_it_was_and_comes_once(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """Vendure's own drafts take no number, date or price; adding an item twice adds it twice, and
    a refund that is sent again is paid again.
    """
    content = rich()
    for _ in range(2):
        [made] = await write(vendure_target, Stream.ORDERS, content)
    tables = ("order", "order_line", "payment", "refund", "fulfillment", "shipping_line")
    assert [await rows(vendure, each) for each in tables] == [1] * 6
    found = (await vendure_target.get(Stream.ORDERS, [made.target_id]))[made.target_id].content
    assert isinstance(found, Order)
    kept = ("number", "status", "currency", "total", "tax_total", "shipping_total", "created_at")
    kept += ("discount_total", "email", "billing", "paid_at", "completed_at")
    assert {each: getattr(found, each) for each in kept} == {
        each: getattr(content, each) for each in kept
    }
    [mug] = found.lines
    assert (mug.name, mug.quantity, mug.subtotal, mug.total, mug.tax) == (
        "Mug 1",
        3,
        gbp("10"),
        gbp("9"),
        gbp("1.81"),
    )
    [back] = found.refunds
    assert (back.amount, back.lines[0].line, back.lines[0].total) == (gbp("4.2"), mug.id, gbp("3"))
    assert await vendure.control("effects") == {}


async def test_an_imported_order_goes_on(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    content = rich(status="processing", refunds=(), completed_at=None)
    [made] = await write(vendure_target, Stream.ORDERS, content)
    later = replace(rich(), lines=(*content.lines, line(2)), total=gbp("30.31"), note="Ring twice")
    outcomes = await vendure_target.write(Stream.ORDERS, again(Stream.ORDERS, later, made))
    found = applied(outcomes)["1"].content
    assert isinstance(found, Order)
    assert (found.status, len(found.lines), found.total, found.note) == (
        "completed",
        2,
        gbp("30.31"),
        "Ring twice",
    )
    assert len(found.refunds) == 1
    assert found.lines[0].id == made.children["1"]


async def test_what_an_imported_order_has_no_more_goes(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """Also a refund with its lines, a payment that another one takes the place of, a shipment."""
    [made] = await write(vendure_target, Stream.ORDERS, rich())
    less = rich(status="processing", refunds=(), transactions=(), completed_at=None)
    applied(await vendure_target.write(Stream.ORDERS, again(Stream.ORDERS, less, made)))
    tables = ("payment", "refund", "fulfillment", "order_line_reference")
    assert [await rows(vendure, each) for each in tables] == [1, 0, 0, 0]
    found = (await vendure_target.get(Stream.ORDERS, [made.target_id]))[made.target_id].content
    assert isinstance(found, Order)
    assert (found.status, found.transactions, found.refunds) == ("processing", (), ())


async def test_staff_can_send_an_imported_order_and_no_stock_is_taken_twice(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    [mug] = await write(vendure_target, Stream.PRODUCTS, product(1))
    await write(vendure_target, Stream.INVENTORY, replace(level(1), product=mug.target_id))
    sold = line(1, product=mug.target_id, quantity=2, each="2.55")
    content = rich(status="processing", lines=(sold,), refunds=(), completed_at=None)
    [made] = await write(vendure_target, Stream.ORDERS, replace(content, total=gbp("9.30")))
    await sales.deliver(vendure, made.target_id)
    found = (await vendure_target.get(Stream.ORDERS, [made.target_id]))[made.target_id].content
    assert isinstance(found, Order)
    assert (found.status, found.lines[0].product) == ("completed", mug.target_id)
    stock = (await vendure_target.get(Stream.INVENTORY, [mug.target_id]))[mug.target_id].content
    assert isinstance(stock, InventoryLevel)
    assert stock.quantity == level(1).quantity


async def test_an_order_that_staff_has_worked_on_is_theirs(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """What is written of it as a whole would take back what they did."""
    content = rich(status="processing", refunds=(), completed_at=None)
    [made] = await write(vendure_target, Stream.ORDERS, content)
    await sales.send(vendure, made.target_id, pieces=1)
    fields = "state totalWithTax fulfillments { state } payments { state }"
    before = await sales.shown(vendure, made.target_id, fields)
    assert before["state"] == "PartiallyShipped"
    back = replace(content, refunds=rich().refunds)
    outcomes = await vendure_target.write(Stream.ORDERS, again(Stream.ORDERS, back, made))
    assert refused(outcomes) == "order_worked_on"
    # The same as before is nothing new, and a note is no part of what they did.
    for note in (content.note, "Ring twice"):
        same = replace(content, note=note)
        found = applied(
            await vendure_target.write(Stream.ORDERS, again(Stream.ORDERS, same, made))
        )["1"]
        assert isinstance(found.content, Order)
        assert found.content.note == note
    assert await sales.shown(vendure, made.target_id, fields) == before
    await sales.refund(vendure, made.target_id, 100)


async def test_what_staff_took_out_of_an_order_is_not_put_back(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    content = rich(status="processing", refunds=(), completed_at=None)
    [made] = await write(vendure_target, Stream.ORDERS, content)
    await sales.cancel(vendure, made.target_id, pieces=1)
    fields = "state totalWithTax lines { quantity orderPlacedQuantity }"
    before = await sales.shown(vendure, made.target_id, fields)
    assert before["lines"] == [{"quantity": 2, "orderPlacedQuantity": 3}]
    outcomes = await vendure_target.write(Stream.ORDERS, again(Stream.ORDERS, rich(), made))
    assert refused(outcomes) == "order_worked_on"
    [note] = again(Stream.ORDERS, replace(content, note="Ring"), made, changed=frozenset({"note"}))
    applied(await vendure_target.write(Stream.ORDERS, [note]))
    assert await sales.shown(vendure, made.target_id, fields) == before


async def test_a_payment_that_staff_took_is_not_awaited_again(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    taken = Transaction(gateway="voucher", amount=gbp("5"), at=LONG_AGO)
    awaited = Transaction(gateway="cash", amount=gbp("10.01"))
    content = rich(status="processing", refunds=(), completed_at=None)
    content = replace(content, transactions=(taken, awaited))
    [made] = await write(vendure_target, Stream.ORDERS, content)
    paid = (await sales.shown(vendure, made.target_id, "payments { id state }"))["payments"]
    assert {each["state"] for each in paid} == {"Settled", "Created"}
    [waiting] = [each["id"] for each in paid if each["state"] == "Created"]
    await vendure.ask(
        'mutation ($id: ID!) { transitionPaymentToState(id: $id, state: "Settled") '
        "{ __typename ... on ErrorResult { message } } }",
        id=waiting,
    )
    back = replace(content, refunds=rich().refunds)
    outcomes = await vendure_target.write(Stream.ORDERS, again(Stream.ORDERS, back, made))
    assert refused(outcomes) == "order_worked_on"
    paid = (await sales.shown(vendure, made.target_id, "payments { state }"))["payments"]
    assert {each["state"] for each in paid} == {"Settled"}


async def test_what_staff_does_while_an_order_is_written_is_not_taken_back(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """The add-on waits for them, and looks at the order afterwards."""
    content = rich(status="processing", refunds=(), completed_at=None)
    [made] = await write(vendure_target, Stream.ORDERS, content)
    back = again(Stream.ORDERS, replace(content, refunds=rich().refunds), made)
    for table, state in (("payment", "Cancelled"), ("order", "Shipped")):
        async with vendure.database.transaction():
            (before,) = await vendure.database.fetchrow(f'SELECT state FROM "{table}"')  # noqa: S608
            await vendure.database.execute(f'UPDATE "{table}" SET state = $1', state)  # noqa: S608
            writes = asyncio.ensure_future(vendure_target.write(Stream.ORDERS, back))
            await asyncio.sleep(_SETTLED)
            assert not writes.done()
        assert refused(await writes) == "order_worked_on"
        assert await vendure.database.fetchval(f'SELECT state FROM "{table}"') == state  # noqa: S608
        await vendure.database.execute(f'UPDATE "{table}" SET state = $1', before)  # noqa: S608
    applied(await vendure_target.write(Stream.ORDERS, back))


async def test_a_line_that_the_source_has_no_more_goes_with_what_is_of_it(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    mug = rich().lines[0]
    both = rich(lines=(mug, line(2, quantity=1)), total=gbp("17.56"))
    torn = RefundLine(line="2", quantity=1, total=gbp("2.55"), tax=gbp("0"))
    both = replace(both, refunds=(*both.refunds, refund(6, "2.55", torn)))
    [made] = await write(vendure_target, Stream.ORDERS, both)
    paid = Transaction(gateway="card", amount=gbp("15.01"), at=LONG_AGO)
    less = rich(refunds=(), transactions=(paid,))
    found = applied(await vendure_target.write(Stream.ORDERS, again(Stream.ORDERS, less, made)))
    content = found["1"].content
    assert isinstance(content, Order)
    assert (content.total, len(content.lines), content.refunds) == (gbp("15.01"), 1, ())
    assert [each.gateway for each in content.transactions] == ["card"]
    assert [each.lines for each in content.fulfilments] == [((content.lines[0].id, 3),)]


async def test_words_of_any_length_come_in(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """Vendure's plain fields hold 255 letters, and the whole order was refused."""
    long = "Mug with a name that a shop's people chose " * 8
    sent = Stream.ORDERS
    ways = tuple(replace(each, title=long, method=long) for each in rich().shipping_lines)
    named = replace(rich().lines[0], name=long)
    [made] = await write(vendure_target, sent, rich(lines=(named,), shipping_lines=ways))
    assert isinstance(made.content, Order)
    [way] = made.content.shipping_lines
    assert (made.content.lines[0].name, way.title, way.method) == (long, long, long)


async def test_an_add_on_of_another_version_brings_nothing_in(
    vendure: VendureStore, vendure_target: VendureTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.vendure.writing_orders.IMPORTER_VERSION", 99)
    outcomes = await vendure_target.write(Stream.ORDERS, operations(Stream.ORDERS, [rich()]))
    assert refused(outcomes) == "addon_version"
    assert await rows(vendure, "order") == 0


async def test_an_order_keeps_a_currency_that_the_shop_does_not_sell_in(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    mug = replace(line(1, quantity=2), total=money("900", "JPY"), subtotal=money("900", "JPY"))
    mug = replace(mug, tax=money("0", "JPY"), subtotal_tax=money("0", "JPY"))
    none = {each: money("0", "JPY") for each in ("tax_total", "shipping_total", "discount_total")}
    parts: dict[str, Any] = {"lines": (mug,), "shipping_lines": (), "fees": ()}
    yen = order(1, currency="JPY", total=money("900", "JPY"), **none, **parts)
    [made] = await write(vendure_target, Stream.ORDERS, yen)
    assert isinstance(made.content, Order)
    assert (made.content.currency, made.content.total) == ("JPY", money("900", "JPY"))
    mixed = replace(yen, number="2", lines=(replace(mug, total=gbp("9")),))
    outcomes = await vendure_target.write(Stream.ORDERS, operations(Stream.ORDERS, [mixed], 2))
    assert refused(outcomes) == "other_currency"


async def test_a_number_that_another_order_has_is_refused(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    await goods.order(vendure, 1, code=rich().number)
    [outcome] = await vendure_target.write(Stream.ORDERS, operations(Stream.ORDERS, [rich()]))
    assert isinstance(outcome, Refused)
    assert outcome.code == "number_taken"


async def test_whoever_lacks_the_permission_imports_nothing(vendure: VendureStore) -> None:
    answer = await vendure.staff.post(
        "/admin-api",
        json={"query": goods.IMPORT, "variables": {"input": {"key": "m1:orders:1"}}},
        headers={"Authorization": ""},
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
