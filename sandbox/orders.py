"""Orders: what a create, an update or a deletion does to one, and to the world around it."""

import secrets
from typing import Any

from sandbox import coupons, effects, lines, refunds, totals
from sandbox.customers import address, merge_address
from sandbox.schema import ORDER_STATUSES, is_email, validate
from sandbox.store import SILENT, Store, StoreConfig, missing
from sandbox.wire import SITE, ApiError, Doc

_PLAIN = (
    "parent_id",
    "currency",
    "customer_id",
    "customer_note",
    "payment_method",
    "payment_method_title",
    "transaction_id",
)
_SYMBOLS = {"GBP": "£", "USD": "$", "EUR": "€"}
# Created-via values that many orders share; only others are anybody's external key.
COMMON_WAYS = ("", "rest-api", "checkout", "admin", "store-api")
_RECALCULATE = ("billing", "shipping", *lines.KINDS, "coupon_lines")


def blank(config: StoreConfig) -> Doc:
    """An order without anything, in the field order of the API."""
    return {
        "id": 0,
        "parent_id": 0,
        "status": "pending",
        "currency": config.currency,
        "version": config.version,
        "prices_include_tax": False,
        "date_created": None,
        "date_modified": None,
        "discount_total": "0.00",
        "discount_tax": "0.00",
        "shipping_total": "0.00",
        "shipping_tax": "0.00",
        "cart_tax": "0.00",
        "total": "0.00",
        "total_tax": "0.00",
        "customer_id": 0,
        "order_key": "",
        "billing": address(email=True),
        "shipping": address(email=False),
        "payment_method": "",
        "payment_method_title": "",
        "transaction_id": "",
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": "rest-api",
        "customer_note": "",
        "date_completed": None,
        "date_paid": None,
        "cart_hash": "",
        "number": "",
        "meta_data": [],
        "line_items": [],
        "tax_lines": [],
        "shipping_lines": [],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [],
        "payment_url": "",
        "is_editable": True,
        "needs_payment": False,
        "needs_processing": False,
        "date_created_gmt": None,
        "date_modified_gmt": None,
        "date_completed_gmt": None,
        "date_paid_gmt": None,
        "currency_symbol": "",
    }


def create(store: Store, payload: Doc, *, checked: bool = True) -> int:
    """Make an order; taxes and totals are the store's, and its status has its consequences.

    Errors: 400 for an id, bad fields, an unknown customer, or an unknown coupon, which leaves the
    order behind as a checkout-draft.
    """
    if payload.get("id"):
        message = "Cannot create existing shop_order."
        raise ApiError(400, "woocommerce_rest_shop_order_exists", message)
    if checked:
        validate("order", payload)
    _check(store, payload)
    doc = blank(store.config)
    doc["order_key"] = f"wc_order_{secrets.token_hex(7)}"
    if payload.get("created_via"):
        doc["created_via"] = str(payload["created_via"])[:100]
    private: Doc = {}
    _fill(store, doc, payload, private)
    lines.apply(store, doc, payload, private)
    totals.calculate(store, doc)
    doc["id"] = store.new_id()
    doc["number"] = str(doc["id"])
    doc["date_created"], doc["date_created_gmt"] = store.clock.stamps()
    _address(store, doc)
    try:
        coupons.apply(store, doc, payload)
    except ApiError:
        doc["status"] = "checkout-draft"
        store.save("order", doc, creating=True, private=private)
        raise
    _note_duplicates(store, doc)
    _move_to(store, doc, private, old="", new=_wanted_status(payload, "pending"), payload=payload)
    _finish(doc)
    store.save("order", doc, creating=True, private=private)
    _after_status(store, doc, "")
    return int(doc["id"])


def update(store: Store, order_id: int, payload: Doc, *, checked: bool = True) -> int:
    """Change an order. Lines without an id are appended; addresses or lines recompute its taxes."""
    if checked:
        validate("order", payload)
    doc = store.read("order", order_id)
    if doc is None:
        raise missing("order", 400)
    _check(store, payload)
    private = store.private("order", order_id)
    _fill(store, doc, payload, private)
    lines.apply(store, doc, payload, private)
    if any(name in payload for name in _RECALCULATE):
        totals.calculate(store, doc)
    coupons.apply(store, doc, payload)
    old = doc["status"]
    if payload.get("created_via"):
        doc["created_via"] = str(payload["created_via"])[:100]
    _move_to(store, doc, private, old=old, new=_wanted_status(payload, old), payload=payload)
    _address(store, doc)
    _finish(doc)
    store.save("order", doc, private=private)
    _after_status(store, doc, old)
    return order_id


def delete(store: Store, order_id: int, *, force: bool) -> Doc:
    """Trash an order, or with `force` remove it with its refunds and notes."""
    doc = store.read("order", order_id)
    if doc is None:
        raise missing("order")
    if not force:
        if doc["status"] == "trash":
            message = "The shop_order has already been deleted."
            raise ApiError(410, "woocommerce_rest_already_trashed", message)
        doc["status"] = "trash"
        store.save("order", doc)
        return doc
    sql = "SELECT kind, id FROM records WHERE parent = ? AND kind IN ('refund', 'note')"
    for kind, child in store.storage.rows(sql, (order_id,)):
        store.erase(kind, child)
    store.erase("order", order_id)
    return doc


# -- parts of a write


def _check(store: Store, payload: Doc) -> None:
    customer = payload.get("customer_id")
    if customer and store.read("customer", int(customer)) is None:
        message = "Customer ID is invalid."
        raise ApiError(400, "woocommerce_rest_invalid_customer_id", message)
    email = (payload.get("billing") or {}).get("email")
    if email and not is_email(email):
        raise ApiError(400, "order_invalid_billing_email", "Invalid billing email address")


def _fill(store: Store, doc: Doc, payload: Doc, private: Doc) -> None:
    for name in _PLAIN:
        if payload.get(name) is not None:
            doc[name] = payload[name]
    doc["customer_id"] = int(doc["customer_id"])
    for name in ("billing", "shipping"):
        merge_address(doc[name], payload.get(name))
    if "meta_data" in payload:
        shown = []
        for entry in payload["meta_data"] or []:
            if isinstance(entry, dict) and entry.get("key") == "_order_stock_reduced":
                private["stock_reduced"] = entry.get("value") in ("yes", "1", 1, True)
            else:
                shown.append(entry)
        doc["meta_data"] = store.meta(shown, doc["meta_data"])


def _wanted_status(payload: Doc, current: str) -> str:
    """The status asked for; one that does not exist becomes pending (batches are not checked)."""
    status = str(payload.get("status") or current).removeprefix("wc-")
    if payload.get("set_paid") is True and status in ("pending", "failed", "on-hold"):
        return "processing"
    return status if status in (*ORDER_STATUSES, "trash", "auto-draft") else "pending"


def _move_to(store: Store, doc: Doc, private: Doc, *, old: str, new: str, payload: Doc) -> None:
    """Set the status with its dates and its effect on stock."""
    doc["status"] = new
    if new == old:
        return
    if new in ("processing", "completed") or payload.get("set_paid") is True:
        _date_once(store, doc, "date_paid")
    if new == "completed":
        _date_once(store, doc, "date_completed")
    effects.status_stock(store, doc, private, new)


def _date_once(store: Store, doc: Doc, name: str) -> None:
    if doc[name] is None:
        doc[name], doc[f"{name}_gmt"] = store.clock.stamps()


def _after_status(store: Store, doc: Doc, old: str) -> None:
    """Mails, and the full refund that the status `refunded` makes by itself."""
    new = doc["status"]
    if new == old:
        return
    effects.status_mails(store, doc["id"], old, new)
    if new == "refunded" and not SILENT.get():
        refunds.refund_rest(store, doc)


def complete(store: Store, doc: Doc) -> None:
    """Derive what follows from the rest, its addresses too."""
    _address(store, doc)
    _finish(doc)


def _finish(doc: Doc) -> None:
    status = doc["status"]
    doc["is_editable"] = status in ("pending", "on-hold", "auto-draft", "checkout-draft")
    doc["needs_payment"] = status in ("pending", "failed") and doc["total"] != "0.00"
    doc["needs_processing"] = bool(doc["line_items"])
    doc["currency_symbol"] = _SYMBOLS.get(doc["currency"], doc["currency"])


def _address(store: Store, doc: Doc) -> None:
    pay = f"{SITE}/checkout/order-pay/{doc['id']}/?pay_for_order=true&key={doc['order_key']}"
    doc["payment_url"] = pay
    doc["_links"] = store.links(f"orders/{doc['id']}")
    if doc["customer_id"]:
        href = f"{SITE}/wp-json/wc/v3/customers/{doc['customer_id']}"
        doc["_links"]["customer"] = [{"href": href}]


def _note_duplicates(store: Store, doc: Doc) -> None:
    if doc["created_via"] in COMMON_WAYS:
        return
    sql = (
        "SELECT id FROM records WHERE kind = 'order' AND key = ? AND latest = 1"
        " AND status <> 'trash'"
    )
    twins: list[Any] = store.storage.rows(sql, (doc["created_via"],))
    if twins:
        store.note("duplicate", what="order", by="created_via", record=doc["id"], first=twins[0][0])
