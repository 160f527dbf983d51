"""What Medusa shows of what it cannot keep: for `Loss.shows`. Pure."""

from __future__ import annotations

from connectors.base import Hint
from connectors.medusa.bodies import wire_status
from connectors.medusa.mapping_products import STATUSES
from connectors.records import Product


def status(product: Product) -> str:
    """A status that Medusa does not know becomes a draft."""
    wire = wire_status(product.status)
    return STATUSES.get(wire, wire)


def images(_: Product) -> Hint:
    """There are as many, under the same addresses."""
    return Hint.SAME
