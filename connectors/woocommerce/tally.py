"""Counting levels of stock: products as the store counts them, variations by the list of the
products that have any. No product's own list of variations is asked for.
"""

from __future__ import annotations

from http import HTTPStatus

from connectors.base import Sweep
from connectors.records import Stream
from connectors.woocommerce.api import Api, RefusedRequest
from connectors.woocommerce.lists import ALL, PAGE, PATHS, query
from connectors.woocommerce.wire import WireStock

_WITH_VARIATIONS, _NO_STOCK = ("variable", "variable-subscription"), "external"
"""Kinds of products; the store knows the second one where the extension is there."""

_FIELDS = "id,type,variations"


async def levels(api: Api, pages: int) -> int | None:
    """How many levels a sweep delivers; None where more than so many pages would have to be read,
    or where the store does not filter by type. Raises `StoreError`.
    """
    products = await _total(api, {})
    without = await _total(api, {"type": _NO_STOCK})
    if products is None or without is None:
        return None
    found = products - without
    for kind in _WITH_VARIATIONS:
        parents = await _total_of_kind(api, kind)
        if parents is None or parents > pages * PAGE:
            return None
        for offset in range(0, parents, PAGE):
            rows = await api.list(
                PATHS[Stream.INVENTORY],
                _asked({"type": kind}) | {"offset": offset, "per_page": PAGE},
                WireStock,
            )
            if any(row.type != kind for row in rows.rows):
                return None
            # The stock of a variable product is that of its variations.
            found += sum(len(row.variations) - 1 for row in rows.rows)
    return found


async def _total_of_kind(api: Api, kind: str) -> int | None:
    """How many products are of a kind; the store refuses to filter by one it does not know."""
    try:
        return await _total(api, {"type": kind})
    except RefusedRequest as error:
        if error.status != HTTPStatus.BAD_REQUEST:
            raise
        return 0


def _asked(more: dict[str, str | int]) -> dict[str, str | int]:
    return query(Stream.INVENTORY, ALL, Sweep()) | {"_fields": _FIELDS} | more


async def _total(api: Api, more: dict[str, str | int]) -> int | None:
    page = await api.list(PATHS[Stream.INVENTORY], _asked(more) | {"per_page": 1}, WireStock)
    return page.total
