"""What targets show in place of what they cannot keep, where several do alike: for `Loss.shows`.

Each is asked for a record of the source and answers with the value of one field. Pure.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from connectors.base import Hint
from connectors.levels import countable
from connectors.records import InventoryLevel, Money, Product, Variant


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


def attributes(product: Product) -> Any:
    """What a product without variants is described by is not kept. How a store orders what
    variants differ in, nobody can tell.
    """
    return Hint.ANYTHING if product.variants else ()


def counted(level: InventoryLevel) -> bool:
    """What is sold out without being counted is counted."""
    return countable(level).counted


def quantity(level: InventoryLevel) -> Decimal | None:
    """What is sold out without being counted is counted as none."""
    return countable(level).quantity


def availability(level: InventoryLevel) -> str:
    """It follows from what is counted."""
    kept = countable(level)
    if not kept.counted or (kept.quantity or 0) > 0:
        return "in_stock"
    return "out_of_stock" if kept.backorders == "no" else "on_backorder"


def backorders(level: InventoryLevel) -> str:
    """Allowed or not, and only of what is counted."""
    kept = countable(level)
    return "yes" if kept.counted and kept.backorders != "no" else "no"
