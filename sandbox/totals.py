"""An order's money: taxes from the store's own rate, and sums."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sandbox.store import Store
from sandbox.wire import Doc

CENT = Decimal("0.01")
ZERO = Decimal(0)
RATE_ID = 1


def amount(value: Any) -> Decimal:
    """A sum as it was sent, or zero when it is no number."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return ZERO
    return number if number.is_finite() else ZERO


def money(value: Decimal) -> str:
    """A sum as the API writes it, rounded half up to two places."""
    return str(value.quantize(CENT, ROUND_HALF_UP))


def tax_rate(store: Store) -> Decimal:
    """The store's rate in per cent; zero when taxes are off."""
    return Decimal(str(store.storage.fact("tax_rate", store.config.tax_rate)))


def rate_doc(store: Store) -> Doc:
    """The store's one tax rate as `/taxes` shows it."""
    return {
        "id": RATE_ID,
        "country": "",
        "state": "",
        "postcode": "",
        "city": "",
        "rate": f"{tax_rate(store):.4f}",
        "name": "Tax",
        "priority": 1,
        "compound": False,
        "shipping": True,
        "order": 1,
        "class": "standard",
        "postcodes": [],
        "cities": [],
    }


def calculate(store: Store, order: Doc) -> None:
    """Compute taxes and totals of an order from its lines, whatever the client said they are."""
    rate = ZERO if _exempt(order) else tax_rate(store)
    for line in order["line_items"]:
        line["subtotal_tax"] = money(amount(line["subtotal"]) * rate / 100)
        _tax_line(line, rate, with_subtotal=True)
    for line in order["shipping_lines"]:
        _tax_line(line, rate)
    for line in order["fee_lines"]:
        _tax_line(line, rate if line["tax_status"] != "none" else ZERO)
    _tax_lines(store, order, rate)
    add_up(order)


def _exempt(order: Doc) -> bool:
    return any(
        entry["key"] == "is_vat_exempt" and entry["value"] == "yes" for entry in order["meta_data"]
    )


def _tax_line(line: Doc, rate: Decimal, *, with_subtotal: bool = False) -> None:
    tax = money(amount(line["total"]) * rate / 100)
    line["total_tax"] = tax
    line["taxes"] = []
    if rate:
        entry = {"id": RATE_ID, "total": tax}
        if with_subtotal:
            entry["subtotal"] = line["subtotal_tax"]
        line["taxes"] = [entry]


def _tax_lines(store: Store, order: Doc, rate: Decimal) -> None:
    if not rate:
        order["tax_lines"] = []
        return
    old = order["tax_lines"][0]["id"] if order["tax_lines"] else store.new_id("item")
    goods = _sum(order["line_items"], "total_tax") + _sum(order["fee_lines"], "total_tax")
    order["tax_lines"] = [
        {
            "id": old,
            "rate_code": "TAX-1",
            "rate_id": RATE_ID,
            "label": "Tax",
            "compound": False,
            "tax_total": money(goods),
            "shipping_tax_total": money(_sum(order["shipping_lines"], "total_tax")),
            "rate_percent": float(rate),
            "meta_data": [],
        }
    ]


def add_up(order: Doc) -> None:
    """Set the order's totals to the sums of its lines."""
    lines = _sum(order["line_items"], "total")
    shipping = _sum(order["shipping_lines"], "total")
    fees = _sum(order["fee_lines"], "total")
    cart_tax = _sum(order["line_items"], "total_tax") + _sum(order["fee_lines"], "total_tax")
    shipping_tax = _sum(order["shipping_lines"], "total_tax")
    discount_tax = _sum(order["line_items"], "subtotal_tax") - _sum(
        order["line_items"], "total_tax"
    )
    order["discount_total"] = money(_sum(order["line_items"], "subtotal") - lines)
    order["discount_tax"] = money(discount_tax)
    order["shipping_total"] = money(shipping)
    order["shipping_tax"] = money(shipping_tax)
    order["cart_tax"] = money(cart_tax)
    order["total_tax"] = money(cart_tax + shipping_tax)
    order["total"] = money(lines + shipping + fees + cart_tax + shipping_tax)


def _sum(lines: list[Doc], name: str) -> Decimal:
    return sum((Decimal(line[name]) for line in lines), ZERO)
