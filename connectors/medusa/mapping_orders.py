"""Orders: Medusa's JSON into canonical records. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.medusa.mapping_lines import (
    discounts,
    fee_line,
    is_fee,
    is_rounding,
    order_line,
    rate_of,
    shipping_line,
    sums_of,
)
from connectors.medusa.parts import (
    KEY,
    NOTE,
    OURS,
    STATUS,
    address,
    exact,
    kept,
    text_of,
    told,
    total,
    utc,
)
from connectors.medusa.wire_orders import (
    WireFulfilment,
    WireItem,
    WireOrder,
    WirePayment,
    WireRefund,
    WireShippingMethod,
)
from connectors.records import (
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

COUPONS = f"{OURS}coupons"
"""Metadata with discount codes that took nothing off, with line feeds between them."""

COMPLETED_AT = f"{OURS}completed_at"
PAID_AT = f"{OURS}paid_at"
IMPLIED = f"{OURS}implied"
"""In the data of a payment that no transaction of the source stands for."""

_PAID = frozenset({"captured", "partially_captured", "partially_refunded"})
_SENT = frozenset({"fulfilled", "shipped", "delivered"})


def order(wire: WireOrder) -> Record:
    """An order with everything that belongs to it. Raises `UnmappableError`."""
    currency = wire.currency_code.upper()
    items = wire.items or []
    parts = parts_of(wire)
    sums = [sums_of(each) for each in parts]
    credit = [each.amount for each in wire.credit_lines or ()]
    ways = [shipping_line(each, currency) for each in wire.shipping_methods or ()]
    payments = _payments(wire)
    content = Order(
        number=wire.custom_display_id or str(wire.display_id or ""),
        status=_status(wire),
        currency=currency,
        total=exact(total(each.after + each.tax for each in sums) - total(credit), currency),
        tax_total=exact(total(each.tax for each in sums), currency),
        shipping_total=exact(total(each.total.amount for each in ways), currency),
        discount_total=exact(_taken_off(items), currency),
        prices_include_tax=any(each.is_tax_inclusive for each in parts),
        customer=wire.customer_id,
        email=wire.email or "",
        billing=address(wire.billing_address),
        shipping=address(wire.shipping_address),
        lines=tuple(order_line(each, currency) for each in items if not is_fee(each)),
        shipping_lines=tuple(ways),
        fees=tuple(_fees(wire, currency)),
        discounts=tuple(_discounts(wire, currency)),
        taxes=tuple(_taxes(wire, currency)),
        transactions=tuple(_transactions(payments, currency)),
        refunds=tuple(
            _refund(each, currency) for payment in payments for each in _refunds(payment)
        ),
        fulfilments=tuple(_fulfilment(each) for each in wire.fulfillments or () if each),
        note=text_of(wire.metadata, NOTE),
        created_at=utc(wire.created_at),
        paid_at=_kept_moment(wire, PAID_AT) or _paid_at(wire, payments),
        completed_at=_kept_moment(wire, COMPLETED_AT),
        extra=_extra(wire),
    )
    return Record(wire.id, stamp_of(wire), content)


def stamp_of(wire: WireOrder) -> datetime | None:
    """When an order or one of its payments changed: a payment does not move its order's date."""
    moments = [wire.updated_at, *(each.updated_at for each in _payments(wire))]
    return utc(max((each for each in moments if each), default=None))


def parts_of(wire: WireOrder) -> list[WireItem | WireShippingMethod]:
    """Everything an order's total is made of."""
    return [*(wire.items or []), *(wire.shipping_methods or [])]


def own_status(status: str, payment: str, fulfilment: str) -> str:
    """One word for what Medusa says in three."""
    if status == "canceled":
        return "cancelled"
    if status in ("completed", "archived"):
        return "completed"
    if payment == "refunded":
        return "refunded"
    if payment in _PAID:
        return "completed" if fulfilment in _SENT else "processing"
    on_hold = status == "requires_action" or payment in ("authorized", "partially_authorized")
    return "on_hold" if on_hold else "pending"


def _taken_off(items: Iterable[WireItem]) -> Decimal:
    """What goods cost less; the price of their way is what was paid for it."""
    return total(sums.before - sums.after for sums in map(sums_of, items))


def _status(wire: WireOrder) -> str:
    """The status that an imported order had, as long as Medusa's own has not moved since."""
    own = own_status(wire.status, wire.payment_status, wire.fulfillment_status)
    original, _, shown = text_of(wire.metadata, STATUS).partition(", shown as ")
    return original if original and shown == own else own


def _kept_moment(wire: WireOrder, name: str) -> datetime | None:
    kept_text = text_of(wire.metadata, name)
    return utc(datetime.fromisoformat(kept_text)) if kept_text else None


def _fees(wire: WireOrder, currency: str) -> Iterable[FeeLine]:
    for each in wire.items or ():
        if is_fee(each) and not is_rounding(each):
            yield fee_line(each, currency)
    none = exact(Decimal(0), currency)
    for credit in wire.credit_lines or ():
        taken = exact(-credit.amount, currency)
        yield FeeLine(id=credit.id, name=credit.reference or "Credit", total=taken, tax=none)


def _discounts(wire: WireOrder, currency: str) -> Iterable[Discount]:
    """Amounts by code; and codes that took nothing off."""
    amounts: defaultdict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for part in parts_of(wire):
        rate = sums_of(part).rate
        for each, off in zip(
            part.adjustments or (), discounts(part.adjustments, rate), strict=True
        ):
            if each.code:
                amounts[each.code].append((off, off * rate))
    for code in filter(None, text_of(wire.metadata, COUPONS).split("\n")):
        amounts.setdefault(code, [])
    for code in sorted(amounts):
        yield Discount(
            code=code,
            amount=exact(total(off for off, _ in amounts[code]), currency),
            tax=exact(total(tax for _, tax in amounts[code]), currency),
        )


def _taxes(wire: WireOrder, currency: str) -> Iterable[Tax]:
    """By name and rate, apart for goods and for their way."""
    goods = _by_rate(wire.items or ())
    way = _by_rate(wire.shipping_methods or ())
    for name in sorted(goods.keys() | way.keys(), key=str):
        label, code, rate = name
        yield Tax(
            label=label,
            code=code,
            rate=rate,
            amount=exact(goods.get(name, Decimal(0)), currency),
            shipping_amount=exact(way.get(name, Decimal(0)), currency),
        )


def _by_rate(
    parts: Iterable[WireItem | WireShippingMethod],
) -> dict[tuple[str, str, Decimal | None], Decimal]:
    found: defaultdict[tuple[str, str, Decimal | None], Decimal] = defaultdict(Decimal)
    for part in parts:
        after = sums_of(part).after
        for each in part.tax_lines or ():
            found[each.description or each.code, each.code, rate_of(each)] += (
                after * each.rate / 100
            )
    return found


# --- money ---------------------------------------------------------------------------------------


def _payments(wire: WireOrder) -> list[WirePayment]:
    """Payments that were made or are awaited."""
    collections = [each for each in wire.payment_collections or () if each]
    found = [payment for each in collections for payment in each.payments or ()]
    return sorted((each for each in found if each.canceled_at is None), key=lambda each: each.id)


def _transactions(payments: Iterable[WirePayment], currency: str) -> Iterable[Transaction]:
    """An imported payment says in its data who the source says took it."""
    for each in payments:
        data = each.data or {}
        if data.get(IMPLIED):
            continue
        yield Transaction(
            gateway=text_of(data, f"{OURS}gateway") or _plain(each.provider_id),
            title=text_of(data, f"{OURS}title"),
            reference=_reference(each),
            amount=_taken(each, currency),
            at=utc(each.captured_at),
        )


def _plain(provider: str) -> str:
    """A provider's own name is in its id twice: pp_stripe_stripe."""
    return provider.removeprefix("pp_")


def _reference(payment: WirePayment) -> str:
    data = payment.data or {}
    if f"{OURS}gateway" in data:
        return text_of(data, f"{OURS}reference")
    return text_of(data, "id") or payment.id


def _taken(payment: WirePayment, currency: str) -> Money:
    """What was captured, or is to be."""
    captured = total(each.amount for each in payment.captures or ())
    return exact(captured or payment.amount, currency)


def _paid_at(wire: WireOrder, payments: Iterable[WirePayment]) -> datetime | None:
    """When the last of the money came, where all of it did."""
    if wire.payment_status not in ("captured", "partially_refunded", "refunded"):
        return None
    captures = [capture for each in payments for capture in each.captures or ()]
    return utc(max((each.created_at for each in captures if each.created_at), default=None))


def _refunds(payment: WirePayment) -> list[WireRefund]:
    return sorted(payment.refunds or (), key=lambda each: each.id)


def _refund(wire: WireRefund, currency: str) -> Refund:
    """Money given back. Of which lines, only an imported one tells."""
    reason = wire.refund_reason.label if wire.refund_reason else ""
    lines = (wire.metadata or {}).get("lines", ())
    return Refund(
        id=wire.id,
        amount=exact(wire.amount, currency),
        reason=wire.note or reason,
        lines=tuple(
            RefundLine(
                line=line,
                quantity=quantity,
                total=exact(Decimal(amount), currency),
                tax=exact(Decimal(tax), currency),
            )
            for line, quantity, amount, tax in lines
        ),
        created_at=utc(wire.created_at),
    )


# --- the rest ------------------------------------------------------------------------------------


def _fulfilment(wire: WireFulfilment) -> Fulfilment:
    at, status = wire.created_at, "pending"
    for moment, word in (
        (wire.packed_at, "packed"),
        (wire.shipped_at, "shipped"),
        (wire.delivered_at, "delivered"),
        (wire.canceled_at, "cancelled"),
    ):
        at, status = (moment, word) if moment else (at, status)
    return Fulfilment(
        id=wire.id,
        status=status,
        tracking=", ".join(each.tracking_number for each in wire.labels or ()),
        lines=tuple(
            (each.line_item_id, int(each.quantity))
            for each in wire.items or ()
            if each.line_item_id
        ),
        at=utc(at),
    )


def _extra(wire: WireOrder) -> dict[str, Any]:
    others = {name: value for name, value in kept(wire.metadata).items() if name != NOTE}
    return told(
        {
            "external_key": (text_of(wire.metadata, KEY), ""),
            "metadata": (others, {}),
            "payment_status": (wire.payment_status, "captured"),
            "fulfilment_status": (wire.fulfillment_status, "delivered"),
        }
    )
