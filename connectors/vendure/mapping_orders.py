"""Orders: Vendure's JSON into canonical records. Pure.

An order that was brought in says in a custom field what Vendure has no place for; that is believed
as long as its state and total are those that it came with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from connectors.records import (
    Discount,
    FeeLine,
    Money,
    Order,
    OrderLine,
    Record,
    Refund,
    ShippingLine,
    Tax,
)
from connectors.vendure.mapping_payments import (
    FEE,
    ROUNDING,
    fulfilment,
    notes_of,
    refunds_of,
    transaction,
)
from connectors.vendure.parts import (
    IMPORTED_GOODS,
    KEY,
    Coins,
    address,
    custom,
    in_place,
    latest,
    told,
    total,
    utc,
)
from connectors.vendure.states import CLOSED, status
from connectors.vendure.wire_orders import (
    WireDiscount,
    WireLine,
    WireOrder,
    WireShippingLine,
    WireSurcharge,
)

_LAST = "Delivered"


class ImportedAs(Struct, frozen=True, kw_only=True):
    """What an order was, as far as Vendure has no place for it. `state` and `units` are the state
    and the total that this is true for; `shown` are the fields themselves. `states` are those of
    its payments and shipments, `digest` is of the sums and parts that came with it.
    """

    state: str
    units: int
    email: str = ""
    shown: Shown | None = None
    states: dict[str, str] = {}
    digest: str = ""


class Shown(Struct, frozen=True, kw_only=True):
    """Fields of `Order`, of the same names."""

    status: str
    prices_include_tax: bool = False
    taxes: tuple[Tax, ...] = ()
    discounts: tuple[Discount, ...] = ()
    paid_at: datetime | None = None
    completed_at: datetime | None = None


_decode_imported = msgspec.json.Decoder(ImportedAs).decode


def order(wire: WireOrder, precision: int) -> Record:
    """An order with everything that belongs to it. Raises `UnmappableError`."""
    coins = Coins(precision, wire.currency_code)
    # A list within an answer comes in any order, another one each time.
    payments = in_place(wire.payments or [])
    lines = [_line(each, coins) for each in in_place(wire.lines)]
    refunds = refunds_of(wire, payments, coins)
    imported = imported_as(wire)
    billing = address(wire.billing_address)
    shown = _shown(wire, imported, refunds, coins)
    content = Order(
        number=wire.code,
        status=shown.status,
        currency=wire.currency_code,
        total=coins.money(wire.total_with_tax),
        tax_total=coins.money(wire.total_with_tax - wire.total),
        shipping_total=coins.money(wire.shipping),
        discount_total=_discounted(lines, coins.currency),
        prices_include_tax=shown.prices_include_tax,
        customer=wire.customer.id if wire.customer else None,
        email=_email(wire, imported),
        billing=billing,
        shipping=address(wire.shipping_address),
        lines=tuple(lines),
        shipping_lines=tuple(_shipping(each, coins) for each in in_place(wire.shipping_lines)),
        fees=tuple(
            _fee(each, coins)
            for each in in_place(wire.surcharges)
            if each.sku != f"{FEE}{ROUNDING}"
        ),
        discounts=shown.discounts,
        taxes=shown.taxes,
        transactions=tuple(
            transaction(each, coins) for each in payments if not notes_of(each).unknown
        ),
        refunds=tuple(refunds),
        fulfilments=tuple(fulfilment(each) for each in in_place(wire.fulfillments or [])),
        note=custom(wire.custom_fields, "customerNote"),
        created_at=utc(wire.order_placed_at),
        paid_at=shown.paid_at,
        completed_at=shown.completed_at,
        extra=_extra(wire),
    )
    return Record(wire.id, latest(wire.updated_at), content)


def imported_as(wire: WireOrder) -> ImportedAs | None:
    """What the order's custom field says; None where it holds nothing of ours."""
    found = custom(wire.custom_fields, "importedAs")
    try:
        return _decode_imported(found) if found else None
    except msgspec.DecodeError:
        return None


def _shown(
    wire: WireOrder, imported: ImportedAs | None, refunds: Sequence[Refund], coins: Coins
) -> Shown:
    if (
        imported
        and imported.shown
        and (imported.state, imported.units)
        == (
            wire.state,
            int(wire.total_with_tax),
        )
    ):
        return imported.shown
    back = total((each.amount for each in refunds), coins.currency).amount
    given_back = bool(back) and back >= coins.money(wire.total_with_tax).amount
    settled = [each for each in wire.payments or [] if each.state == "Settled"]
    delivered = wire.fulfillments if wire.state == "Delivered" else None
    return Shown(
        status=status(wire.state, given_back=given_back),
        taxes=tuple(_taxes(wire, coins)),
        discounts=tuple(_discounts(wire, coins)),
        paid_at=latest(*(each.created_at for each in settled)),
        completed_at=latest(*(each.updated_at for each in delivered or [])),
    )


def _email(wire: WireOrder, imported: ImportedAs | None) -> str:
    if imported and imported.email:
        return imported.email
    return wire.customer.email_address if wire.customer else ""


def is_open(content: Order) -> bool:
    """Whether the order can still change its state."""
    return content.extra.get("state", _LAST) not in CLOSED


# --- lines ---------------------------------------------------------------------------------------


def _line(wire: WireLine, coins: Coins) -> OrderLine:
    """A line. Adjustments of the type OTHER are no discounts: they are part of its price."""
    sold = wire.product_variant
    others = [each for each in wire.discounts if each.type == "OTHER"]
    subtotal = wire.line_price + sum(each.amount for each in others)
    gross = wire.line_price_with_tax + sum(each.amount_with_tax for each in others)
    free = sold.sku == IMPORTED_GOODS
    fields = wire.custom_fields
    return OrderLine(
        id=wire.id,
        name=custom(fields, "importedName") or sold.name,
        quantity=wire.quantity,
        total=coins.money(wire.prorated_line_price),
        subtotal=coins.money(subtotal),
        tax=coins.money(wire.prorated_line_price_with_tax - wire.prorated_line_price),
        subtotal_tax=coins.money(gross - subtotal),
        product=None if free else sold.product_id,
        variant=sold.id if sold.options and not free else None,
        sku=_sku(wire),
    )


def _sku(wire: WireLine) -> str:
    """The SKU when sold; a line that was brought in says it itself, also that there was none."""
    fields = wire.custom_fields
    if custom(fields, "importedId"):
        return custom(fields, "importedSku")
    return wire.product_variant.sku


def _discounted(lines: Sequence[OrderLine], currency: str) -> Money:
    before = total((each.subtotal for each in lines), currency)
    after = total((each.total for each in lines), currency)
    return Coins(0, currency).money(before.amount - after.amount)


def _shipping(wire: WireShippingLine, coins: Coins) -> ShippingLine:
    fields = wire.custom_fields
    return ShippingLine(
        id=wire.id,
        title=custom(fields, "title") or wire.shipping_method.name,
        total=coins.money(wire.discounted_price),
        tax=coins.money(wire.discounted_price_with_tax - wire.discounted_price),
        method=custom(fields, "method") or _method(wire),
    )


def _method(wire: WireShippingLine) -> str:
    found = wire.shipping_method.code
    return "" if found == IMPORTED_GOODS else found


def _fee(wire: WireSurcharge, coins: Coins) -> FeeLine:
    return FeeLine(
        id=wire.id,
        name=wire.description,
        total=coins.money(wire.price),
        tax=coins.money(wire.price_with_tax - wire.price),
    )


# --- discounts and taxes -------------------------------------------------------------------------


def _discounts(wire: WireOrder, coins: Coins) -> list[Discount]:
    """By what a promotion is called, or by the order's coupon code where there is only one."""
    found = [each for each in wire.discounts if each.type != "OTHER" and each.amount]
    only = wire.coupon_codes[0] if len(found) == len(wire.coupon_codes) == 1 else ""
    return sorted((_discount(each, only, coins) for each in found), key=lambda each: each.code)


def _discount(wire: WireDiscount, code: str, coins: Coins) -> Discount:
    return Discount(
        code=code or wire.description,
        amount=coins.money(-wire.amount),
        tax=coins.money(wire.amount - wire.amount_with_tax),
    )


def _taxes(wire: WireOrder, coins: Coins) -> list[Tax]:
    """By description and rate; what of a sum is not of goods and fees is of their way."""
    goods: defaultdict[tuple[str, Decimal], Decimal] = defaultdict(Decimal)
    parts: list[tuple[WireLine | WireSurcharge, Decimal]] = [
        (each, each.prorated_line_price_with_tax - each.prorated_line_price) for each in wire.lines
    ]
    parts += [(each, each.price_with_tax - each.price) for each in wire.surcharges]
    for part, tax in parts:
        rates = sum(each.tax_rate for each in part.tax_lines)
        for each in part.tax_lines:
            share = tax * each.tax_rate / rates if rates else Decimal(0)
            goods[each.description, each.tax_rate] += share.to_integral_value()
    return [
        Tax(
            label=each.description,
            rate=_short(each.tax_rate),
            amount=coins.money(goods[each.description, each.tax_rate]),
            shipping_amount=coins.money(each.tax_total - goods[each.description, each.tax_rate]),
        )
        for each in sorted(wire.tax_summary, key=lambda each: (each.description, each.tax_rate))
    ]


def _short(rate: Decimal) -> Decimal:
    """20, not 20.0 and not 2E+1."""
    return Decimal(f"{rate.normalize():f}")


def _extra(wire: WireOrder) -> dict[str, Any]:
    return told(
        {
            "external_key": (custom(wire.custom_fields, KEY), ""),
            "state": (wire.state, _LAST),
            "coupon_codes": (sorted(wire.coupon_codes), []),
            "type": (wire.type, "Regular"),
        }
    )
