"""What Medusa shows of what it cannot keep: for `Loss.shows`. Pure."""

from __future__ import annotations

from connectors.base import Hint
from connectors.medusa.bodies import wire_status
from connectors.medusa.mapping_products import STATUSES
from connectors.records import InventoryLevel, Product


def status(product: Product) -> str:
    """A status that Medusa does not know becomes a draft."""
    wire = wire_status(product.status)
    return STATUSES.get(wire, wire)


def images(_: Product) -> Hint:
    """There are as many, under the same addresses."""
    return Hint.SAME


def availability(level: InventoryLevel) -> str:
    """It follows from what is counted."""
    if not level.counted or (level.quantity or 0) > 0:
        return "in_stock"
    return "out_of_stock" if level.backorders == "no" else "on_backorder"


def backorders(level: InventoryLevel) -> str:
    """Allowed or not, and only of what is counted."""
    return "yes" if level.counted and level.backorders != "no" else "no"
