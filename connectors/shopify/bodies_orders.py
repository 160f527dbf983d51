"""Orders as Shopify's input. Pure.

Prices go without tax and after discounts: Shopify takes one discount code for a whole order and
none for its lines. What a line cost before is kept in a property that no shopper sees. A total that
no price for one piece gives is split over two lines, which are read as one again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from connectors.base import Operation
from connectors.minor_units import decimals, rounded
from connectors.records import (
    FeeLine,
    Money,
    Order,
    OrderLine,
    Refund,
    ShippingLine,
    Transaction,
)
from connectors.shopify.bodies import Body, address_body
from connectors.shopify.keys import key_metafield
from connectors.shopify.parts import NO_GOODS, PART, STATUS, SUBTOTAL, gid, iso, plain
from connectors.shopify.wire_orders import WireLine, WireOrder

OPTIONS = {
    "inventoryBehaviour": "BYPASS",
    "sendReceipt": False,
    "sendFulfillmentReceipt": False,
}
_DISCOUNT = "Discount "
_PAID = frozenset({"processing", "completed", "refunded"})


def order_body(operation: Operation, content: Order, defaults: Mapping[str, str]) -> Body:
    """A whole order as it was, without its customer: Shopify would take the order's address for
    the customer's. Refunds and cancellation come afterwards. `defaults` are the variants of
    products that have no others, by the product's number.
    """
    taxes = _Taxes(content)
    lines = [body for each in content.lines for body in _line(each, taxes, defaults)]
    fees = [_fee(each, taxes) for each in content.fees]
    body: Body = {
        "name": content.number,
        "processedAt": iso(content.created_at),
        "currency": content.currency,
        "email": content.email or None,
        "note": content.note,
        "sourceIdentifier": operation.key,
        "metafields": [key_metafield(operation.key)],
        "billingAddress": address_body(content.billing) if content.billing else None,
        "shippingAddress": address_body(content.shipping) if content.shipping else None,
        "lineItems": [*lines, *fees] or [_nothing(content)],
        "shippingLines": [_shipping(each, taxes) for each in content.shipping_lines],
        "taxesIncluded": False,
        "financialStatus": _financial_status(content),
        "transactions": _transactions(content),
        "customAttributes": attributes(content),
    }
    if was_sent(content):
        body["fulfillmentStatus"] = "FULFILLED"
        body["closedAt"] = iso(content.completed_at)
    return {name: value for name, value in body.items() if value not in (None, [], "")}


def attributes(content: Order, shown: str = "") -> list[Body]:
    """What Shopify has no field for: discounts, and a status that it shows as another one. `shown`
    is that other one, where it does not follow from the content.
    """
    found = [
        {
            "key": f"{_DISCOUNT}{each.code}"[:255],
            "value": f"{plain(each.amount)} {content.currency}",
        }
        for each in content.discounts
    ]
    shown = shown or shown_status(content)
    if shown != content.status:
        found.append({"key": STATUS, "value": f"{content.status}, shown as {shown}"})
    return found


def shown_status(content: Order) -> str:
    """The status that the written order will be read as."""
    if content.status in ("cancelled", "failed", "pending"):
        return content.status
    refunded = sum((each.amount.amount for each in content.refunds), Decimal(0))
    if is_paid(content) and refunded and refunded >= content.total.amount:
        return "refunded"
    if content.status == "completed":
        return "completed"
    return "processing" if is_paid(content) else "pending"


def is_paid(content: Order) -> bool:
    """Whether the money came: by the status, or by the date where the status does not say. What a
    cancelled order gave back had come, also where nobody says when.
    """
    if content.status in _PAID or (content.status == "cancelled" and content.refunds):
        return True
    return content.status not in ("pending", "failed") and content.paid_at is not None


def was_sent(content: Order) -> bool:
    """Whether all goods left, although they may have come back since."""
    return content.status == "completed" or (
        content.status == "refunded" and content.completed_at is not None
    )


def _financial_status(content: Order) -> str:
    if content.status == "failed":
        return "VOIDED"
    if is_paid(content):
        return "PAID"
    return "PARTIALLY_PAID" if _deposits(content) else "PENDING"


def _transactions(content: Order) -> list[Body]:
    if not content.total.amount or content.status == "failed":
        return []
    if is_paid(content):
        at = content.paid_at or content.created_at
        return [_taken(next(iter(content.transactions), None), content.total, at)]
    if found := _deposits(content):
        return [_taken(each, each.amount or content.total, each.at) for each in found]
    some = content.transactions[:1]
    return [_transaction(each, content.total, "PENDING") for each in some]


def _deposits(content: Order) -> list[Transaction]:
    """Payments of an order that is not paid, which came to a part of it."""
    found = [each for each in content.transactions if each.at and each.amount]
    sum_ = sum((each.amount.amount for each in found if each.amount), Decimal(0))
    return found if 0 < sum_ < content.total.amount else []


def _taken(made: Transaction | None, amount: Money, at: datetime | None) -> Body:
    return _transaction(made, amount, "SUCCESS") | ({"processedAt": iso(at)} if at else {})


def _transaction(made: Transaction | None, amount: Money, status: str) -> Body:
    return {
        "kind": "SALE",
        "status": status,
        "gateway": (made and (made.gateway or made.title)) or "manual",
        "amountSet": bag(amount),
    }


def bag(value: Money) -> Body:
    """An amount in the shop's currency, in whole minor units: how Shopify would round is its own
    affair.
    """
    amount = rounded(value.amount, value.currency)
    return {"shopMoney": {"amount": f"{amount:f}", "currencyCode": value.currency}}


class _Taxes:
    """Which title and rate a line's tax gets: those of the order where it has but one tax."""

    def __init__(self, content: Order) -> None:
        only = content.taxes[0] if len(content.taxes) == 1 else None
        self._title = (only.label if only else "") or "Tax"
        self._rate = only.rate / 100 if only and only.rate is not None else None
        self._currency = content.currency

    def lines(self, tax: Decimal, net: Decimal) -> list[Body]:
        """The tax of one line; Shopify demands a rate with it."""
        if not tax:
            return []
        rate = self._rate
        if rate is None:
            rate = (tax / net).quantize(Decimal("0.0001")) if net else Decimal(0)
        value = Money(tax, self._currency)
        return [{"title": self._title, "rate": f"{rate:f}", "priceSet": bag(value)}]


def _line(line: OrderLine, taxes: _Taxes, defaults: Mapping[str, str]) -> list[Body]:
    """One line, or two where its total is no multiple of any price."""
    variant = line.variant or defaults.get(line.product or "")
    properties = [{"name": PART, "value": line.id}]
    found = line.extra.get("properties")
    more = found if isinstance(found, dict) else {}
    properties += [{"name": key, "value": str(value)} for key, value in more.items() if value]
    if line.subtotal != line.total or line.subtotal_tax != line.tax:
        before = f"{plain(line.subtotal)} {plain(line.subtotal_tax)}"
        properties.append({"name": SUBTOTAL, "value": before})
    own: Body = {
        "title": line.name,
        "sku": line.sku or None,
        "taxable": bool(line.extra.get("taxable", True)),
        "productId": gid("Product", line.product) if line.product else None,
        "variantId": gid("ProductVariant", variant) if variant else None,
    }
    bodies = []
    rest = line.tax.amount
    shares = _shares(line)
    for index, (quantity, price) in enumerate(shares):
        net = price * quantity
        last = index == len(shares) - 1
        tax = rest if last else _share(line.tax, net, line.total)
        rest -= tax
        bodies.append(
            {name: value for name, value in own.items() if value is not None}
            | {
                "quantity": quantity,
                "priceSet": bag(Money(price, line.total.currency)),
                "taxLines": taxes.lines(tax, net),
                "properties": properties if index == 0 else properties[:1],
            }
        )
    return bodies


def _shares(line: OrderLine) -> list[tuple[int, Decimal]]:
    """Pieces and the price of each, so that they come to the line's total exactly.

    >>> _shares(OrderLine(id="1", name="A", quantity=3, total=Money(Decimal(10), "EUR"),
    ...     subtotal=Money(Decimal(10), "EUR"), tax=Money(Decimal(0), "EUR"),
    ...     subtotal_tax=Money(Decimal(0), "EUR")))
    [(2, Decimal('3.33')), (1, Decimal('3.34'))]
    """
    places = decimals(line.total.currency)
    if line.quantity < 1:
        return [(line.quantity, line.total.amount)]
    minor = int(rounded(line.total.amount, line.total.currency).scaleb(places))
    price, over = divmod(minor, line.quantity)
    found = [(line.quantity - over, price), (over, price + 1)]
    return [(many, Decimal(each).scaleb(-places)) for many, each in found if many]


def _share(tax: Money, net: Decimal, total: Money) -> Decimal:
    return rounded(tax.amount * net / total.amount, tax.currency) if total.amount else Decimal(0)


def _fee(fee: FeeLine, taxes: _Taxes) -> Body:
    """A fee is a line of its own: an import takes no fees."""
    return {
        "title": fee.name,
        "quantity": 1,
        "priceSet": bag(fee.total),
        "taxLines": taxes.lines(fee.tax.amount, fee.total.amount),
        "properties": [{"name": PART, "value": f"fee:{fee.id}"}],
    }


def _nothing(content: Order) -> Body:
    """An order needs a line: of one without goods, a line that stands for none."""
    return {
        "title": "No goods",
        "quantity": 1,
        "priceSet": bag(Money(Decimal(0), content.currency)),
        "properties": [{"name": PART, "value": NO_GOODS}],
    }


def _shipping(line: ShippingLine, taxes: _Taxes) -> Body:
    body: Body = {
        "title": line.title or line.method or "Shipping",
        "priceSet": bag(line.total),
        "taxLines": taxes.lines(line.tax.amount, line.total.amount),
    }
    return body | ({"code": line.method} if line.method else {})


# --- what comes afterwards -----------------------------------------------------------------------


def changes_body(content: Order, changed: frozenset[str] | None, row: WireOrder) -> Body:
    """The few fields of an order that can be changed. Attributes are one list, which is replaced:
    those of others stay in it.
    """
    body: Body = {}
    if changed is None or "email" in changed:
        body["email"] = content.email or None
    if changed is None or "note" in changed:
        body["note"] = content.note
    if (changed is None or "shipping" in changed) and content.shipping:
        body["shippingAddress"] = address_body(content.shipping)
    if changed is None or changed & {"status", "discounts", "refunds"}:
        theirs = [
            {"key": each.key, "value": each.value or ""}
            for each in row.custom_attributes
            if each.key != STATUS and not each.key.startswith(_DISCOUNT)
        ]
        # Nothing can void a payment that was never made, or make one of nothing: the order stays
        # an unpaid one.
        stuck = content.status == "failed" or (is_paid(content) and not content.total.amount)
        unpaid = stuck and row.display_financial_status == "PENDING"
        body["customAttributes"] = [*theirs, *attributes(content, "pending" if unpaid else "")]
    return body


def refund_body(refund: Refund, row: WireOrder, lines: Sequence[tuple[WireLine, int]]) -> Body:
    """A refund of exactly its amount; nobody is told and nothing is put back into stock."""
    body: Body = {
        "orderId": row.id,
        "note": refund.reason,
        "notify": False,
        "allowOverRefunding": True,
        "refundLineItems": [
            {"lineItemId": line.id, "quantity": quantity, "restockType": "NO_RESTOCK"}
            for line, quantity in lines
        ],
    }
    if refund.created_at:
        body["processedAt"] = iso(refund.created_at)
    shipped = sum(
        (e.total.amount + e.tax.amount for e in refund.lines if e.line.startswith("shipping:")),
        Decimal(0),
    )
    if shipped:
        body["shipping"] = {"amount": f"{rounded(shipped, refund.amount.currency):f}"}
    paid = next((e for e in row.transactions if (e.kind, e.status) == ("SALE", "SUCCESS")), None)
    if paid is not None:
        body["transactions"] = [
            {
                "orderId": row.id,
                "parentId": paid.id,
                "kind": "REFUND",
                "gateway": paid.gateway or "manual",
                "amount": bag(refund.amount)["shopMoney"]["amount"],
            }
        ]
    return body


def refund_key(operation: Operation, refund: Refund) -> str:
    """The same for every attempt at one refund, so that Shopify makes it once."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{operation.key}:refund:{refund.id}"))
