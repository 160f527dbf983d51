"""Vendure's JSON and canonical records, in both directions, without a store."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.base import Operation
from connectors.comparable import Names
from connectors.losses import Losses
from connectors.records import (
    Customer,
    Discount,
    Fulfilment,
    InventoryLevel,
    Order,
    Product,
    Stream,
    Tax,
    Transaction,
    Variant,
    money,
)
from connectors.testing.contents import HOME, LONG_AGO, gbp, level, line, order, refund
from connectors.vendure.api import decoder
from connectors.vendure.bodies import new_texts, variant_body
from connectors.vendure.bodies_orders import Writing
from connectors.vendure.capabilities import WRITES
from connectors.vendure.mapping_customers import customer
from connectors.vendure.mapping_orders import is_open
from connectors.vendure.mapping_orders import order as mapped_order
from connectors.vendure.mapping_products import category, product
from connectors.vendure.mapping_products import level as mapped_level
from connectors.vendure.parts import Coins, UnmappableError, place
from connectors.vendure.settings import VendureCredentials, VendureSettings
from connectors.vendure.shop import Shop, zone_findings
from connectors.vendure.wire import (
    WireChannel,
    WireCollection,
    WireCustomer,
    WireProduct,
    WireStock,
)
from connectors.vendure.wire_orders import WireOrder
from connectors.vendure.writing_stock import stock_body

_COINS = Coins(2, "GBP")
_SHOP = Shop(
    channel=WireChannel("1", "default", "GBP", "en"),
    language="en",
    precision=2,
    tracks=True,
    threshold=0,
    custom={"Address": frozenset({"firstName", "email"})},
    importer=None,
    tax_classes={"1": "", "2": "Reduced"},
)
_WAY = {"id": "9", "shippingMethod": {"code": "post", "name": "Post"}}


def wired(kind: type[Any], row: dict[str, Any]) -> Any:
    """A row as the API would answer it."""
    return decoder(kind).decode(msgspec.json.encode(row))


def mug(**fields: Any) -> dict[str, Any]:
    variant = {
        "id": "7",
        "sku": "MUG",
        "prices": [
            {"price": 999, "currencyCode": "EUR"},
            {"price": 255, "currencyCode": "GBP"},
        ],
        "taxCategory": {"id": "2"},
        "updatedAt": "2026-02-01T00:00:00.000Z",
    }
    return {
        "id": "3",
        "name": "Mug",
        "slug": "mug",
        "variants": [variant],
        "updatedAt": "2026-01-01T00:00:00.000Z",
    } | fields


def value(number: int, name: str, code: str, *, private: bool = False) -> dict[str, Any]:
    facet = {"id": str(number), "name": name, "code": code, "isPrivate": private}
    return {"id": str(number * 10), "name": f"{name} value", "code": "x", "facet": facet}


# --- the catalogue -------------------------------------------------------------------------------


def test_a_lone_variant_without_options_is_the_product() -> None:
    found = product(wired(WireProduct, mug()), _COINS, {}, _SHOP.tax_classes)
    content = found.content
    assert isinstance(content, Product)
    assert (content.kind, content.sku, content.regular_price) == ("simple", "MUG", gbp("2.55"))
    assert (content.tax_class, content.variants) == ("Reduced", ())
    assert found.stamp is not None
    assert found.stamp.month == 2, "a variant's change is the product's"


def test_facets_are_categories_tags_and_attributes() -> None:
    facets = [
        value(1, "Collections", "recent-sync-collections", private=True),
        value(2, "Tags", "tags"),
        value(3, "Wool", "wool"),
        value(4, "Origin", "origin", private=True),
    ]
    row = mug(facetValues=facets, collections=[{"id": "5"}, {"id": "6"}])
    content = product(wired(WireProduct, row), _COINS, {"10": "8", "11": "6"}, {}).content
    assert isinstance(content, Product)
    # 6 goes by our facet, and the product does not have its value: Vendure is late.
    assert content.categories == ("5", "8")
    assert content.tags == ("Tags value",)
    assert [(each.name, each.values, each.visible) for each in content.attributes] == [
        ("Wool", ("Wool value",), True),
        ("Origin", ("Origin value",), False),
    ]


def test_filters_of_the_stores_own_are_told_and_ours_are_not() -> None:
    def by(value: str) -> dict[str, Any]:
        return {
            "code": "facet-value-filter",
            "args": [{"name": "facetValueIds", "value": f'["{value}"]'}],
        }

    row = {"id": "2", "name": "Mugs", "filters": [by("10"), by("99")]}
    content = category(wired(WireCollection, row), {"10": "2"}).content
    assert [each["args"] for each in content.extra["filters"]] == [{"facetValueIds": '["99"]'}]


@pytest.mark.parametrize(
    ("stock", "availability", "backorders"),
    [(3, "in_stock", "no"), (0, "out_of_stock", "no"), (-1, "out_of_stock", "no")],
)
def test_stock_is_what_no_order_holds(stock: int, availability: str, backorders: str) -> None:
    levels = [
        {"stockLocationId": "1", "stockOnHand": stock + 4, "stockAllocated": 5},
        {"stockLocationId": "2", "stockOnHand": 1, "stockAllocated": 0},
    ]
    row = wired(WireStock, {"id": "7", "productId": "3", "stockLevels": levels})
    found = mapped_level(row, tracks=True, threshold=0)
    content = found.content
    assert isinstance(content, InventoryLevel)
    assert (found.id, content.quantity) == ("3", stock)
    assert (content.availability, content.backorders) == (availability, backorders)


def test_stock_is_set_at_one_location_from_what_all_have() -> None:
    levels = [
        {"stockLocationId": "1", "stockOnHand": 10, "stockAllocated": 3},
        {"stockLocationId": "2", "stockOnHand": 2, "stockAllocated": 0},
    ]
    row = wired(WireStock, {"id": "7", "productId": "3", "stockLevels": levels})
    assert stock_body(level(1), row, _SHOP, "1") == {
        "stockLevels": [{"stockLocationId": "1", "stockOnHand": 9}]
    }
    there = replace(level(1), quantity=Decimal(9))
    assert stock_body(there, row, _SHOP, "1") == {}
    blocked = replace(level(1), counted=False, quantity=None, availability="out_of_stock")
    assert stock_body(blocked, row, _SHOP, "1") == {
        "stockLevels": [{"stockLocationId": "1", "stockOnHand": 1}]
    }
    # What it would be if it were counted makes it no more for sale.
    assert stock_body(replace(blocked, backorders="yes"), row, _SHOP, "1") == {
        "stockLevels": [{"stockLocationId": "1", "stockOnHand": 1}]
    }


def test_what_stock_is_shown_as_is_no_difference() -> None:
    """Vendure lets stock fall below zero, or not: whether customers are told is not kept."""
    told = replace(level(1), backorders="notify")
    row = {"id": "7", "productId": "1", "outOfStockThreshold": -1_000_000}
    row |= {"useGlobalOutOfStockThreshold": False, "trackInventory": "TRUE"}
    row |= {"stockLevels": [{"stockLocationId": "1", "stockOnHand": 8, "stockAllocated": 0}]}
    shown = mapped_level(wired(WireStock, row), tracks=True, threshold=0).content
    losses = Losses(WRITES[Stream.INVENTORY].losses)
    assert losses.unexplained(told, shown, Names()) == []


def test_only_what_differs_is_sent() -> None:
    there = Product(name="Mug", slug="mug", description="Old")
    wanted = Product(name="Mug", slug="", description="New")
    assert new_texts(wanted, there, None) == {"description": "New"}
    assert new_texts(wanted, there, frozenset({"name"})) == {}
    was = wired(WireProduct, mug()).variants[0]
    now = Variant(id="7", sku="MUG", regular_price=gbp("3"), status="draft")
    assert variant_body(now, was, None, _SHOP, _COINS) == {"price": 300, "enabled": False}
    assert variant_body(now, was, frozenset({"sku"}), _SHOP, _COINS) == {}


def test_a_variant_without_a_price_is_not_given_away() -> None:
    assert variant_body(Variant(id="7"), None, None, _SHOP, _COINS) == {
        "sku": "",
        "enabled": False,
        "price": 0,
    }


@given(st.integers(-(10**9), 10**9), st.sampled_from([0, 2, 3]))
def test_units_and_money_are_the_same_amount(units: int, precision: int) -> None:
    coins = Coins(precision, {0: "JPY", 2: "GBP", 3: "KWD"}[precision])
    assert coins.units(coins.money(units)) == units


# --- customers -----------------------------------------------------------------------------------


def test_one_address_for_both_is_read_twice_and_its_email_once() -> None:
    home = {
        "id": "4",
        "fullName": "Ann van Dyck",
        "country": {"code": "GB", "name": "United Kingdom"},
        "defaultBillingAddress": True,
        "defaultShippingAddress": True,
        "customFields": {"firstName": "Ann", "email": "bills@example.test"},
    }
    row = {"id": "1", "emailAddress": "ann@example.test", "addresses": [home]}
    content = customer(wired(WireCustomer, row)).content
    assert isinstance(content, Customer)
    assert content.billing is not None
    assert (content.billing.first_name, content.billing.last_name) == ("Ann", "van Dyck")
    assert content.billing.email == "bills@example.test"
    assert content.shipping == replace(content.billing, email="")
    assert content.role == "guest"


# --- orders --------------------------------------------------------------------------------------


def native(**fields: Any) -> WireOrder:
    """An order that was placed in the store itself."""
    sold = {"id": "7", "productId": "3", "sku": "MUG", "name": "Mug", "options": []}
    mugs = {
        "id": "5",
        "quantity": 2,
        "linePrice": 510,
        "linePriceWithTax": 612,
        "proratedLinePrice": 410,
        "proratedLinePriceWithTax": 492,
        "proratedUnitPrice": 205,
        "proratedUnitPriceWithTax": 246,
        "productVariant": sold,
        "taxLines": [{"description": "VAT", "taxRate": 20}],
    }
    way = {"price": 420, "priceWithTax": 420, "discountedPrice": 420}
    off = {"adjustmentSource": "1", "type": "PROMOTION", "description": "Ten off"}
    paid = {"id": "1", "method": "cash", "amount": 912, "state": "Settled"}
    row = {
        "id": "1",
        "code": "ABC",
        "state": "PaymentSettled",
        "currencyCode": "GBP",
        "total": 830,
        "totalWithTax": 912,
        "shipping": 420,
        "orderPlacedAt": "2026-01-01T00:00:00.000Z",
        "lines": [mugs],
        "shippingLines": [_WAY | way | {"discountedPriceWithTax": 420}],
        "couponCodes": ["TEN"],
        "discounts": [off | {"amount": -100, "amountWithTax": -120}],
        "taxSummary": [{"description": "VAT", "taxRate": 20, "taxTotal": 82}],
        "payments": [paid | {"createdAt": "2026-01-02T00:00:00.000Z"}],
    } | fields
    found: WireOrder = wired(WireOrder, row)
    return found


def test_an_order_of_the_stores_own() -> None:
    content = mapped_order(native(), 2).content
    assert isinstance(content, Order)
    assert (content.status, content.total, content.tax_total) == (
        "processing",
        gbp("9.12"),
        gbp("0.82"),
    )
    [mugs] = content.lines
    assert (mugs.subtotal, mugs.total, mugs.tax, mugs.subtotal_tax) == (
        gbp("5.1"),
        gbp("4.1"),
        gbp("0.82"),
        gbp("1.02"),
    )
    assert (mugs.product, mugs.variant) == ("3", None)
    assert content.discounts == (Discount(code="TEN", amount=gbp("1"), tax=gbp("0.2")),)
    assert content.discount_total == gbp("1")
    assert content.taxes == (
        Tax(label="VAT", rate=Decimal(20), amount=gbp("0.82"), shipping_amount=gbp("0")),
    )
    assert content.paid_at is not None
    assert is_open(content)


def test_the_parts_of_an_order_are_read_in_one_order() -> None:
    """Vendure answers with them as its database finds them, which changes with every update."""
    [mugs] = msgspec.to_builtins(native().lines)
    [paid] = msgspec.to_builtins(native().payments)
    [way] = msgspec.to_builtins(native().shipping_lines)
    fee = {"description": "Wrapping", "price": 250, "priceWithTax": 300, "sku": ""}
    sent = {"state": "Shipped", "method": "Post", "createdAt": "2026-01-03T00:00:00.000Z"}
    parts = {
        "lines": mugs,
        "payments": paid,
        "shippingLines": way,
        "surcharges": fee,
        "fulfillments": sent,
    }
    here, there = (
        {name: [part | {"id": each} for each in ids] for name, part in parts.items()}
        for ids in (("9", "10"), ("10", "9"))
    )
    first, second = mapped_order(native(**here), 2), mapped_order(native(**there), 2)
    assert isinstance(first.content, Order)
    assert [each.id for each in first.content.lines] == ["9", "10"]
    assert len(first.content.fees) == len(first.content.fulfilments) == 2
    assert first == second


def test_money_that_went_back_makes_an_order_refunded() -> None:
    back = {
        "id": "3",
        "items": 492,
        "shipping": 420,
        "adjustment": 0,
        "total": 912,
        "state": "Settled",
        "createdAt": "2026-01-03T00:00:00.000Z",
        "lines": [{"orderLineId": "5", "quantity": 2}],
    }
    payment = msgspec.to_builtins(native().payments)[0]
    failed = back | {"id": "4", "state": "Failed"}
    content = mapped_order(native(payments=[payment | {"refunds": [back, failed]}]), 2).content
    assert isinstance(content, Order)
    assert content.status == "refunded"
    [found] = content.refunds
    assert [(each.line, each.total, each.tax) for each in found.lines] == [
        ("5", gbp("4.1"), gbp("0.82")),
        ("shipping:9", gbp("4.2"), gbp("0")),
    ]
    strange = {**back, "lines": [{"orderLineId": "99", "quantity": 1}]}
    with pytest.raises(UnmappableError):
        mapped_order(native(payments=[payment | {"refunds": [strange]}]), 2)


def body_of(content: Order) -> dict[str, Any]:
    operation = Operation(source_id="1", key="m1:orders:1", content=content)
    return Writing(_SHOP, {"8": "80"}, {"GB": "United Kingdom"}).body(operation, content)


def reckoned(part: dict[str, Any], pieces: int) -> tuple[int, int]:
    """What Vendure makes of a price: net and tax, in binary fractions as it does."""
    more = sum(each["amount"] for each in part["adjustments"])
    rate = sum(float(each["taxRate"]) for each in part["taxLines"])
    unit = part["price"] + more / pieces
    net = math.floor(unit * pieces + 0.5)
    return net, math.floor(unit * ((100 + rate) / 100) * pieces + 0.5) - net


@given(
    st.integers(1, 200),
    st.integers(1, 10**6),
    st.integers(0, 10**4),
    st.sampled_from(["0", "5", "17.5", "20", "21"]),
    st.integers(-3, 3),
)
def test_a_line_comes_to_exactly_what_it_was(
    pieces: int, subtotal: int, discount: int, rate: str, bent: int
) -> None:
    """Whatever the source rounded, and however it taxed."""
    total = max(1, subtotal - discount)
    tax = max(0, round(total * Decimal(rate) / 100) + bent)
    found = line(
        1,
        quantity=pieces,
        subtotal=_COINS.money(subtotal),
        total=_COINS.money(total),
        tax=_COINS.money(tax),
    )
    taxes = (Tax(label="VAT", rate=Decimal(rate), amount=_COINS.money(tax)),)
    content = order(1, lines=(found,), fees=(), taxes=taxes)
    [part] = body_of(content)["lines"]
    assert reckoned(part, pieces) == (total, tax)


def test_what_a_total_has_and_its_parts_have_not_is_a_part_of_its_own() -> None:
    content = order(1, total=gbp("37.31"))
    fees = body_of(content)["surcharges"]
    assert [(each["id"], each["price"]) for each in fees] == [("14", 250), ("rounding", 1)]


def test_an_order_that_is_complete_was_sent() -> None:
    body = body_of(order(1))
    assert body["state"] == "Delivered"
    [sent] = body["fulfillments"]
    assert [each["line"] for each in sent["lines"]] == ["11", "12"]
    assert body_of(order(1, status="processing", completed_at=None))["fulfillments"] == []


@pytest.mark.parametrize(
    ("status", "state", "payment"),
    [
        ("pending", "ArrangingPayment", "Created"),
        ("on_hold", "PaymentAuthorized", "Authorized"),
        ("failed", "Cancelled", "Declined"),
        ("cancelled", "Cancelled", "Cancelled"),
        ("a-word-of-its-own", "ArrangingPayment", "Created"),
    ],
)
def test_a_status_becomes_a_state(status: str, state: str, payment: str) -> None:
    body = body_of(order(1, status=status, paid_at=None, completed_at=None))
    assert (body["state"], body["payments"][0]["state"]) == (state, payment)


def test_money_of_unknown_origin_is_a_payment_that_says_so() -> None:
    [paid] = body_of(order(1, transactions=()))["payments"]
    assert paid["metadata"] == {"title": "", "unknown": True}
    assert body_of(order(1, transactions=(), paid_at=None))["payments"] == []


def test_a_payment_that_is_awaited_beside_one_that_was_taken_is_not_settled() -> None:
    awaited = Transaction(gateway="card", amount=gbp("32.30"))
    taken = Transaction(gateway="voucher", amount=gbp("5"), at=LONG_AGO + timedelta(days=1))
    back = refund(1, "5")
    content = order(1, status="processing", transactions=(awaited, taken), refunds=(back,))
    body = body_of(replace(content, paid_at=None, completed_at=None))
    assert [(each["amount"], each["state"]) for each in body["payments"]] == [
        (3230, "Created"),
        (500, "Settled"),
    ]
    assert body["payments"][1]["at"] == "2011-11-04T08:26:00.000Z"
    assert [each["payment"] for each in body["refunds"]] == ["1"], "money goes back where it was"


def test_a_part_of_the_money_that_came_is_settled() -> None:
    """The order waits for the rest: with a payment that was never made, it would wait for all."""
    came = Transaction(gateway="card", amount=gbp("10"), at=LONG_AGO)
    content = order(1, status="pending", transactions=(came,), paid_at=None, completed_at=None)
    body = body_of(content)
    assert body["state"] == "ArrangingPayment"
    assert [(each["amount"], each["state"]) for each in body["payments"]] == [(1000, "Settled")]


def test_a_shipment_that_never_left_is_not_sent() -> None:
    shipments = tuple(
        Fulfilment(id=status, status=status, lines=(("11", 1),), at=LONG_AGO)
        for status in ("cancelled", "pending", "success")
    )
    content = order(1, status="processing", completed_at=None, fulfilments=shipments)
    states = [each["state"] for each in body_of(content)["fulfillments"]]
    assert states == ["Cancelled", "Pending", "Shipped"]
    complete = order(1, fulfilments=shipments[:1])
    [void, sent] = body_of(complete)["fulfillments"]
    assert (void["state"], sent["state"]) == ("Cancelled", "Delivered")
    assert [each["line"] for each in sent["lines"]] == ["11", "12"]


def test_what_an_order_was_tells_whether_its_sums_are_the_same() -> None:
    """The add-on leaves alone what staff has worked on, and takes the same as before."""
    texts = {each: body_of(order(1, note=each))["importedAs"] for each in ("", "Ring")}
    assert texts[""] == texts["Ring"]
    sent = Fulfilment(id="1", status="shipped", lines=(("11", 1),))
    assert body_of(order(1, fulfilments=(sent,)))["importedAs"] != texts[""]


def test_only_named_fields_of_an_order_are_sent() -> None:
    content = order(1, note="Ring twice", billing=HOME)
    update = Operation(
        source_id="1",
        key="m1:orders:1",
        content=content,
        target_id="5",
        changed=frozenset({"note"}),
    )
    body = Writing(_SHOP, {}, {}).body(update, content)
    assert body == {"key": "m1:orders:1", "customerNote": "Ring twice"}


def test_a_line_of_a_product_without_others_names_its_only_variant() -> None:
    content = order(1, lines=(line(1, product="8"), line(2, product="9", variant="90"), line(3)))
    found = [each["productVariantId"] for each in body_of(content)["lines"]]
    assert found == ["80", "90", None]


def test_what_an_order_was_is_believed_as_long_as_it_is_as_it_came() -> None:
    content = order(1, status="refunded", total=money("9.12", "GBP"), completed_at=None)
    imported = body_of(content)["importedAs"]
    fields = {"recentSyncKey": "m1:orders:1", "importedAs": imported, "customerNote": "Ring"}
    found = mapped_order(native(customFields=fields), 2).content
    assert isinstance(found, Order)
    assert (found.status, found.paid_at, found.note) == ("refunded", LONG_AGO, "Ring")
    assert found.extra["external_key"] == "m1:orders:1"
    later = mapped_order(native(customFields=fields, state="Cancelled"), 2).content
    assert isinstance(later, Order)
    assert later.status == "cancelled"


# --- access --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [{}, {"username": "x"}, {"api_key": "x", "username": "x", "password": "x"}],
)
def test_credentials_are_one_way_in(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="give an API key"):
        VendureCredentials(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("https://shop.example", "https://shop.example/admin-api"),
        ("https://shop.example/", "https://shop.example/admin-api"),
        ("https://shop.example/api/admin/", "https://shop.example/api/admin"),
    ],
)
def test_an_address_without_a_path_is_vendures_own(entered: str, kept: str) -> None:
    assert VendureSettings(url=entered).url == kept


def test_a_database_in_another_zone_is_told() -> None:
    """Its new records look hours old, and no window would find them."""
    soon = LONG_AGO + timedelta(seconds=3)
    assert zone_findings(LONG_AGO, soon) == []
    [(code, text)] = zone_findings(LONG_AGO - timedelta(hours=5), soon)
    assert code == "database_zone"
    assert "5 hours behind" in text


def test_ids_are_in_order_of_numbers_or_uuids() -> None:
    first, second = "0a2b1c3d-0000-4000-8000-000000000000", "1a2b1c3d-0000-4000-8000-000000000000"
    assert place("9") < place("10")
    assert place(first) < place(second)
    with pytest.raises(UnmappableError):
        place("T_1")
