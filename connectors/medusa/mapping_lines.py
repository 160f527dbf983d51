"""Lines of orders: Medusa's JSON into canonical lines, without tax and after discounts. Pure.

Medusa keeps a price for one piece, adjustments and rates, and reckons all sums from them with many
digits. The sums are reckoned here in the same way, of all pieces that were ordered: Medusa's own
leave out what came back since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from connectors.medusa.mapping_products import DEFAULT_OPTION
from connectors.medusa.parts import OURS, PART, UnmappableError, exact, kept, text_of, told, total
from connectors.medusa.wire_orders import (
    WireAdjustment,
    WireItem,
    WireShippingMethod,
    WireTaxLine,
)
from connectors.records import FeeLine, OrderLine, ShippingLine

FEE = "fee:"
ROUNDING = "rounding"
"""The fee that stands for what a total has and its parts have not."""

METHOD = f"{OURS}method"
"""Metadata with the way of sending: Medusa's own ids of ways mean nothing elsewhere."""

RATE = f"{OURS}rate"
NO_RATE = "none"


class Sums(NamedTuple):
    """What a part costs before and after discounts, without tax, and the sum of its tax rates."""

    before: Decimal
    after: Decimal
    rate: Decimal

    @property
    def tax(self) -> Decimal:
        """The tax of what was paid."""
        return self.after * self.rate


def sums_of(wire: WireItem | WireShippingMethod) -> Sums:
    """The sums of an item or of a way of sending."""
    rate = total(each.rate for each in wire.tax_lines or ()) / 100
    price = wire.amount if isinstance(wire, WireShippingMethod) else wire.unit_price * wire.quantity
    before = price / (1 + rate) if wire.is_tax_inclusive else price
    return Sums(before, before - total(discounts(wire.adjustments, rate)), rate)


def discounts(found: Sequence[WireAdjustment] | None, rate: Decimal) -> Iterable[Decimal]:
    """What each adjustment takes off, without tax."""
    for each in found or ():
        yield each.amount / (1 + rate) if each.is_tax_inclusive else each.amount


def is_fee(wire: WireItem) -> bool:
    """Whether an item stands for a fee: Medusa has none."""
    return text_of(wire.metadata, PART).startswith(FEE)


def is_rounding(wire: WireItem) -> bool:
    """Whether an item makes up for a total that its parts do not come to."""
    return text_of(wire.metadata, PART) == f"{FEE}{ROUNDING}"


def order_line(wire: WireItem, currency: str) -> OrderLine:
    """A line. Raises `UnmappableError`."""
    if wire.quantity != wire.quantity.to_integral_value():
        raise UnmappableError("a quantity is not whole")
    sums = sums_of(wire)
    return OrderLine(
        id=wire.id,
        name=wire.title,
        quantity=int(wire.quantity),
        total=exact(sums.after, currency),
        subtotal=exact(sums.before, currency),
        tax=exact(sums.tax, currency),
        subtotal_tax=exact(sums.before * sums.rate, currency),
        product=wire.product_id,
        variant=None if is_default(wire) else wire.variant_id,
        sku=wire.variant_sku or "",
        extra=told({"metadata": (kept(wire.metadata), {})}),
    )


def fee_line(wire: WireItem, currency: str) -> FeeLine:
    """An item that stands for a fee."""
    sums = sums_of(wire)
    return FeeLine(
        id=wire.id,
        name=wire.title,
        total=exact(sums.after, currency),
        tax=exact(sums.tax, currency),
    )


def shipping_line(wire: WireShippingMethod, currency: str) -> ShippingLine:
    """What sending the goods cost."""
    sums = sums_of(wire)
    return ShippingLine(
        id=wire.id,
        title=wire.name,
        total=exact(sums.after, currency),
        tax=exact(sums.tax, currency),
        method=text_of(wire.metadata, METHOD) or wire.shipping_option_id or "",
    )


def rate_of(wire: WireTaxLine) -> Decimal | None:
    """The rate in per cent as people know it, None where the source of an imported order had none:
    the rate there is made to give its tax to the penny.
    """
    nominal = text_of(wire.metadata, RATE)
    if nominal == NO_RATE:
        return None
    rate = (Decimal(nominal) if nominal else wire.rate).normalize()
    return Decimal(f"{rate:f}")


def is_default(wire: WireItem) -> bool:
    """Whether its variant stands for all of a simple product."""
    return set(wire.variant_option_values or ()) == {DEFAULT_OPTION}
