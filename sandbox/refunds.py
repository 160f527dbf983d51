"""Refunds: documents below an order that move its stamp when made, and not when removed."""

from decimal import Decimal
from itertools import product
from typing import Any

from sandbox import effects
from sandbox.schema import validate
from sandbox.store import Store, missing
from sandbox.totals import ZERO, amount, money
from sandbox.wire import ApiError, Doc, encode

_KINDS = ("line_items", "shipping_lines", "fee_lines")


def create(store: Store, order_id: int, payload: Doc, *, checked: bool = True) -> int:
    """Make a refund. Unless told otherwise it pays money back and returns goods to stock.

    The same refund sent twice makes two. A refund of the rest makes the order `refunded`. Errors:
    404 for no order, 400 for no amount or one below zero, 500 for more than is left (as the
    platform answers it).
    """
    if checked:
        validate("refund", payload)
    order = store.read("order", order_id)
    if order is None:
        raise ApiError(404, "woocommerce_rest_invalid_order_id", "Invalid order ID.")
    if payload.get("id"):
        message = "Cannot create existing order refund."
        raise ApiError(400, "woocommerce_rest_shop_order_refund_exists", message)
    wanted = _amount(payload)
    if wanted < 0 or (not wanted and payload.get("amount") in (None, "")):
        message = "Refund amount must be greater than zero."
        raise ApiError(400, "woocommerce_rest_invalid_order_refund", message)
    if wanted > remaining(order):
        message = "Invalid refund amount."
        raise ApiError(500, "woocommerce_rest_cannot_create_order_refund", message)
    doc = document(store, order, payload, wanted)
    _note_duplicate(store, order_id, doc)
    if _true(payload, "api_refund"):
        store.note("gateway_refund", order=order_id, refund=doc["id"], amount=doc["amount"])
        doc["refunded_payment"] = True
    store.save("refund", doc, touch=False, creating=True)
    if _true(payload, "api_restock"):
        _restock(store, order, doc)
    _into_order(store, order, doc)
    return int(doc["id"])


def refund_rest(store: Store, order: Doc) -> None:
    """The refund of all that is left, made when an order is set to `refunded`."""
    rest = remaining(order)
    if rest > 0:
        doc = document(store, order, {"reason": "Order fully refunded."}, rest)
        store.save("refund", doc, touch=False, creating=True)
        _add(order, doc)
        store.save("order", order)


def delete(store: Store, order_id: int, refund_id: int, *, force: bool) -> Doc:
    """Remove a refund for good; the order's stamp does not move."""
    doc = store.read("refund", refund_id)
    if doc is None or doc["parent_id"] != order_id:
        raise ApiError(404, "woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID.")
    if not force:
        message = "Refunds do not support trashing."
        raise ApiError(501, "woocommerce_rest_trash_not_supported", message)
    store.erase("refund", refund_id)
    order = store.read("order", order_id)
    if order is not None:
        order["refunds"] = [entry for entry in order["refunds"] if entry["id"] != refund_id]
        store.save("order", order, touch=False)
    return doc


def remaining(order: Doc) -> Decimal:
    """What of an order's total is not refunded yet."""
    return amount(order["total"]) + sum(
        (amount(entry["total"]) for entry in order["refunds"]), ZERO
    )


def _amount(payload: Doc) -> Decimal:
    if payload.get("amount") not in (None, ""):
        return amount(payload["amount"])
    given = [item for kind in _KINDS for item in payload.get(kind) or []]
    return sum((amount(item.get("refund_total", 0)) for item in given), ZERO)


def _true(payload: Doc, name: str) -> bool:
    return payload.get(name, True) in (True, 1, "1", "true")


def document(store: Store, order: Doc, payload: Doc, wanted: Decimal) -> Doc:
    """A new refund of an order, not kept anywhere yet."""
    local, gmt = store.clock.stamps()
    refund_id = store.new_id()
    doc: Doc = {
        "id": refund_id,
        "parent_id": order["id"],
        "date_created": local,
        "date_created_gmt": gmt,
        "amount": money(wanted),
        "reason": str(payload.get("reason") or ""),
        "refunded_by": int(payload.get("refunded_by") or 0),
        "refunded_payment": False,
        "meta_data": store.meta(payload.get("meta_data")),
        "line_items": [],
        "shipping_lines": [],
        "tax_lines": [],
        "fee_lines": [],
        "_links": store.links(f"orders/{order['id']}/refunds/{refund_id}", f"orders/{order['id']}"),
    }
    # A part is known by its id, whichever list names it: a real store asks for `line_items` alone.
    given = [item for kind in _KINDS for item in payload.get(kind) or []]
    for item, kind in product(given, _KINDS):
        line = _line(store, order[kind], item, kind)
        if line:
            doc[kind].append(line)
    return doc


def _line(store: Store, originals: list[Doc], item: Any, kind: str) -> Doc | None:
    """The negative of an order's line, so far as it is refunded."""
    wanted = int(item.get("id") or 0) if isinstance(item, dict) else 0
    original = next((line for line in originals if line["id"] == wanted), None)
    if original is None:
        return None
    back = money(-amount(item.get("refund_total", 0)))
    entry = {"id": store.new_id("meta"), "key": "_refunded_item_id", "value": str(wanted)}
    line = {**original, "id": store.new_id("item"), "total": back, "meta_data": [entry]}
    if kind == "line_items":
        line["subtotal"] = back
        line["quantity"] = -int(item.get("quantity") or 0)
    return line


def _restock(store: Store, order: Doc, doc: Doc) -> None:
    private = store.private("order", order["id"])
    if private.get("stock_reduced"):
        for line in doc["line_items"]:
            if line["quantity"]:
                effects.move_stock(store, line, -int(line["quantity"]), "refund", order["id"])


def _add(order: Doc, doc: Doc) -> None:
    entry = {"id": doc["id"], "reason": doc["reason"], "total": f"-{doc['amount']}"}
    order["refunds"] = [entry, *order["refunds"]]


def _into_order(store: Store, order: Doc, doc: Doc) -> None:
    _add(order, doc)
    if remaining(order) <= 0:
        order["status"] = "refunded"
    store.save("order", order)
    effects.mail(store, "customer_refunded_order", order["id"])


def _note_duplicate(store: Store, order_id: int, doc: Doc) -> None:
    """Record a refund whose like the order has already."""
    mark = _content(doc)
    sql = "SELECT id FROM records WHERE kind = 'refund' AND parent = ? AND latest = 1"
    for (other_id,) in store.storage.rows(sql, (order_id,)):
        other = store.read("refund", other_id)
        if other and _content(other) == mark:
            store.note(
                "duplicate",
                what="refund",
                by="content",
                record=doc["id"],
                first=other_id,
                order=order_id,
            )
            return


def _content(doc: Doc) -> bytes:
    lines = [
        [line["meta_data"], line.get("quantity"), line["total"]]
        for kind in _KINDS
        for line in [{**line, "meta_data": line["meta_data"][0]["value"]} for line in doc[kind]]
    ]
    return encode([doc["amount"], doc["reason"], lines])


def get(store: Store, order_id: int, refund_id: int) -> bytes:
    """One refund's JSON; 404 when the order has none of that id."""
    doc = store.read("refund", refund_id)
    if doc is None or doc["parent_id"] != order_id:
        raise missing("refund")
    return encode(doc)
