"""Payments, refunds and shipments of orders: Vendure's JSON into canonical records. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from connectors.records import Fulfilment, Refund, RefundLine, Transaction
from connectors.vendure.parts import Coins, UnmappableError, custom, in_place, utc
from connectors.vendure.wire_orders import (
    WireFulfilment,
    WireLine,
    WireOrder,
    WirePayment,
    WireRefund,
)

FEE = "fee:"
"""How the SKU of a surcharge begins that was a fee; our names of fees begin alike."""

SHIPPING = "shipping:"

ROUNDING = "rounding"
"""The fee that stands for what a total has and its parts have not."""


class RefundedPart(Struct, frozen=True):
    """What was given back of a part, as a refund's meta data hold it: the source's name of the part
    (`12`, `shipping:3`, `fee:4`), and units of money.
    """

    line: str
    quantity: int
    total: int
    tax: int


class RefundNotes(Struct, frozen=True):
    """Meta data of a refund that was brought in."""

    recent_sync: list[RefundedPart]


class PaymentNotes(Struct, frozen=True):
    """Meta data of a payment that was brought in. `unknown`: nobody knows how it was paid."""

    title: str = ""
    unknown: bool = False


def notes_of(wire: WirePayment) -> PaymentNotes:
    """What a payment that was brought in says of itself."""
    try:
        return msgspec.convert(wire.metadata or {}, PaymentNotes)
    except msgspec.ValidationError:
        return PaymentNotes()


def transaction(wire: WirePayment, coins: Coins) -> Transaction:
    """A payment."""
    return Transaction(
        gateway=wire.method,
        title=notes_of(wire).title,
        reference=wire.transaction_id or "",
        amount=coins.money(wire.amount),
        at=utc(wire.created_at) if wire.state == "Settled" else None,
    )


def refunds_of(wire: WireOrder, payments: Sequence[WirePayment], coins: Coins) -> list[Refund]:
    """All refunds of an order's payments, but those that failed. Raises `UnmappableError`."""
    lines = {each.id: each for each in wire.lines}
    ours = part_ids(wire)
    found = [each for payment in payments for each in payment.refunds if each.state != "Failed"]
    return [_refund(each, lines, ours, wire, coins) for each in in_place(found)]


def part_ids(wire: WireOrder) -> dict[str, str]:
    """Our names of an order's parts (`12`, `shipping:3`, `fee:4`), to the store's ids."""
    found = {custom(each.custom_fields, "importedId"): each.id for each in wire.lines}
    for line in wire.shipping_lines:
        if source := custom(line.custom_fields, "importedId"):
            found[f"{SHIPPING}{source}"] = line.id
    for fee in wire.surcharges:
        if (fee.sku or "").startswith(FEE):
            found[fee.sku or ""] = fee.id
    found.pop("", None)
    return found


def _refund(
    wire: WireRefund,
    lines: Mapping[str, WireLine],
    ours: Mapping[str, str],
    whole: WireOrder,
    coins: Coins,
) -> Refund:
    try:
        notes: RefundNotes | None = msgspec.convert(wire.metadata, RefundNotes)
    except msgspec.ValidationError:
        notes = None
    parts = (
        [_told_part(each, ours, coins) for each in notes.recent_sync]
        if notes is not None
        else _parts(wire, lines, whole, coins)
    )
    return Refund(
        id=wire.id,
        amount=coins.money(wire.total),
        reason=wire.reason or "",
        lines=tuple(parts),
        created_at=utc(wire.created_at),
    )


def _told_part(part: RefundedPart, ours: Mapping[str, str], coins: Coins) -> RefundLine:
    prefix = next((each for each in (SHIPPING, FEE) if part.line.startswith(each)), "")
    return RefundLine(
        line=f"{prefix}{ours.get(part.line, '')}",
        quantity=part.quantity,
        total=coins.money(part.total),
        tax=coins.money(part.tax),
    )


def _parts(
    wire: WireRefund, lines: Mapping[str, WireLine], whole: WireOrder, coins: Coins
) -> list[RefundLine]:
    """Lines that were given back, at what each piece cost, and the way."""
    found = []
    for part in wire.lines:
        line = lines.get(part.order_line_id)
        if line is None:
            raise UnmappableError("a refund is of a line that the order does not have")
        net, gross = line.prorated_unit_price, line.prorated_unit_price_with_tax
        found.append(
            RefundLine(
                line=line.id,
                quantity=part.quantity,
                total=coins.money(net * part.quantity),
                tax=coins.money((gross - net) * part.quantity),
            )
        )
    if wire.shipping and whole.shipping_lines:
        found.append(
            RefundLine(
                line=f"{SHIPPING}{whole.shipping_lines[0].id}",
                quantity=0,
                total=coins.money(wire.shipping),
                tax=coins.money(0),
            )
        )
    return found


def fulfilment(wire: WireFulfilment) -> Fulfilment:
    """A shipment."""
    return Fulfilment(
        id=wire.id,
        status=wire.state.lower(),
        tracking=wire.tracking_code or "",
        lines=tuple((each.order_line_id, each.quantity) for each in wire.lines),
        at=utc(wire.created_at),
    )
