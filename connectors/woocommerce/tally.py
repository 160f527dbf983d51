"""Counting levels of stock: products as the store counts them, variations by the list of the
products that have any. No product's own list of variations is asked for.
"""

from __future__ import annotations

from connectors.base import Sweep
from connectors.records import Stream
from connectors.woocommerce.api import Api
from connectors.woocommerce.lists import ALL, PAGE, PATHS, query
from connectors.woocommerce.wire import WireStock

_WITH_VARIATIONS, _NO_STOCK = "variable", "external"
_FIELDS = "id,type,variations"


async def levels(api: Api, pages: int) -> int | None:
    """How many levels a sweep delivers; None where more than so many pages would have to be read,
    or where the store does not filter by type. Raises `StoreError`.
    """
    products = await _total(api, {})
    without = await _total(api, {"type": _NO_STOCK})
    parents = await _total(api, {"type": _WITH_VARIATIONS})
    if products is None or without is None or parents is None or parents > pages * PAGE:
        return None
    found = products - without
    for offset in range(0, parents, PAGE):
        rows = await api.list(
            PATHS[Stream.INVENTORY],
            _asked({"type": _WITH_VARIATIONS}) | {"offset": offset, "per_page": PAGE},
            WireStock,
        )
        if any(row.type != _WITH_VARIATIONS for row in rows.rows):
            return None
        # The stock of a variable product is that of its variations.
        found += sum(len(row.variations) - 1 for row in rows.rows)
    return found


def _asked(more: dict[str, str | int]) -> dict[str, str | int]:
    return query(Stream.INVENTORY, ALL, Sweep()) | {"_fields": _FIELDS} | more


async def _total(api: Api, more: dict[str, str | int]) -> int | None:
    page = await api.list(PATHS[Stream.INVENTORY], _asked(more) | {"per_page": 1}, WireStock)
    return page.total
