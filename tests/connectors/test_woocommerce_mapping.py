"""WooCommerce's JSON, with what PHP and extensions make of it, as canonical records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.digest import digest
from connectors.errors import BadAnswer
from connectors.http import Answer
from connectors.minor_units import rounded
from connectors.records import Tax, money
from connectors.woocommerce.api import RefusedRequest, is_refusal, listing, require_success
from connectors.woocommerce.mapping_customers import customer
from connectors.woocommerce.mapping_orders import order
from connectors.woocommerce.mapping_products import category, level, product
from connectors.woocommerce.parts import UnmappableError, amount
from connectors.woocommerce.wire import (
    WireCategory,
    WireCustomer,
    WireOrder,
    WireProduct,
    WireRefund,
    WireStock,
)

ADDRESS = {
    "first_name": "Ann",
    "last_name": "Archer",
    "address_1": "1 High Street",
    "address_2": "",
    "city": "London",
    "postcode": "N1 9GU",
    "country": "GB",
    "email": "ann@example.test",
    "phone": "020",
}

ORDER: dict[str, Any] = {
    "id": 727,
    "number": "R-727",
    "status": "on-hold",
    "currency": "GBP",
    "date_created_gmt": "2011-11-03T08:26:00",
    "date_modified_gmt": "2011-11-04T09:00:00",
    "date_paid_gmt": "2011-11-03T08:27:00",
    "date_completed_gmt": None,
    "total": "44.7600",
    "total_tax": "7.46",
    "shipping_total": "4.20",
    "discount_total": "0.00",
    "prices_include_tax": True,
    "customer_id": 12,
    "customer_note": "Ring twice",
    "billing": ADDRESS,
    "shipping": dict.fromkeys(ADDRESS, ""),
    "payment_method": "stripe",
    "payment_method_title": "Card",
    "transaction_id": "ch_1",
    "created_via": "checkout",
    "meta_data": [
        {"id": 1, "key": "gift", "value": {"wrap": True}},
        {"id": 2, "key": "_private", "value": "x"},
        {"id": 3, "key": "is_vat_exempt", "value": "no"},
    ],
    "line_items": [
        {
            "id": 3,
            "name": "Mug",
            "product_id": 31,
            "variation_id": 32,
            "quantity": 6,
            "subtotal": "15.30",
            "subtotal_tax": "3.06",
            "total": "15.30",
            "total_tax": "3.06",
            "sku": None,
            "price": 2.5500000001,
            "meta_data": [{"id": 9, "key": "Size", "value": "S"}],
        }
    ],
    "tax_lines": [
        {
            "id": 5,
            "rate_code": "GB-VAT-1",
            "label": "VAT",
            "tax_total": "7.46",
            "shipping_tax_total": "0.84",
            "rate_percent": 20,
        }
    ],
    "shipping_lines": [
        {"id": 4, "method_title": "Post", "method_id": "flat_rate", "total": "4.20"}
    ],
    "fee_lines": [],
    "coupon_lines": [{"id": 6, "code": "TEA5", "discount": "5.30", "discount_tax": "1.06"}],
    "refunds": [{"id": 900, "reason": "Broken", "total": "-5.10"}],
}


def rows(kind: type, *documents: Any) -> Any:
    answer = Answer(200, httpx.Headers({"X-WP-Total": "7"}), json.dumps(documents).encode())
    return listing(answer, kind)


def read_order(**changes: Any) -> Any:
    found = rows(WireOrder, ORDER | changes)
    assert not found.failed
    return order(found.rows[0])


def test_an_order_keeps_what_it_says():
    record = read_order()
    content = record.content
    assert (record.id, record.stamp) == ("727", datetime(2011, 11, 4, 9, tzinfo=UTC))
    assert (content.number, content.status, content.total) == (
        "R-727",
        "on_hold",
        money("44.76", "GBP"),
    )
    assert content.paid_at == datetime(2011, 11, 3, 8, 27, tzinfo=UTC)
    assert (content.customer, content.email) == ("12", "ann@example.test")
    assert content.billing.line1 == "1 High Street"
    assert content.shipping is None
    [line] = content.lines
    assert (line.product, line.variant, line.sku) == ("31", "32", "")
    assert line.extra == {"meta": {"Size": "S"}}
    assert content.taxes == (
        Tax(
            label="VAT",
            code="GB-VAT-1",
            rate=Decimal(20),
            amount=money("7.46", "GBP"),
            shipping_amount=money("0.84", "GBP"),
        ),
    )
    assert content.discounts[0].code == "TEA5"
    assert content.transactions[0].reference == "ch_1"
    assert content.extra == {"meta": {"gift": {"wrap": True}}, "created_via": "checkout"}


def test_a_guests_order_names_no_customer():
    assert read_order(customer_id=0).content.customer is None


def test_refunds_are_counted_above_zero_and_name_what_they_are_of():
    document = {
        "id": 900,
        "amount": "6.60",
        "reason": "Broken",
        "line_items": [
            {
                "id": 1,
                "quantity": -2,
                "total": "-5.10",
                "total_tax": "-1.02",
                "meta_data": [{"id": 1, "key": "_refunded_item_id", "value": "3"}],
            }
        ],
        "shipping_lines": [
            {
                "id": 2,
                "total": "-1.50",
                "meta_data": [{"id": 2, "key": "_refunded_item_id", "value": 4}],
            }
        ],
    }
    [refund] = rows(WireRefund, document).rows
    [row] = rows(WireOrder, ORDER).rows
    [found] = order(row, [refund]).content.refunds
    assert found.amount == money("6.60", "GBP")
    assert [(each.line, each.quantity, each.total) for each in found.lines] == [
        ("3", 2, money("5.10", "GBP")),
        ("shipping:4", 0, money("1.50", "GBP")),
    ]


def test_a_fee_below_zero_that_is_given_back_stays_below_zero():
    """A discount that somebody entered as a fee is taken back with the goods: WooCommerce shows it
    above zero among the refunded, and numbers where an extension meddles.
    """
    document = {
        "id": 900,
        "amount": "90.00",
        "line_items": [
            {
                "id": 1,
                "quantity": -1,
                "total": -100,
                "total_tax": -0.5,
                "meta_data": [{"id": 1, "key": "_refunded_item_id", "value": "3"}],
            }
        ],
        "fee_lines": [
            {
                "id": 2,
                "total": "10.00",
                "total_tax": "0.50",
                "meta_data": [{"id": 2, "key": "_refunded_item_id", "value": "4"}],
            }
        ],
    }
    [row] = rows(WireOrder, ORDER).rows
    [found] = order(row, rows(WireRefund, document).rows).content.refunds
    assert [(each.line, each.total, each.tax) for each in found.lines] == [
        ("3", money("100", "GBP"), money("0.50", "GBP")),
        ("fee:4", money("-10.00", "GBP"), money("-0.50", "GBP")),
    ]
    assert sum(each.total.amount + each.tax.amount for each in found.lines) == found.amount.amount


def test_choices_of_one_name_on_a_line_are_all_kept():
    """Extensions write one field for each choice, all of one name."""
    metas = [
        {"id": 1, "key": "Topping", "value": "Cheese"},
        {"id": 2, "key": "Note", "value": "Hot"},
        {"id": 3, "key": "Topping", "value": "Ham"},
        {"id": 4, "key": "Topping", "value": 2},
    ]
    line = ORDER["line_items"][0] | {"meta_data": metas}
    [row] = rows(WireOrder, ORDER | {"line_items": [line]}).rows
    [found] = order(row).content.lines
    assert found.extra == {"meta": {"Topping": "Cheese, Ham, 2", "Note": "Hot"}}


def test_taxes_that_we_put_into_a_fee_are_read_as_taxes():
    fee = {
        "id": 8,
        "name": "Tax",
        "total": "7.46",
        "meta_data": [{"id": 1, "key": "_recent_sync_part", "value": "fee:tax"}],
    }
    theirs = {"id": 9, "name": "Wrapping", "total": "2.50", "meta_data": []}
    content = read_order(total_tax="0.00", fee_lines=[fee, theirs]).content
    assert content.tax_total == money("7.46", "GBP")
    assert [each.name for each in content.fees] == ["Wrapping"]


def test_our_key_is_told_from_other_ways_an_order_was_made():
    assert read_order(created_via="m1:orders:5").content.extra["external_key"] == "m1:orders:5"
    assert "external_key" not in read_order(created_via="rest-api").content.extra


@pytest.mark.parametrize(
    "odd",
    [
        {"billing": [], "shipping": []},
        {"total": 44.76, "total_tax": 7.46},
        {"number": 727},
        {"transaction_id": None},
        {"transaction_id": False},
        {"meta_data": {"0": {"id": 1, "key": "a", "value": [1]}, "7": {"id": 2, "key": "b"}}},
        {"customer_note": None},
        {"created_via": None},
        {"prices_include_tax": "1"},
        {"customer_id": "12"},
        {"unknown_to_us": {"deep": [1, 2]}},
    ],
)
def test_what_php_makes_of_values_is_no_obstacle(odd: dict[str, Any]):
    assert read_order(**odd).id == "727"


def test_a_number_in_place_of_text_is_the_same_amount():
    assert read_order(total=44.76).content.total == read_order().content.total


@pytest.mark.parametrize(
    "bad",
    [
        {"total": "a lot"},
        {"currency": ""},
        {"line_items": [ORDER["line_items"][0] | {"quantity": "1.5"}]},
        {"line_items": [ORDER["line_items"][0] | {"quantity": "some"}]},
        {"tax_lines": [ORDER["tax_lines"][0] | {"rate_percent": "high"}]},
        {"total": "NaN"},
        {"total": "Infinity"},
    ],
)
def test_an_order_that_makes_no_sense_is_refused_without_quoting_it(bad: dict[str, Any]):
    with pytest.raises(UnmappableError) as caught:
        read_order(**bad)
    assert "a lot" not in str(caught.value)


def test_a_strange_row_is_kept_apart_from_its_page():
    found = rows(WireOrder, ORDER, ORDER | {"id": 728, "line_items": "none"}, ORDER | {"id": 729})
    assert [row.id for row in found.rows] == [727, 729]
    assert [each for each, _ in found.failed] == [728]
    assert found.total == 7


def test_a_row_without_an_id_cannot_be_passed_over():
    with pytest.raises(BadAnswer):
        rows(WireOrder, ORDER, {"status": "completed", "line_items": 5})


def test_an_object_where_a_list_belongs_is_no_empty_list():
    answer = Answer(200, httpx.Headers(), b'{"code": "x"}')
    with pytest.raises(msgspec.ValidationError):
        listing(answer, WireOrder)


def test_the_same_json_gives_the_same_digest_whatever_the_store_adds():
    more = {"date_modified_gmt": "2026-01-01T00:00:00", "order_key": "k", "_links": {}}
    assert digest(read_order(**more).content) == digest(read_order().content)


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_amounts_survive_the_way_through_text(value: Decimal):
    found = amount(str(value), "GBP")
    assert found.amount == value
    assert "E" not in str(found.amount)
    assert rounded(found.amount, "GBP") == value


# --- the other streams ---------------------------------------------------------------------------


def test_a_products_own_price_is_none_where_it_has_variations():
    [simple, variable] = rows(
        WireProduct,
        {"id": 1, "type": "simple", "regular_price": "2.55", "sale_price": ""},
        {"id": 2, "type": "variable", "regular_price": "9.95"},
    ).rows
    assert product(simple, [], "GBP").content.regular_price == money("2.55", "GBP")
    assert product(simple, [], "GBP").content.sale_price is None
    assert product(variable, [], "GBP").content.regular_price is None


def test_pictures_lists_and_sizes_may_be_missing_or_empty():
    [row] = rows(
        WireProduct,
        {"id": 1, "sku": None, "images": [], "dimensions": [], "global_unique_id": None},
    ).rows
    content = product(row, [], "GBP").content
    assert (content.sku, content.images, content.barcode) == ("", (), "")
    assert content.dimensions == ("", "", "")


@pytest.mark.parametrize("image", [None, [], {"id": 1, "src": ""}, {"id": 1, "src": False}])
def test_a_category_without_a_picture(image: Any):
    [row] = rows(WireCategory, {"id": 1, "name": "Mugs", "image": image}).rows
    assert category(row).content.image is None


@pytest.mark.parametrize(
    ("stock", "counted", "quantity"),
    [
        ({"manage_stock": True, "stock_quantity": 7}, True, Decimal(7)),
        ({"manage_stock": True, "stock_quantity": -2}, True, Decimal(-2)),
        ({"manage_stock": True, "stock_quantity": "1.5"}, True, Decimal("1.5")),
        ({"manage_stock": True, "stock_quantity": None}, True, None),
        ({"manage_stock": False, "stock_quantity": None}, False, None),
    ],
)
def test_stock_is_counted_or_not(stock: dict[str, Any], counted: bool, quantity: Decimal | None):
    [row] = rows(WireStock, {"id": 5, "stock_status": "instock", **stock}).rows
    content = level(row).content
    assert (content.counted, content.quantity, content.availability) == (
        counted,
        quantity,
        "in_stock",
    )


@pytest.mark.parametrize(
    ("manages", "quantity", "shown"),
    [
        ("parent", 7, (True, Decimal(7), True)),
        (True, 3, (True, Decimal(3), False)),
        (False, None, (False, None, False)),
    ],
)
def test_a_variation_takes_from_its_products_stock_or_its_own_or_none(
    manages: Any, quantity: int | None, shown: Any
):
    given = {"manage_stock": manages, "stock_quantity": quantity, "backorders": "notify"}
    [parent, child] = rows(WireStock, {"id": 5}, {"id": 6, **given}).rows
    content = level(child, parent).content
    assert (content.counted, content.quantity, content.shared) == shown
    assert content.backorders == "notify"


def test_a_customer_without_an_email_cannot_be_paired():
    [row] = rows(WireCustomer, {"id": 1, "email": ""}).rows
    with pytest.raises(UnmappableError):
        customer(row)


# --- refusals ------------------------------------------------------------------------------------


def test_a_refusal_keeps_the_stores_code_and_drops_its_words():
    body = {
        "code": "registration-error-email-exists",
        "message": "An account is already registered with ann@example.test",
        "data": {"status": 400, "resource_id": 5},
    }
    with pytest.raises(RefusedRequest) as caught:
        require_success(Answer(400, httpx.Headers(), json.dumps(body).encode()))
    assert caught.value.platform_code == "registration-error-email-exists"
    assert caught.value.resource_id == 5
    assert "ann@example.test" not in str(caught.value)


def test_a_code_that_is_no_code_is_not_repeated():
    body = {"code": "<script>ann@example.test", "message": "", "data": None}
    with pytest.raises(RefusedRequest) as caught:
        require_success(Answer(400, httpx.Headers(), json.dumps(body).encode()))
    assert caught.value.platform_code == "unknown"


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (b'{"code": "woocommerce_rest_cannot_create_order_refund"}', True),
        (b'{"code": "internal_server_error"}', False),
        (b"<html>woocommerce_rest_", False),
        (b"", False),
    ],
)
def test_a_500_may_be_a_refusal(body: bytes, refused: bool):
    assert is_refusal(body) is refused
