"""Product categories: terms without stamps."""

from sandbox.products import slugify
from sandbox.schema import invalid, validate
from sandbox.store import SILENT, Store, missing
from sandbox.wire import ApiError, Doc, decode, encode

_PLAIN = ("name", "description", "display", "menu_order")


def found(store: Store) -> None:
    """The category every WooCommerce has from the start."""
    store.storage.set_fact("default_category", create(store, {"name": "Uncategorized"}))


def create(store: Store, payload: Doc, *, checked: bool = True) -> int:
    """Make a category; a name taken under the same parent gives 400 with `resource_id`."""
    if checked:
        if not payload.get("name"):
            raise ApiError(
                400,
                "rest_missing_callback_param",
                "Missing parameter(s): name",
                params=["name"],
            )
        validate("category", payload)
    parent = _parent(store, payload)
    name = str(payload.get("name", ""))
    _check_free(store, name, parent, payload.get("slug"))
    doc = blank()
    doc.update(id=store.new_id("term"), parent=parent, name=name)
    doc["slug"] = _free_slug(store, payload.get("slug") or name, doc["id"])
    _fill(doc, payload)
    doc["_links"] = store.links(f"products/categories/{doc['id']}")
    store.save("category", doc, touch=False, creating=True)
    _keep_key(store, doc, payload)
    return int(doc["id"])


def blank() -> Doc:
    """A category without anything, in the field order of the API."""
    return {
        "id": 0,
        "name": "",
        "slug": "",
        "parent": 0,
        "description": "",
        "display": "default",
        "image": None,
        "menu_order": 0,
        "count": 0,
    }


def update(store: Store, category_id: int, payload: Doc, *, checked: bool = True) -> int:
    """Change a category. Products show its new name, but their stamps do not move."""
    if checked:
        validate("category", payload)
    doc = store.read("category", category_id)
    if doc is None:
        raise missing("category")
    if "parent" in payload:
        doc["parent"] = _parent(store, payload)
    _fill(doc, payload)
    if payload.get("slug"):
        doc["slug"] = _free_slug(store, payload["slug"], category_id)
    store.save("category", doc, touch=False)
    _keep_key(store, doc, payload)
    _rename_in_products(store, doc)
    return category_id


def delete(store: Store, category_id: int, *, force: bool) -> Doc:
    """Remove a category; terms have no trash, so `force` must be true."""
    doc = store.read("category", category_id)
    if doc is None:
        raise missing("category")
    if not force:
        message = "Resource does not support trashing."
        raise ApiError(501, "woocommerce_rest_trash_not_supported", message)
    store.erase("category", category_id)
    return doc


def _keep_key(store: Store, doc: Doc, payload: Doc) -> None:
    """The add-on keeps our key of a category, which no answer shows."""
    key = payload.get("_recent_sync_key")
    if SILENT.get() and isinstance(key, str):
        kept = store.storage.fact("category_keys", {})
        store.storage.set_fact("category_keys", {**kept, key: doc["id"]})


def _fill(doc: Doc, payload: Doc) -> None:
    for name in _PLAIN:
        if payload.get(name) is not None:
            doc[name] = payload[name]


def _parent(store: Store, payload: Doc) -> int:
    parent = int(payload.get("parent") or 0)
    if parent and store.read("category", parent) is None:
        raise missing("category", 400)
    return parent


def _check_free(store: Store, name: str, parent: int, slug: str | None) -> None:
    rows = store.storage.rows(
        "SELECT id FROM records WHERE kind = 'category' AND latest = 1"
        " AND ((key = ? AND parent = ?) OR (? <> '' AND slug = ?))",
        (name.lower(), parent, slug or "", slug or ""),
    )
    if rows:
        message = "A term with the name provided already exists with this parent."
        raise ApiError(400, "term_exists", message, resource_id=rows[0][0])
    if not name:
        raise invalid({"name": "A name is required for this term."})


def _free_slug(store: Store, wanted: str, own: int) -> str:
    base = slugify(wanted) or str(own)
    slug, n = base, 1
    sql = "SELECT id FROM records WHERE kind = 'category' AND slug = ? AND latest = 1 AND id <> ?"
    while store.storage.rows(sql, (slug, own)):
        n += 1
        slug = f"{base}-{n}"
    return slug


def _rename_in_products(store: Store, category: Doc) -> None:
    shown = {name: category[name] for name in ("id", "name", "slug")}
    mark = b'"categories":[{"id":%d,' % category["id"]
    rows = store.storage.rows(
        "SELECT rid, body FROM records JOIN bodies USING (rid) WHERE kind = 'product'"
    )
    changed = []
    for rid, body in rows:
        if mark in body or b'},{"id":%d,"name"' % category["id"] in body:
            doc = decode(body)
            doc["categories"] = [
                shown if item["id"] == category["id"] else item for item in doc["categories"]
            ]
            changed.append((encode(doc), rid))
    store.storage.rewrite(changed)
