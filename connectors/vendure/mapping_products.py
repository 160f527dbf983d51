"""Collections, products and stock: Vendure's JSON into canonical records. Pure."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
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
from connectors.vendure.parts import (
    ONCE_PRICED,
    OUR_FACET,
    TAGS_FACET,
    Coins,
    asset,
    custom,
    latest,
    place,
    told,
    utc,
)
from connectors.vendure.wire import (
    WireCollection,
    WireFacetValue,
    WireFilter,
    WirePrice,
    WireProduct,
    WireStock,
    WireVariant,
)

ROOT = "__root_collection__"
BY_FACET = "facet-value-filter"

Members = Mapping[str, str]
"""Which collection a value of our facet stands for: ids by ids."""


def category(wire: WireCollection, members: Members) -> Record:
    """A collection. Filters of the store's own say so in `extra`."""
    parent = wire.parent
    own = [each for each in wire.filters if value_of(each) not in members]
    content = Category(
        name=wire.name,
        slug=wire.slug,
        parent=parent.id if parent and parent.name != ROOT else None,
        description=wire.description,
        image=asset(wire.featured_asset),
        position=wire.position,
        extra=told(
            {
                "private": (wire.is_private, False),
                "filters": ([_filter(each) for each in own], []),
            }
        ),
    )
    return Record(wire.id, utc(wire.updated_at), content)


def value_of(wire: WireFilter) -> str:
    """The one facet value that a filter lets in; nothing for any other filter."""
    if wire.code != BY_FACET:
        return ""
    found = next((each.value for each in wire.args if each.name == "facetValueIds"), "[]")
    values = json.loads(found)
    return str(values[0]) if isinstance(values, list) and len(values) == 1 else ""


def _filter(wire: WireFilter) -> dict[str, Any]:
    return {"code": wire.code, "args": {each.name: each.value for each in wire.args}}


def product(
    wire: WireProduct, coins: Coins, members: Members, tax_classes: Mapping[str, str]
) -> Record:
    """A product. Where its only variant has no options, that one's values are its own."""
    variants = sorted(wire.variants, key=lambda each: place(each.id))
    own = variants[0] if len(variants) == 1 and not variants[0].options else None
    varies = own is None and bool(variants or wire.option_groups)
    images = _images(wire)
    content = Product(
        name=wire.name,
        sku=own.sku if own else custom(wire.custom_fields, "productSku"),
        slug=wire.slug,
        kind="variable" if varies else "simple",
        status="published" if wire.enabled and (own is None or _is_open(own, coins)) else "draft",
        description=wire.description,
        regular_price=_price(own, coins) if own else None,
        categories=_categories(wire, members),
        tags=tuple(sorted(each.name for each in wire.facet_values if _is_tag(each))),
        images=tuple(found for each in images if (found := asset(each))),
        attributes=(*_options(wire), *_facets(wire.facet_values)),
        variants=() if own else tuple(variant(each, coins, tax_classes) for each in variants),
        tax_class=_tax_class(own, tax_classes) if own else "",
        created_at=utc(wire.created_at),
    )
    stamps = [wire.updated_at, *(each.updated_at for each in wire.variants)]
    return Record(wire.id, latest(*stamps), content)


def variant(wire: WireVariant, coins: Coins, tax_classes: Mapping[str, str]) -> Variant:
    """A variant, as part of its product."""
    options = sorted(wire.options, key=lambda each: place(each.group.id) if each.group else (0, ""))
    return Variant(
        id=wire.id,
        sku=wire.sku,
        options=tuple(Option(each.group.name, each.name) for each in options if each.group),
        status=_status(wire, coins),
        regular_price=_price(wire, coins),
        image=asset(wire.featured_asset),
        extra=told({"tax_class": (_tax_class(wire, tax_classes), "")}),
    )


def level(wire: WireStock, *, tracks: bool, threshold: int) -> Record:
    """The stock of a variant, or of a product that has no other: what is for sale, over all
    locations. `tracks` and `threshold` are what the store does where the variant does not say.
    """
    counted = tracks if wire.track_inventory == "INHERIT" else wire.track_inventory == "TRUE"
    least = threshold if wire.use_global_out_of_stock_threshold else wire.out_of_stock_threshold
    quantity = sum(each.stock_on_hand - each.stock_allocated for each in wire.stock_levels)
    own = wire.id if wire.options else None
    content = InventoryLevel(
        product=wire.product_id,
        variant=own,
        sku=wire.sku,
        counted=counted,
        quantity=Decimal(quantity) if counted else None,
        availability=_availability(quantity, least) if counted else "in_stock",
        backorders="yes" if least < 0 else "no",
    )
    record_id = f"{wire.product_id}:{own}" if own else wire.product_id
    return Record(record_id, latest(*(each.updated_at for each in wire.stock_levels)), content)


def _availability(quantity: int, least: int) -> str:
    if quantity > max(0, least):
        return "in_stock"
    return "on_backorder" if quantity > least else "out_of_stock"


def _price(wire: WireVariant, coins: Coins) -> Money | None:
    """The price as it was entered, with or without tax as the channel has it."""
    if _waits(wire, coins):
        return None
    return next((coins.money(each.price) for each in _priced(wire, coins)), None)


def _priced(wire: WireVariant, coins: Coins) -> list[WirePrice]:
    return [each for each in wire.prices if each.currency_code == coins.currency]


def _waits(wire: WireVariant, coins: Coins) -> bool:
    """Whether it waits for a price: Vendure has one for each variant, and so what has none is kept
    disabled, at a price of nothing.
    """
    return not wire.enabled and any(not each.price for each in _priced(wire, coins))


def _is_open(own: WireVariant, coins: Coins) -> bool:
    """Whether the only variant leaves it to its product what is for sale."""
    return own.enabled or _waits(own, coins)


def _status(wire: WireVariant, coins: Coins) -> str:
    """Enabled or not; of a variant that waits for a price, what it will be then."""
    noted = custom(wire.custom_fields, ONCE_PRICED) if _waits(wire, coins) else ""
    return noted or ("published" if wire.enabled else "draft")


def _tax_class(wire: WireVariant, tax_classes: Mapping[str, str]) -> str:
    return tax_classes.get(wire.tax_category.id, "") if wire.tax_category else ""


def _images(wire: WireProduct) -> list[Any]:
    first = wire.featured_asset
    rest = [each for each in wire.assets if first is None or each.id != first.id]
    return [first, *rest] if first else rest


def _categories(wire: WireProduct, members: Members) -> tuple[str, ...]:
    """Collections of the product. Of those that go by our facet its values are believed: Vendure
    itself follows some moments later.
    """
    ours = frozenset(members.values())
    found = {each.id for each in wire.collections if each.id not in ours}
    found |= {members[each.id] for each in wire.facet_values if each.id in members}
    return tuple(sorted(found, key=place))


def _is_tag(wire: WireFacetValue) -> bool:
    return wire.facet.code == TAGS_FACET


def _options(wire: WireProduct) -> list[Attribute]:
    groups = sorted(wire.option_groups, key=lambda each: place(each.id))
    return [
        Attribute(
            name=each.name,
            values=tuple(value.name for value in sorted(each.options, key=lambda o: place(o.id))),
            varies=True,
        )
        for each in groups
    ]


def _facets(values: Collection[WireFacetValue]) -> list[Attribute]:
    """Facets of a product, each with its values, in order of their ids."""
    found: defaultdict[tuple[tuple[int, str], str, bool], list[WireFacetValue]] = defaultdict(list)
    for each in values:
        if each.facet.code not in (OUR_FACET, TAGS_FACET):
            found[place(each.facet.id), each.facet.name, each.facet.is_private].append(each)
    return [
        Attribute(name=name, values=tuple(_names(found[key])), visible=not private)
        for key in sorted(found)
        for _, name, private in [key]
    ]


def _names(values: Sequence[WireFacetValue]) -> list[str]:
    ordered = sorted(values, key=lambda each: place(each.id))
    return list(dict.fromkeys(each.name for each in ordered))
