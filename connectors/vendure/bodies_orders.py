"""Orders as the add-on's input. Pure.

Vendure keeps a price for one piece, adjustments of the whole line, and a rate of tax; what a line
comes to follows from them. So that it comes to exactly what it was, an adjustment of the type OTHER
makes up for a price that no piece has, and a rate is bent where the plain one gives another tax.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from connectors.base import Operation
from connectors.changes import touches
from connectors.records import FeeLine, Order, OrderLine, Refund, ShippingLine, Transaction
from connectors.vendure.bodies import Body, order_address
from connectors.vendure.mapping_orders import ImportedAs, Shown
from connectors.vendure.mapping_payments import (
    FEE,
    ROUNDING,
    SHIPPING,
    PaymentNotes,
    RefundedPart,
    RefundNotes,
)
from connectors.vendure.parts import Coins, iso
from connectors.vendure.shop import Shop
from connectors.vendure.states import fulfilment_state, payment_state, state

_ROUNDING = "Rounding"
_DISCOUNT = "Discount"
_UNKNOWN = "unknown"
_HALF = Decimal("0.5")
_NEAR = Decimal("0.000001")
_encode = msgspec.json.Encoder(decimal_format="string").encode

MONEY_FIELDS = frozenset(
    {
        "status",
        "total",
        "currency",
        "lines",
        "shipping_lines",
        "fees",
        "discounts",
        "taxes",
        "transactions",
        "refunds",
        "fulfilments",
        "prices_include_tax",
        "tax_total",
        "shipping_total",
        "discount_total",
        "paid_at",
        "completed_at",
        "email",
    }
)
"""Fields that hang together: where one of them is written, all are."""


class Writing:
    """How orders are written to one store. `own` are the variants of products without options,
    `countries` the names of countries by their codes.
    """

    def __init__(self, shop: Shop, own: Mapping[str, str], countries: Mapping[str, str]) -> None:
        self._shop = shop
        self._own = own
        self._countries = countries

    def body(self, operation: Operation, content: Order) -> Body:
        """A whole order as it was, or what of it is to be changed."""
        changed = operation.changed if operation.target_id else None
        coins = Coins(self._shop.precision, content.currency)
        body: Body = {"key": operation.key}
        if touches(changed, "number"):
            body["code"] = content.number
        if touches(changed, "created_at") and content.created_at:
            body["placedAt"] = iso(content.created_at)
        if touches(changed, "customer"):
            body["customerId"] = content.customer
        for name in ("billing", "shipping"):
            if touches(changed, name):
                where = getattr(content, name)
                body[f"{name}Address"] = (
                    order_address(where, self._countries, self._shop) if where else {}
                )
        if touches(changed, "note"):
            body["customerNote"] = content.note
        if touches(changed, *MONEY_FIELDS):
            body |= self._money(content, coins)
        return body

    def _money(self, content: Order, coins: Coins) -> Body:
        taxes = _Taxes(content)
        payments = _payments(content, coins)
        taken = [each["id"] for each in payments if each["state"] == "Settled"]
        paid = next(iter(taken or [each["id"] for each in payments]), "")
        body: Body = {
            "state": state(content),
            "currencyCode": content.currency,
            "couponCodes": list(dict.fromkeys(each.code for each in content.discounts)),
            "lines": [self._line(each, content, taxes, coins) for each in content.lines],
            "surcharges": [
                *(_surcharge(each, taxes, coins) for each in content.fees),
                *_difference(content, coins),
            ],
            "shippingLines": [_shipping(each, taxes, coins) for each in content.shipping_lines],
            "payments": payments,
            "refunds": [_refund(each, paid, coins) for each in content.refunds],
            "fulfillments": _fulfilments(content),
        }
        return body | {"importedAs": _imported_as(content, body, coins)}

    def _line(self, line: OrderLine, content: Order, taxes: _Taxes, coins: Coins) -> Body:
        variant = line.variant or self._own.get(line.product or "")
        price, adjustments = _priced(line, content, coins)
        return {
            "id": line.id,
            "productVariantId": variant,
            "name": line.name,
            "sku": line.sku,
            "quantity": line.quantity,
            "price": price,
            "adjustments": adjustments,
            "taxLines": taxes.of(coins.units(line.total), coins.units(line.tax)),
        }


def _priced(line: OrderLine, content: Order, coins: Coins) -> tuple[int, list[Body]]:
    """The price of a piece, and what makes up the rest to the line's subtotal and total.

    Three pieces for 10.00 are 3.33 each, and the line has one penny more.
    """
    subtotal, whole = coins.units(line.subtotal), coins.units(line.total)
    pieces = line.quantity or 1
    price = int((Decimal(subtotal) / pieces).quantize(Decimal(1), ROUND_HALF_UP))
    adjustments = []
    if rest := subtotal - price * pieces:
        adjustments.append({"type": "OTHER", "description": _ROUNDING, "amount": rest})
    if discount := whole - subtotal:
        codes = [each.code for each in content.discounts if each.code]
        description = ", ".join(codes) or _DISCOUNT
        adjustments.append({"type": "PROMOTION", "description": description, "amount": discount})
    return price, adjustments


class _Taxes:
    """Which title and rate a tax gets: those of the order where it has but one tax."""

    def __init__(self, content: Order) -> None:
        only = content.taxes[0] if len(content.taxes) == 1 else None
        self._title = (only.label if only else "") or "Tax"
        self._rate = only.rate if only else None

    def of(self, net: int, tax: int) -> list[Body]:
        """The rate by which a price in units is taxed with so many units."""
        if not net or not tax:
            return []
        rate = self._rate
        if rate is None or _taxed(net, rate) != tax:
            rate = _bent(net, tax)
        return [{"description": self._title, "taxRate": rate}]


def _bent(net: int, tax: int) -> Decimal:
    """The shortest rate that gives the tax."""
    exact = Decimal(tax) * 100 / net
    rates = (exact.quantize(Decimal(1).scaleb(-places)) for places in range(2, 12))
    return next((each for each in rates if _taxed(net, each) == tax), exact)


def _taxed(net: int, rate: Decimal) -> int | None:
    """The tax as Vendure reckons it: the gross amount rounded, less the net one. None where a
    half is to be rounded, which binary fractions may do either way.
    """
    gross = Decimal(net) * (100 + rate) / 100
    whole = gross.to_integral_value(ROUND_FLOOR)
    if abs(gross - whole - _HALF) < _NEAR:
        return None
    return int(whole) + (gross - whole > _HALF) - net


def _surcharge(fee: FeeLine, taxes: _Taxes, coins: Coins) -> Body:
    price = coins.units(fee.total)
    return {
        "id": fee.id,
        "description": fee.name,
        "price": price,
        "taxLines": taxes.of(price, coins.units(fee.tax)),
    }


def _difference(content: Order, coins: Coins) -> list[Body]:
    """What a total has that its parts have not, as stores that round once come to."""
    rest = coins.units(content.total) - total_units(content, coins)
    if not rest:
        return []
    return [{"id": ROUNDING, "description": _ROUNDING, "price": rest, "taxLines": []}]


def _shipping(line: ShippingLine, taxes: _Taxes, coins: Coins) -> Body:
    price = coins.units(line.total)
    return {
        "id": line.id,
        "title": line.title,
        "method": line.method,
        "price": price,
        "taxLines": taxes.of(price, coins.units(line.tax)),
    }


# --- money and goods that moved ------------------------------------------------------------------


def _payments(content: Order, coins: Coins) -> list[Body]:
    """The payments; where nobody knows of any although money came or went, one that says so."""
    found = [
        _payment(each, str(index), content, coins)
        for index, each in enumerate(content.transactions)
    ]
    if not found and (content.paid_at or content.refunds):
        unknown = Transaction(gateway=_UNKNOWN)
        found.append(_payment(unknown, _UNKNOWN, content, coins, notes=PaymentNotes(unknown=True)))
    return found


def _payment(
    made: Transaction,
    payment_id: str,
    content: Order,
    coins: Coins,
    notes: PaymentNotes | None = None,
) -> Body:
    # Beside a payment that was taken, one without a time is still awaited.
    awaited = made.at is None and any(each.at for each in content.transactions)
    at = made.at or content.paid_at or content.created_at
    return {
        "id": payment_id,
        "method": made.gateway,
        "amount": coins.units(made.amount or content.total),
        "state": "Settled" if made.at else payment_state(content, awaited=awaited),
        "transactionId": made.reference,
        "metadata": msgspec.to_builtins(notes or PaymentNotes(title=made.title)),
        **_at(at),
    }


def _refund(refund: Refund, payment: str, coins: Coins) -> Body:
    """A refund of exactly its amount: goods, their way, and what is neither."""
    parts = [
        RefundedPart(each.line, each.quantity, coins.units(each.total), coins.units(each.tax))
        for each in refund.lines
    ]
    way = [each for each in parts if each.line.startswith(SHIPPING)]
    goods = [each for each in parts if not each.line.startswith((SHIPPING, FEE))]
    return {
        "id": refund.id,
        "payment": payment,
        "total": coins.units(refund.amount),
        "items": sum(each.total + each.tax for each in goods),
        "shipping": sum(each.total + each.tax for each in way),
        "reason": refund.reason,
        "lines": [
            {"line": each.line, "quantity": each.quantity} for each in goods if each.quantity
        ],
        "metadata": msgspec.to_builtins(RefundNotes(recent_sync=parts)),
        **_at(refund.created_at),
    }


def _fulfilments(content: Order) -> list[Body]:
    """Shipments as they were; one of everything where the order is complete without any."""
    delivered = state(content) == "Delivered"
    found = [
        _fulfilment(
            each.id,
            each.tracking,
            fulfilment_state(each.status, delivered=delivered),
            [{"line": line, "quantity": quantity} for line, quantity in each.lines],
            (content.completed_at if delivered else None) or each.at,
        )
        for each in content.fulfilments
    ]
    if delivered and all(each["state"] == "Cancelled" for each in found):
        every = [{"line": each.id, "quantity": each.quantity} for each in content.lines]
        found.append(_fulfilment("all", "", "Delivered", every, content.completed_at))
    return found


def _fulfilment(
    fulfilment_id: str, tracking: str, reached: str, lines: list[Body], at: datetime | None
) -> Body:
    return {
        "id": fulfilment_id,
        "method": "imported",
        "trackingCode": tracking,
        "state": reached,
        "lines": lines,
        **_at(at),
    }


def _at(moment: datetime | None) -> Body:
    return {"at": iso(moment)} if moment else {}


def _imported_as(content: Order, body: Body, coins: Coins) -> str:
    """What Vendure has no place for, and the state and total that it is true for; and by what the
    add-on knows that the same is sent again.
    """
    shown = Shown(
        status=content.status,
        prices_include_tax=content.prices_include_tax,
        taxes=content.taxes,
        discounts=content.discounts,
        paid_at=content.paid_at,
        completed_at=content.completed_at,
    )
    found = ImportedAs(
        state=state(content),
        units=coins.units(content.total),
        email=content.email,
        shown=shown,
        states=_states(body),
        digest=hashlib.blake2b(_encode(body), digest_size=16).hexdigest(),
    )
    return _encode(found).decode()


def _states(body: Body) -> dict[str, str]:
    """The states of payments and shipments, by kind and id: another one is the staff's doing."""
    return {
        f"{kind}:{each['id']}": each["state"]
        for kind in ("payments", "fulfillments")
        for each in body[kind]
    }


def total_units(content: Order, coins: Coins) -> int:
    """What the parts of an order come to, with tax."""
    parts: Sequence[Any] = [*content.lines, *content.shipping_lines, *content.fees]
    return sum(coins.units(each.total) + coins.units(each.tax) for each in parts)
