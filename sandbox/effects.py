"""Side effects of a shop: mails to people and movements of stock, recorded instead of done."""

from typing import Any

from sandbox import order_notes
from sandbox.store import SILENT, Store
from sandbox.wire import Doc

# Mail types of WooCommerce with the one who gets them.
MAILS = {
    "new_order": "admin",
    "cancelled_order": "admin",
    "failed_order": "admin",
    "customer_failed_order": "customer",
    "customer_on_hold_order": "customer",
    "customer_processing_order": "customer",
    "customer_completed_order": "customer",
    "customer_refunded_order": "customer",
    "customer_invoice": "customer",
    "customer_note": "customer",
    "customer_reset_password": "customer",
    "customer_new_account": "customer",
}
_OF_CUSTOMERS = ("customer_reset_password", "customer_new_account")
REDUCING = ("processing", "completed", "on-hold")
_STATUS_MAILS = {
    "processing": ("customer_processing_order",),
    "completed": ("customer_completed_order",),
    "on-hold": ("customer_on_hold_order",),
    "failed": ("failed_order", "customer_failed_order"),
    "refunded": ("customer_refunded_order",),
}
_TAKEN = "_reduced_stock"
_UNPAID = ("", "pending", "failed", "cancelled", "checkout-draft", "auto-draft")


def mail(store: Store, mail_type: str, record: int) -> None:
    """Send a mail, unless its type is switched off; addresses stay out of the record."""
    wanted = not SILENT.get() and store.setting(f"email_{mail_type}", "enabled", "yes") == "yes"
    if wanted or store.faults.active("forced_mails") is not None:
        store.note("mail", type=mail_type, to=MAILS[mail_type], record=record)
        if mail_type not in _OF_CUSTOMERS:
            order_notes.mail_sent(store, record, mail_type)


def status_mails(store: Store, order_id: int, old: str, new: str) -> None:
    """The mails of a change of status; `old` is empty for a new order."""
    if old in _UNPAID and new in REDUCING:
        mail(store, "new_order", order_id)
    if new == "cancelled" and old in ("processing", "on-hold"):
        mail(store, "cancelled_order", order_id)
    for mail_type in _STATUS_MAILS.get(new, ()):
        mail(store, mail_type, order_id)


def status_stock(store: Store, order: Doc, private: Doc, new: str) -> None:
    """Take the order's goods from stock, or put them back, when its status says so."""
    if SILENT.get():
        # As in WooCommerce, what is kept from happening counts as done.
        if new in (*REDUCING, "cancelled", "pending"):
            private["stock_reduced"] = new in REDUCING
        return
    changes = []
    if new in REDUCING and not private.get("stock_reduced"):
        for line in order["line_items"]:
            if not _taken(line):
                changes += _moved(store, line, -int(line["quantity"]), "order", order["id"])
                _note_taken(store, line, int(line["quantity"]))
        private["stock_reduced"] = True
        order_notes.stock_moved(store, order["id"], "reduced", changes)
    elif new in ("cancelled", "pending") and private.get("stock_reduced"):
        for line in order["line_items"]:
            # Only what a line says that it took.
            changes += _moved(store, line, _taken(line), "cancel", order["id"])
            _note_taken(store, line, None)
        private["stock_reduced"] = False
        order_notes.stock_moved(store, order["id"], "increased", changes)


def line_stock(store: Store, order: Doc, private: Doc, line: Doc) -> None:
    """Take from stock what a line that was put has not taken yet, whatever its order's status."""
    if SILENT.get():
        return
    missing = int(line["quantity"]) - _taken(line)
    if missing and move_stock(store, line, -missing, "line", order["id"]):
        _note_taken(store, line, int(line["quantity"]))
        private["stock_reduced"] = True


def _taken(line: Doc) -> int:
    found = [entry["value"] for entry in line.get("meta_data", []) if entry["key"] == _TAKEN]
    return int(found[0]) if found else 0


def _note_taken(store: Store, line: Doc, quantity: int | None) -> None:
    line["meta_data"] = store.meta([{"key": _TAKEN, "value": quantity}], line.get("meta_data"))


def _moved(store: Store, line: Doc, change: int, reason: str, order_id: int) -> list[str]:
    """Move a line's stock; the words of its order's note, where something moved."""
    if not move_stock(store, line, change, reason, order_id):
        return []
    goods = store.read(*_stocked(store, line)) or {}
    after = int(goods["stock_quantity"])
    return [f"{goods['name']} ({goods['sku'] or goods['id']}) {after - change}&rarr;{after}"]


def _goods(line: Doc) -> tuple[str, int]:
    """The product or variation of a line, 0 for none."""
    if line.get("variation_id"):
        return "variation", int(line["variation_id"])
    return "product", int(line.get("product_id") or 0)


def _stocked(store: Store, line: Doc) -> tuple[str, int]:
    """What a line's stock is counted by: its product or variation, or the product of a variation
    that does not count its own (WC_Product_Variation::get_stock_managed_by_id).
    """
    kind, number = _goods(line)
    doc = store.read(kind, number) if kind == "variation" else None
    if doc is None or doc["manage_stock"] is True:
        return kind, number
    above = store.read("product", int(doc["parent_id"]))
    shares = above is not None and counts_for_variations(above)
    return ("product", int(doc["parent_id"])) if shares else (kind, number)


def counts_for_variations(product: Doc) -> bool:
    """Whether a product counts its stock for those variations that do not count their own."""
    return bool(product["type"] == "variable" and product["manage_stock"] is True)


def move_stock(store: Store, line: Doc, change: int, reason: str, order_id: int) -> bool:
    """Move the stock of a line's product, if it is counted; a purchase moves its `date_modified`
    too. Says whether it moved.
    """
    kind, product_id = _stocked(store, line)
    doc = store.read(kind, product_id) if product_id else None
    if doc is None or doc["manage_stock"] is not True:
        return False
    set_stock(doc, int(doc["stock_quantity"] or 0) + change)
    store.save(kind, doc)
    if kind == "variation":
        touch(store, "product", int(line["product_id"]))
    store.note(
        "stock",
        product=product_id,
        change=change,
        quantity=doc["stock_quantity"],
        reason=reason,
        order=order_id,
    )
    return True


def set_stock(doc: Doc, quantity: int) -> None:
    """Put a quantity on a product or variation and derive its status."""
    doc["stock_quantity"] = quantity
    if quantity > 0:
        doc["stock_status"] = "instock"
    else:
        doc["stock_status"] = "outofstock" if doc["backorders"] == "no" else "onbackorder"


def touch(store: Store, kind: str, record_id: int, **changes: Any) -> None:
    """Move a record's `date_modified`, with changes to fields where given."""
    doc = store.read(kind, record_id)
    if doc is not None:
        store.save(kind, {**doc, **changes})
