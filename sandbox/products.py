"""Products: what a create or an update does to one."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from sandbox import goods
from sandbox.schema import PRODUCT_STATUSES, validate
from sandbox.store import Store, missing
from sandbox.wire import SITE, ApiError, Doc

# Fields that are taken over as they come.
_PLAIN = (
    "name",
    "type",
    "featured",
    "catalog_visibility",
    "description",
    "short_description",
    "global_unique_id",
    "virtual",
    "downloadable",
    "downloads",
    "download_limit",
    "download_expiry",
    "external_url",
    "button_text",
    "tax_status",
    "tax_class",
    "backorders",
    "low_stock_amount",
    "sold_individually",
    "weight",
    "dimensions",
    "shipping_class",
    "reviews_allowed",
    "upsell_ids",
    "cross_sell_ids",
    "parent_id",
    "purchase_note",
    "menu_order",
    "default_attributes",
)


def create(store: Store, payload: Doc, *, checked: bool = True) -> int:
    """Make a product; gives its id. Errors: 400 for an id, bad fields or a SKU in use."""
    if payload.get("id"):
        raise ApiError(400, "woocommerce_rest_product_exists", "Cannot create existing product.")
    if checked:
        validate("product", payload)
    doc = goods.blank()
    goods.check_sku(store, payload, 0)
    doc["id"] = store.new_id()
    doc["categories"] = [default_category(store)]
    _fill(store, doc, payload)
    doc["slug"] = free_slug(
        store, payload.get("slug") or doc["name"] or f"product-{doc['id']}", doc["id"]
    )
    _address(store, doc)
    _date(store, doc, payload)
    if _dated_apart(store, doc):
        # A past or future date_created becomes date_modified too: no delta sees such a product.
        doc["date_modified"] = doc["date_created"]
        doc["date_modified_gmt"] = doc["date_created_gmt"]
        store.save("product", doc, touch=False, creating=True)
    else:
        store.save("product", doc, creating=True)
    return int(doc["id"])


def update(store: Store, product_id: int, payload: Doc, *, checked: bool = True) -> int:
    """Change a product. Its `date_modified` moves even when nothing else does."""
    if checked:
        validate("product", payload)
    doc = store.read("product", product_id)
    if doc is None:
        raise missing("product", 400)
    goods.check_sku(store, payload, product_id)
    before = doc["slug"]
    _fill(store, doc, payload)
    if payload.get("slug") and payload["slug"] != before:
        doc["slug"] = free_slug(store, payload["slug"], product_id)
        _remember_slug(store, product_id, before)
        _address(store, doc)
    _date(store, doc, payload)
    store.save("product", doc)
    return product_id


def delete(store: Store, product_id: int, *, force: bool) -> Doc:
    """Trash a product, or with `force` remove it and its variations; gives it as it was."""
    doc = store.read("product", product_id)
    if doc is None:
        raise missing("product")
    if not force:
        if doc["status"] == "trash":
            message = "The product has already been deleted."
            raise ApiError(410, "woocommerce_rest_already_trashed", message)
        doc["status"] = "trash"
        store.save("product", doc)
        return doc
    for variation in doc["variations"]:
        store.erase("variation", variation)
    store.erase("product", product_id)
    return doc


# -- fields


def _fill(store: Store, doc: Doc, payload: Doc) -> None:
    for name in _PLAIN:
        if payload.get(name) is not None:
            doc[name] = payload[name]
    if "status" in payload:
        known = (*PRODUCT_STATUSES, "trash")
        doc["status"] = payload["status"] if payload["status"] in known else "draft"
    if payload.get("sku") is not None:
        doc["sku"] = str(payload["sku"])
    for name, take in _LISTS.items():
        if name in payload:
            doc[name] = take(store, payload[name])
    goods.price(store, doc, payload)
    goods.stock(doc, payload)
    if "meta_data" in payload:
        doc["meta_data"] = store.meta(payload["meta_data"], doc["meta_data"])
        for entry in payload["meta_data"]:
            if isinstance(entry, dict) and entry.get("key") == "_wp_old_slug":
                _remember_slug(store, doc["id"], str(entry.get("value", "")))


def _categories(store: Store, given: Any) -> list[Doc]:
    found = []
    for item in given if isinstance(given, list) else []:
        category = (
            store.read("category", int(item.get("id") or 0)) if isinstance(item, dict) else None
        )
        if category:
            found.append({name: category[name] for name in ("id", "name", "slug")})
    return found or [default_category(store)]


def default_category(store: Store) -> Doc:
    """The category of products that have none."""
    category = store.read("category", int(store.storage.fact("default_category", 15))) or {}
    return {name: category.get(name, "") for name in ("id", "name", "slug")}


def _attributes(store: Store, given: Any) -> list[Doc]:
    del store  # taken over as they come
    return [
        {
            "id": int(item.get("id") or 0),
            "name": item.get("name", ""),
            "slug": item.get("name", ""),
            "position": int(item.get("position") or 0),
            "visible": bool(item.get("visible", False)),
            "variation": bool(item.get("variation", False)),
            "options": list(item.get("options") or []),
        }
        for item in given or []
    ]


_LISTS: dict[str, Callable[[Store, Any], list[Doc]]] = {
    "categories": _categories,
    "images": goods.images,
    "attributes": _attributes,
}


# -- dates and addresses


def _date(store: Store, doc: Doc, payload: Doc) -> None:
    if payload.get("date_created_gmt"):
        doc["date_created_gmt"] = payload["date_created_gmt"].rstrip("Z")
        doc["date_created"] = store.clock.local_of(doc["date_created_gmt"])
    elif payload.get("date_created"):
        doc["date_created"] = payload["date_created"]
        doc["date_created_gmt"] = store.clock.gmt_of(doc["date_created"])
    elif not doc["date_created"]:
        doc["date_created"], doc["date_created_gmt"] = store.clock.stamps()
    if doc["status"] == "publish" and doc["date_created_gmt"] > store.clock.stamps()[1]:
        doc["status"] = "future"


def _dated_apart(store: Store, doc: Doc) -> bool:
    return bool(doc["date_created_gmt"] != store.clock.stamps()[1])


def slugify(text: str) -> str:
    """A text as a part of an address."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-")


def free_slug(store: Store, wanted: str, own: int, kind: str = "product") -> str:
    """A slug nobody else has: a taken one silently gets `-2`, `-3` and so on."""
    base = slugify(wanted) or str(own)
    slug, n = base, 1
    while any(row[0] != own for row in _holders(store, kind, slug)):
        n += 1
        slug = f"{base}-{n}"
    return slug


def _holders(store: Store, kind: str, slug: str) -> list[tuple[Any, ...]]:
    sql = "SELECT id FROM records WHERE kind = ? AND slug = ? AND latest = 1"
    return store.storage.rows(sql, (kind, slug))


def _remember_slug(store: Store, product_id: int, slug: str) -> None:
    """Keep a slug that was in use, so that its old address leads to the product."""
    if slug:
        old = store.storage.fact("old_slugs", {})
        store.storage.set_fact("old_slugs", {**old, slug: product_id})


def _address(store: Store, doc: Doc) -> None:
    doc["permalink"] = f"{SITE}/product/{doc['slug']}/"
    doc["_links"] = store.links(f"products/{doc['id']}")
