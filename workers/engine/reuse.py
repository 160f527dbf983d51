"""Whether an id belongs to another record now than the one it belonged to. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from connectors.digest import changed_fields, digest
from connectors.records import Content, Customer, Order, Product

_NATURAL: dict[type[Content], tuple[str, ...]] = {
    Product: ("sku",),
    Customer: ("email",),
    # Where a shop numbers its orders by their ids, the number comes back with the id.
    Order: ("number", "email"),
}


def is_another(content: Content, before: bytes, after: bytes) -> bool:
    """Whether `content` is another record than the one whose field hashes were `before`.

    Both its creation date and what people know it by must have changed, and must have been there:
    a draft that is published gets a new date, and perhaps its first SKU.
    """
    names = _NATURAL.get(type(content), ())
    changed = changed_fields(content, before, after)
    if not names or changed is None or "created_at" not in changed:
        return False
    if getattr(content, "created_at", None) is None:
        return False
    return any(
        name in changed and getattr(content, name) and not _was_empty(content, before, name)
        for name in names
    )


def _was_empty(content: Content, before: bytes, name: str) -> bool:
    blank = replace(content, **{name: ""})
    changed = changed_fields(blank, before, digest(blank).fields)
    return changed is not None and name not in changed
