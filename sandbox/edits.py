"""Edits by the test's hand that no client of the API could make."""

from typing import Any

from sandbox import categories, cms, customers, effects, goods, mischief, orders, products
from sandbox.catalogue import Rows
from sandbox.records import columns_of
from sandbox.store import Store
from sandbox.wire import SITE, ApiError, Doc, encode

_SEQUENCES = {"customer": "user", "category": "term"}
_PATHS = {
    "product": "products",
    "customer": "customers",
    "category": "products/categories",
    "order": "orders",
}


def load(store: Store, payload: Doc) -> Doc:
    """Insert many new documents at once, `{kind: [partial documents]}`; gives their ids by kind.

    What a document leaves out comes from a blank one; without stamps it is of now. Nothing is
    checked, mailed or moved, and given ids must be free.
    """
    made: dict[str, list[int]] = {}
    for kind, items in payload.items():
        rows: Rows = []
        for item in items:
            doc = _document(store, kind, item)
            rows.append((columns_of(kind, doc), encode(doc), None))
        store.storage.load(rows)
        made[kind] = [columns.id for columns, _, _ in rows]
        store.count(kind, "loaded")
    return made


def _document(store: Store, kind: str, item: Doc) -> Doc:
    number = _number(store, kind, item)
    if kind in cms.KINDS:
        return cms.document(store, kind, {**item, "id": number})
    doc = _blank(store, kind)
    _fill_in(doc, item)
    doc["id"] = number
    if kind == "category":
        doc["slug"] = doc["slug"] or products.slugify(doc["name"])
    else:
        _stamp(store, doc, item)
    if kind == "product":
        doc["slug"] = doc["slug"] or f"product-{doc['id']}"
        doc["permalink"] = doc["permalink"] or f"{SITE}/product/{doc['slug']}/"
    if kind == "order":
        doc["number"] = doc["number"] or str(doc["id"])
        for name in ("line_items", "shipping_lines", "fee_lines"):
            for line in doc[name]:
                line.setdefault("id", store.new_id("item"))
    doc["_links"] = store.links(f"{_PATHS.get(kind, kind)}/{doc['id']}")
    return doc


def _number(store: Store, kind: str, item: Doc) -> int:
    """The id that is given, or the next one; the next is behind both."""
    sequence = _SEQUENCES.get(kind, "post")
    number = int(item.get("id") or store.new_id(sequence))
    if number >= int(store.storage.fact(f"next_{sequence}", 1)):
        store.storage.set_fact(f"next_{sequence}", number + 1)
    return number


def _blank(store: Store, kind: str) -> Doc:
    if kind in ("product", "variation"):
        return goods.blank(kind)
    if kind == "customer":
        return customers.blank()
    if kind == "category":
        return categories.blank()
    if kind == "order":
        return orders.blank(store.config)
    raise ApiError(400, "unknown_kind", f"Documents of kind {kind!r} cannot be loaded.")


def _fill_in(doc: Doc, item: Doc) -> None:
    for name, value in item.items():
        if isinstance(value, dict) and isinstance(doc.get(name), dict):
            doc[name] = {**doc[name], **value}
        else:
            doc[name] = value


def _stamp(store: Store, doc: Doc, item: Doc) -> None:
    """Complete each stamp from its GMT form; created and modified default to now."""
    now = store.clock.stamps()[1]
    for name in ("date_created", "date_modified", "date_paid", "date_completed"):
        if f"{name}_gmt" in item:
            gmt = item[f"{name}_gmt"]
        elif name in ("date_created", "date_modified"):
            gmt = item.get("date_created_gmt") or now
        else:
            continue
        doc[f"{name}_gmt"], doc[name] = gmt, store.clock.local_of(gmt) if gmt else None


def edit(store: Store, item: Doc) -> Doc:
    """Make one edit, `{"op": …, "kind": …, "id": …, …}`; gives it back.

    `silent_stock` (`quantity`) and `patch` (`fields`) change a record without moving its stamp;
    `set_modified` (`gmt`, may be null) and `bump` move only the stamp; `hard_delete` removes a
    record and `reuse_id` also gives its id to the next record made; `tax_rate` (`value`).
    """
    act = _OPS.get(str(item.get("op")))
    if act is None:
        raise ApiError(400, "unknown_edit", f"There is no edit {item.get('op')!r}.")
    kind, record_id = str(item.get("kind", "product")), int(item.get("id", 0))
    if item["op"] != "tax_rate" and store.read(kind, record_id) is None:
        raise ApiError(404, "no_such_record", f"There is no {kind} {record_id}.")
    act(store, kind, record_id, item)
    return item


def _silent_stock(store: Store, kind: str, record_id: int, item: Doc) -> None:
    mischief.silent_stock(store, kind, record_id, int(item["quantity"]))


def _patch(store: Store, kind: str, record_id: int, item: Doc) -> None:
    doc = store.read(kind, record_id) or {}
    store.save(kind, {**doc, **item["fields"]}, touch=False)


def _set_modified(store: Store, kind: str, record_id: int, item: Doc) -> None:
    doc = store.read(kind, record_id) or {}
    gmt = item["gmt"]
    doc["date_modified_gmt"], doc["date_modified"] = gmt, store.clock.local_of(gmt) if gmt else None
    store.save(kind, doc, touch=False)


def _bump(store: Store, kind: str, record_id: int, item: Doc) -> None:
    del item
    effects.touch(store, kind, record_id)


def _hard_delete(store: Store, kind: str, record_id: int, item: Doc) -> None:
    del item
    store.erase(kind, record_id)


def _reuse_id(store: Store, kind: str, record_id: int, item: Doc) -> None:
    del item
    store.erase(kind, record_id)
    free = store.storage.fact("free_ids", [])
    if record_id not in free:
        store.storage.set_fact("free_ids", [*free, record_id])


def _tax_rate(store: Store, kind: str, record_id: int, item: Doc) -> None:
    del kind, record_id
    store.storage.set_fact("tax_rate", str(item["value"]))


_OPS: dict[str, Any] = {
    "silent_stock": _silent_stock,
    "patch": _patch,
    "set_modified": _set_modified,
    "bump": _bump,
    "hard_delete": _hard_delete,
    "reuse_id": _reuse_id,
    "tax_rate": _tax_rate,
}
