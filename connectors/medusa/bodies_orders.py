"""Orders as the add-on takes them: rows of Medusa's own modules, with ids of ours. Pure.

All ids are made of our key and the part's name, so that the same order has the same ids whenever
it is sent. What Medusa has no field for is kept in metadata, and read back from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from connectors.medusa.bodies import metadata
from connectors.medusa.bodies_payments import Payments
from connectors.medusa.mapping_lines import FEE, METHOD, ROUNDING
from connectors.medusa.mapping_orders import (
    COMPLETED_AT,
    COUPONS,
    PAID_AT,
    order,
    own_status,
)
from connectors.medusa.mapping_products import DEFAULT_OPTION, DEFAULT_VALUE
from connectors.medusa.parts import (
    KEY,
    NOTE,
    PART,
    STATUS,
    iso,
    own_id,
    text_of,
    wire_address,
)
from connectors.medusa.taxes import Taxes
from connectors.medusa.taxes import text_of as plain
from connectors.medusa.wire_orders import WireOrder
from connectors.minor_units import rounded
from connectors.records import FeeLine, Fulfilment, Money, Order, OrderLine, ShippingLine

Body = dict[str, Any]

SHIPPING = "shipping:"
REFUND = "refund:"
FULFILMENT = "fulfilment:"

_STATUSES = {"cancelled": "canceled", "failed": "canceled", "trashed": "archived"}
_CLOSED = frozenset({"completed", "archived"})
_LARGEST = 2**31 - 1
_HIDDEN = frozenset({"pending", "packed"})
_VOID = frozenset({"cancelled", "failure", "error"})
_encode = msgspec.json.Encoder(order="deterministic", decimal_format="string").encode


def order_import(
    key: str, content: Order, *, channel: str, location: str, defaults: Mapping[str, str]
) -> Body:
    """A whole order. Its references hold the target's ids, its parts the source's. `defaults` are
    the variants of simple products, by the product's id.
    """
    content = _made_up(content)
    builder = _Builder(key, content, defaults)
    payments = Payments(key, content)
    body = builder.order() | {"transactions": payments.transactions()}
    if channel:
        body["sales_channel_id"] = channel
    fulfilments = _fulfilments(key, content, location) if location else []
    found = {
        "order": body,
        "payments": payments.rows(),
        "fulfillments": fulfilments,
        "sent": _sent(key, content),
    }
    shown = own_status(body["status"], payments.status(), _sent_status(content, fulfilments))
    ours: Body = body["metadata"]
    if shown != content.status:
        ours[STATUS] = f"{content.status}, shown as {shown}"
    if content.paid_at != payments.paid_at():
        ours[PAID_AT] = iso(content.paid_at) or ""
    found["digest"] = hashlib.sha256(_encode(found)).hexdigest()
    return found


def item_id(key: str, part: str) -> str:
    """The id of a line, or of the item that stands for a fee."""
    return own_id("ordli", key, part)


def order_id(key: str) -> str:
    """The id of an order."""
    return own_id("order", key)


def _made_up(content: Order) -> Order:
    """The order with a fee for what its total has and its parts have not, as stores that round once
    come to: Medusa reckons the total of its parts.
    """
    parts: list[OrderLine | ShippingLine | FeeLine]
    parts = [*content.lines, *content.shipping_lines, *content.fees]
    reckoned = sum((each.total.amount + each.tax.amount for each in parts), Decimal(0))
    rest = rounded(content.total.amount, content.currency) - rounded(reckoned, content.currency)
    if not rest:
        return content
    none = Money(Decimal(0), content.currency)
    fee = FeeLine(id=ROUNDING, name="Rounding", total=Money(rest, content.currency), tax=none)
    return replace(content, fees=(*content.fees, fee))


class _Builder:
    """The rows of the order module."""

    def __init__(self, key: str, content: Order, defaults: Mapping[str, str]) -> None:
        self._key = key
        self._content = content
        self._defaults = defaults
        self._taxes = Taxes(content)

    def order(self) -> Body:
        """The order with its parts."""
        content, key = self._content, self._key
        body: Body = {
            "id": order_id(key),
            "status": _STATUSES.get(
                content.status, "completed" if content.status == "completed" else "pending"
            ),
            "email": content.email or None,
            "currency_code": content.currency.lower(),
            "customer_id": content.customer,
            "created_at": iso(content.created_at),
            "items": [*self._lines(), *self._fees()],
            "shipping_methods": [self._way(each) for each in content.shipping_lines],
            "metadata": self._metadata(),
        }
        number = content.number
        if number.isdecimal() and str(int(number)) == number and int(number) <= _LARGEST:
            body["display_id"] = int(number)
        else:
            body["custom_display_id"] = number or None
        for name, where in (("billing", content.billing), ("shipping", content.shipping)):
            if where:
                address = {"id": own_id("ordaddr", key, name)}
                body[f"{name}_address"] = address | wire_address(where)
        return {name: value for name, value in body.items() if value is not None}

    def _metadata(self) -> Body:
        content = self._content
        found: Body = metadata(content.extra).get("metadata", {}) | {KEY: self._key}
        used = {each["code"] for line in content.lines for each in self._off(line, "")}
        unused = [each.code for each in content.discounts if each.code not in used]
        return found | {
            name: value
            for name, value in {
                NOTE: content.note,
                COUPONS: "\n".join(unused),
                COMPLETED_AT: iso(content.completed_at),
            }.items()
            if value
        }

    def _lines(self) -> list[Body]:
        return [self._line(each) for each in self._content.lines]

    def _line(self, line: OrderLine) -> Body:
        found = item_id(self._key, line.id)
        body: Body = {
            "id": found,
            "title": line.name,
            "quantity": line.quantity,
            **self._price(line.subtotal.amount / (line.quantity or 1), self._taxes.rate(line)),
            "product_id": line.product,
            "variant_id": line.variant or self._defaults.get(line.product or ""),
            "variant_sku": line.sku or None,
            "tax_lines": self._taxes.lines(line, found),
            "adjustments": self._off(line, found),
            **metadata(line.extra, **{PART: line.id}),
        }
        if line.product and not line.variant:
            body["variant_option_values"] = {DEFAULT_OPTION: DEFAULT_VALUE}
        return {name: value for name, value in body.items() if value is not None}

    def _price(self, each: Decimal, rate: Decimal, name: str = "unit_price") -> Body:
        gross = self._content.prices_include_tax
        return {
            name: plain(each * (1 + rate) if gross else each),
            "is_tax_inclusive": gross,
        }

    def _off(self, line: OrderLine, found: str) -> list[Body]:
        """What discounts took off a line: by code in the share that each has of all of them."""
        off = line.subtotal.amount - line.total.amount
        if not off:
            return []
        coded = [each for each in self._content.discounts if each.amount.amount > 0]
        whole = sum((each.amount.amount for each in coded), Decimal(0))
        shares = [(each.code, off * each.amount.amount / whole) for each in coded]
        return [
            {
                "id": own_id("ordliadj", found, str(place)),
                "code": code,
                "amount": plain(amount),
            }
            for place, (code, amount) in enumerate(shares or [(None, off)])
        ]

    def _fees(self) -> list[Body]:
        return [
            {
                "id": (found := item_id(self._key, f"{FEE}{each.id}")),
                "title": each.name,
                "quantity": 1,
                **self._price(each.total.amount, self._taxes.rate(each)),
                "requires_shipping": False,
                "is_discountable": False,
                "tax_lines": self._taxes.lines(each, found),
                "metadata": {PART: f"{FEE}{each.id}"},
            }
            for each in self._content.fees
        ]

    def _way(self, each: ShippingLine) -> Body:
        found = own_id("ordsm", self._key, each.id)
        return {
            "id": found,
            "name": each.title or each.method or "Shipping",
            **self._price(each.total.amount, self._taxes.rate(each), "amount"),
            "tax_lines": self._taxes.lines(each, found),
            "metadata": {PART: f"{SHIPPING}{each.id}", METHOD: each.method},
        }


# --- shipments -----------------------------------------------------------------------------------


def _fulfilments(key: str, content: Order, location: str) -> list[Body]:
    return [_fulfilment(key, content, each, location) for each in _shipments(content) if each.lines]


def _shipments(content: Order) -> tuple[Fulfilment, ...]:
    """Those of the source; of a completed order without any, one that holds all of it."""
    if content.fulfilments or content.status != "completed":
        return content.fulfilments
    lines = [(each.id, each.quantity) for each in content.lines]
    lines += [(f"{FEE}{each.id}", 1) for each in content.fees]
    at = content.completed_at or content.paid_at or content.created_at
    whole = Fulfilment(id="", status="delivered", lines=tuple(e for e in lines if e[1]), at=at)
    return (whole,)


def _fulfilment(key: str, content: Order, each: Fulfilment, location: str) -> Body:
    found, at = own_id("ful", key, each.id), iso(each.at or content.created_at)
    names = {line.id: (line.name, line.sku) for line in content.lines}
    void = each.status in _VOID
    items = [
        {
            "id": own_id("fulit", found, part),
            "title": names.get(part, ("", ""))[0],
            "sku": names.get(part, ("", ""))[1],
            "barcode": "",
            "quantity": quantity,
            "line_item_id": item_id(key, part),
        }
        for part, quantity in each.lines
    ]
    label = {"tracking_number": each.tracking, "tracking_url": "#", "label_url": "#"}
    return {
        "id": found,
        "location_id": location,
        "provider_id": "manual_manual",
        "created_at": at,
        "packed_at": at,
        "shipped_at": None if void or each.status in _HIDDEN else at,
        "delivered_at": at if each.status == "delivered" else None,
        "canceled_at": at if void else None,
        "delivery_address": {"id": own_id("fuladdr", found)},
        "labels": [{"id": own_id("fulla", found), **label}] if each.tracking else [],
        "items": items,
        "metadata": {PART: f"{FULFILMENT}{each.id}", "recent_sync": True},
    }


def _sent(key: str, content: Order) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in _shipments(content):
        for part, quantity in each.lines if each.status not in _VOID else ():
            found[item_id(key, part)] = found.get(item_id(key, part), 0) + quantity
    return found


def _sent_status(content: Order, fulfilments: list[Body]) -> str:
    """What Medusa will say of the shipments, as far as a status follows from it."""
    kept = [each for each in fulfilments if not each["canceled_at"]]
    pieces = {each.id: each.quantity for each in content.lines}
    pieces |= {f"{FEE}{each.id}": 1 for each in content.fees}
    sent: dict[str, int] = {}
    for each in _shipments(content):
        for part, quantity in each.lines if each.status not in _VOID else ():
            sent[part] = sent.get(part, 0) + quantity
    whole = all(sent.get(part, 0) >= quantity for part, quantity in pieces.items())
    return "fulfilled" if kept and whole else "not_fulfilled"


# --- what is there already -----------------------------------------------------------------------


def parts_of(wire: WireOrder) -> dict[str, str]:
    """The parts of an imported order: the target's ids by the source's names."""
    rows: list[Any] = [*(wire.items or ()), *(wire.shipping_methods or ())]
    rows += [each for each in wire.fulfillments or () if each]
    for collection in wire.payment_collections or ():
        for payment in collection.payments or () if collection else ():
            rows += payment.refunds or ()
    return {name: row.id for row in rows if (name := text_of(row.metadata, PART))}


def with_source_names(wire: WireOrder) -> Order:
    """An imported order as it is now, its parts under the names of the source."""
    content = order(wire).content
    if not isinstance(content, Order):
        raise TypeError("an order of another stream")
    names = {target: name for name, target in parts_of(wire).items()}

    def plain_name(target: str) -> str:
        return names.get(target, target).removeprefix(FEE).removeprefix(SHIPPING)

    def part_name(target: str) -> str:
        kind, _, rest = target.rpartition(":")
        return names.get(rest, target) if kind else names.get(target, target)

    return replace(
        content,
        lines=tuple(replace(each, id=plain_name(each.id)) for each in content.lines),
        fees=tuple(replace(each, id=plain_name(each.id)) for each in content.fees),
        shipping_lines=tuple(
            replace(each, id=plain_name(each.id)) for each in content.shipping_lines
        ),
        refunds=tuple(
            replace(
                each,
                id=names.get(each.id, each.id).removeprefix(REFUND),
                lines=tuple(replace(line, line=part_name(line.line)) for line in each.lines),
            )
            for each in content.refunds
        ),
        fulfilments=tuple(
            replace(
                each,
                id=names.get(each.id, each.id).removeprefix(FULFILMENT),
                lines=tuple((names.get(line, line), quantity) for line, quantity in each.lines),
            )
            for each in content.fulfilments
        ),
    )
