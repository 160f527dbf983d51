"""Orders: Shopify's JSON into canonical records. Pure.

Shopify's prices hold the tax where the order says `taxesIncluded`; canonical ones never do. All
amounts are in the shop's currency, whatever the customer paid in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from connectors.records import (
    Address,
    Discount,
    FeeLine,
    Fulfilment,
    Money,
    Order,
    Record,
    Refund,
    RefundLine,
    Tax,
    Transaction,
)
from connectors.shopify.edited import as_sold
from connectors.shopify.mapping_lines import Prices, Rows, is_fee, order_lines, shipping_line
from connectors.shopify.parts import (
    STATUS,
    address,
    exact,
    metafields,
    number,
    shop_amount,
    told,
    total,
    utc,
)
from connectors.shopify.wire_orders import (
    WireFulfilment,
    WireLine,
    WireOrder,
    WireRefund,
    WireShippingLine,
    WireTax,
    WireTransaction,
)

_PAID = frozenset({"PAID", "PARTIALLY_REFUNDED"})
_ENDED = frozenset({"completed", "refunded"})
_TAKEN = frozenset({"SALE", "CAPTURE"})
_PAYMENTS = _TAKEN | {"AUTHORIZATION"}
_MADE = frozenset({"SUCCESS", "PENDING"})


def order(wire: WireOrder) -> Record:
    """An order with everything that belongs to it, as it was sold. Raises `UnmappableError`."""
    wire = as_sold(wire)
    currency = wire.currency_code
    wrapped = Prices(currency, included=wire.taxes_included)
    fees = [each for each in wire.line_items.nodes if is_fee(each)]
    lines, rows = order_lines(wire, wrapped)
    shipping = tuple(shipping_line(each, wrapped) for each in wire.shipping_lines.nodes)
    status = _status(wire)
    content = Order(
        number=wire.name.removeprefix("#"),
        status=status,
        currency=currency,
        total=shop_amount(wire.total_price_set, currency),
        tax_total=shop_amount(wire.total_tax_set, currency),
        shipping_total=total((each.total for each in shipping), currency),
        discount_total=shop_amount(wire.total_discounts_set, currency),
        prices_include_tax=wire.taxes_included,
        customer=number(wire.customer.id) if wire.customer else None,
        email=wire.email or "",
        billing=_billing(wire),
        shipping=address(wire.shipping_address),
        lines=lines,
        shipping_lines=shipping,
        fees=tuple(_fees(wire, fees, wrapped)),
        discounts=tuple(_discounts(wire, currency)),
        taxes=tuple(_taxes(wire, currency)),
        transactions=tuple(_transactions(wire.transactions, currency)),
        refunds=tuple(_refund(each, wrapped, rows) for each in wire.refunds),
        fulfilments=tuple(_fulfilment(each, rows) for each in wire.fulfillments),
        note=wire.note or "",
        created_at=utc(wire.processed_at or wire.created_at),
        paid_at=_paid_at(wire),
        completed_at=utc(wire.closed_at) if status in _ENDED else None,
        extra=_extra(wire),
    )
    return Record(number(wire.id), utc(wire.updated_at), content)


def _billing(wire: WireOrder) -> Address | None:
    """Where the bill goes, by mail as well."""
    found = address(wire.billing_address)
    return None if found is None else replace(found, email=wire.email or "")


def _status(wire: WireOrder) -> str:
    """The status that an imported order had, as long as Shopify's own has not moved since."""
    own = _own_status(wire)
    kept = next((each.value or "" for each in wire.custom_attributes if each.key == STATUS), "")
    original, _, shown = kept.partition(", shown as ")
    return original if original and shown == own else own


def _own_status(wire: WireOrder) -> str:
    """One word for what Shopify says in three: cancelled, paid and sent."""
    money, goods = wire.display_financial_status, wire.display_fulfillment_status
    if wire.cancelled_at is not None:
        return "cancelled"
    if money == "REFUNDED":
        return "refunded"
    if money in ("VOIDED", "EXPIRED"):
        return "failed"
    if money == "AUTHORIZED":
        return "on_hold"
    if money in _PAID or money is None:
        return "completed" if goods == "FULFILLED" else "processing"
    return "pending"


def _fees(wire: WireOrder, lines: Iterable[WireLine], prices: Prices) -> Iterable[FeeLine]:
    for line in lines:
        paid = prices.plain(line.original_total_set) - prices.discount(line.discount_allocations)
        tax = prices.tax(line.tax_lines)
        yield FeeLine(
            id=number(line.id),
            name=line.name,
            total=prices.without_tax(paid, tax),
            tax=exact(tax, prices.currency),
        )
    for fee in wire.additional_fees:
        tax = prices.tax(fee.tax_lines)
        yield FeeLine(
            id=number(fee.id),
            name=fee.name,
            total=prices.without_tax(prices.plain(fee.price), tax),
            tax=exact(tax, prices.currency),
        )
    duties = shop_amount(wire.original_total_duties_set, prices.currency)
    if duties.amount:
        none = exact(Decimal(0), prices.currency)
        yield FeeLine(id="duties", name="Duties", total=duties, tax=none)


def _discounts(wire: WireOrder, currency: str) -> list[Discount]:
    """Amounts by code, or by the title of a discount that needs no code."""
    amounts: defaultdict[str, list[Money]] = defaultdict(list)
    parts: list[WireLine | WireShippingLine] = [*wire.line_items.nodes, *wire.shipping_lines.nodes]
    for part in parts:
        for each in part.discount_allocations:
            source = each.discount_application
            amounts[source.code or source.title or ""].append(
                shop_amount(each.allocated_amount_set, currency)
            )
    return [Discount(code=name, amount=total(amounts[name], currency)) for name in sorted(amounts)]


def _taxes(wire: WireOrder, currency: str) -> list[Tax]:
    """By title and rate, apart for goods and for their way. Where no line says its taxes, as in
    some imported orders, the order's own are taken.
    """
    goods = _by_rate(tax for each in wire.line_items.nodes for tax in each.tax_lines)
    way = _by_rate(tax for each in wire.shipping_lines.nodes for tax in each.tax_lines)
    if not goods and not way:
        goods = _by_rate(wire.tax_lines)

    def sums(found: Sequence[WireTax]) -> Money:
        return total((shop_amount(each.price_set, currency) for each in found), currency)

    return [
        Tax(
            label=title,
            rate=rate,
            amount=sums(goods.get((title, rate), [])),
            shipping_amount=sums(way.get((title, rate), [])),
        )
        for title, rate in sorted(
            goods.keys() | way.keys(), key=lambda each: (each[0], each[1] or Decimal(0))
        )
    ]


def _by_rate(taxes: Iterable[WireTax]) -> dict[tuple[str, Decimal | None], list[WireTax]]:
    found: defaultdict[tuple[str, Decimal | None], list[WireTax]] = defaultdict(list)
    for each in taxes:
        rate = None if each.rate_percentage is None else _short(each.rate_percentage)
        found[each.title, rate].append(each)
    return dict(found)


def _short(rate: Decimal) -> Decimal:
    """20, not 20.0 and not 2E+1."""
    return Decimal(f"{rate.normalize():f}")


def _transactions(wires: Sequence[WireTransaction], currency: str) -> list[Transaction]:
    """Payments made or awaited; one that was reserved and then taken counts once. What is only
    reserved has no time: its money did not come.
    """
    captured = {each.parent_transaction.id for each in wires if each.parent_transaction}
    return [
        Transaction(
            gateway=each.gateway or "",
            title=each.formatted_gateway or "",
            reference=each.payment_id or "",
            amount=shop_amount(each.amount_set, currency),
            at=utc(each.processed_at) if _came(each) else None,
        )
        for each in wires
        if each.kind in _PAYMENTS
        and each.status in _MADE
        and not (each.kind == "AUTHORIZATION" and each.id in captured)
    ]


def _came(wire: WireTransaction) -> bool:
    return wire.kind in _TAKEN and wire.status == "SUCCESS"


def _paid_at(wire: WireOrder) -> Any:
    """When the last of the money came, where all of it did."""
    if wire.display_financial_status not in _PAID | {"REFUNDED"}:
        return None
    moments = [
        moment for each in wire.transactions if _came(each) and (moment := utc(each.processed_at))
    ]
    return max(moments, default=None)


def _refund(wire: WireRefund, prices: Prices, rows: Rows) -> Refund:
    lines = [
        RefundLine(
            line=rows.get(number(each.line_item.id), number(each.line_item.id)),
            quantity=each.quantity,
            total=prices.without_tax(
                prices.plain(each.subtotal_set), prices.plain(each.total_tax_set)
            ),
            tax=shop_amount(each.total_tax_set, prices.currency),
        )
        for each in wire.refund_line_items.nodes
    ]
    lines += [
        RefundLine(
            line=f"shipping:{number(each.shipping_line.id) if each.shipping_line.id else ''}",
            quantity=0,
            total=prices.without_tax(
                prices.plain(each.subtotal_amount_set), prices.plain(each.tax_amount_set)
            ),
            tax=shop_amount(each.tax_amount_set, prices.currency),
        )
        for each in wire.refund_shipping_lines.nodes
    ]
    return Refund(
        id=number(wire.id),
        amount=shop_amount(wire.total_refunded_set, prices.currency),
        reason=wire.note or "",
        lines=tuple(lines),
        created_at=utc(wire.processed_at or wire.created_at),
    )


def _fulfilment(wire: WireFulfilment, rows: Rows) -> Fulfilment:
    return Fulfilment(
        id=number(wire.id),
        status=wire.status.lower(),
        tracking=", ".join(each.number for each in wire.tracking_info if each.number),
        lines=tuple(
            (rows.get(number(each.line_item.id), number(each.line_item.id)), each.quantity or 0)
            for each in wire.fulfillment_line_items.nodes
        ),
        at=utc(wire.created_at),
    )


def _extra(wire: WireOrder) -> dict[str, Any]:
    source = wire.source_identifier or ""
    is_key = ":orders:" in source
    return told(
        {
            "external_key": (source if is_key else "", ""),
            "source_identifier": ("" if is_key else source, ""),
            "source_name": (wire.source_name or "", ""),
            "phone": (wire.phone or "", ""),
            "tags": (sorted(wire.tags), []),
            "test": (wire.test, False),
            "edited": (wire.edited, False),
            "paid_in": (wire.presentment_currency_code or wire.currency_code, wire.currency_code),
            "financial_status": ((wire.display_financial_status or "").lower(), "paid"),
            "fulfilment_status": (wire.display_fulfillment_status.lower(), "fulfilled"),
            "cancel_reason": ((wire.cancel_reason or "").lower(), ""),
            "attributes": (
                {e.key: e.value or "" for e in wire.custom_attributes if e.key != STATUS},
                {},
            ),
            "metafields": (metafields(wire.metafields.nodes), {}),
        }
    )
