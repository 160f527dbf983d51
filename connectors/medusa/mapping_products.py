"""Categories, products and stock: Medusa's JSON into canonical records. Pure.

In Medusa every product has variants. One whose only variant stands for all of it is a simple
product here: its SKU, prices and barcode are the product's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from connectors.medusa.parts import SKU, exact, kept, measure, text_of, told, utc
from connectors.medusa.wire import (
    WireCategory,
    WireImage,
    WireInventoryLink,
    WireOption,
    WirePrice,
    WireProduct,
    WireStock,
    WireStockVariant,
    WireVariant,
)
from connectors.records import (
    Attribute,
    Category,
    Image,
    InventoryLevel,
    Money,
    Option,
    Product,
    Record,
    Variant,
)

DEFAULT_OPTION = "Default option"
DEFAULT_VALUE = "Default option value"
"""What Medusa's own back office gives a product without options."""

STATUSES = {"proposed": "pending"}
SIMPLE = "simple"
_BARCODES = ("barcode", "ean", "upc")
_DETAILS = ("origin_country", "hs_code", "mid_code", "material")


def category(wire: WireCategory) -> Record:
    """A category."""
    content = Category(
        name=wire.name,
        slug=wire.handle or "",
        parent=wire.parent_category_id,
        description=wire.description or "",
        position=wire.rank or 0,
        extra=told(
            {
                "active": (wire.is_active, True),
                "internal": (wire.is_internal, False),
                "metadata": (kept(wire.metadata), {}),
            }
        ),
    )
    return Record(wire.id, utc(wire.updated_at), content)


def is_simple(options: Sequence[WireOption] | None, variants: Sequence[Any] | None) -> bool:
    """Whether a product's only variant stands for all of it, or it has none at all."""
    if len(variants or ()) > 1:
        return False
    return not options or [each.title for each in options] == [DEFAULT_OPTION]


def product(wire: WireProduct, currency: str) -> Record:
    """A product with its variants. Stock is not its content."""
    simple = is_simple(wire.options, wire.variants)
    variants = sorted(wire.variants or (), key=lambda each: (each.variant_rank or 0, each.id))
    only = variants[0] if simple and variants else None
    content = Product(
        name=wire.title,
        sku=(only.sku or "") if only else text_of(wire.metadata, SKU),
        slug=wire.handle or "",
        kind=SIMPLE if simple else "variable",
        status=STATUSES.get(wire.status, wire.status),
        description=wire.description or "",
        short_description=wire.subtitle or "",
        regular_price=base_price(only, currency) if only else None,
        categories=tuple(sorted(each.id for each in wire.categories or () if each)),
        tags=tuple(sorted(each.value for each in wire.tags or ())),
        images=tuple(Image(each.url) for each in _ranked(wire.images)),
        attributes=() if simple else tuple(_attribute(each) for each in wire.options or ()),
        variants=() if simple else tuple(variant(each, currency) for each in variants),
        barcode=_barcode(only) if only else "",
        weight=measure(wire.weight),
        dimensions=(measure(wire.length), measure(wire.width), measure(wire.height)),
        created_at=utc(wire.created_at),
        extra=_product_extra(wire, only, currency),
    )
    return Record(wire.id, utc(wire.updated_at), content)


def variant(wire: WireVariant, currency: str) -> Variant:
    """A variant, as part of its product."""
    return Variant(
        id=wire.id,
        sku=wire.sku or "",
        options=tuple(
            sorted(
                (
                    Option(each.option.title, each.value)
                    for each in wire.options or ()
                    if each.option
                ),
                key=lambda each: each.name,
            )
        ),
        regular_price=base_price(wire, currency),
        barcode=_barcode(wire),
        weight=measure(wire.weight),
        image=Image(wire.thumbnail) if wire.thumbnail else None,
        extra=told(
            {
                "prices": (_other_prices(wire, currency), {}),
                "dimensions": (_dimensions(wire), ["", "", ""]),
                "rank": (wire.variant_rank or 0, 0),
                "metadata": (kept(wire.metadata), {}),
            }
        ),
    )


def level(
    product_id: str, wire: WireStockVariant, stock: WireStock, places: Sequence[str]
) -> Record:
    """The stock of a variant, or of a simple product: what can still be sold. `places` are the
    locations that count; none: all.
    """
    simple = is_simple(stock.options, stock.variants)
    quantity = available(wire.inventory_items or (), places) if wire.manage_inventory else None
    content = InventoryLevel(
        product=product_id,
        variant=None if simple else wire.id,
        sku=wire.sku or "",
        counted=wire.manage_inventory,
        quantity=quantity,
        availability=_availability(quantity, wire),
        backorders="yes" if wire.manage_inventory and wire.allow_backorder else "no",
    )
    record_id = product_id if simple else f"{product_id}:{wire.id}"
    return Record(record_id, utc(stock.updated_at), content)


def available(links: Iterable[WireInventoryLink | None], places: Sequence[str]) -> Decimal:
    """So many of a variant can be sold from its inventory items: what is there and not reserved."""
    counts = []
    for link in links:
        if link is None or link.inventory is None:
            continue
        levels = [
            each
            for each in link.inventory.location_levels or ()
            if not places or each.location_id in places
        ]
        free = sum((e.stocked_quantity - e.reserved_quantity for e in levels), Decimal(0))
        counts.append(free // link.required_quantity if link.required_quantity else free)
    return min(counts, default=Decimal(0))


def base_price(wire: WireVariant, currency: str) -> Money | None:
    """The price that holds for everybody and any quantity, in the store's own currency."""
    found = [each for each in wire.prices or () if is_base(each, currency)]
    return exact(found[0].amount, currency) if found else None


def is_base(price: WirePrice, currency: str) -> bool:
    """Whether it is the price that a canonical record holds."""
    return is_for_all(price) and price.currency_code == currency.lower()


def is_for_all(price: WirePrice) -> bool:
    """Whether it holds for everybody and any quantity."""
    return not price.rules and price.min_quantity is None and price.max_quantity is None


def _other_prices(wire: WireVariant, currency: str) -> dict[str, str]:
    """Prices in other currencies that hold for everybody."""
    others = [e for e in wire.prices or () if is_for_all(e) and not is_base(e, currency)]
    return {each.currency_code: measure(each.amount) for each in others}


def _attribute(wire: WireOption) -> Attribute:
    # Without ranks Medusa shows the values in any order.
    values = sorted(wire.values, key=lambda each: (each.rank is None, each.rank or 0, each.value))
    return Attribute(name=wire.title, values=tuple(each.value for each in values), varies=True)


def _ranked(images: Sequence[WireImage] | None) -> list[WireImage]:
    return sorted(images or (), key=lambda each: (each.rank or 0, each.id))


def _barcode(wire: WireVariant) -> str:
    return next((found for name in _BARCODES if (found := getattr(wire, name))), "")


def _dimensions(wire: WireVariant) -> list[str]:
    return [measure(each) for each in (wire.length, wire.width, wire.height)]


def _availability(quantity: Decimal | None, wire: WireStockVariant) -> str:
    if quantity is None or quantity > 0:
        return "in_stock"
    return "on_backorder" if wire.allow_backorder else "out_of_stock"


def _product_extra(wire: WireProduct, only: WireVariant | None, currency: str) -> dict[str, Any]:
    first = _ranked(wire.images)[:1]
    usual = first[0].url if first else None
    details = {name: found for name in _DETAILS if (found := getattr(wire, name))}
    return told(
        {
            "prices": (_other_prices(only, currency) if only else {}, {}),
            "details": (details, {}),
            "discountable": (wire.discountable, True),
            "giftcard": (wire.is_giftcard, False),
            "thumbnail": (wire.thumbnail or usual, usual),
            "type": (wire.type.value if wire.type else "", ""),
            "collection": (wire.collection.title if wire.collection else "", ""),
            "metadata": (kept(wire.metadata), {}),
        }
    )
