"""Orders: WooCommerce's JSON into canonical records. Pure, and fast: a full run reads them all."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from connectors.records import (
    Discount,
    FeeLine,
    Money,
    Order,
    OrderLine,
    Record,
    Refund,
    RefundLine,
    ShippingLine,
    Tax,
    Transaction,
    money,
)
from connectors.woocommerce.parts import (
    PART_META,
    TAX_FEE,
    UnmappableError,
    address,
    amount,
    kept_metas,
    line_metas,
    meta_value,
    text,
    utc,
)
from connectors.woocommerce.wire import (
    Amount,
    WireFee,
    WireLine,
    WireOrder,
    WireRefund,
    WireShippingLine,
    WireTaxLine,
)

IGNORED = frozenset({"checkout-draft", "auto-draft"})
"""Carts that nobody placed as orders."""

_STATUSES = {"on-hold": "on_hold", "trash": "trashed"}
_WIRE_STATUSES = {canonical: wire for wire, canonical in _STATUSES.items()}


def order(wire: WireOrder, refunds: Sequence[WireRefund] = ()) -> Record:
    """An order with its refunds. Raises `UnmappableError`."""
    currency = wire.currency
    if not currency:
        raise UnmappableError("the order has no currency")
    total = amount(wire.total, currency)
    tax_total = amount(wire.total_tax, currency)
    fees = wire.fee_lines
    if fees:
        fees = [each for each in fees if not _holds_taxes(each)]
        for each in wire.fee_lines:
            if _holds_taxes(each):
                tax_total = _sum(tax_total, amount(each.total, currency))
    billing = address(wire.billing)
    content = Order(
        number=str(wire.number),
        status=_STATUSES.get(wire.status, wire.status),
        currency=currency,
        total=total,
        tax_total=tax_total,
        shipping_total=amount(wire.shipping_total, currency),
        discount_total=amount(wire.discount_total, currency),
        prices_include_tax=wire.prices_include_tax,
        customer=str(wire.customer_id) if wire.customer_id else None,
        email=billing.email if billing else "",
        billing=billing,
        shipping=address(wire.shipping),
        lines=tuple([_line(each, currency) for each in wire.line_items]),
        shipping_lines=tuple([_shipping(each, currency) for each in wire.shipping_lines]),
        fees=tuple([_fee(each, currency) for each in fees]),
        discounts=tuple(
            [
                Discount(
                    code=each.code,
                    amount=amount(each.discount, currency),
                    tax=amount(each.discount_tax, currency),
                )
                for each in wire.coupon_lines
            ]
        ),
        taxes=tuple([_tax(each, currency) for each in wire.tax_lines]),
        transactions=_transactions(wire, total),
        refunds=tuple([_refund(each, currency) for each in refunds]),
        note=wire.customer_note or "",
        created_at=utc(wire.date_created_gmt),
        paid_at=utc(wire.date_paid_gmt),
        completed_at=utc(wire.date_completed_gmt),
        extra=_extra(wire),
    )
    return Record(str(wire.id), utc(wire.date_modified_gmt), content)


def wire_status(status: str) -> str:
    """A canonical status in WooCommerce's words."""
    return _WIRE_STATUSES.get(status, status)


def _holds_taxes(wire: WireFee) -> bool:
    """Whether a fee is one of ours that holds taxes which this store would reckon otherwise."""
    return bool(wire.meta_data) and meta_value(wire.meta_data, PART_META) == TAX_FEE


def _sum(left: Money, right: Money) -> Money:
    return money(f"{left.amount + right.amount:f}", left.currency)


def _line(wire: WireLine, currency: str) -> OrderLine:
    return OrderLine(
        id=str(wire.id),
        name=text(wire.name),
        quantity=_quantity(wire.quantity),
        total=amount(wire.total, currency),
        subtotal=amount(wire.subtotal, currency),
        tax=amount(wire.total_tax, currency),
        subtotal_tax=amount(wire.subtotal_tax, currency),
        product=str(wire.product_id) if wire.product_id else None,
        variant=str(wire.variation_id) if wire.variation_id else None,
        sku=wire.sku or "",
        tax_class=wire.tax_class or "",
        extra=_meta_extra(wire) if wire.meta_data else {},
    )


def _quantity(found: float | str) -> int:
    if type(found) is int:
        return found
    try:
        number = Decimal(str(found or 0))
    except InvalidOperation:
        raise UnmappableError("a quantity is no number") from None
    if number != number.to_integral_value():
        raise UnmappableError("a quantity is not whole")
    return int(number)


def _meta_extra(wire: WireLine) -> dict[str, Any]:
    found = line_metas(wire.meta_data)
    return {"meta": found} if found else {}


def _shipping(wire: WireShippingLine, currency: str) -> ShippingLine:
    return ShippingLine(
        id=str(wire.id),
        title=text(wire.method_title),
        total=amount(wire.total, currency),
        tax=amount(wire.total_tax, currency),
        method=text(wire.method_id),
    )


def _fee(wire: WireFee, currency: str) -> FeeLine:
    return FeeLine(
        id=str(wire.id),
        name=text(wire.name),
        total=amount(wire.total, currency),
        tax=amount(wire.total_tax, currency),
    )


def _tax(wire: WireTaxLine, currency: str) -> Tax:
    return Tax(
        label=text(wire.label),
        code=text(wire.rate_code),
        rate=_rate(wire.rate_percent),
        amount=amount(wire.tax_total, currency),
        shipping_amount=amount(wire.shipping_tax_total, currency),
        compound=wire.compound,
    )


@lru_cache(maxsize=1024)
def _rate(percent: float | str | None) -> Decimal | None:
    if percent is None or percent == "":
        return None
    try:
        found = Decimal(str(percent)).normalize()
    except InvalidOperation:
        raise UnmappableError("a tax rate is no number") from None
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found


def _transactions(wire: WireOrder, total: Money) -> tuple[Transaction, ...]:
    reference = text(wire.transaction_id)
    if not wire.payment_method and not reference:
        return ()
    return (
        Transaction(
            gateway=wire.payment_method or "",
            title=wire.payment_method_title or "",
            reference=reference,
            amount=total,
            at=utc(wire.date_paid_gmt),
        ),
    )


def _refund(wire: WireRefund, currency: str) -> Refund:
    parts: list[RefundLine] = []
    for kind, lines in (
        ("", wire.line_items),
        ("shipping:", wire.shipping_lines),
        ("fee:", wire.fee_lines),
    ):
        for each in lines:
            refunded = meta_value(each.meta_data, "_refunded_item_id")
            if refunded is None:
                continue
            parts.append(
                RefundLine(
                    line=kind + refunded,
                    quantity=abs(_quantity(getattr(each, "quantity", 0))),
                    total=_given_back(each.total, currency),
                    tax=_given_back(each.total_tax, currency),
                )
            )
    return Refund(
        id=str(wire.id),
        amount=Money(abs(amount(wire.amount, currency).amount), currency),
        reason=wire.reason or "",
        lines=tuple(parts),
        created_at=utc(wire.date_created_gmt),
    )


def _given_back(value: Amount, currency: str) -> Money:
    """WooCommerce counts refunded lines below zero; a fee that was a discount is above it then."""
    found = amount(value, currency)
    return found if not found.amount else Money(-found.amount, found.currency)


def _extra(wire: WireOrder) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if wire.meta_data:
        kept = kept_metas(wire.meta_data)
        if kept:
            found["meta"] = kept
    if wire.created_via:
        is_key = ":orders:" in wire.created_via
        found["external_key" if is_key else "created_via"] = wire.created_via
    return found
