"""The notes of an order: what people write there, and what the shop writes there by itself."""

from sandbox.store import Store
from sandbox.wire import Doc


def write(store: Store, order_id: int, text: str, *, for_customer: bool = False) -> int:
    """Add a note; the order's stamp does not move."""
    local, gmt = store.clock.stamps()
    doc: Doc = {
        "id": store.new_id("note"),
        "parent_id": order_id,
        "author": "WooCommerce",
        "date_created": local,
        "date_created_gmt": gmt,
        "note": text,
        "customer_note": for_customer,
    }
    store.save("note", doc, touch=False, creating=True)
    return int(doc["id"])


def mail_sent(store: Store, order_id: int, mail_type: str) -> None:
    """As WooCommerce 10.9 and newer note every mail of an order; older ones note none."""
    title = mail_type.removeprefix("customer_").replace("_", " ").capitalize()
    write(store, order_id, f'Email "{title}" sent.')


def stock_moved(store: Store, order_id: int, word: str, changes: list[str]) -> None:
    """What an order took from stock, or gave back, in one note."""
    if changes:
        write(store, order_id, f"Stock levels {word}: {', '.join(changes)}")
