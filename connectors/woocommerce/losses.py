"""What WooCommerce shows of what it cannot keep: for `Loss.shows`. Pure."""

from __future__ import annotations

from connectors.base import Hint
from connectors.records import Product


def attributes(product: Product) -> Hint:
    """Names and values stay. Those of one name become one, those without values go, and a stroke
    parts values from each other.
    """
    names = {each.name.casefold() for each in product.attributes}
    is_plain = len(names) == len(product.attributes) and all(
        each.values and not any("|" in value for value in each.values)
        for each in product.attributes
    )
    return Hint.SAME if is_plain else Hint.ANYTHING
