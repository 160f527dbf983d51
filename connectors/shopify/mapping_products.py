"""Collections, products and stock: Shopify's JSON into canonical records. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

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
from connectors.shopify.parts import (
    SKU,
    amount,
    image,
    metafields,
    number,
    own_metafield,
    seo,
    told,
    utc,
)
from connectors.shopify.wire import (
    WireCollection,
    WireItem,
    WireLevel,
    WireMeasurement,
    WireProduct,
    WireStock,
    WireVariant,
)

STATUSES = {
    "ACTIVE": "published",
    "UNLISTED": "published",
    "DRAFT": "draft",
    "ARCHIVED": "archived",
}


def category(wire: WireCollection) -> Record:
    """A collection. Collections know no parents; one that fills itself says so in `extra`."""
    content = Category(
        name=wire.title,
        slug=wire.handle,
        description=wire.description_html,
        image=image(wire.image),
        extra=told(
            {
                "seo": (seo(wire.seo), {}),
                "sort_order": (wire.sort_order, "BEST_SELLING"),
                "template": (wire.template_suffix or "", ""),
                "automatic": (bool(wire.sources), False),
                "metafields": (metafields(wire.metafields.nodes), {}),
            }
        ),
    )
    return Record(number(wire.id), utc(wire.updated_at), content)


def product(wire: WireProduct, currency: str) -> Record:
    """A product. Where it has nothing but its default variant, that one's values are its own."""
    variants = sorted(wire.variants.nodes, key=lambda each: each.position)
    own = variants[0] if wire.has_only_default_variant and variants else None
    # What all variants weigh is the product's weight, as elsewhere variants inherit it.
    same = own or _of_one_weight(variants)
    heavy = [_weightless(each) for each in variants] if same else variants
    regular, sale = _prices(own, currency) if own else (None, None)
    content = Product(
        name=wire.title,
        sku=(own.sku or "") if own else own_metafield(wire.metafields.nodes, SKU),
        slug=wire.handle,
        kind="simple" if wire.has_only_default_variant else "variable",
        status=_status(wire),
        visibility="hidden" if wire.status == "UNLISTED" else "visible",
        description=wire.description_html,
        regular_price=regular,
        sale_price=sale,
        categories=tuple(sorted((number(each.id) for each in wire.collections.nodes), key=int)),
        tags=tuple(sorted(wire.tags)),
        images=tuple(_images(wire)),
        attributes=() if own else tuple(_attributes(wire)),
        variants=() if own else tuple(variant(each, currency) for each in heavy),
        barcode=(own.barcode or "") if own else "",
        weight=_weight(same.inventory_item) if same else "",
        taxable=own.taxable if own else all(each.taxable for each in variants),
        created_at=utc(wire.created_at),
        extra=_extra(wire, same),
    )
    return Record(number(wire.id), utc(wire.updated_at), content)


def _status(wire: WireProduct) -> str:
    """One that is active and on no sales channel is there for nobody but the team."""
    channels = wire.resource_publications_count
    found = STATUSES.get(wire.status, wire.status.lower())
    return "private" if found == "published" and channels and not channels.count else found


def variant(wire: WireVariant, currency: str) -> Variant:
    """A variant, as part of its product."""
    regular, sale = _prices(wire, currency)
    return Variant(
        id=number(wire.id),
        sku=wire.sku or "",
        options=tuple(Option(each.name, each.value) for each in wire.selected_options),
        regular_price=regular,
        sale_price=sale,
        barcode=wire.barcode or "",
        weight=_weight(wire.inventory_item),
        image=image(wire.image),
        extra=told({**_of_item(wire.inventory_item), "taxable": (wire.taxable, True)}),
    )


def level(wire: WireStock, locations: Collection[str] = ()) -> Record:
    """The stock of a variant, or of a product that has only its default one: what is available,
    over all locations or those named (by number).
    """
    item = wire.inventory_item
    levels = [
        each
        for each in item.inventory_levels.nodes
        if not locations or number(each.location.id) in locations
    ]
    quantity = sum(_available(each) for each in levels)
    oversells = wire.inventory_policy == "CONTINUE"
    product_id = number(wire.product.id)
    own = None if wire.product.has_only_default_variant else number(wire.id)
    content = InventoryLevel(
        product=product_id,
        variant=own,
        sku=wire.sku or "",
        counted=item.tracked,
        quantity=Decimal(quantity) if item.tracked else None,
        availability=_availability(quantity, tracked=item.tracked, oversells=oversells),
        backorders="yes" if oversells else "no",
    )
    stamps = [stamp for each in levels if (stamp := utc(each.updated_at))]
    record_id = f"{product_id}:{own}" if own else product_id
    return Record(record_id, max(stamps, default=None), content)


def _available(wire: WireLevel) -> int:
    return sum(each.quantity for each in wire.quantities if each.name == "available")


def _availability(quantity: int, *, tracked: bool, oversells: bool) -> str:
    if not tracked or quantity > 0:
        return "in_stock"
    return "on_backorder" if oversells else "out_of_stock"


def _prices(wire: WireVariant, currency: str) -> tuple[Money, Money | None]:
    """The regular price and that of a sale. Only a higher price to compare with makes a sale."""
    price = amount(wire.price, currency)
    if wire.compare_at_price is None:
        return price, None
    compared = amount(wire.compare_at_price, currency)
    return (compared, price) if compared.amount > price.amount else (price, None)


def _images(wire: WireProduct) -> list[Image]:
    return [
        Image(each.image.url, each.image.alt_text or each.alt or "")
        for each in wire.media.nodes
        if each.image is not None
    ]


def _attributes(wire: WireProduct) -> list[Attribute]:
    return [
        Attribute(
            name=each.name, values=tuple(value.name for value in each.option_values), varies=True
        )
        for each in sorted(wire.options, key=lambda each: each.position)
    ]


def _weight(item: WireItem) -> str:
    weight = item.measurement.weight
    return "" if weight is None or not weight.value else f"{weight.value.normalize():f}"


def _of_one_weight(variants: Sequence[WireVariant]) -> WireVariant | None:
    """Any of the variants, where all weigh the same."""
    weights = {(_weight(each.inventory_item), _unit(each.inventory_item)) for each in variants}
    return variants[0] if len(weights) == 1 else None


def _weightless(wire: WireVariant) -> WireVariant:
    item = replace(wire.inventory_item, measurement=WireMeasurement())
    return replace(wire, inventory_item=item)


def _unit(item: WireItem) -> str:
    weight = item.measurement.weight
    return weight.unit.lower() if weight and weight.value else ""


def _of_item(item: WireItem) -> dict[str, tuple[Any, Any]]:
    return {
        "weight_unit": (_unit(item), ""),
        "requires_shipping": (item.requires_shipping, True),
    }


def _extra(wire: WireProduct, heavy: WireVariant | None) -> dict[str, Any]:
    fields: dict[str, tuple[Any, Any]] = {
        "vendor": (wire.vendor, ""),
        "product_type": (wire.product_type, ""),
        "seo": (seo(wire.seo), {}),
        "gift_card": (wire.is_gift_card, False),
        "template": (wire.template_suffix or "", ""),
        "metafields": (metafields(wire.metafields.nodes), {}),
    }
    if heavy and wire.has_only_default_variant:
        fields |= _of_item(heavy.inventory_item)
    elif heavy:
        fields["weight_unit"] = (_unit(heavy.inventory_item), "")
    return told(fields)
