"""What orders come to: their lines, their ways of sending, and the tax on both."""

from decimal import Decimal

from tests.shopify_store.fields import Doc
from tests.shopify_store.money import NOTHING, cents, total
from tests.shopify_store.store import Store


def lines(store: Store, order: Doc) -> list[Doc]:
    """An order's lines."""
    return [store.tables["LineItem"][number] for number in order["_lines"]]


def line_total(line: Doc) -> Decimal:
    """What a line costs before discounts."""
    return cents(line["_price"] * line["quantity"])


def discounted(line: Doc) -> Decimal:
    """What a line costs after all discounts."""
    return line_total(line) - line["_allocated"]


def counted(part: Doc) -> Decimal:
    """The share of a line, or of a way of sending, that the order's totals count."""
    if part["__typename"] == "ShippingLine":
        return Decimal(0 if part["_uncounted"] else 1)
    return Decimal(part["quantity"] - part["_uncounted"]) / part["quantity"]


def goods_total(store: Store, order: Doc) -> Decimal:
    """What the lines come to after discounts."""
    return total(cents(discounted(each) * counted(each)) for each in lines(store, order))


def shipping_total(order: Doc) -> Decimal:
    """What the ways of sending come to after discounts."""
    return total(
        (each["_price"] - each["_allocated"]) * counted(each) for each in order["_shipping"]
    )


def tax_total(store: Store, order: Doc) -> Decimal:
    """All tax: of the order as a whole, or of its lines and its shipping."""
    if order["_taxes"]:
        return total(each["_amount"] for each in order["_taxes"])
    parts = [*lines(store, order), *order["_shipping"]]
    return total(
        cents(each["_amount"] * counted(part)) for part in parts for each in part["_taxes"]
    )


def order_total(store: Store, order: Doc) -> Decimal:
    """What was to be paid before returns."""
    tax = NOTHING if order["taxesIncluded"] else tax_total(store, order)
    return goods_total(store, order) + shipping_total(order) + tax


def current_quantity(line: Doc) -> int:
    """Units of a line that were neither given back nor removed."""
    left: int = line["quantity"] - line["_refunded"] - line["_uncounted"]
    return left
