"""Stock as it is kept by stores that sell whatever they do not count. Pure."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from connectors.base import Loss, Operation
from connectors.records import InventoryLevel

NONE = "What is out of stock without being counted is counted as none."
_LOSSES = tuple(Loss(field, NONE) for field in ("counted", "quantity", "backorders"))


def countable(level: InventoryLevel) -> InventoryLevel:
    """The level as such a store keeps it: what is out of stock without being counted has none, or
    it would be for sale. Itself where that is no matter.
    """
    if level.counted or level.availability != "out_of_stock":
        return level
    return replace(level, counted=True, quantity=Decimal(0), backorders="no")


def losses_of(operation: Operation) -> tuple[Loss, ...]:
    """What a level lost by that."""
    level = operation.content
    is_other = isinstance(level, InventoryLevel) and countable(level) is not level
    return _LOSSES if is_other else ()
