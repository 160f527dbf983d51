"""Orders arrive exactly, once, and without moving anything else in the shop."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Applied, Operation, Refused, Uncertain
from connectors.records import Discount, Order, Refund, RefundLine, ShippingLine, Stream
from connectors.testing.contents import gbp, line, order, refund
from connectors.testing.operations import applied, operations
from tests.connectors.practice import Instead, Practice, practice

FIELDS_KEPT_AS_META = {"number", "created_at", "paid_at", "completed_at"}


async def write(shop: Practice, *contents: Order, **values: Any) -> dict[str, Applied]:
    async with shop.target() as target:
        return applied(
            await target.write(Stream.ORDERS, operations(Stream.ORDERS, contents, **values))
        )


async def shown(shop: Practice, target_id: str) -> Order:
    async with shop.source() as source:
        content = (await source.get(Stream.ORDERS, [target_id]))[target_id].content
    assert isinstance(content, Order)
    return content


def losses(outcome: Applied) -> set[str]:
    return {loss.field for loss in outcome.losses}


def update(content: Order, made: Applied, *fields: str) -> Operation:
    return Operation(
        source_id="1",
        key="m1:orders:1",
        content=content,
        target_id=made.target_id,
        children=made.children,
        changed=frozenset(fields) or None,
    )


async def test_an_order_arrives_with_its_parts_and_totals(new_shop: Practice):
    sent = order(1)
    made = (await write(new_shop, sent))["1"]
    found = await shown(new_shop, made.target_id)
    assert found.total == sent.total
    assert found.status == "completed"
    assert [(each.name, each.quantity, each.total) for each in found.lines] == [
        (each.name, each.quantity, each.total) for each in sent.lines
    ]
    assert found.shipping_total == sent.shipping_total
    assert found.billing is not None
    assert found.billing.line1 == "1 High Street"
    assert found.extra["external_key"] == "m1:orders:1"
    assert losses(made) == FIELDS_KEPT_AS_META
    assert set(made.children) == {"11", "12", "shipping:13", "fee:14"}


async def test_what_the_store_sets_itself_is_kept_as_meta_data(new_shop: Practice):
    made = (await write(new_shop, order(1)))["1"]
    found = await shown(new_shop, made.target_id)
    assert found.number == made.target_id
    raw = new_shop.store.read("order", int(made.target_id))
    metas = {each["key"]: each["value"] for each in raw["meta_data"]}
    assert metas["_recent_sync_number"] == "53631"
    assert metas["_recent_sync_created_at"] == "2011-11-03T08:26:00"


@pytest.mark.parametrize("status", ["processing", "completed", "on_hold", "failed", "cancelled"])
async def test_no_status_sends_a_mail_or_takes_stock(new_shop: Practice, status: str):
    [mug] = (
        await new_shop.load(
            product=[{"name": "Mug", "sku": "MUG", "manage_stock": True, "stock_quantity": 50}]
        )
    )["product"]
    content = order(1, status="pending", lines=(line(1, product=str(mug)), line(2)))
    async with new_shop.target() as target:
        await target.mute(await target.loud())
        made = applied(await target.write(Stream.ORDERS, operations(Stream.ORDERS, [content])))
        later = replace(content, status=status)
        applied(await target.write(Stream.ORDERS, [update(later, made["1"], "status")]))
        again = operations(Stream.ORDERS, [replace(later, number="7")], start=2)
        applied(await target.write(Stream.ORDERS, again))
    effects = await new_shop.effects()
    assert effects["mails"] == {}
    assert effects["stock_movements"] == {}
    assert new_shop.store.read("product", mug)["stock_quantity"] == 50


async def test_lines_name_products_by_id_and_never_by_sku(new_shop: Practice):
    [mug] = (await new_shop.load(product=[{"name": "Mug", "sku": "MUG"}]))["product"]
    content = order(1, lines=(line(1, product=str(mug), sku="UNKNOWN"), line(2, sku="MUG")))
    made = (await write(new_shop, content))["1"]
    found = await shown(new_shop, made.target_id)
    assert [each.product for each in found.lines] == [str(mug), None]
    [batch] = new_shop.requests("POST", "/orders/batch")
    assert all("sku" not in each for each in batch.body["create"][0]["line_items"])


async def test_coupons_are_not_sent_because_they_would_discount_again(new_shop: Practice):
    discounted = replace(line(1), total=gbp("10.00"))
    content = order(
        1,
        lines=(discounted,),
        fees=(),
        total=gbp("14.20"),
        discount_total=gbp("5.30"),
        discounts=(Discount(code="TEA5", amount=gbp("5.30")),),
    )
    made = (await write(new_shop, content))["1"]
    found = await shown(new_shop, made.target_id)
    assert found.total == gbp("14.20")
    assert found.discounts == ()
    assert "discounts" in losses(made)
    raw = new_shop.store.read("order", int(made.target_id))
    assert {"key": "_recent_sync_coupons", "value": "TEA5"}.items() <= {
        k: v
        for each in raw["meta_data"]
        if each["key"] == "_recent_sync_coupons"
        for k, v in each.items()
    }.items()


# --- taxes ---------------------------------------------------------------------------------------


def taxed(number: int = 1, **values: Any) -> Order:
    """30.60 of goods, 4.20 of shipping, 2.50 of wrapping, 20 % on all of it."""
    return order(number, total=gbp("44.76"), tax_total=gbp("7.46"), **values)


async def test_equal_tax_rates_are_kept_as_taxes():
    async with practice(tax_rate="20") as new_shop:
        made = (await write(new_shop, taxed()))["1"]
        found = await shown(new_shop, made.target_id)
        assert (found.total, found.tax_total) == (gbp("44.76"), gbp("7.46"))
        assert len(found.taxes) == 1
        assert "taxes" not in losses(made)
        assert len(new_shop.requests("POST", "/orders/batch")) == 1


@pytest.mark.parametrize("rate", ["0", "7.25", "19"])
async def test_other_tax_rates_still_give_the_exact_total(rate: str):
    async with practice(tax_rate=rate) as new_shop:
        made = (await write(new_shop, taxed()))["1"]
        found = await shown(new_shop, made.target_id)
        assert (found.total, found.tax_total) == (gbp("44.76"), gbp("7.46"))
        assert len(found.fees) == 1
        assert "taxes" in losses(made)


async def test_a_store_that_taxes_what_was_free_of_tax_gives_the_exact_total():
    async with practice(tax_rate="7.25") as new_shop:
        made = (await write(new_shop, order(1)))["1"]
        found = await shown(new_shop, made.target_id)
        assert (found.total, found.tax_total) == (gbp("37.30"), gbp("0"))
        assert "taxes" not in losses(made)


async def test_what_one_order_taught_about_taxes_the_next_one_knows():
    async with practice(tax_rate="7.25") as new_shop, new_shop.target() as target:
        for number in (1, 2, 3):
            sent = operations(Stream.ORDERS, [taxed(number)], start=number)
            applied(await target.write(Stream.ORDERS, sent))
        assert len(new_shop.requests("POST", "/orders/batch")) == 2 + 1 + 1


async def test_a_change_of_lines_keeps_the_exact_total():
    async with practice(tax_rate="7.25") as new_shop:
        made = (await write(new_shop, taxed()))["1"]
        more = taxed(lines=(line(11), line(12, quantity=10)))
        more = replace(more, total=gbp("57.00"), tax_total=gbp("9.50"))
        async with new_shop.target() as target:
            changed = update(more, made, "lines", "total", "tax_total")
            applied(await target.write(Stream.ORDERS, [changed]))
        found = await shown(new_shop, made.target_id)
        assert (found.total, found.tax_total) == (gbp("57.00"), gbp("9.50"))
        assert len(found.fees) == 1


# --- updates -------------------------------------------------------------------------------------


async def test_a_new_status_is_sent_alone(new_shop: Practice):
    made = (await write(new_shop, order(1, status="processing")))["1"]
    new_shop.asked.clear()
    async with new_shop.target() as target:
        applied(await target.write(Stream.ORDERS, [update(order(1), made, "status")]))
    [sent] = new_shop.requests("POST")
    [body] = sent.body["update"]
    assert set(body) == {"id", "status", "meta_data"}
    assert [each["key"] for each in body["meta_data"]] == ["_order_stock_reduced"]


@pytest.mark.parametrize("status", ["pending", "processing", "completed", "refunded", "cancelled"])
async def test_no_order_moves_stock_in_whatever_status_it_comes_and_goes(
    new_shop: Practice, status: str
):
    counted = {"name": "Mug", "sku": "MUG-1", "manage_stock": True, "stock_quantity": 50}
    product = await new_shop.admin("POST", "products", counted)
    sold = (line(11, product=str(product["id"])),)
    back = (Refund(id="9", amount=gbp("37.30"), reason="Broken"),)
    wanted = order(1, status=status, lines=sold, refunds=back if status == "refunded" else ())
    made = (await write(new_shop, wanted))["1"]
    async with new_shop.target() as target:
        for later in ("cancelled", "processing", "pending", "completed"):
            changed = order(1, status=later, lines=sold)
            applied(await target.write(Stream.ORDERS, [update(changed, made, "status")]))
    assert (await new_shop.effects())["stock_movements"] == {}


async def test_changed_lines_are_changed_and_not_appended(new_shop: Practice):
    made = (await write(new_shop, order(1)))["1"]
    changed = order(
        1,
        lines=(line(11, quantity=7), line(19, each="1.00", quantity=1)),
        shipping_lines=(),
        total=gbp("21.35"),
        shipping_total=gbp("0"),
    )
    async with new_shop.target() as target:
        sent = update(changed, made, "lines", "shipping_lines", "total", "shipping_total")
        again = applied(await target.write(Stream.ORDERS, [sent]))["1"]
        # As after a crash: the same update with what was known before it.
        twice = applied(await target.write(Stream.ORDERS, [sent]))["1"]
    found = await shown(new_shop, made.target_id)
    assert [(each.name, each.quantity) for each in found.lines] == [("Mug 11", 7), ("Mug 19", 1)]
    assert found.shipping_lines == ()
    assert found.total == gbp("21.35")
    assert again.children["11"] == made.children["11"]
    assert twice.children == again.children
    assert "12" not in again.children


@pytest.mark.parametrize("status", ["pending", "processing", "completed", "cancelled"])
async def test_line_that_is_there_gets_its_product_and_takes_no_stock(
    new_shop: Practice, status: str
):
    product, variation = await counted_goods(new_shop)
    free = order(1, status=status)
    made = (await write(new_shop, free))["1"]
    before = await shown(new_shop, made.target_id)
    mails = (await new_shop.effects())["mails"]
    first, second = free.lines
    attached = replace(
        free,
        lines=(
            replace(first, product=str(product)),
            replace(second, product=str(product), variant=str(variation)),
        ),
    )
    async with new_shop.target() as target:
        again = applied(await target.write(Stream.ORDERS, [update(attached, made, "lines")]))["1"]
    assert again.children == made.children
    assert losses(again) == losses(made)
    found = await shown(new_shop, made.target_id)
    assert [(each.product, each.variant) for each in found.lines] == [
        (str(product), None),
        (str(product), str(variation)),
    ]
    told = [(each.id, each.name, each.quantity, each.total) for each in found.lines]
    assert told == [(each.id, each.name, each.quantity, each.total) for each in before.lines]
    assert (found.total, found.status) == (before.total, status)
    effects = await new_shop.effects()
    assert (effects["stock_movements"], effects["mails"]) == ({}, mails)


async def test_changed_lines_of_counted_goods_take_no_stock(new_shop: Practice):
    product, _ = await counted_goods(new_shop)
    wanted = order(1, lines=(line(11, product=str(product)),))
    made = (await write(new_shop, wanted))["1"]
    more = replace(wanted, lines=(line(11, quantity=9, product=str(product)),))
    async with new_shop.target() as target:
        applied(await target.write(Stream.ORDERS, [update(more, made, "lines")]))
    assert (await new_shop.effects())["stock_movements"] == {}


async def test_line_that_the_target_leaves_without_its_product_is_a_declared_loss(
    new_shop: Practice,
):
    made = (await write(new_shop, order(1)))["1"]
    unknown = order(1, lines=(line(11, product="424242"), line(12)))
    async with new_shop.target() as target:
        again = applied(await target.write(Stream.ORDERS, [update(unknown, made, "lines")]))["1"]
    assert losses(again) - losses(made) == {"lines"}


async def counted_goods(shop: Practice) -> tuple[int, int]:
    """A product and a variation of it whose stock is counted."""
    counted = {"manage_stock": True, "stock_quantity": 50}
    goods = {"name": "Mug", "sku": "MUG", "type": "variable", **counted}
    product = (await shop.admin("POST", "products", goods))["id"]
    variation = {"sku": "MUG-L", "regular_price": "9.00", **counted}
    made = await shop.admin("POST", f"products/{product}/variations", variation)
    return product, made["id"]


async def test_lines_without_our_marks_are_paired_by_position(new_shop: Practice):
    """An order that another tool brought over gets no second set of lines."""
    theirs = await new_shop.admin(
        "POST",
        "orders",
        {
            "status": "completed",
            "line_items": [
                {"name": "Mug 11", "product_id": 0, "quantity": 6, "total": "15.30"},
                {"name": "Mug 12", "product_id": 0, "quantity": 6, "total": "15.30"},
            ],
        },
    )
    content = order(1, shipping_lines=(), fees=(), total=gbp("30.60"), shipping_total=gbp("0"))
    made = (await write(new_shop, content, target_id=str(theirs["id"])))["1"]
    found = await shown(new_shop, made.target_id)
    assert len(found.lines) == 2
    assert found.total == gbp("30.60")


async def test_a_line_made_anew_at_the_source_is_not_lost_where_lines_carry_no_marks(
    new_shop: Practice,
):
    """An order that another tool brought over: of its two lines one goes and another one comes."""
    theirs = await new_shop.admin(
        "POST",
        "orders",
        {
            "status": "completed",
            "line_items": [
                {"name": f"Mug {number}", "product_id": 0, "quantity": 6, "total": "15.30"}
                for number in (11, 12)
            ],
        },
    )
    rows = [str(each["id"]) for each in theirs["line_items"]]
    made = Applied(
        source_id="1",
        target_id=str(theirs["id"]),
        children=dict(zip(("11", "12"), rows, strict=True)),
    )
    changed = order(
        1,
        lines=(line(12), line(19)),
        shipping_lines=(),
        fees=(),
        total=gbp("30.60"),
        shipping_total=gbp("0"),
    )
    async with new_shop.target() as target:
        sent = update(changed, made, "lines")
        again = applied(await target.write(Stream.ORDERS, [sent]))["1"]
        twice = applied(await target.write(Stream.ORDERS, [sent]))["1"]
    found = await shown(new_shop, made.target_id)
    assert [each.name for each in found.lines] == ["Mug 12", "Mug 19"]
    assert found.total == gbp("30.60")
    assert found.lines[0].id == made.children["12"]
    for each in (again, twice):
        assert (each.children["12"], each.children["19"]) == tuple(row.id for row in found.lines)


async def test_what_a_line_says_besides_is_changed_with_it(new_shop: Practice):
    """What is to be engraved, say: a mistake in it is put right at the source."""
    first, second = order(1).lines
    wrong = replace(first, extra={"meta": {"Engraving": "Ana"}})
    made = (await write(new_shop, order(1, lines=(wrong, second))))["1"]
    right = order(1, lines=(replace(first, extra={"meta": {"Engraving": "Anna"}}), second))
    async with new_shop.target() as target:
        applied(await target.write(Stream.ORDERS, [update(right, made, "lines")]))
    found = await shown(new_shop, made.target_id)
    assert [each.extra for each in found.lines] == [{"meta": {"Engraving": "Anna"}}, {}]


async def test_no_order_is_made_where_its_key_is_dropped(new_shop: Practice):
    """Before WooCommerce 9.9 `created_via` cannot be written, nor asked for: a lost answer would
    make a second order.
    """
    strange = {"id": 7, "status": "completed", "created_via": "rest-api"}
    asked = {"created_via": "m1:orders:1"}
    new_shop.instead.append(Instead("GET", "/orders", 200, [strange], query=asked))
    async with new_shop.target() as target:
        sent = operations(Stream.ORDERS, [order(1), order(2)])
        outcomes = await target.write(Stream.ORDERS, sent)
        assert [isinstance(each, Refused) and each.code for each in outcomes] == [
            "orders_not_keyed",
            "orders_not_keyed",
        ]
        assert new_shop.requests("POST", "/orders/batch") == []
        new_shop.instead.clear()
        applied(await target.write(Stream.ORDERS, sent))
        applied(await target.write(Stream.ORDERS, operations(Stream.ORDERS, [order(3)], start=3)))
    assert len(new_shop.requests("GET", "/orders")) == 2, "asked until it is known"


async def test_an_order_that_shows_no_lines_yet_is_looked_at_again(new_shop: Practice):
    """Lines of an order read half written must not be taken for missing and appended."""
    made = (await write(new_shop, order(1)))["1"]
    await new_shop.faults(torn_reads={"seconds": 0.8, "probability": 1.0})
    await new_shop.admin("PUT", f"orders/{made.target_id}", {"customer_note": "touched"})
    async with new_shop.target() as target:
        applied(await target.write(Stream.ORDERS, [update(order(1, note="x"), made)]))
    new_shop.now[0] += 5
    found = await shown(new_shop, made.target_id)
    assert len(found.lines) == 2
    assert len(found.shipping_lines) == 1


async def test_a_guests_order_and_a_customers_order(new_shop: Practice):
    [ann] = (await new_shop.load(customer=[{"email": "ann@example.test"}]))["customer"]
    made = await write(new_shop, order(1, customer=str(ann)), order(2, customer=None, email=""))
    assert (await shown(new_shop, made["1"].target_id)).customer == str(ann)
    assert (await shown(new_shop, made["2"].target_id)).customer is None


async def test_an_unknown_customer_is_refused_by_name(new_shop: Practice):
    async with new_shop.target() as target:
        sent = operations(Stream.ORDERS, [order(1, customer="4711")])
        [outcome] = await target.write(Stream.ORDERS, sent)
    assert isinstance(outcome, Refused)
    assert outcome.code == "unknown_customer"
    assert not outcome.gone


async def test_trashed_orders_go_to_the_trash_and_come_back(new_shop: Practice):
    made = (await write(new_shop, order(1, status="trashed")))["1"]
    assert (await shown(new_shop, made.target_id)).status == "trashed"
    async with new_shop.target() as target:
        found = await target.find(Stream.ORDERS, operations(Stream.ORDERS, [order(1)]))
        assert found["1"].target_id == made.target_id
        applied(await target.write(Stream.ORDERS, [update(order(1), made, "status")]))
    assert (await shown(new_shop, made.target_id)).status == "completed"


async def test_the_lines_of_an_order_in_the_trash_are_changed_and_not_appended(new_shop: Practice):
    """No list shows an order in the trash, unless it is asked for the trash."""
    made = (await write(new_shop, order(1, status="trashed")))["1"]
    changed = order(1, status="trashed", lines=(replace(order(1).lines[0], name="Renamed"),))
    async with new_shop.target() as target:
        again = replace(update(changed, made), children={}, changed=None)
        applied(await target.write(Stream.ORDERS, [again]))
    found = await shown(new_shop, made.target_id)
    assert [line.name for line in found.lines] == ["Renamed"]
    assert len(found.shipping_lines) == 1


# --- refunds -------------------------------------------------------------------------------------


def partly_refunded(**values: Any) -> Order:
    given = RefundLine(line="11", quantity=2, total=gbp("5.10"), tax=gbp("0"))
    return order(1, refunds=(refund(900, "5.10", given),), **values)


async def test_a_refund_is_made_once_without_money_or_stock(new_shop: Practice):
    made = (await write(new_shop, partly_refunded()))["1"]
    async with new_shop.target() as target:
        for children in (made.children, {}):
            again = replace(update(partly_refunded(), made), children=children)
            applied(await target.write(Stream.ORDERS, [again]))
    found = await shown(new_shop, made.target_id)
    [only] = found.refunds
    assert only.amount == gbp("5.10")
    assert (only.lines[0].quantity, only.lines[0].total) == (2, gbp("5.10"))
    assert found.status == "completed"
    assert "refund:900" in made.children
    effects = await new_shop.effects()
    assert effects["gateway_refunds"] == {}
    assert effects["stock_movements"] == {}
    assert effects["duplicates"] == {}


async def test_a_refunded_order_has_the_sources_refunds_and_none_of_its_own(new_shop: Practice):
    content = order(1, status="refunded", refunds=(refund(900, "30.00"), refund(901, "7.30")))
    async with new_shop.target() as target:
        await target.mute(await target.loud())
        made = applied(await target.write(Stream.ORDERS, operations(Stream.ORDERS, [content])))
    found = await shown(new_shop, made["1"].target_id)
    assert found.status == "refunded"
    assert sorted(str(each.amount.amount) for each in found.refunds) == ["30", "7.3"]
    assert (await new_shop.effects())["mails"] == {}


async def test_an_order_refunded_later_is_refunded_by_its_refund(new_shop: Practice):
    made = (await write(new_shop, order(1)))["1"]
    later = order(1, status="refunded", refunds=(refund(900, "37.30"),))
    async with new_shop.target() as target:
        sent = update(later, made, "status", "refunds")
        applied(await target.write(Stream.ORDERS, [sent]))
    found = await shown(new_shop, made.target_id)
    assert found.status == "refunded"
    assert len(found.refunds) == 1


async def test_a_status_that_would_refund_what_the_source_did_not_is_reported(
    new_shop: Practice,
):
    content = order(1, status="refunded", refunds=(refund(900, "5.00"),))
    made = (await write(new_shop, content))["1"]
    found = await shown(new_shop, made.target_id)
    assert [each.amount for each in found.refunds] == [gbp("5")]
    assert "status" in losses(made)


async def test_a_refund_deleted_at_the_source_is_deleted_and_others_left_alone(
    new_shop: Practice,
):
    made = (await write(new_shop, partly_refunded()))["1"]
    theirs = {"amount": "1.00", "reason": "launch team", "api_refund": False}
    await new_shop.admin("POST", f"orders/{made.target_id}/refunds", theirs)
    async with new_shop.target() as target:
        sent = update(order(1), made, "refunds")
        again = applied(await target.write(Stream.ORDERS, [sent]))["1"]
    found = await shown(new_shop, made.target_id)
    assert [each.reason for each in found.refunds] == ["launch team"]
    assert "refund:900" not in again.children


async def test_a_refunded_tax_is_given_back_where_it_is_held():
    async with practice(tax_rate="7.25") as new_shop:
        given = RefundLine(line="11", quantity=6, total=gbp("15.30"), tax=gbp("3.06"))
        content = taxed(refunds=(refund(900, "18.36", given),))
        made = (await write(new_shop, content))["1"]
        [found] = (await shown(new_shop, made.target_id)).refunds
        assert found.amount == gbp("18.36")
        [request] = new_shop.requests("POST", "/refunds")
        totals = [Decimal(each["refund_total"]) for each in request.body["line_items"]]
        assert sum(totals) == Decimal("18.36")


async def test_a_lost_refund_answer_makes_no_second_refund(new_shop: Practice):
    await new_shop.faults(
        timeout_after={"probability": 1.0, "times": 1, "route": "/refunds", "methods": ["POST"]}
    )
    sent = operations(Stream.ORDERS, [partly_refunded()])
    async with new_shop.target() as target:
        [outcome] = await target.write(Stream.ORDERS, sent)
        assert isinstance(outcome, Uncertain)
        match = (await target.find(Stream.ORDERS, sent))["1"]
        again = replace(sent[0], target_id=match.target_id, children=match.children)
        made = applied(await target.write(Stream.ORDERS, [again]))["1"]
    assert len((await shown(new_shop, made.target_id)).refunds) == 1


async def test_a_refund_that_is_refused_refuses_its_order_and_no_other(new_shop: Practice):
    too_much = order(1, refunds=(refund(900, "99.00"),))
    async with new_shop.target() as target:
        sent = operations(Stream.ORDERS, [too_much, order(2)])
        outcomes = {each.source_id: each for each in await target.write(Stream.ORDERS, sent)}
    assert isinstance(outcomes["1"], Refused)
    assert isinstance(outcomes["2"], Applied)


async def test_shipping_of_another_name_is_changed_in_place(new_shop: Practice):
    made = (await write(new_shop, order(1)))["1"]
    express = ShippingLine(
        id="13", title="Express", method="express", total=gbp("9.20"), tax=gbp("0")
    )
    changed = order(1, shipping_lines=(express,), total=gbp("42.30"), shipping_total=gbp("9.20"))
    async with new_shop.target() as target:
        sent = update(changed, made, "shipping_lines", "total", "shipping_total")
        applied(await target.write(Stream.ORDERS, [sent]))
    found = await shown(new_shop, made.target_id)
    assert [(each.title, each.total) for each in found.shipping_lines] == [("Express", gbp("9.20"))]
    assert found.total == gbp("42.30")
