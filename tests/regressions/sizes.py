"""A shirt in two sizes."""

from __future__ import annotations

from typing import Any

from tests.connectors.practice import Practice
from tests.regressions.goods import goods


async def shirt(shop: Practice) -> int:
    """The id of the product."""
    [parent] = (await shop.load(product=goods(1, type="variable", regular_price="")))["product"]
    for size in ("S", "M"):
        option = {"name": "Size", "option": size}
        body = {"regular_price": "5.00", "attributes": [option]}
        await shop.admin("POST", f"products/{parent}/variations", body)
    return parent


async def sizes(shop: Practice, parent: int) -> dict[str, dict[str, Any]]:
    """Variations by their size."""
    rows = await shop.admin("GET", f"products/{parent}/variations?per_page=100")
    return {row["attributes"][0]["option"]: row for row in rows}
