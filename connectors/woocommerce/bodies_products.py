"""Categories, products, variations and stock as WooCommerce wants them written. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.base import Operation
from connectors.records import Category, InventoryLevel, Money, Product, Variant
from connectors.woocommerce.mapping_products import AVAILABILITIES, STATUSES
from connectors.woocommerce.parts import KEY_META, gmt, plain, wire_image, wire_metas

KINDS = frozenset({"simple", "grouped", "external", "variable"})

_STATUSES = {canonical: wire for wire, canonical in STATUSES.items()}
_AVAILABILITIES = {canonical: wire for wire, canonical in AVAILABILITIES.items()}
_PRODUCT_EXTRAS = (
    "virtual",
    "downloadable",
    "external_url",
    "button_text",
    "sold_individually",
    "reviews_allowed",
    "purchase_note",
    "menu_order",
)
_VARIATION_EXTRAS = ("virtual", "downloadable", "tax_class", "menu_order")

Fields = dict[str, Callable[[], dict[str, Any]]]


def _body(fields: Fields, changed: frozenset[str] | None) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for field, values in fields.items():
        if changed is None or field in changed:
            body |= values()
    return body


def category_body(content: Category, changed: frozenset[str] | None) -> dict[str, Any]:
    """The changed fields of a category, or all."""
    fields: Fields = {
        "name": lambda: {"name": content.name},
        "slug": lambda: {"slug": content.slug} if content.slug else {},
        "parent": lambda: {"parent": int(content.parent) if content.parent else 0},
        "description": lambda: {"description": content.description},
        "image": lambda: {"image": wire_image(content.image)} if content.image else {},
        "position": lambda: {"menu_order": content.position},
        "extra": lambda: {"display": content.extra.get("display", "default")},
    }
    return _body(fields, changed)


def product_body(
    content: Product, changed: frozenset[str] | None, tags: Mapping[str, int], *, images: bool
) -> dict[str, Any]:
    """The changed fields of a product, or all; never its stock. `tags` gives ids by name."""
    length, width, height = content.dimensions
    fields: Fields = {
        "name": lambda: {"name": content.name},
        "slug": lambda: {"slug": content.slug} if content.slug else {},
        "kind": lambda: {"type": _kind(content)},
        "status": lambda: {"status": wire_status(content.status)},
        "visibility": lambda: {"catalog_visibility": content.visibility},
        "featured": lambda: {"featured": content.featured},
        "description": lambda: {"description": content.description},
        "short_description": lambda: {"short_description": content.short_description},
        "sku": lambda: {"sku": content.sku},
        "regular_price": lambda: _price("regular_price", content, content.regular_price),
        "sale_price": lambda: _price("sale_price", content, content.sale_price),
        "sale_from": lambda: {"date_on_sale_from_gmt": _date(content.sale_from)},
        "sale_to": lambda: {"date_on_sale_to_gmt": _date(content.sale_to)},
        "categories": lambda: {"categories": [{"id": int(each)} for each in content.categories]},
        "tags": lambda: {"tags": [{"id": tags[name]} for name in content.tags if name in tags]},
        "images": lambda: (
            {"images": [wire_image(each) for each in content.images]} if images else {}
        ),
        "attributes": lambda: {"attributes": _attributes(content)},
        "barcode": lambda: {"global_unique_id": content.barcode},
        "weight": lambda: {"weight": content.weight},
        "dimensions": lambda: {"dimensions": {"length": length, "width": width, "height": height}},
        "tax_class": lambda: {"tax_class": content.tax_class},
        "taxable": lambda: {"tax_status": "taxable" if content.taxable else "none"},
        "created_at": lambda: (
            {"date_created_gmt": gmt(content.created_at)} if content.created_at else {}
        ),
        "extra": lambda: _extras(content.extra, _PRODUCT_EXTRAS),
    }
    return _body(fields, changed)


def new_product_body(
    operation: Operation, content: Product, tags: Mapping[str, int], *, images: bool
) -> dict[str, Any]:
    """A whole product with our key. What is empty is left out: the store knows it as empty."""
    body = product_body(content, None, tags, images=images)
    kept = {name: value for name, value in body.items() if value not in ("", None, [])}
    kept["meta_data"] = [*kept.get("meta_data", []), {"key": KEY_META, "value": operation.key}]
    return kept


def variation_key(operation: Operation, variant: Variant) -> str:
    """Our key of a variation."""
    return f"{operation.key}:{variant.id}"


def variation_body(
    operation: Operation, variant: Variant, changed: frozenset[str] | None, *, images: bool
) -> dict[str, Any]:
    """The changed fields of a variation, or a whole one with our key."""
    fields: Fields = {
        "sku": lambda: {"sku": variant.sku},
        "status": lambda: {"status": wire_status(variant.status)},
        "regular_price": lambda: {"regular_price": _plain_price(variant.regular_price)},
        "sale_price": lambda: {"sale_price": _plain_price(variant.sale_price)},
        "sale_from": lambda: {"date_on_sale_from_gmt": _date(variant.sale_from)},
        "sale_to": lambda: {"date_on_sale_to_gmt": _date(variant.sale_to)},
        "description": lambda: {"description": variant.description},
        "weight": lambda: {"weight": variant.weight},
        "options": lambda: {
            "attributes": [{"name": each.name, "option": each.value} for each in variant.options]
        },
        "barcode": lambda: {"global_unique_id": variant.barcode} if variant.barcode else {},
        "image": lambda: {"image": wire_image(variant.image)} if images and variant.image else {},
        "extra": lambda: _extras(variant.extra, _VARIATION_EXTRAS),
    }
    body = _body(fields, changed)
    if changed is not None:
        return body
    key = {"key": KEY_META, "value": variation_key(operation, variant)}
    body["meta_data"] = [*body.get("meta_data", []), key]
    return body


def _date(moment: datetime | None) -> str:
    """When a sale begins or ends. Null leaves the date as it is; an empty text takes it away."""
    return gmt(moment) or ""


def stock_body(level: InventoryLevel) -> dict[str, Any]:
    """Stock of a product or variation. A counted one gets its availability from the count.

    Raises `ValueError` for a quantity that is not whole.
    """
    if not level.counted or (level.shared and level.variant):
        wire = _AVAILABILITIES.get(level.availability, level.availability)
        return {"manage_stock": False, "stock_status": wire}
    return _counted(level)


def shared_stock_body(level: InventoryLevel, changed: frozenset[str] | None) -> dict[str, Any]:
    """What a variation's level makes of its product's stock, from which those variations take that
    do not count their own; nothing where it has no say in it. `changed` are the level's fields that
    are to be written, None for all.

    Raises `ValueError` for a quantity that is not whole.
    """
    if level.variant is None:
        return {}
    if level.counted:
        return _counted(level) if level.shared else {}
    # A product that goes on counting would count for this variation, too.
    ends = changed is None or not changed.isdisjoint(("counted", "shared"))
    return {"manage_stock": False} if ends else {}


def _counted(level: InventoryLevel) -> dict[str, Any]:
    quantity = level.quantity or 0
    if quantity != int(quantity):
        raise ValueError("WooCommerce takes whole quantities only")
    return {
        "manage_stock": True,
        "stock_quantity": int(quantity),
        "backorders": level.backorders,
    }


def wire_status(status: str) -> str:
    """A canonical status of a product in WooCommerce's words."""
    return _STATUSES.get(status, status)


def _plain_price(price: Money | None) -> str:
    return plain(price) if price else ""


def _kind(content: Product) -> str:
    """The kind as the store knows it; what an extension sells by variants stays sold by them."""
    if content.kind in KINDS:
        return content.kind
    return "variable" if content.variants else "simple"


def _price(name: str, content: Product, price: Money | None) -> dict[str, Any]:
    """A variable product has no price of its own to write."""
    if _kind(content) == "variable":
        return {}
    return {name: _plain_price(price)}


def _attributes(content: Product) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "position": position,
            "visible": each.visible,
            "variation": each.varies,
            "options": list(each.values),
        }
        for position, each in enumerate(content.attributes)
    ]


def _extras(extra: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: extra[name] for name in names if name in extra}
    metas = wire_metas(extra.get("meta"))
    return found | {"meta_data": metas} if metas else found
