"""Products: what a create or an update does to one."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox import effects
from sandbox.schema import PRODUCT_STATUSES, validate
from sandbox.store import Store, missing
from sandbox.wire import SITE, ApiError, Doc

# Fields that are taken over as they come.
_PLAIN = (
    "name",
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
)
_SALE_DATES = ("date_on_sale_from", "date_on_sale_to")


def blank(kind: str = "product") -> Doc:
    """A product without anything, in the field order of the API."""
    doc: Doc = {
        "id": 0,
        "name": "",
        "slug": "",
        "permalink": "",
        "date_created": None,
        "date_created_gmt": None,
        "date_modified": None,
        "date_modified_gmt": None,
        "type": "simple",
        "status": "publish",
        "featured": False,
        "catalog_visibility": "visible",
        "description": "",
        "short_description": "",
        "sku": "",
        "price": "",
        "regular_price": "",
        "sale_price": "",
        "date_on_sale_from": None,
        "date_on_sale_from_gmt": None,
        "date_on_sale_to": None,
        "date_on_sale_to_gmt": None,
        "on_sale": False,
        "purchasable": True,
        "total_sales": 0,
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "external_url": "",
        "button_text": "",
        "tax_status": "taxable",
        "tax_class": "",
        "manage_stock": False,
        "stock_quantity": None,
        "backorders": "no",
        "backorders_allowed": False,
        "backordered": False,
        "low_stock_amount": None,
        "sold_individually": False,
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_required": True,
        "shipping_taxable": True,
        "shipping_class": "",
        "shipping_class_id": 0,
        "reviews_allowed": True,
        "average_rating": "0.00",
        "rating_count": 0,
        "upsell_ids": [],
        "cross_sell_ids": [],
        "parent_id": 0,
        "purchase_note": "",
        "categories": [],
        "brands": [],
        "tags": [],
        "images": [],
        "attributes": [],
        "default_attributes": [],
        "variations": [],
        "grouped_products": [],
        "menu_order": 0,
        "price_html": "",
        "related_ids": [],
        "meta_data": [],
        "stock_status": "instock",
        "has_options": False,
        "post_password": "",
        "global_unique_id": "",
    }
    if kind == "variation":
        for name in _NOT_IN_VARIATIONS:
            del doc[name]
        doc.update(type="variation", image=None, attributes=[])
    return doc


_NOT_IN_VARIATIONS = (
    "slug featured catalog_visibility short_description total_sales external_url button_text"
    " sold_individually reviews_allowed average_rating rating_count upsell_ids cross_sell_ids"
    " purchase_note categories brands tags images default_attributes variations grouped_products"
    " price_html related_ids has_options post_password shipping_required shipping_taxable"
).split()


def create(store: Store, payload: Doc, *, checked: bool = True) -> int:
    """Make a product; gives its id. Errors: 400 for an id, bad fields or a SKU in use."""
    if payload.get("id"):
        raise ApiError(400, "woocommerce_rest_product_exists", "Cannot create existing product.")
    if checked:
        validate("product", payload)
    doc = blank()
    _check_sku(store, payload, 0)
    doc["id"] = store.new_id()
    _fill(store, doc, payload, checked=checked)
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
    _check_sku(store, payload, product_id)
    before = doc["slug"]
    _fill(store, doc, payload, checked=checked)
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


# -- fields ----------------------------------------------------------------------------------------


def _fill(store: Store, doc: Doc, payload: Doc, *, checked: bool) -> None:
    for name in _PLAIN:
        if payload.get(name) is not None:
            doc[name] = payload[name]
    if "type" in payload:
        doc["type"] = payload["type"]
    if "status" in payload:
        known = (*PRODUCT_STATUSES, "trash")
        doc["status"] = payload["status"] if payload["status"] in known else "draft"
    if payload.get("sku") is not None:
        doc["sku"] = str(payload["sku"])
    if "categories" in payload:
        doc["categories"] = _categories(store, payload["categories"])
    if "images" in payload:
        doc["images"] = _images(store, payload["images"])
    if "attributes" in payload:
        doc["attributes"] = _attributes(payload["attributes"])
    if "default_attributes" in payload:
        doc["default_attributes"] = payload["default_attributes"]
    price(store, doc, payload, checked=checked)
    stock(doc, payload)
    if "meta_data" in payload:
        doc["meta_data"] = store.meta(payload["meta_data"], doc["meta_data"])
        for entry in payload["meta_data"]:
            if isinstance(entry, dict) and entry.get("key") == "_wp_old_slug":
                _remember_slug(store, doc["id"], str(entry.get("value", "")))


def price(store: Store, doc: Doc, payload: Doc, *, checked: bool) -> None:
    """Set regular and sale price and derive the price in force and whether it is a sale."""
    for name in ("regular_price", "sale_price"):
        if payload.get(name) is not None:
            doc[name] = _amount(payload[name])
    for name in _SALE_DATES:
        _sale_date(store, doc, payload, name)
    if doc["type"] == "variable":
        return
    regular, sale = doc["regular_price"], doc["sale_price"]
    doc["on_sale"] = bool(sale and regular and Decimal(sale) < Decimal(regular)) and _in_sale(
        store, doc
    )
    doc["price"] = sale if doc["on_sale"] else regular
    doc["purchasable"] = doc["price"] != ""


def _amount(value: Any) -> str:
    """A price as it was sent; what is no number becomes empty (batches are not checked)."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return ""
    return str(value) if number.is_finite() else ""


def _sale_date(store: Store, doc: Doc, payload: Doc, name: str) -> None:
    if f"{name}_gmt" in payload:
        gmt = payload[f"{name}_gmt"]
        doc[f"{name}_gmt"], doc[name] = gmt, store.clock.local_of(gmt) if gmt else None
    elif name in payload:
        local = payload[name]
        doc[name], doc[f"{name}_gmt"] = local, store.clock.gmt_of(local) if local else None


def _in_sale(store: Store, doc: Doc) -> bool:
    now = store.clock.stamps()[1]
    start, end = doc["date_on_sale_from_gmt"], doc["date_on_sale_to_gmt"]
    return (not start or start <= now) and (not end or now <= end)


def stock(doc: Doc, payload: Doc) -> None:
    """Set stock fields; a managed quantity decides the status by itself."""
    if payload.get("manage_stock") is not None:
        doc["manage_stock"] = payload["manage_stock"] in (True, 1, "1", "true")
    if payload.get("stock_status"):
        doc["stock_status"] = payload["stock_status"]
    doc["backorders_allowed"] = doc["backorders"] != "no"
    if doc["manage_stock"] is True:
        quantity = payload.get("stock_quantity")
        effects.set_stock(
            doc, int(doc["stock_quantity"] or 0) if quantity in (None, "") else int(quantity)
        )
        doc["backordered"] = doc["stock_quantity"] < 0
    else:
        doc["stock_quantity"] = None


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


def _images(store: Store, given: Any) -> list[Doc]:
    local, gmt = store.clock.stamps()
    images = []
    for item in given if isinstance(given, list) else []:
        image_id = int(item.get("id") or 0) or store.new_id()
        images.append(
            {
                "id": image_id,
                "date_created": local,
                "date_created_gmt": gmt,
                "date_modified": local,
                "date_modified_gmt": gmt,
                "src": item.get("src") or f"{SITE}/wp-content/uploads/{image_id}.jpg",
                "name": item.get("name") or "",
                "alt": item.get("alt") or "",
            }
        )
    return images


def _attributes(given: Any) -> list[Doc]:
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


def _check_sku(store: Store, payload: Doc, own: int) -> None:
    sku = str(payload.get("sku") or "")
    holder = sku_holder(store, sku)
    if holder and holder[1] != own:
        raise ApiError(
            400,
            "product_invalid_sku",
            "Invalid or duplicated SKU.",
            resource_id=holder[1],
            unique_sku=f"{sku}-1",
        )


def sku_holder(store: Store, sku: str) -> tuple[str, int] | None:
    """(kind, id) of the product or variation that has a SKU, whatever its case."""
    if not sku:
        return None
    rows = store.storage.rows(
        "SELECT kind, id FROM records WHERE kind IN ('product', 'variation') AND key = ?"
        " AND latest = 1 AND status <> 'trash'",
        (sku.lower(),),
    )
    return (str(rows[0][0]), int(rows[0][1])) if rows else None


# -- dates and addresses ---------------------------------------------------------------------------


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
