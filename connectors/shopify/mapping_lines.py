"""Lines of orders: Shopify's JSON into canonical lines, without tax and after discounts. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace

from connectors.minor_units import rounded
from connectors.records import Money, OrderLine, ShippingLine
from connectors.shopify.parts import (
    NO_GOODS,
    PART,
    SUBTOTAL,
    amount,
    exact,
    number,
    shop_amount,
    told,
    total,
)
from connectors.shopify.wire import WireBag
from connectors.shopify.wire_orders import (
    WireAllocation,
    WireLine,
    WireOrder,
    WireShippingLine,
    WireTax,
)


class Prices:
    """How prices of one order become canonical ones, which never hold the tax."""

    def __init__(self, currency: str, *, included: bool) -> None:
        self.currency = currency
        self._included = included

    def without_tax(self, gross: Decimal, tax: Decimal) -> Money:
        """A price as Shopify gives it, and the tax that it holds where prices hold any."""
        return exact(gross - tax if self._included else gross, self.currency)

    def tax(self, taxes: Iterable[WireTax]) -> Decimal:
        """All taxes of a line."""
        return total((shop_amount(each.price_set, self.currency) for each in taxes), "").amount

    def discount(self, allocations: Iterable[WireAllocation]) -> Decimal:
        """All that was taken off a line."""
        found = (shop_amount(each.allocated_amount_set, self.currency) for each in allocations)
        return total(found, "").amount

    def plain(self, bag: WireBag) -> Decimal:
        """The amount itself."""
        return shop_amount(bag, self.currency).amount


Rows = dict[str, str]
"""The canonical id of each line of the store: of several that are one, the first one's."""


def order_lines(wire: WireOrder, prices: Prices) -> tuple[tuple[OrderLine, ...], Rows]:
    """Lines; those of an imported order that stand for one of its source are put together."""
    found: dict[str, OrderLine] = {}
    rows: Rows = {}
    for each in wire.line_items.nodes:
        line = _line(each, prices)
        part = part_of(each) or line.id
        if is_fee(each):
            rows[line.id] = f"fee:{line.id}"
            continue
        if part == NO_GOODS:
            continue
        found[part] = _joined(found[part], line) if part in found else line
        rows[line.id] = found[part].id
    return tuple(found.values()), rows


def _joined(left: OrderLine, right: OrderLine) -> OrderLine:
    """One line of two. What it cost before discounts is said by the first where it differs."""
    currency = left.total.currency
    kept = left.subtotal != left.total or left.subtotal_tax != left.tax
    return replace(
        left,
        quantity=left.quantity + right.quantity,
        total=total((left.total, right.total), currency),
        tax=total((left.tax, right.tax), currency),
        subtotal=left.subtotal if kept else total((left.subtotal, right.subtotal), currency),
        subtotal_tax=(
            left.subtotal_tax if kept else total((left.subtotal_tax, right.subtotal_tax), currency)
        ),
    )


def _line(wire: WireLine, prices: Prices) -> OrderLine:
    """A line. The tax that undiscounted prices would have held is reckoned: nobody keeps it."""
    full = prices.plain(wire.original_total_set)
    paid = full - prices.discount(wire.discount_allocations)
    tax = prices.tax(wire.tax_lines)
    full_tax = rounded(tax * full / paid, prices.currency) if paid else Decimal(0)
    before = prices.without_tax(full, full_tax), exact(full_tax, prices.currency)
    own = wire.product is None or wire.product.has_only_default_variant
    properties = {each.key: each.value or "" for each in wire.custom_attributes}
    properties.pop(PART, None)
    kept = properties.pop(SUBTOTAL, "").split(" ")
    if len(kept) == 2:  # noqa: PLR2004  an amount and its tax
        before = amount(kept[0], prices.currency), amount(kept[1], prices.currency)
    return OrderLine(
        id=number(wire.id),
        # With an imported line's variant Shopify adds that one's title once more.
        name=(wire.title if part_of(wire) else "") or wire.name,
        quantity=wire.quantity,
        total=prices.without_tax(paid, tax),
        subtotal=before[0],
        tax=exact(tax, prices.currency),
        subtotal_tax=before[1],
        product=number(wire.product.id) if wire.product else None,
        variant=number(wire.variant.id) if wire.variant and not own else None,
        sku=wire.sku or "",
        extra=told({"properties": (properties, {}), "taxable": (wire.taxable, True)}),
    )


def shipping_line(wire: WireShippingLine, prices: Prices) -> ShippingLine:
    """What the way of the goods cost."""
    paid = prices.plain(wire.original_price_set) - prices.discount(wire.discount_allocations)
    tax = prices.tax(wire.tax_lines)
    return ShippingLine(
        id=number(wire.id) if wire.id else "",
        title=wire.title,
        total=prices.without_tax(paid, tax),
        tax=exact(tax, prices.currency),
        method=wire.code or "",
    )


def part_of(wire: WireLine) -> str:
    """The part of the source that a line of an imported order is, or nothing."""
    return next((each.value or "" for each in wire.custom_attributes if each.key == PART), "")


def is_fee(wire: WireLine) -> bool:
    """Whether a line stands for a fee: Shopify's orders take none from an import."""
    return part_of(wire).startswith("fee:")
