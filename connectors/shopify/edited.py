"""Orders that staff or an app edited: what an edit took out again was never sold. Pure.

Shopify leaves a removed unit where it was: its line's `quantity`, discounts and taxes count it, and
`currentQuantity` alone does not. The removal may stand among the refunds, as one without money, and
the order's total may count what was removed or not: the schema says neither. Both are understood:
units are told apart by their numbers, and the total is the one that the lines come to.

Where the buyer had paid for what was removed, that money is given back by a refund of no goods. It
is none of what was sold.

An order that was cancelled is left as it is: its current quantities are nothing at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from connectors.minor_units import decimals, rounded
from connectors.shopify.parts import SUBTOTAL
from connectors.shopify.wire import WireAmount, WireBag
from connectors.shopify.wire_orders import (
    WireAllocation,
    WireFee,
    WireLine,
    WireOrder,
    WireRefund,
    WireRefundedLine,
    WireShippingLine,
    WireTax,
)

_Part = WireLine | WireShippingLine
_PAYMENTS = frozenset({"SALE", "CAPTURE"})
_CENTS = 2
"""By so many minor units a share of a line may be rounded otherwise."""

_CAME_BACK = "RETURN"
_NOT_SENT = frozenset({"CANCELLED", "ERROR", "FAILURE"})


class _Removal(NamedTuple):
    """Units of a line that an edit removed. `noted` are the refunds without money that say so."""

    units: int
    noted: tuple[WireRefundedLine, ...]


class _Sums(NamedTuple):
    """What some parts cost after discounts, what was taken off them, and the tax on them."""

    net: Decimal = Decimal(0)
    off: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)

    def less(self, other: _Sums) -> _Sums:
        """What is left of it."""
        return _Sums(self.net - other.net, self.off - other.off, self.tax - other.tax)


def as_sold(wire: WireOrder) -> WireOrder:
    """The order without what its edits removed. The one given is not changed."""
    kept_ways = replace(wire.shipping_lines, nodes=_ways(wire))
    if not wire.edited or wire.cancelled_at is not None:
        without = replace(wire, shipping_lines=kept_ways)
        return wire if _misses(wire) < _misses(without) else without
    removals = _removals(wire)
    lines = [_cut(each, removals[each.id], wire.currency_code) for each in wire.line_items.nodes]
    sold = replace(
        wire,
        line_items=replace(wire.line_items, nodes=[each for each in lines if each.quantity]),
        shipping_lines=kept_ways,
        # The order's own taxes tell of an order whose parts say none.
        tax_lines=[] if _tax(_parts(wire)) else wire.tax_lines,
        refunds=_refunds(wire, removals),
    )
    return _without_overpaid(wire, _with_totals(wire, sold))


def worth(wire: WireOrder) -> Decimal:
    """What the parts of an order come to, as its total counts them."""
    found = _sums(_parts(wire)).net
    found += sum((_amount(each.price) for each in wire.additional_fees), Decimal(0))
    found += _amount(wire.original_total_duties_set)
    return found if wire.taxes_included else found + _amount(wire.total_tax_set)


def _ways(wire: WireOrder) -> list[WireShippingLine]:
    """Ways of sending that were not removed, or that money was given back for since."""
    given_back = {
        each.shipping_line.id
        for refund in wire.refunds
        for each in refund.refund_shipping_lines.nodes
    }
    return [
        each
        for each in wire.shipping_lines.nodes
        if not each.is_removed or (each.id is not None and each.id in given_back)
    ]


def _removals(wire: WireOrder) -> dict[str, _Removal]:
    """By line. What was sent is never removed by an edit, and what came back, or money was given
    back for, was sold before.
    """
    paid_back: defaultdict[str, int] = defaultdict(int)
    sent: defaultdict[str, int] = defaultdict(int)
    noted: defaultdict[str, list[WireRefundedLine]] = defaultdict(list)
    for refund in wire.refunds:
        for each in refund.refund_line_items.nodes:
            if _may_be_removal(refund, each):
                noted[each.line_item.id].append(each)
            else:
                paid_back[each.line_item.id] += each.quantity
    for shipment in wire.fulfillments:
        if shipment.status not in _NOT_SENT:
            for part in shipment.fulfillment_line_items.nodes:
                sent[part.line_item.id] += part.quantity or 0
    found = {}
    for line in wire.line_items.nodes:
        current = line.quantity if line.current_quantity is None else line.current_quantity
        sold = max(current + paid_back[line.id], sent[line.id])
        units = max(0, line.quantity - sold)
        found[line.id] = _Removal(units, tuple(noted[line.id]))
    return found


def _is_without_money(refund: WireRefund) -> bool:
    return not _amount(refund.total_refunded_set)


def _may_be_removal(refund: WireRefund, line: WireRefundedLine) -> bool:
    """Whether a part of a refund may note that an edit removed something. Goods that came back had
    been sent.
    """
    return _is_without_money(refund) and line.restock_type != _CAME_BACK


def _cut(line: WireLine, removal: _Removal, currency: str) -> WireLine:
    """A line without its removed units. What these were worth is taken from where it is noted to
    the cent, else in proportion.
    """
    if not removal.units:
        return line
    share = Decimal(line.quantity - removal.units) / line.quantity
    full, off = _amount(line.original_total_set), _off(line)
    tax = sum((_amount(each.price_set) for each in line.tax_lines), Decimal(0))
    kept_full = rounded(full * share, currency)
    kept_off, kept_tax = rounded(off * share, currency), rounded(tax * share, currency)
    if sum(each.quantity for each in removal.noted) == removal.units:
        subtotal = sum((_amount(each.subtotal_set) for each in removal.noted), Decimal(0))
        noted_off = off - (full - kept_full - subtotal)
        noted_tax = tax - sum((_amount(each.total_tax_set) for each in removal.noted), Decimal(0))
        kept_off = noted_off if 0 <= noted_off <= off else kept_off
        kept_tax = noted_tax if 0 <= noted_tax <= tax else kept_tax
    return replace(
        line,
        quantity=line.quantity - removal.units,
        original_total_set=_bag(kept_full),
        discount_allocations=_less_off(line.discount_allocations, kept_off, currency),
        tax_lines=_less_tax(line.tax_lines, kept_tax, currency),
        # What the whole line once cost is of no use for a part of it.
        custom_attributes=[each for each in line.custom_attributes if each.key != SUBTOTAL],
    )


def _less_off(
    allocations: Sequence[WireAllocation], kept: Decimal, currency: str
) -> list[WireAllocation]:
    amounts = [_amount(each.allocated_amount_set) for each in allocations]
    return [
        replace(each, allocated_amount_set=_bag(amount))
        for each, amount in zip(allocations, _shared(amounts, kept, currency), strict=True)
    ]


def _less_tax(taxes: Sequence[WireTax], kept: Decimal, currency: str) -> list[WireTax]:
    amounts = [_amount(each.price_set) for each in taxes]
    return [
        replace(each, price_set=_bag(amount))
        for each, amount in zip(taxes, _shared(amounts, kept, currency), strict=True)
    ]


def _shared(amounts: Sequence[Decimal], kept: Decimal, currency: str) -> list[Decimal]:
    """As much of each amount as comes to `kept` together; the last takes what rounding leaves."""
    whole = sum(amounts, Decimal(0))
    found = [rounded(each * kept / whole, currency) if whole else each for each in amounts]
    if found:
        found[-1] += kept - sum(found, Decimal(0))
    return found


def _refunds(wire: WireOrder, removals: dict[str, _Removal]) -> list[WireRefund]:
    """Refunds without the removals among them; one that was nothing else is none."""
    left = {line: removal.units for line, removal in removals.items()}
    found = []
    for refund in wire.refunds:
        if not _is_without_money(refund):
            found.append(refund)
            continue
        lines = []
        for each in refund.refund_line_items.nodes:
            removed = left.get(each.line_item.id, 0) if _may_be_removal(refund, each) else 0
            cut = min(each.quantity, removed)
            left[each.line_item.id] = left.get(each.line_item.id, 0) - cut
            if not cut:
                lines.append(each)
            elif cut < each.quantity:
                lines.append(_rest(each, each.quantity - cut, wire.currency_code))
        if lines or refund.refund_shipping_lines.nodes or not refund.refund_line_items.nodes:
            kept = replace(refund.refund_line_items, nodes=lines)
            found.append(replace(refund, refund_line_items=kept))
    return found


def _rest(line: WireRefundedLine, units: int, currency: str) -> WireRefundedLine:
    share = Decimal(units) / line.quantity
    return replace(
        line,
        quantity=units,
        subtotal_set=_bag(rounded(_amount(line.subtotal_set) * share, currency)),
        total_tax_set=_bag(rounded(_amount(line.total_tax_set) * share, currency)),
    )


def _with_totals(wire: WireOrder, sold: WireOrder) -> WireOrder:
    """The totals of what was sold, each of which may count removed goods still, or removed ways of
    sending, or both.
    """
    goods, ways = _removed(wire, sold)
    left = _sums(_parts(sold))
    fees = _tax(sold.additional_fees)
    tax = _without(_amount(wire.total_tax_set), left.tax + fees, goods.tax, ways.tax)
    off = _without(_amount(wire.total_discounts_set), left.off, goods.off, ways.off)
    sold = replace(sold, total_tax_set=_bag(tax), total_discounts_set=_bag(off))
    worths = _priced(goods, wire), _priced(ways, wire)
    total = _without(_amount(wire.total_price_set), worth(sold), *worths)
    sold = replace(sold, total_price_set=_bag(total))
    return _to_the_cent(wire, sold, tax - left.tax - fees if left.tax else Decimal(0))


def _to_the_cent(wire: WireOrder, sold: WireOrder, tax: Decimal) -> WireOrder:
    """The order with what its shares were rounded otherwise than the store did, of `tax` and of
    price: the last line of which a part was removed takes it.
    """
    before = {each.id: each.quantity for each in wire.line_items.nodes}
    lines = list(sold.line_items.nodes)
    cut = [place for place, each in enumerate(lines) if each.quantity < before[each.id]]
    most = _CENTS * len(cut) * Decimal(1).scaleb(-decimals(wire.currency_code))
    price = _amount(sold.total_price_set) - worth(sold)
    if not cut or max(abs(tax), abs(price)) > most:
        return sold
    line = lines[cut[-1]]
    full = _amount(line.original_total_set) + price
    taxes = list(line.tax_lines)
    if taxes:
        taxes[-1] = replace(taxes[-1], price_set=_bag(_amount(taxes[-1].price_set) + tax))
    lines[cut[-1]] = replace(line, original_total_set=_bag(full), tax_lines=taxes)
    return replace(sold, line_items=replace(sold.line_items, nodes=lines))


def _removed(wire: WireOrder, sold: WireOrder) -> tuple[_Sums, _Sums]:
    """What removed goods and removed ways of sending came to."""
    goods = _sums(wire.line_items.nodes).less(_sums(sold.line_items.nodes))
    ways = _sums(wire.shipping_lines.nodes).less(_sums(sold.shipping_lines.nodes))
    return goods, ways


def _without(total: Decimal, left: Decimal, goods: Decimal, ways: Decimal) -> Decimal:
    """A total without what was removed: it counts as much of that as its distance from what is left
    says.
    """
    counted = (Decimal(0), goods, ways, goods + ways)
    return total - min(counted, key=lambda each: abs(total - left - each))


def _without_overpaid(wire: WireOrder, sold: WireOrder) -> WireOrder:
    """The order without refunds of no goods, as far as they give back what was paid for what an
    edit removed.
    """
    removed = sum((_priced(each, wire) for each in _removed(wire, sold)), Decimal(0))
    over = min(removed, _paid(wire) - _amount(sold.total_price_set))
    found = []
    for refund in sold.refunds:
        back = _amount(refund.total_refunded_set)
        is_of_goods = refund.refund_line_items.nodes or refund.refund_shipping_lines.nodes
        if over <= 0 or not back or is_of_goods:
            found.append(refund)
            continue
        if back > over:
            found.append(replace(refund, total_refunded_set=_bag(back - over)))
        over -= min(back, over)
    return replace(sold, refunds=found)


def _priced(removed: _Sums, wire: WireOrder) -> Decimal:
    """What the order's total counts of it, if it does."""
    return removed.net if wire.taxes_included else removed.net + removed.tax


def _paid(wire: WireOrder) -> Decimal:
    payments = (e for e in wire.transactions if e.kind in _PAYMENTS and e.status == "SUCCESS")
    return sum((_amount(each.amount_set) for each in payments), Decimal(0))


def _misses(wire: WireOrder) -> Decimal:
    """By how much the parts of an order come to another total."""
    return abs(worth(wire) - _amount(wire.total_price_set))


def _parts(wire: WireOrder) -> list[_Part]:
    return [*wire.line_items.nodes, *wire.shipping_lines.nodes]


def _sums(parts: Iterable[_Part]) -> _Sums:
    found = _Sums()
    for each in parts:
        bag = each.original_total_set if isinstance(each, WireLine) else each.original_price_set
        off = _off(each)
        net = _amount(bag) - off
        found = _Sums(found.net + net, found.off + off, found.tax + _tax((each,)))
    return found


def _off(part: _Part) -> Decimal:
    return sum(
        (_amount(each.allocated_amount_set) for each in part.discount_allocations), Decimal(0)
    )


def _tax(parts: Iterable[_Part | WireFee]) -> Decimal:
    return sum((_amount(tax.price_set) for part in parts for tax in part.tax_lines), Decimal(0))


def _amount(bag: WireBag | None) -> Decimal:
    return Decimal(bag.shop_money.amount) if bag else Decimal(0)


def _bag(amount: Decimal) -> WireBag:
    return WireBag(WireAmount(f"{amount:f}"))
