"""What products and variations have in common: their fields, prices, stock and SKUs."""

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox import effects
from sandbox.store import Store
from sandbox.wire import SITE, ApiError, Doc

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
    "slug",
    "featured",
    "catalog_visibility",
    "short_description",
    "total_sales",
    "external_url",
    "button_text",
    "sold_individually",
    "reviews_allowed",
    "average_rating",
    "rating_count",
    "upsell_ids",
    "cross_sell_ids",
    "purchase_note",
    "categories",
    "brands",
    "tags",
    "images",
    "default_attributes",
    "variations",
    "grouped_products",
    "price_html",
    "related_ids",
    "has_options",
    "post_password",
    "shipping_required",
    "shipping_taxable",
)


def price(store: Store, doc: Doc, payload: Doc) -> None:
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
    """Null leaves a date alone, and an empty text takes it away."""
    if payload.get(f"{name}_gmt") is not None:
        gmt = payload[f"{name}_gmt"] or None
        doc[f"{name}_gmt"], doc[name] = gmt, store.clock.local_of(gmt) if gmt else None
    elif payload.get(name) is not None:
        local = payload[name] or None
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


def with_shared_stock(doc: Doc, above: Doc) -> Doc:
    """A variation as it is shown: without stock of its own it hands on what its product counts
    (WC_Product_Variation::get_manage_stock and its neighbours).
    """
    if doc["manage_stock"] is True or not effects.counts_for_variations(above):
        return doc
    return {**doc, **{name: above[name] for name in _SHARED}, "manage_stock": "parent"}


_SHARED = ("stock_quantity", "stock_status", "backorders", "backorders_allowed", "backordered")


def images(store: Store, given: Any) -> list[Doc]:
    """Images as the API shows them; nothing is fetched."""
    local, gmt = store.clock.stamps()
    found = []
    for item in given if isinstance(given, list) else []:
        image_id = int(item.get("id") or 0) or store.new_id()
        found.append(
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
    return found


def check_sku(store: Store, payload: Doc, own: int) -> None:
    """Refuse a SKU that another product or variation has (400 with its `resource_id`)."""
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
