"""Orders as WooCommerce writes them, about 3.6 kB each: the same number gives the same order."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
_SPACING = timedelta(seconds=270)  # 100,000 orders in about ten months
_FIRST = ("Ada", "Björn", "Chloé", "Dmitri", "Eşref", "Fatima", "Grace", "Hiroko", "Ines", "Jürgen")
_LAST = ("Lovelace", "Ångström", "Dubois", "Ivanov", "Øster", "Haddad", "Hopper", "Tanaka")
_CITIES = (("Portland", "OR", "97201"), ("Köln", "NW", "50667"), ("Leeds", "WYK", "LS1 4AP"))
_STREETS = ("Hawthorne Boulevard", "Hauptstraße")
_GOODS = (
    ("Hand-thrown Stoneware Mug with Speckled Glaze", "MUG-SPK"),
    ("Organic Cotton T-Shirt - Heavyweight, Boxy Fit", "TEE-HVY"),
    ("Recycled Glass Carafe, 1.2 Litre", "CAR-120"),
    ('Linen Tea Towel "Meadow"', "TOW-MDW"),
    ("Cast Iron Skillet 26 cm, Pre-seasoned", "SKI-026"),
)
_STATUSES = ("completed",) * 7 + ("processing",) * 2 + ("cancelled",)
_SITE = "https://shop.example.com"

Json = dict[str, Any]


def _gmt(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()


def _cents(value: int) -> str:
    return f"{value // 100}.{value % 100:02d}"


def _address(dice: random.Random, number: int) -> Json:
    city, state, postcode = dice.choice(_CITIES)
    return {
        "first_name": dice.choice(_FIRST),
        "last_name": dice.choice(_LAST),
        "company": dice.choice(("", "", "Meridian Trading Ltd")),
        "address_1": f"{dice.randrange(1, 2000)} {dice.choice(_STREETS)}",
        "address_2": dice.choice(("", "Apartment 4B")),
        "city": city,
        "state": state,
        "postcode": postcode,
        "country": "US",
        "email": f"buyer{number % 40_000}@example.com",
        "phone": f"+1 503 555 {number % 10_000:04d}",
    }


def _line(dice: random.Random, line_id: int) -> tuple[Json, int]:
    """An order line and its total in cents, before tax."""
    name, sku = dice.choice(_GOODS)
    quantity = dice.randrange(1, 4)
    price = dice.randrange(499, 8999)
    total = price * quantity
    tax = round(total * 0.0725)
    line = {
        "id": line_id,
        "name": f"{name} - Slate Grey",
        "product_id": 0,
        "variation_id": 0,
        "quantity": quantity,
        "tax_class": "",
        "subtotal": _cents(total),
        "subtotal_tax": _cents(tax),
        "total": _cents(total),
        "total_tax": _cents(tax),
        "taxes": [{"id": 1, "total": _cents(tax), "subtotal": _cents(tax)}],
        "meta_data": [
            {
                "id": line_id * 4,
                "key": "pa_colour",
                "value": "slate-grey",
                "display_key": "Colour",
                "display_value": "Slate Grey",
            },
        ],
        "sku": f"{sku}-{dice.randrange(100):02d}",
        "price": price / 100,
        "image": {"id": str(dice.randrange(9000)), "src": f"{_SITE}/wp-content/{sku}.jpg"},
        "parent_name": name,
    }
    return line, total


def _meta(dice: random.Random, order_id: int) -> list[Json]:
    values = {
        "is_vat_exempt": "no",
        "_wc_order_attribution_source_type": dice.choice(("organic", "typein", "utm")),
        "_wc_order_attribution_utm_source": dice.choice(("google", "(direct)", "newsletter")),
        "_wc_order_attribution_device_type": dice.choice(("Desktop", "Mobile")),
        "_stripe_intent_id": f"pi_{dice.randrange(16**24):024x}",
    }
    return [
        {"id": order_id * 20 + index, "key": key, "value": value}
        for index, (key, value) in enumerate(values.items())
    ]


def order(order_id: int, *, modified: datetime | None = None) -> Json:
    """One order as the REST API shows it. `modified` makes a later version of it: its status and
    its note differ from the first one.
    """
    dice = random.Random(order_id)
    made = BEGIN + _SPACING * order_id
    pairs = [_line(dice, order_id * 10 + n) for n in range(dice.choice((2, 2, 2, 2, 3, 4)))]
    goods = sum(total for _, total in pairs)
    shipping, goods_tax = 595, sum(round(total * 0.0725) for _, total in pairs)
    status = dice.choice(_STATUSES) if modified is None else "completed"
    address = _address(dice, order_id)
    changed = modified or made + timedelta(hours=3)
    href = f"{_SITE}/wp-json/wc/v3/orders"
    return {
        "id": order_id,
        "parent_id": 0,
        "status": status,
        "currency": "USD",
        "version": "10.0.2",
        "prices_include_tax": False,
        "date_created": _gmt(made - timedelta(hours=5)),
        "date_modified": _gmt(changed - timedelta(hours=5)),
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": _cents(shipping),
        "shipping_tax": "0.00",
        "cart_tax": _cents(goods_tax),
        "total": _cents(goods + goods_tax + shipping),
        "total_tax": _cents(goods_tax),
        "customer_id": 0,
        "order_key": f"wc_order_{dice.randrange(16**12):012x}",
        "billing": address,
        "shipping": {key: value for key, value in address.items() if key != "email"},
        "payment_method": "stripe",
        "payment_method_title": "Credit / Debit Card",
        "transaction_id": f"ch_{dice.randrange(16**24):024x}",
        "customer_ip_address": "203.0.113.7",
        "customer_user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0",
        "created_via": "checkout",
        "customer_note": "" if modified is None else f"Please ring twice ({_gmt(modified)}).",
        "date_completed": None,
        "date_paid": _gmt(made - timedelta(hours=5)),
        "cart_hash": f"{dice.randrange(16**32):032x}",
        "number": str(order_id),
        "meta_data": _meta(dice, order_id),
        "line_items": [line for line, _ in pairs],
        "tax_lines": [
            {
                "id": order_id * 10 + 7,
                "rate_code": "US-OR-TAX-1",
                "rate_id": 1,
                "label": "Tax",
                "compound": False,
                "tax_total": _cents(goods_tax),
                "shipping_tax_total": "0.00",
                "rate_percent": 7.25,
                "meta_data": [],
            },
        ],
        "shipping_lines": [
            {
                "id": order_id * 10 + 8,
                "method_title": "Flat rate",
                "method_id": "flat_rate",
                "instance_id": "1",
                "total": _cents(shipping),
                "total_tax": "0.00",
                "taxes": [],
                "tax_status": "none",
                "meta_data": [],
            },
        ],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "is_editable": False,
        "needs_payment": False,
        "needs_processing": True,
        "date_created_gmt": _gmt(made),
        "date_modified_gmt": _gmt(changed),
        "date_completed_gmt": None,
        "date_paid_gmt": _gmt(made),
        "currency_symbol": "$",
        "_links": {"self": [{"href": f"{href}/{order_id}"}], "collection": [{"href": href}]},
    }


def serialised(order_id: int, *, modified: datetime | None = None) -> bytes:
    """`order` as UTF-8 JSON."""
    return msgspec.json.encode(order(order_id, modified=modified))
