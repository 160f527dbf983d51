"""What targets show in place of what they cannot keep, where several do alike: for `Loss.shows`.

Each is asked for a record of the source and answers with the value of one field. Pure.
"""

from __future__ import annotations

from typing import Any

from connectors import variants
from connectors.base import Hint
from connectors.records import Money, Product, Variant


def nothing(_: Any) -> str:
    """A text that is not kept."""
    return ""


def none(_: Any) -> None:
    """A value that is not kept."""


def published(_: Variant) -> str:
    """Variants have no status: what is not for sale at the source is for sale."""
    return "published"


def kind(product: Product) -> str:
    """There are products with variants and products without."""
    return "variable" if product.variants else "simple"


def own_sku(product: Product) -> str:
    """A product with variants has no SKU of its own."""
    return "" if product.variants else product.sku


def own_price(product: Product) -> Money | None:
    """A product with variants has no price of its own."""
    return None if product.variants else product.regular_price


def own_barcode(product: Product) -> str:
    """A product with variants has no barcode of its own."""
    return "" if product.variants else product.barcode


def told_apart(product: Product) -> tuple[Variant, ...]:
    """Variants differ in their options."""
    return variants.told_apart(product).variants


def attributes(product: Product) -> Any:
    """What a product without variants is described by is not kept. How a store orders what
    variants differ in, nobody can tell.
    """
    return Hint.ANYTHING if product.variants else ()
