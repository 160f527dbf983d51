"""What Medusa shows of what it cannot keep: for `Loss.shows`. Pure."""

from __future__ import annotations

from decimal import Decimal

from connectors.base import Hint
from connectors.medusa.bodies import wire_status
from connectors.medusa.mapping_products import STATUSES
from connectors.records import FeeLine, Money, Order, OrderLine, Product, ShippingLine


def status(product: Product) -> str:
    """A status that Medusa does not know becomes a draft."""
    wire = wire_status(product.status)
    return STATUSES.get(wire, wire)


def images(_: Product) -> Hint:
    """There are as many, under the same addresses."""
    return Hint.SAME


def tax_total(order: Order) -> Money:
    """What the taxes of all parts come to."""
    parts: list[OrderLine | ShippingLine | FeeLine]
    parts = [*order.lines, *order.shipping_lines, *order.fees]
    return Money(sum((each.tax.amount for each in parts), Decimal(0)), order.currency)
