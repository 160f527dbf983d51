"""Orders as the add-on takes them: nothing is reckoned again, every date and sum is said. Pure.

An order goes over as a whole or by groups of fields; what a body leaves out stays as it is. Of
the parts, the list that is sent is the whole list: what is not in it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from connectors.base import Operation
from connectors.minor_units import decimals
from connectors.records import FeeLine, Money, Order, OrderLine, Refund, ShippingLine, Tax
from connectors.woocommerce.bodies_orders import PARTS, STOCK_NOT_TAKEN, SUMS, plain_fields
from connectors.woocommerce.mapping_orders import wire_status
from connectors.woocommerce.pairing import refund_name
from connectors.woocommerce.parts import TAX_FEE, gmt, plain, wire_metas

Body = dict[str, Any]

_TAXED = {"key": "is_vat_exempt", "value": "no"}
_SUMS = PARTS | SUMS | {"discounts", "discount_total"}


def exact_order(operation: Operation, content: Order) -> Body:
    """The changed fields of an order, or a whole one; `operation.children` names parts that do
    not carry our names yet.
    """
    changed = None if operation.target_id is None else operation.changed
    groups: list[tuple[frozenset[str], Callable[[], Body]]] = [
        (frozenset({"number"}), lambda: {"number": content.number}),
        (frozenset({"currency"}), lambda: {"currency": content.currency}),
        (
            frozenset({"prices_include_tax"}),
            lambda: {"prices_include_tax": content.prices_include_tax},
        ),
        (frozenset({"created_at"}), lambda: {"date_created_gmt": gmt(content.created_at)}),
        (frozenset({"paid_at"}), lambda: {"date_paid_gmt": gmt(content.paid_at)}),
        (frozenset({"completed_at"}), lambda: {"date_completed_gmt": gmt(content.completed_at)}),
        (frozenset({"status"}), lambda: {"status": wire_status(content.status)}),
        (frozenset({"status", "lines"}), lambda: {"stock_taken": _has_taken_stock(content)}),
        (_SUMS, lambda: _parts(content, operation.children) | _sums(content)),
        (frozenset({"refunds"}), lambda: {"refunds": _refunds(content, operation.children)}),
    ]
    body: Body = {"key": operation.key, **plain_fields(content, changed)}
    if operation.target_id is not None:
        body["id"] = int(operation.target_id)
    for fields, values in groups:
        if changed is None or fields & changed:
            body |= values()
    if TAX_FEE in operation.children and "fee_lines" in body:
        # Written before without the add-on: the taxes are themselves again.
        body["meta_data"] = [*body.get("meta_data", []), _TAXED]
    return body


def _has_taken_stock(content: Order) -> bool:
    return content.status not in STOCK_NOT_TAKEN


# --- parts and sums ------------------------------------------------------------------------------


def _parts(content: Order, children: Mapping[str, str]) -> Body:
    return {
        "line_items": [_line(each, content, children) for each in content.lines],
        "shipping_lines": [_shipping(each, content, children) for each in content.shipping_lines],
        "fee_lines": [_fee(each, content, children) for each in content.fees],
        "coupon_lines": [
            {
                "code": each.code,
                "discount": plain(each.amount),
                "discount_tax": f"{_number(each.tax):f}",
            }
            for each in content.discounts
        ],
        "tax_lines": [_tax(each) for each in content.taxes],
    }


def _line(line: OrderLine, content: Order, children: Mapping[str, str]) -> Body:
    weights = [each.amount.amount for each in content.taxes]
    goods = {"product_id": int(line.product or 0), "variation_id": 0}
    if line.product and line.variant:
        goods["variation_id"] = int(line.variant)
    return {
        **_named(line.id, children),
        **goods,
        "name": line.name,
        "quantity": line.quantity,
        "tax_class": line.tax_class,
        "subtotal": plain(line.subtotal),
        "total": plain(line.total),
        "taxes": _taxes(weights, line.tax, line.subtotal_tax),
        "stock_taken": _taken(line, content),
        "meta_data": wire_metas(line.extra.get("meta")),
    }


def _shipping(line: ShippingLine, content: Order, children: Mapping[str, str]) -> Body:
    weights = [_number(each.shipping_amount) for each in content.taxes]
    return {
        **_named(f"shipping:{line.id}", children),
        "method_id": line.method,
        "method_title": line.title,
        "total": plain(line.total),
        "taxes": _taxes(weights, line.tax),
    }


def _fee(line: FeeLine, content: Order, children: Mapping[str, str]) -> Body:
    weights = [each.amount.amount for each in content.taxes]
    return {
        **_named(f"fee:{line.id}", children),
        "name": line.name,
        "total": plain(line.total),
        "taxes": _taxes(weights, line.tax),
    }


def _named(name: str, children: Mapping[str, str]) -> Body:
    known = children.get(name)
    return {"part": name} if known is None else {"part": name, "id": int(known)}


def _taken(line: OrderLine, content: Order) -> int:
    """How much of a line is out of stock: what a later cancellation gives back."""
    if not _has_taken_stock(content):
        return 0
    given_back = sum(
        each.quantity for refund in content.refunds for each in refund.lines if each.line == line.id
    )
    return max(0, line.quantity - given_back)


def _tax(tax: Tax) -> Body:
    body = {
        "rate_code": tax.code,
        "label": tax.label,
        "compound": tax.compound,
        "tax_total": plain(tax.amount),
        "shipping_tax_total": f"{_number(tax.shipping_amount):f}",
    }
    return body if tax.rate is None else body | {"rate_percent": f"{tax.rate:f}"}


def _sums(content: Order) -> Body:
    currency = content.currency
    discount = sum((_number(each.tax) for each in content.discounts), Decimal(0))
    shipping = _shipping_tax(content)
    return {
        "discount_total": plain(content.discount_total),
        "discount_tax": plain(Money(discount, currency)),
        "shipping_total": plain(content.shipping_total),
        "shipping_tax": plain(Money(shipping, currency)),
        "cart_tax": plain(Money(content.tax_total.amount - shipping, currency)),
        "total": plain(content.total),
    }


def _shipping_tax(content: Order) -> Decimal:
    told = [each.shipping_amount for each in content.taxes]
    if told and None not in told:
        return sum((_number(each) for each in told), Decimal(0))
    return sum((each.tax.amount for each in content.shipping_lines), Decimal(0))


def _number(value: Money | None) -> Decimal:
    return Decimal(0) if value is None else value.amount


# --- taxes of a part -----------------------------------------------------------------------------


def _taxes(weights: Sequence[Decimal], total: Money, subtotal: Money | None = None) -> list[Body]:
    """What each of the order's tax lines has of a part's tax. A record tells the sum alone: of
    several taxes, each gets its share of what it has of the whole order.
    """
    before = total if subtotal is None else subtotal
    if not total.amount and not before.amount:
        return []
    shares = zip(_shares(weights, total), _shares(weights, before), strict=True)
    return [
        {"line": line, "total": f"{share:f}", "subtotal": f"{whole:f}"}
        for line, (share, whole) in enumerate(shares)
        if share or whole
    ]


def _shares(weights: Sequence[Decimal], total: Money) -> list[Decimal]:
    """An amount in as many shares as there are weights, exact in their sum."""
    whole = sum(weights, Decimal(0))
    if not whole:
        return [total.amount] + [Decimal(0)] * (len(weights) - 1)
    exponent = min(total.amount.normalize().as_tuple().exponent, -decimals(total.currency))
    unit = Decimal(1).scaleb(int(exponent))
    shares = [(total.amount * each / whole).quantize(unit, ROUND_DOWN) for each in weights]
    largest = max(range(len(weights)), key=lambda index: weights[index])
    shares[largest] += total.amount - sum(shares, Decimal(0))
    return shares


# --- refunds -------------------------------------------------------------------------------------


def _refunds(content: Order, children: Mapping[str, str]) -> list[Body]:
    return [_refund(each, content, children) for each in content.refunds]


def _refund(refund: Refund, content: Order, children: Mapping[str, str]) -> Body:
    weights = [each.amount.amount for each in content.taxes]
    shipping = [_number(each.shipping_amount) for each in content.taxes]
    known = children.get(refund_name(refund.id))
    body: Body = {
        "refund": refund.id,
        **({} if known is None else {"id": int(known)}),
        "amount": plain(refund.amount),
        "reason": refund.reason,
        "lines": [
            {
                **_named(each.line, children),
                "quantity": each.quantity,
                "total": plain(each.total),
                "taxes": _taxes(
                    shipping if each.line.startswith("shipping:") else weights, each.tax
                ),
            }
            for each in refund.lines
        ],
    }
    return body | (
        {} if refund.created_at is None else {"date_created_gmt": gmt(refund.created_at)}
    )
