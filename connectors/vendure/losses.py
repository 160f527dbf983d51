"""What Vendure shows of what it cannot keep: for `Loss.shows`. Pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from connectors.base import Hint
from connectors.minor_units import rounded
from connectors.records import (
    Address,
    Customer,
    FeeLine,
    Money,
    Order,
    OrderLine,
    Product,
    ShippingLine,
    Variant,
)
from connectors.vendure.bodies import enabled
from connectors.vendure.parts import full_name, names


def kind(product: Product) -> str | Hint:
    """A lone variant without options stands for the whole product."""
    if any(not each.options for each in product.variants):
        return Hint.ANYTHING
    return "variable" if product.variants else "simple"


def status(product: Product) -> str:
    """Enabled or not."""
    return _status(product.status)


def variant_status(variant: Variant) -> str | Hint:
    """Enabled or not. What has no price is disabled, and keeps its status beside that where the
    store has the field for it.
    """
    return Hint.ANYTHING if variant.regular_price is None else _status(variant.status)


def billing(customer: Customer) -> Address | None:
    """Without the add-on."""
    return _address(customer.billing)


def shipping(customer: Customer) -> Address | None:
    """Without the add-on."""
    return _address(customer.shipping)


def tax_total(order: Order) -> Money:
    """What the taxes of all parts come to, each in whole minor units."""
    parts: list[OrderLine | ShippingLine | FeeLine]
    parts = [*order.lines, *order.shipping_lines, *order.fees]
    taxes = (rounded(each.tax.amount, order.currency) for each in parts)
    return Money(sum(taxes, Decimal(0)), order.currency)


def _status(status: str) -> str:
    return "published" if enabled(status) else "draft"


def _address(where: Address | None) -> Address | None:
    """One field holds the whole name, and none an email."""
    if where is None:
        return None
    first, last = names(full_name(where))
    found = replace(where, first_name=first, last_name=last, email="")
    return None if found == Address() else found
