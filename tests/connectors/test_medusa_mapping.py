"""Medusa's JSON and canonical records, both ways, without a store."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from connectors.base import Operation
from connectors.comparable import Names, comparable
from connectors.losses import Losses
from connectors.medusa import CONNECTOR, bodies
from connectors.medusa.bodies import VariantBodies, handle_of, new_product_body, options
from connectors.medusa.bodies_orders import order_import, with_source_names
from connectors.medusa.mapping_orders import order, own_status
from connectors.medusa.mapping_products import level, product
from connectors.medusa.parts import own_id
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.wire import WirePrice, WireProduct, WireStock
from connectors.medusa.wire_orders import WireOrder
from connectors.records import Discount, Money, Order, Product, RefundLine, Stream, Tax, money
from connectors.testing import contents
from connectors.testing.contents import LONG_AGO, gbp, line, refund

KEY = "m1:orders:1"


def shown(content: Order, key: str = KEY) -> Order:
    """The order as Medusa shows what the add-on was given."""
    record = order(wire(content, key)).content
    assert isinstance(record, Order)
    return record


def wire(content: Order, key: str = KEY) -> WireOrder:
    sent = order_import(key, content, channel="sc_1", location="sloc_1", defaults={})
    row = dict(sent["order"])
    rows = sent["payments"]
    payments = [dict(each) for each in rows.get("Payments", [])]
    for each in payments:
        for name, kind in (("captures", "Captures"), ("refunds", "Refunds")):
            each[name] = [part for part in rows[kind] if part["payment_id"] == each["id"]]
    row["payment_collections"] = [
        each | {"payments": payments} for each in rows.get("PaymentCollections", [])
    ]
    row["fulfillments"] = sent["fulfillments"]
    row["payment_status"], row["fulfillment_status"] = status_of(content)
    found: WireOrder = msgspec.json.decode(msgspec.json.encode(row), type=WireOrder)
    return found


def status_of(content: Order) -> tuple[str, str]:
    """What the server reckons of the payments and shipments of the orders below."""
    paid = content.paid_at is not None
    if content.refunds:
        whole = sum(each.amount.amount for each in content.refunds) >= content.total.amount
        return ("refunded" if whole else "partially_refunded"), "delivered"
    return ("captured" if paid else "not_paid"), "delivered"


def plain(content: Order) -> dict[str, Any]:
    return comparable(content, Names())


def taxed(**values: Any) -> Order:
    """Two lines, shipping and a fee, at 20 %, each rounded by itself."""
    lines = tuple(
        line(number, quantity=3, each="3.33", tax=gbp("2.00"), subtotal_tax=gbp("2.00"))
        for number in (1, 2)
    )
    sample = contents.order(1)
    way = tuple(replace(each, tax=gbp("0.84")) for each in sample.shipping_lines)
    fees = tuple(replace(each, tax=gbp("0.50")) for each in sample.fees)
    fields: dict[str, Any] = {
        "lines": lines,
        "shipping_lines": way,
        "fees": fees,
        "tax_total": gbp("5.34"),
        "total": gbp("32.02"),
        "taxes": (
            Tax(
                label="VAT",
                code="GB-VAT-1",
                rate=Decimal(20),
                amount=gbp("4.50"),
                shipping_amount=gbp("0.84"),
            ),
        ),
    }
    return replace(sample, **fields | values)


@pytest.mark.parametrize(
    "content",
    [
        contents.order(1),
        taxed(),
        taxed(prices_include_tax=True),
        taxed(number="R-2011/5"),
        taxed(status="on-hold", paid_at=None, completed_at=None),
        taxed(status="cancelled", paid_at=None, completed_at=None),
        taxed(transactions=()),
        taxed(
            refunds=(
                refund(
                    9, "2.00", RefundLine(line="1", quantity=1, total=gbp("1.67"), tax=gbp("0.33"))
                ),
            )
        ),
        taxed(status="refunded", refunds=(refund(9, "32.02"),)),
        taxed(note="Ring twice"),
    ],
    ids=lambda content: f"{content.status} {content.number} {content.prices_include_tax}",
)
def test_an_order_comes_back_as_it_was(content: Order) -> None:
    assert plain(shown(content)) == plain(content)


@pytest.mark.parametrize("total", ["32.01", "32.03", "12.02"])
def test_a_total_that_its_parts_do_not_come_to_is_kept(total: str) -> None:
    """As of stores that round once, or whose vouchers are no part of an order."""
    content = taxed(total=gbp(total))
    assert plain(shown(content)) == plain(content)
    row = wire(content)
    assert [each.title for each in row.items or ()][-1] == "Rounding"
    again = order_import(
        KEY, with_source_names(row), channel="sc_1", location="sloc_1", defaults={}
    )
    assert len(again["order"]["items"]) == len(row.items or ())


def test_taxes_that_were_rounded_once_are_foreseen_as_the_sum_of_the_parts() -> None:
    content = taxed(tax_total=gbp("5.35"), total=gbp("32.03"))
    found = shown(content)
    losses = Losses(CONNECTOR.writes[Stream.ORDERS].losses)
    assert (found.tax_total, found.total) == (gbp("5.34"), gbp("32.03"))
    assert losses.unexplained(content, found, Names()) == []
    wrong = replace(found, tax_total=gbp("5.36"))
    assert losses.unexplained(content, wrong, Names()) == ["tax_total"]


def test_discounts_come_back_by_code_and_to_the_penny() -> None:
    first, second = taxed().lines
    off = (replace(first, total=gbp("7.99"), tax=gbp("1.60")), second)
    codes = tuple(
        Discount(code=code, amount=gbp(amount))
        for code, amount in (("SPRING", "1.50"), ("TEN", "0.50"), ("FREESHIP", "0"))
    )
    sums = {"tax_total": gbp("4.94"), "total": gbp("29.62"), "discount_total": gbp("2")}
    goods = Tax(label="VAT", rate=Decimal(20), amount=gbp("4.10"), shipping_amount=gbp("0.84"))
    content = taxed(lines=off, discounts=codes, taxes=(goods,), **sums)
    found = shown(content)
    assert plain(found) == plain(content)
    assert {each.code: each.amount for each in found.discounts} == {
        "SPRING": gbp("1.5"),
        "TEN": gbp("0.5"),
        "FREESHIP": gbp("0"),
    }


def test_of_two_taxes_each_line_gets_its_own() -> None:
    """Books are taxed by less."""
    full, book = taxed().lines
    lines = (full, replace(book, tax=gbp("0.50"), subtotal_tax=gbp("0.50")))
    taxes = (
        Tax(label="VAT", rate=Decimal(20), amount=gbp("2.50"), shipping_amount=gbp("0.84")),
        Tax(label="Reduced", rate=Decimal(5), amount=gbp("0.50")),
    )
    content = taxed(lines=lines, taxes=taxes, tax_total=gbp("3.84"), total=gbp("30.52"))
    assert plain(shown(content)) == plain(content)


def test_of_a_states_and_a_countys_tax_each_line_gets_a_share() -> None:
    taxes = (
        Tax(label="State", rate=Decimal(15), amount=gbp("3.38"), shipping_amount=gbp("0.63")),
        Tax(label="County", rate=Decimal(5), amount=gbp("1.12"), shipping_amount=gbp("0.21")),
    )
    content = taxed(taxes=taxes)
    assert plain(shown(content)) == plain(content)


def test_parts_keep_their_ids_and_are_found_under_the_names_of_the_source() -> None:
    lines = RefundLine(line="1", quantity=1, total=gbp("1.67"), tax=gbp("0.33"))
    content = taxed(refunds=(refund(9, "2.00", lines),))
    there = with_source_names(wire(content))
    assert [each.id for each in there.lines] == ["1", "2"]
    assert [each.id for each in there.fees] == ["14"]
    assert [each.id for each in there.shipping_lines] == ["13"]
    assert (there.refunds[0].id, there.refunds[0].lines[0].line) == ("9", "1")
    again = order_import(KEY, there, channel="sc_1", location="sloc_1", defaults={})
    first = order_import(KEY, content, channel="sc_1", location="sloc_1", defaults={})
    assert again["order"]["items"] == first["order"]["items"]
    assert again["payments"].keys() == first["payments"].keys()


def test_a_status_of_the_source_counts_until_medusas_own_moves() -> None:
    content = taxed(status="on_hold", paid_at=None, completed_at=None)
    row = wire(content)
    assert getattr(order(row).content, "status", "") == "on_hold"
    row.payment_status = "captured"
    assert getattr(order(row).content, "status", "") == "completed"


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (("pending", "not_paid", "not_fulfilled"), "pending"),
        (("pending", "authorized", "not_fulfilled"), "on_hold"),
        (("pending", "captured", "not_fulfilled"), "processing"),
        (("pending", "partially_refunded", "shipped"), "completed"),
        (("pending", "refunded", "shipped"), "refunded"),
        (("canceled", "captured", "delivered"), "cancelled"),
        (("archived", "captured", "delivered"), "completed"),
    ],
)
def test_three_words_of_medusa_are_one(found: tuple[str, str, str], status: str) -> None:
    assert own_status(*found) == status


def test_ids_are_the_same_for_the_same_names_and_have_medusas_form() -> None:
    assert own_id("order", KEY) == own_id("order", KEY) != own_id("order", "m1:orders:2")
    prefix, _, letters = own_id("order", KEY).partition("_")
    assert (prefix, len(letters)) == ("order", 26)
    assert letters.isalnum()
    assert letters.isupper()


# --- products ------------------------------------------------------------------------------------


def wire_product(content: Product) -> WireProduct:
    """The product as Medusa shows a body that it was sent."""
    operation = Operation(source_id="1", key="m1:products:1", content=content)
    body = new_product_body(operation, content, {}, channel="sc_1", profile="", currency="GBP")
    options_ = [
        {"id": f"opt_{place}", "title": each["title"]}
        | {"values": [{"id": value, "value": value} for value in each["values"]]}
        for place, each in enumerate(body["options"])
    ]
    variants = [
        each
        | {"id": f"variant_{place}"}
        | {"prices": [price | {"id": "price_1"} for price in each["prices"]]}
        | {"options": [{"value": v, "option": {"title": t}} for t, v in each["options"].items()]}
        for place, each in enumerate(body["variants"])
    ]
    row = body | {"id": "prod_1", "options": options_, "variants": variants}
    found: WireProduct = msgspec.json.decode(
        msgspec.json.Encoder(decimal_format="number").encode(row), type=WireProduct
    )
    return found


def test_a_simple_product_is_its_only_variant() -> None:
    sent = contents.product(1, barcode="4006381333931", weight="1.50")
    found = product(wire_product(sent), "GBP").content
    assert isinstance(found, Product)
    assert (found.kind, found.variants, found.attributes) == ("simple", (), ())
    assert (found.sku, found.regular_price, found.barcode) == (
        "MUG-1",
        gbp("2.55"),
        "4006381333931",
    )
    assert (found.weight, found.slug, found.status) == ("1.5", "mug-1", "published")


def test_variants_come_back_with_their_options_and_prices() -> None:
    sent = contents.product(1, sku="", kind="variable", regular_price=None)
    sent = replace(sent, variants=(contents.variant(1, "Small"), contents.variant(1, "Large")))
    found = product(wire_product(sent), "GBP").content
    assert isinstance(found, Product)
    assert [(e.sku, e.options, e.regular_price) for e in found.variants] == [
        (e.sku, e.options, e.regular_price) for e in sent.variants
    ]


def test_a_variant_that_leaves_an_option_open_gets_a_value_for_it() -> None:
    small = contents.variant(1, "Small")
    sent = contents.product(1, variants=(small, replace(small, id="2", sku="X", options=())))
    assert options(sent) == {"Size": ("Small", "Any")}


def test_what_variants_differ_in_is_reckoned_once_for_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For each of them anew it would be square in their number, which may be thousands."""
    reckoned: list[Product] = []

    def counted(content: Product) -> dict[str, tuple[str, ...]]:
        reckoned.append(content)
        return options(content)

    monkeypatch.setattr(bodies, "options", counted)
    sizes = tuple(replace(contents.variant(1, f"{n}"), id=str(n)) for n in range(50))
    sent = replace(contents.product(1), variants=sizes)
    operation = Operation(source_id="1", key="k", content=sent)
    body = new_product_body(operation, sent, {}, channel="", profile="", currency="GBP")
    assert [each["variant_rank"] for each in body["variants"]] == list(range(50))
    assert len(reckoned) <= 2


def test_prices_that_hold_for_some_are_sent_again_with_those_that_change() -> None:
    """Medusa deletes what is not named."""
    sent = contents.product(1)
    there = [
        WirePrice(id="p1", amount=Decimal("2.5"), currency_code="gbp"),
        WirePrice(id="p2", amount=Decimal(3), currency_code="eur"),
        WirePrice(id="p3", amount=Decimal(2), currency_code="gbp", rules={"region_id": "r1"}),
        WirePrice(id="p4", amount=Decimal(1), currency_code="gbp", min_quantity=Decimal(10)),
    ]
    operation = Operation(source_id="1", key="k", content=sent, target_id="prod_1")
    only = replace(contents.variant(1, "S"), id="", regular_price=money("2.60", "GBP"))
    price = frozenset({"regular_price"})
    made = VariantBodies(operation, sent, "GBP")
    body = made.body(only, price, there)
    assert body["prices"] == [
        {"currency_code": "gbp", "amount": Decimal("2.6"), "id": "p1"},
        {"id": "p2", "currency_code": "eur", "amount": Decimal(3)},
        {"id": "p3", "currency_code": "gbp", "amount": Decimal(2), "rules": {"region_id": "r1"}},
        {"id": "p4", "currency_code": "gbp", "amount": Decimal(1), "min_quantity": Decimal(10)},
    ]
    gone = replace(only, regular_price=None)
    body = made.body(gone, price, there)
    assert [each["id"] for each in body["prices"]] == ["p2", "p3", "p4"]


@pytest.mark.parametrize(
    ("slug", "handle"),
    [("mug-1", "mug-1"), ("Mug", ""), ("mug--1", ""), ("grün", ""), ("-mug", ""), ("", "")],
)
def test_what_medusa_takes_as_a_handle_is_one(slug: str, handle: str) -> None:
    assert handle_of(slug) == handle


def test_what_can_be_sold_is_neither_reserved_nor_elsewhere_and_makes_whole_pieces() -> None:
    def place(number: int, stocked: int, reserved: int) -> dict[str, Any]:
        found = {"id": f"l{number}", "location_id": f"sloc_{number}"}
        return found | {"stocked_quantity": stocked, "reserved_quantity": reserved}

    levels = [place(1, 9, 2), place(2, 4, 0)]
    link = {"required_quantity": 2, "inventory": {"id": "i1", "location_levels": levels}}
    variant = {"id": "v1", "sku": "MUG-1", "inventory_items": [link]}
    row = msgspec.convert({"id": "prod_1", "variants": [variant]}, WireStock)
    [found] = row.variants or []
    everywhere = level("prod_1", found, row, ()).content
    here = level("prod_1", found, row, ("sloc_1",)).content
    assert getattr(everywhere, "quantity", None) == 5
    assert getattr(here, "quantity", None) == 3


# --- settings ------------------------------------------------------------------------------------


def test_the_address_may_be_that_of_the_admin_api() -> None:
    assert MedusaSettings(url="https://api.shop.example/admin/").url == "https://api.shop.example"


def test_locations_are_told_apart_by_commas() -> None:
    found = MedusaSettings(url="https://api.shop.example", locations=" sloc_1, sloc_2 ,")
    assert found.location_ids == ("sloc_1", "sloc_2")


def test_amounts_keep_six_digits_and_no_noise() -> None:
    content = taxed(paid_at=LONG_AGO)
    assert all(isinstance(each.total, Money) for each in shown(content).lines)
    assert {each.total for each in shown(content).lines} == {gbp("9.99")}
