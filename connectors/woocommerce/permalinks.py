"""Addresses of product pages, as WordPress tells them: shops make them in many forms."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from connectors.concurrency import together
from connectors.errors import BadAnswer
from connectors.records import Stream
from connectors.woocommerce.api import Api
from connectors.woocommerce.lists import BY_ID, PAGE, PATHS
from connectors.woocommerce.wire import WirePermalink

_FIELDS = "id,permalink,status"


async def product_paths(api: Api, ids: Sequence[str]) -> dict[str, str]:
    """Paths by id of those products that are published. Raises `StoreError`.

    Behind a proxy the scheme and the host of a permalink may be others than those that were
    called: only the path is used.
    """
    numbers = sorted({int(each) for each in ids if each.isdecimal()})
    asked: list[dict[str, str | int]] = [
        {
            **BY_ID,
            "status": "publish",
            "include": ",".join(map(str, numbers[start : start + PAGE])),
            "per_page": PAGE,
            "_fields": _FIELDS,
        }
        for start in range(0, len(numbers), PAGE)
    ]
    path = PATHS[Stream.PRODUCTS]
    pages = await together([api.list(path, each, WirePermalink) for each in asked])
    if any(page.failed for page in pages):
        raise BadAnswer("the store lists a product without an address")
    rows = [row for page in pages for row in page.rows]
    found = {str(row.id): urlsplit(row.permalink).path for row in rows if row.status == "publish"}
    return {each: path for each, path in found.items() if path.strip("/")}
