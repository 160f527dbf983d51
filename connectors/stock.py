"""Stock on platforms that know no more than how many pieces there are, if they count. Pure.

There everything that is not counted is for sale. And what shoppers may order without a piece being
there is allowed or not, with a notice or without. Each variant has stock of its own: of what a
product counts for all its variants, each gets all. The second half answers for `Loss.shows`.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from connectors.base import Loss
from connectors.records import InventoryLevel


def as_counted(level: InventoryLevel) -> InventoryLevel:
    """The level as it is written: of what is sold out without being counted there is none."""
    if level.counted or level.availability != "out_of_stock":
        return level
    return replace(level, counted=True, quantity=Decimal(0), backorders="no")


def counted(level: InventoryLevel) -> bool:
    """What is sold out is counted."""
    return as_counted(level).counted


def quantity(level: InventoryLevel) -> Decimal | None:
    """Of what is sold out there is none."""
    return as_counted(level).quantity


def backorders(level: InventoryLevel) -> str:
    """Allowed or not, and only of what is counted."""
    written = as_counted(level)
    return "yes" if written.counted and written.backorders != "no" else "no"


def availability(level: InventoryLevel) -> str:
    """It follows from what is counted. What the source does not sell, no target may sell."""
    if level.availability == "out_of_stock":
        return level.availability
    if not level.counted or (level.quantity or 0) > 0:
        return "in_stock"
    return "out_of_stock" if level.backorders == "no" else "on_backorder"


def shared(_: InventoryLevel) -> bool:
    """Each variant is counted for itself."""
    return False


LOSSES = (
    Loss("counted", "What is sold out without being counted is counted as none.", shows=counted),
    Loss("quantity", "What is sold out without being counted is counted as none.", shows=quantity),
    Loss("availability", "It follows from the quantity.", shows=availability),
    Loss("backorders", "Backorders are allowed or not.", shows=backorders),
    Loss(
        "shared",
        "Stock that a product counts for all its variants is counted for each of them, and each "
        "has all of it: selling one leaves the others', so that more can be sold than is there, "
        "at the most all of it once for each variant.",
        shows=shared,
    ),
)
"""Declared by every such platform."""
