"""Orders as WooCommerce wants them written, so that nothing moves but the order. Pure.

What the store would do by itself and must not: take stock (a meta field says it is done),
discount again (coupons are not sent), reckon taxes at its own rates (see `held`), look products
up by a SKU (none is sent), take money back (refunds say so themselves).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.base import Operation
from connectors.minor_units import rounded
from connectors.records import FeeLine, Money, Order, OrderLine, Refund, ShippingLine
from connectors.woocommerce.mapping_orders import wire_status
from connectors.woocommerce.pairing import all_parts
from connectors.woocommerce.parts import (
    PART_META,
    REFUND_META,
    TAX_FEE,
    amount,
    gmt,
    meta_value,
    plain,
    wire_address,
    wire_metas,
)
from connectors.woocommerce.wire import WireLine, WireOrder

Body = dict[str, Any]

PARTS = frozenset({"lines", "shipping_lines", "fees"})
"""Fields that are written as a whole: WooCommerce appends what does not name its line."""

SUMS = frozenset({"total", "tax_total", "taxes", "shipping_total", "currency"})
"""Fields that follow from the parts; a change of one alone is checked against the parts."""

STOCK_NOT_TAKEN = frozenset({"pending", "failed", "cancelled", "trashed", "draft"})
_STOCK_TAKEN = {"key": "_order_stock_reduced", "value": "yes"}
_STOCK_KEPT = {"key": "_order_stock_reduced", "value": "no"}
_EXEMPT = {"key": "is_vat_exempt", "value": "yes"}


def new_order(operation: Operation, content: Order, *, held: bool) -> Body:
    """A whole order, with our key where it can be found by it."""
    body: Body = {"created_via": operation.key, "status": first_status(content)}
    body |= plain_fields(content, None)
    body |= {
        "currency": content.currency,
        "line_items": [_line(each) for each in content.lines],
        "shipping_lines": [_shipping(each, None) for each in content.shipping_lines],
        "fee_lines": [_fee(each, None) for each in content.fees],
    }
    if held:
        hold(body, content, None, untaxed_rest(content))
    body["meta_data"] = _merged(body.get("meta_data", []), _stock_meta(first_status(content)))
    return body


def order_changes(
    content: Order,
    changed: frozenset[str] | None,
    children: Mapping[str, str],
    there: Sequence[WireLine],
    *,
    held: bool,
) -> Body:
    """The changed fields of an order that is there. `children` must name all its parts, `there`
    are its lines as the store shows them.
    """
    body = plain_fields(content, changed)
    if (changed is None or "status" in changed) and is_set_directly(content.status):
        body["status"] = wire_status(content.status)
        body["meta_data"] = _merged(body.get("meta_data", []), _stock_meta(content.status))
    if changed is None or "currency" in changed:
        body["currency"] = content.currency
    if changed is None or changed & PARTS:
        body |= _part_changes(content, children, there)
    if held and (changed is None or changed & (PARTS | SUMS)):
        hold(body, content, children.get(TAX_FEE), untaxed_rest(content))
    return body


def first_status(content: Order) -> str:
    """The status to create an order with: refunds and the trash come after it."""
    return wire_status(content.status) if is_set_directly(content.status) else "pending"


def is_set_directly(status: str) -> bool:
    """Setting `refunded` makes a refund by itself; the trash is another request."""
    return status not in ("refunded", "trashed")


def status_body(target: int, content: Order) -> Body:
    """The status alone: taxes are not reckoned again."""
    return {
        "id": target,
        "status": wire_status(content.status),
        "meta_data": _stock_meta(content.status),
    }


def hold(body: Body, content: Order, fee: str | None, rest: Decimal) -> None:
    """Reach the exact total in a store that reckons other taxes: the order is exempt there, and
    an untaxed fee (`fee`, where there is one already) holds the rest.
    """
    body["meta_data"] = _merged(body.get("meta_data", []), [_EXEMPT])
    if not rest and fee is None:
        return
    line: Body = {
        "name": "Tax",
        "tax_status": "none",
        "total": plain(Money(rest, content.currency)),
    }
    if fee is None:
        line["meta_data"] = [{"key": PART_META, "value": TAX_FEE}]
    else:
        line["id"] = int(fee)
    body["fee_lines"] = [*body.get("fee_lines", []), line]


def correction(content: Order, found: WireOrder, fee: str | None) -> Body:
    """Makes an order that came out as `found`, with another total, exact. The address makes the
    store reckon again, also where no fee is needed.

    What is missing is reckoned from what the store shows: it rounds each part in its own way.
    """
    body: Body = {"id": found.id, "billing": wire_address(content.billing, content.email)}
    total, taxes = (amount(each, found.currency).amount for each in (found.total, found.total_tax))
    fees = [each.total for each in found.fee_lines if str(each.id) == fee]
    held = sum(amount(each, found.currency).amount for each in fees)
    hold(body, content, fee, content.total.amount - (total - taxes - held))
    return body


def untaxed_rest(content: Order) -> Decimal:
    """What the total holds beside its parts without tax: the taxes, as a rule."""
    parts = (
        sum((each.total.amount for each in content.lines), Decimal(0))
        + sum((each.total.amount for each in content.shipping_lines), Decimal(0))
        + sum((each.total.amount for each in content.fees), Decimal(0))
    )
    return content.total.amount - rounded(parts, content.currency)


def plain_fields(content: Order, changed: frozenset[str] | None) -> Body:
    """What is neither a part, a sum, a refund nor the status."""
    fields: dict[str, Callable[[], Body]] = {
        "customer": lambda: {"customer_id": int(content.customer or 0)},
        "billing": lambda: {"billing": wire_address(content.billing, content.email)},
        "email": lambda: {"billing": wire_address(content.billing, content.email)},
        "shipping": lambda: {"shipping": wire_address(content.shipping)},
        "note": lambda: {"customer_note": content.note},
        "transactions": lambda: _payment(content),
    }
    body: Body = {}
    for field, values in fields.items():
        if changed is None or field in changed:
            body |= values()
    metas = [
        {"key": key, "value": value}
        for field, key, value in _kept_in_meta(content)
        if changed is None or field in changed
    ]
    if changed is None or "extra" in changed:
        metas += wire_metas(content.extra.get("meta"))
    if metas:
        body["meta_data"] = metas
    return body


def _kept_in_meta(content: Order) -> list[tuple[str, str, str]]:
    """What the store sets itself and cannot be told: kept for people, and for plugins there."""
    codes = ",".join(each.code for each in content.discounts)
    via = content.extra.get("created_via")
    kept = [
        ("number", "_recent_sync_number", content.number),
        ("created_at", "_recent_sync_created_at", gmt(content.created_at)),
        ("paid_at", "_recent_sync_paid_at", gmt(content.paid_at)),
        ("completed_at", "_recent_sync_completed_at", gmt(content.completed_at)),
        ("discounts", "_recent_sync_coupons", codes),
        ("extra", "_recent_sync_created_via", via),
    ]
    return [(field, key, value) for field, key, value in kept if value]


def _payment(content: Order) -> Body:
    if not content.transactions:
        return {}
    first = content.transactions[0]
    return {
        "payment_method": first.gateway,
        "payment_method_title": first.title,
        "transaction_id": first.reference,
    }


def _stock_meta(status: str) -> list[Body]:
    """The store must neither take stock nor give it back: levels are written as they are.

    It takes stock for an order unless this says that it has, and gives it back with a cancelled
    or pending order if this says so. What counts is the status the order gets now: one that was
    refunded at the source is created as pending.
    """
    return [_STOCK_KEPT if status in STOCK_NOT_TAKEN else _STOCK_TAKEN]


def _merged(metas: list[Body], more: list[Body]) -> list[Body]:
    keys = {each["key"] for each in more}
    return [*(each for each in metas if each["key"] not in keys), *more]


# --- parts ---------------------------------------------------------------------------------------


def _part_changes(content: Order, children: Mapping[str, str], there: Sequence[WireLine]) -> Body:
    """All parts, each named by the target's id; those that are gone from the source emptied."""
    rows = {str(each.id): each for each in there}
    lines = [
        _line_changes(each, row) if (row := rows.get(children.get(each.id, ""))) else _line(each)
        for each in content.lines
    ]
    shipping = [
        _shipping(each, children.get(f"shipping:{each.id}")) for each in content.shipping_lines
    ]
    fees = [_fee(each, children.get(f"fee:{each.id}")) for each in content.fees]
    kept = {each.id for each in content.lines}
    kept |= {f"shipping:{each.id}" for each in content.shipping_lines}
    kept |= {f"fee:{each.id}" for each in content.fees}
    for name, target in children.items():
        if name in kept or name == TAX_FEE or name.startswith("refund:"):
            continue
        if name.startswith("shipping:"):
            shipping.append({"id": int(target), "method_id": None})
        elif name.startswith("fee:"):
            fees.append({"id": int(target), "name": None})
        else:
            lines.append({"id": int(target), "product_id": None})
    body: Body = {"line_items": lines, "shipping_lines": shipping, "fee_lines": fees}
    return {name: parts for name, parts in body.items() if parts}


def _line(line: OrderLine) -> Body:
    metas = [*wire_metas(line.extra.get("meta")), _mark(line.id)]
    return _line_sums(line) | _goods(line) | {"meta_data": metas}


def _line_changes(line: OrderLine, there: WireLine) -> Body:
    """A line that is there. Its product is named where the store shows another one or none.

    The store takes from stock what a line that is put has not taken yet, in any status: the meta
    field says that it has.
    """
    body = {"id": there.id, **_line_sums(line)}
    if not has_product(line, there):
        body |= _goods(line)
    restocked = meta_value(there.meta_data, "_restock_refunded_items")
    taken = line.quantity - (int(restocked) if restocked and restocked.isdigit() else 0)
    metas = wire_metas(line.extra.get("meta"))
    return body | {"meta_data": [*metas, {"key": "_reduced_stock", "value": str(taken)}]}


def _line_sums(line: OrderLine) -> Body:
    return {
        "name": line.name,
        "quantity": line.quantity,
        "subtotal": plain(line.subtotal),
        "total": plain(line.total),
    }


def _goods(line: OrderLine) -> Body:
    body: Body = {"product_id": int(line.product or 0)}
    if line.product and line.variant:
        body["variation_id"] = int(line.variant)
    return body


def has_product(line: OrderLine, there: WireLine) -> bool:
    """Whether the store shows a line with the product and variation that it should have."""
    wanted = {"product_id": there.product_id or 0, "variation_id": there.variation_id or 0}
    return not line.product or _goods(line).items() <= wanted.items()


def _shipping(line: ShippingLine, target: str | None) -> Body:
    body = {"method_id": line.method, "method_title": line.title, "total": plain(line.total)}
    return _named(body, f"shipping:{line.id}", target)


def _fee(line: FeeLine, target: str | None) -> Body:
    return _named({"name": line.name, "total": plain(line.total)}, f"fee:{line.id}", target)


def _named(body: Body, name: str, target: str | None) -> Body:
    return body | ({"meta_data": [_mark(name)]} if target is None else {"id": int(target)})


def _mark(name: str) -> Body:
    return {"key": PART_META, "value": name}


# --- refunds -------------------------------------------------------------------------------------


def refund_body(refund: Refund, children: Mapping[str, str], target: WireOrder | None) -> Body:
    """A refund that moves no money and no stock. `target` is the target's order, whose tax rates
    a refunded tax has to name.
    """
    body: Body = {
        "amount": plain(refund.amount),
        "reason": refund.reason,
        "api_refund": False,
        "api_restock": False,
        "meta_data": [{"key": REFUND_META, "value": refund.id}],
    }
    rates = _rates(target)
    untold = Decimal(0)
    lines: list[Body] = []
    for each in refund.lines:
        item = children.get(each.line)
        if item is None:
            continue
        line: Body = {
            "id": int(item),
            "quantity": each.quantity,
            "refund_total": plain(each.total),
        }
        if each.tax.amount and item in rates:
            line["refund_tax"] = [{"id": rates[item], "refund_total": plain(each.tax)}]
        else:
            untold += each.tax.amount
        lines.append(line)
    if untold and TAX_FEE in children:
        held = plain(Money(untold, refund.amount.currency))
        lines.append({"id": int(children[TAX_FEE]), "quantity": 0, "refund_total": held})
    if lines:
        body["line_items"] = lines
    return body


def _rates(target: WireOrder | None) -> dict[str, int | str]:
    """The first tax rate of each part of an order, by the part's id."""
    if target is None:
        return {}
    return {str(part.id): part.taxes[0].id for part in all_parts(target) if part.taxes}
