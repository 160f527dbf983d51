"""Variations of variable products, and what they do to their parent."""

from decimal import Decimal

from sandbox import goods
from sandbox.schema import validate
from sandbox.store import Store, missing
from sandbox.wire import SITE, ApiError, Doc

_PLAIN = (
    "description",
    "global_unique_id",
    "status",
    "virtual",
    "downloadable",
    "tax_status",
    "tax_class",
    "backorders",
    "low_stock_amount",
    "weight",
    "dimensions",
    "shipping_class",
    "menu_order",
)


def parent(store: Store, product_id: int) -> Doc:
    """The product above; 404 when there is none."""
    doc = store.read("product", product_id)
    if doc is None:
        raise missing("product")
    return doc


def create(store: Store, product_id: int, payload: Doc, *, checked: bool = True) -> int:
    """Make a variation; the parent's stamp moves."""
    if payload.get("id"):
        message = "Cannot create existing product variation."
        raise ApiError(400, "woocommerce_rest_product_variation_exists", message)
    if checked:
        validate("variation", payload)
    above = parent(store, product_id)
    goods.check_sku(store, payload, 0)
    doc = goods.blank("variation")
    doc["id"] = store.new_id()
    doc["parent_id"] = product_id
    doc["date_created"], doc["date_created_gmt"] = store.clock.stamps()
    _fill(store, doc, above, payload)
    doc["_links"] = store.links(
        f"products/{product_id}/variations/{doc['id']}", f"products/{product_id}"
    )
    store.save("variation", doc, creating=True)
    above["variations"] = [*above["variations"], doc["id"]]
    _refresh_parent(store, above)
    return int(doc["id"])


def update(
    store: Store, product_id: int, variation_id: int, payload: Doc, *, checked: bool = True
) -> int:
    """Change a variation; the parent's stamp moves too."""
    if checked:
        validate("variation", payload)
    above = parent(store, product_id)
    doc = store.read("variation", variation_id)
    if doc is None or doc["parent_id"] != product_id:
        raise missing("variation", 400)
    goods.check_sku(store, payload, variation_id)
    _fill(store, doc, above, payload)
    store.save("variation", doc)
    _refresh_parent(store, above)
    return variation_id


def delete(store: Store, product_id: int, variation_id: int) -> Doc:
    """Remove a variation for good; the parent's stamp moves."""
    above = parent(store, product_id)
    doc = store.read("variation", variation_id)
    if doc is None or doc["parent_id"] != product_id:
        raise missing("variation")
    store.erase("variation", variation_id)
    above["variations"] = [known for known in above["variations"] if known != variation_id]
    _refresh_parent(store, above)
    return doc


def _fill(store: Store, doc: Doc, above: Doc, payload: Doc) -> None:
    for name in _PLAIN:
        if payload.get(name) is not None:
            doc[name] = payload[name]
    if payload.get("sku") is not None:
        doc["sku"] = str(payload["sku"])
    if "attributes" in payload:
        doc["attributes"] = [
            {
                "id": int(item.get("id") or 0),
                "name": item.get("name", ""),
                "slug": item.get("name", ""),
                "option": str(item.get("option", "")),
            }
            for item in payload["attributes"] or []
        ]
    if payload.get("image"):
        doc["image"] = goods.images(store, [payload["image"]])[0]
    goods.price(store, doc, payload)
    goods.stock(doc, payload)
    if "meta_data" in payload:
        doc["meta_data"] = store.meta(payload["meta_data"], doc["meta_data"])
    options = ", ".join(item["option"] for item in doc["attributes"])
    doc["name"] = options or above["name"]
    doc["permalink"] = f"{SITE}/product/{above['slug']}/"


def _refresh_parent(store: Store, above: Doc) -> None:
    """Move the parent's stamp and take its price from the cheapest variation."""
    children = [store.read("variation", child) for child in above["variations"]]
    prices = [Decimal(child["price"]) for child in children if child and child["price"]]
    above["price"] = str(min(prices)) if prices else ""
    above["on_sale"] = any(child and child["on_sale"] for child in children)
    store.save("product", above)
