"""Categories, products and stock: WooCommerce's JSON into canonical records and back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.records import (
    Attribute,
    Category,
    InventoryLevel,
    Money,
    Option,
    Product,
    Record,
    Variant,
)
from connectors.woocommerce.parts import (
    UnmappableError,
    image,
    kept_metas,
    price,
    text,
    utc,
)
from connectors.woocommerce.wire import (
    WireCategory,
    WireDimensions,
    WireProduct,
    WireStock,
    WireVariation,
)

STATUSES = {"publish": "published", "trash": "archived"}
AVAILABILITIES = {
    "instock": "in_stock",
    "outofstock": "out_of_stock",
    "onbackorder": "on_backorder",
}
OF_THE_PARENT = "parent"
"""What a variation answers for `manage_stock` that takes from the stock of its product."""


def category(wire: WireCategory) -> Record:
    """A category. It has no date of change."""
    content = Category(
        name=wire.name,
        slug=wire.slug,
        parent=str(wire.parent) if wire.parent else None,
        description=wire.description,
        image=image(wire.image),
        position=wire.menu_order,
        extra={"display": wire.display} if wire.display != "default" else {},
    )
    return Record(str(wire.id), None, content)


def product(wire: WireProduct, variations: Sequence[WireVariation], currency: str) -> Record:
    """A product with its variants. Stock, sales figures and ratings are not its content."""
    is_variable = has_variants(wire)
    content = Product(
        name=wire.name,
        sku=wire.sku or "",
        slug=wire.slug,
        kind=wire.type,
        status=STATUSES.get(wire.status, wire.status),
        visibility=wire.catalog_visibility,
        featured=wire.featured,
        description=wire.description,
        short_description=wire.short_description,
        # A variable product's own prices are a summary of its variants'.
        regular_price=_own_price(wire, wire.regular_price, currency),
        sale_price=_own_price(wire, wire.sale_price, currency),
        # And its dates are nobody's: each variant has its own.
        sale_from=None if is_variable else utc(wire.date_on_sale_from_gmt),
        sale_to=None if is_variable else utc(wire.date_on_sale_to_gmt),
        categories=tuple([str(each.id) for each in wire.categories]),
        tags=tuple([each.name for each in wire.tags]),
        images=tuple([found for each in wire.images if (found := image(each))]),
        attributes=tuple(
            [
                Attribute(
                    name=each.name,
                    values=tuple([text(value) for value in each.options]),
                    visible=each.visible,
                    varies=each.variation,
                )
                for each in wire.attributes
            ]
        ),
        variants=tuple([variant(each, currency) for each in variations]),
        barcode=text(wire.global_unique_id),
        weight=text(wire.weight),
        dimensions=_dimensions(wire),
        tax_class=wire.tax_class,
        taxable=wire.tax_status == "taxable",
        created_at=utc(wire.date_created_gmt),
        extra=_product_extra(wire),
    )
    return Record(str(wire.id), utc(wire.date_modified_gmt), content)


def has_variants(wire: WireProduct | WireStock) -> bool:
    """Whether it is sold by its variations. Extensions have kinds of their own that are."""
    return wire.type == "variable" or bool(wire.variations)


def _own_price(wire: WireProduct, found: str | float | None, currency: str) -> Money | None:
    return None if has_variants(wire) else price(found, currency)


def variant(wire: WireVariation, currency: str) -> Variant:
    """A variation, as part of its product."""
    extra = _changed_from_default(
        {
            "virtual": (wire.virtual, False),
            "downloadable": (wire.downloadable, False),
            "shipping_class": (wire.shipping_class, ""),
            "tax_class": (wire.tax_class, ""),
            "menu_order": (wire.menu_order, 0),
            "meta": (kept_metas(wire.meta_data), {}),
        }
    )
    return Variant(
        id=str(wire.id),
        sku=wire.sku or "",
        options=tuple([Option(each.name, text(each.option)) for each in wire.attributes]),
        status=STATUSES.get(wire.status, wire.status),
        regular_price=price(wire.regular_price, currency),
        sale_price=price(wire.sale_price, currency),
        sale_from=utc(wire.date_on_sale_from_gmt),
        sale_to=utc(wire.date_on_sale_to_gmt),
        description=wire.description,
        barcode=text(wire.global_unique_id),
        weight=text(wire.weight),
        image=image(wire.image),
        extra=extra,
    )


def level(wire: WireStock, parent: WireStock | None = None) -> Record:
    """The stock of a product, or of a variation of `parent`.

    What a variation answers that does not count its own is its product's, if that counts: quantity,
    backorders and availability (WC_Product_Variation hands them on).
    """
    shared = parent is not None and wire.manage_stock == OF_THE_PARENT
    counted = wire.manage_stock is True or shared
    content = InventoryLevel(
        product=str(parent.id if parent else wire.id),
        variant=str(wire.id) if parent else None,
        sku=wire.sku or "",
        counted=counted,
        quantity=_quantity(wire.stock_quantity) if counted else None,
        availability=AVAILABILITIES.get(wire.stock_status, wire.stock_status),
        backorders=wire.backorders,
        shared=shared,
    )
    record_id = f"{parent.id}:{wire.id}" if parent else str(wire.id)
    return Record(record_id, utc(wire.date_modified_gmt), content)


def _quantity(found: float | str | None) -> Decimal | None:
    if found is None or found == "":
        return None
    try:
        number = Decimal(str(found)).normalize()
    except InvalidOperation:
        raise UnmappableError("a stock quantity is no number") from None
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def _dimensions(wire: WireProduct) -> tuple[str, str, str]:
    found = wire.dimensions
    if not isinstance(found, WireDimensions):
        return ("", "", "")
    return (text(found.length), text(found.width), text(found.height))


def _product_extra(wire: WireProduct) -> dict[str, Any]:
    return _changed_from_default(
        {
            "virtual": (wire.virtual, False),
            "downloadable": (wire.downloadable, False),
            "external_url": (wire.external_url, ""),
            "button_text": (wire.button_text, ""),
            "sold_individually": (wire.sold_individually, False),
            "shipping_class": (wire.shipping_class, ""),
            "reviews_allowed": (wire.reviews_allowed, True),
            "purchase_note": (wire.purchase_note, ""),
            "menu_order": (wire.menu_order, 0),
            "meta": (kept_metas(wire.meta_data), {}),
        }
    )


def _changed_from_default(fields: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: value for name, (value, default) in fields.items() if value != default}
