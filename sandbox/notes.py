"""Order notes and webhooks: small documents beside the shop's main ones."""

from sandbox import effects, order_notes
from sandbox.schema import validate
from sandbox.store import Store, missing
from sandbox.wire import ApiError, Doc


def create_note(store: Store, order_id: int, payload: Doc) -> int:
    """Add a note; the order's stamp does not move. A customer note is mailed."""
    validate("note", payload)
    if store.read("order", order_id) is None:
        raise ApiError(404, "woocommerce_rest_order_invalid_id", "Invalid order ID.")
    text, for_customer = str(payload.get("note") or ""), bool(payload.get("customer_note", False))
    note_id = order_notes.write(store, order_id, text, for_customer=for_customer)
    if for_customer:
        effects.mail(store, "customer_note", order_id)
    return note_id


def delete_note(store: Store, order_id: int, note_id: int) -> Doc:
    """Remove a note; the order's stamp does not move."""
    doc = store.read("note", note_id)
    if doc is None or doc["parent_id"] != order_id:
        raise missing("note")
    store.erase("note", note_id)
    return doc


def create_webhook(store: Store, payload: Doc) -> int:
    """Register a webhook; deliveries are only recorded."""
    validate("webhook", payload)
    local, gmt = store.clock.stamps()
    hook_id = store.new_id()
    doc: Doc = {
        "id": hook_id,
        "name": str(payload.get("name") or "Webhook"),
        "status": str(payload.get("status") or "active"),
        "topic": str(payload.get("topic") or ""),
        "delivery_url": str(payload.get("delivery_url") or ""),
        "date_created": local,
        "date_created_gmt": gmt,
        "date_modified": local,
        "date_modified_gmt": gmt,
        "_links": store.links(f"webhooks/{hook_id}"),
    }
    store.save("webhook", doc, creating=True)
    _refresh(store)
    return hook_id


def update_webhook(store: Store, hook_id: int, payload: Doc) -> int:
    """Change a webhook's name, status, topic or address."""
    doc = store.read("webhook", hook_id)
    if doc is None:
        raise missing("webhook", 400)
    for name in ("name", "status", "topic", "delivery_url"):
        if payload.get(name) is not None:
            doc[name] = str(payload[name])
    store.save("webhook", doc)
    _refresh(store)
    return hook_id


def delete_webhook(store: Store, hook_id: int) -> Doc:
    """Remove a webhook."""
    doc = store.read("webhook", hook_id)
    if doc is None:
        raise missing("webhook")
    store.erase("webhook", hook_id)
    _refresh(store)
    return doc


def _refresh(store: Store) -> None:
    ids = store.storage.rows("SELECT id FROM records WHERE kind = 'webhook' AND latest = 1")
    hooks = [store.read("webhook", row[0]) for row in ids]
    active = [
        {"id": hook["id"], "topic": hook["topic"]}
        for hook in hooks
        if hook and hook["status"] == "active"
    ]
    store.storage.set_fact("active_webhooks", active)
