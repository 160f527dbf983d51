"""What single writes are checked against; batch writes skip this, as they do on the platform."""

import re
from typing import Any

from sandbox.wire import ApiError, Doc

_EMAIL = re.compile(r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$")
_BOOLEANS = (True, False, 0, 1, "true", "false", "1", "0", "")

ORDER_STATUSES = (
    "pending",
    "processing",
    "on-hold",
    "completed",
    "cancelled",
    "refunded",
    "failed",
    "checkout-draft",
)
PRODUCT_STATUSES = ("draft", "pending", "private", "publish", "future")

_DATE = "string null"
_PRICED: dict[str, Any] = {
    "description": "string",
    "sku": "string",
    "regular_price": "string",
    "sale_price": "string",
    "date_on_sale_from": _DATE,
    "date_on_sale_from_gmt": _DATE,
    "date_on_sale_to": _DATE,
    "date_on_sale_to_gmt": _DATE,
    "virtual": "boolean",
    "downloadable": "boolean",
    "tax_status": ("taxable", "shipping", "none"),
    "tax_class": "string",
    "manage_stock": "boolean",
    "stock_quantity": "integer",
    "stock_status": ("instock", "outofstock", "onbackorder"),
    "backorders": ("no", "notify", "yes"),
    "low_stock_amount": "integer null",
    "weight": "string",
    "dimensions": {"length": "string", "width": "string", "height": "string"},
    "shipping_class": "string",
    "menu_order": "integer",
    "meta_data": [{"id": "integer", "key": "string"}],
    "attributes": "array",
}
_ADDRESS: dict[str, Any] = dict.fromkeys(
    (
        "first_name",
        "last_name",
        "company",
        "address_1",
        "address_2",
        "city",
        "state",
        "postcode",
        "country",
        "phone",
    ),
    "string",
)
_ITEM: dict[str, Any] = {
    "id": "integer",
    "variation_id": "integer",
    "quantity": "integer",
    "subtotal": "string",
    "total": "string",
    "sku": "string",
    "instance_id": "string",
    "tax_class": "string",
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "product": {
        **_PRICED,
        "name": "string",
        "slug": "string",
        "date_created": _DATE,
        "date_created_gmt": _DATE,
        "type": ("simple", "grouped", "external", "variable"),
        "status": (*PRODUCT_STATUSES, "auto-draft", "trash"),
        "featured": "boolean",
        "catalog_visibility": ("visible", "catalog", "search", "hidden"),
        "short_description": "string",
        "sold_individually": "boolean",
        "reviews_allowed": "boolean",
        "categories": [{"id": "integer"}],
        "tags": "array",
        "images": [{"id": "integer", "src": "string", "alt": "string"}],
        "upsell_ids": "array",
        "cross_sell_ids": "array",
        "parent_id": "integer",
        "purchase_note": "string",
    },
    "variation": {**_PRICED, "status": ("draft", "pending", "private", "publish")},
    "order": {
        "parent_id": "integer",
        "created_via": "string",
        "status": (*ORDER_STATUSES, "auto-draft"),
        "currency": "string",
        "customer_id": "integer",
        "customer_note": "string",
        "billing": {**_ADDRESS, "email": "email null"},
        "shipping": _ADDRESS,
        "payment_method": "string",
        "payment_method_title": "string",
        "transaction_id": "string",
        "meta_data": [{"id": "integer", "key": "string"}],
        "line_items": [_ITEM],
        "shipping_lines": [_ITEM],
        "fee_lines": [_ITEM],
        "coupon_lines": [{"id": "integer"}],
        "set_paid": "boolean",
    },
    "refund": {
        "amount": "string",
        "reason": "string",
        "refunded_by": "integer",
        "api_refund": "boolean",
        "api_restock": "boolean",
    },
    "customer": {
        "email": "email",
        "first_name": "string",
        "last_name": "string",
        "username": "string",
        "password": "string",
        "billing": {**_ADDRESS, "email": "email"},
        "shipping": _ADDRESS,
        "meta_data": [{"id": "integer", "key": "string"}],
    },
    "category": {
        "name": "string",
        "slug": "string",
        "parent": "integer",
        "description": "string",
        "display": ("default", "products", "subcategories", "both"),
        "menu_order": "integer",
    },
    "coupon": {
        "code": "string",
        "amount": "string",
        "discount_type": ("percent", "fixed_cart", "fixed_product"),
        "usage_limit": "integer",
    },
    "note": {"note": "string", "customer_note": "boolean"},
    "webhook": {"topic": "string", "delivery_url": "string"},
}


def validate(kind: str, payload: Doc) -> None:
    """Refuse a payload whose types or enumerations are wrong (400 `rest_invalid_param`)."""
    wrong: dict[str, str] = {}
    for name, rule in SCHEMAS[kind].items():
        if name in payload:
            fault = _fault(payload[name], rule, name)
            if fault:
                wrong[name] = fault
    if wrong:
        raise invalid(wrong)


def invalid(wrong: dict[str, str]) -> ApiError:
    """The error WordPress gives for parameters it cannot take."""
    names = ", ".join(wrong)
    return ApiError(400, "rest_invalid_param", f"Invalid parameter(s): {names}", params=wrong)


def _fault(value: Any, rule: Any, at: str) -> str:
    if isinstance(rule, tuple):
        return "" if value in rule else f"{at} is not one of {', '.join(rule)}."
    if isinstance(rule, dict):
        return _object_fault(value, rule, at)
    if isinstance(rule, list):
        return _array_fault(value, rule[0], at)
    if any(_is(value, name) for name in rule.split()):
        return ""
    if "email" in rule:
        return "Invalid email address."
    return f"{at} is not of type {rule.replace(' ', ',')}."


def _object_fault(value: Any, rule: dict[str, Any], at: str) -> str:
    if value == []:
        return ""
    if not isinstance(value, dict):
        return f"{at} is not of type object."
    faults = (
        _fault(value[name], sub, f"{at}[{name}]") for name, sub in rule.items() if name in value
    )
    return next((fault for fault in faults if fault), "")


def _array_fault(value: Any, rule: Any, at: str) -> str:
    if not isinstance(value, list):
        return f"{at} is not of type array."
    faults = (_object_fault(item, rule, f"{at}[{n}]") for n, item in enumerate(value))
    return next((fault for fault in faults if fault), "")


def _is(value: Any, name: str) -> bool:
    if name == "string":
        return isinstance(value, str)
    if name == "null":
        return value is None
    if name == "integer":
        return _integral(value)
    if name == "boolean":
        return isinstance(value, (bool, int, str)) and value in _BOOLEANS
    if name == "email":
        return isinstance(value, str) and bool(_EMAIL.match(value))
    return isinstance(value, list)  # "array"


def _integral(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return float(value).is_integer()
    return isinstance(value, str) and value.lstrip("-").isdigit()


def is_email(value: Any) -> bool:
    """Whether a value looks like an email address."""
    return _is(value, "email")
