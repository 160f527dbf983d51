"""Whether Medusa answers where some work is going to ask.

A secret key may do all that there is, and has no role. A store with Medusa's access control by
roles refuses whoever has none, list by list: so each list is asked for one record.
"""

from __future__ import annotations

from connectors.concurrency import together
from connectors.errors import SignInAgain
from connectors.grants import Lack, Work
from connectors.medusa.api import Api
from connectors.medusa.fields import IDS, PATHS
from connectors.medusa.wire import WireId
from connectors.records import Stream

_POLICIES = {
    "customers": "customer",
    "orders": "order",
    "payments": "payment",
    "product-categories": "product_category",
    "products": "product",
    "stock-locations": "stock_location",
}
"""What access control calls the records of a list."""

_MORE = {Stream.ORDERS: ("payments",)}
_MORE_WRITTEN = {Stream.INVENTORY: ("stock-locations",)}
_PURPOSE = "The list is read, and written where the store is a target."
_GRANT = (
    "A secret key has no role, and a store with access control by roles lets nobody in who has "
    "none: turn it off (the feature flag rbac) while the shop is moved."
)


async def lacks(api: Api, work: Work, *, writing: bool) -> tuple[Lack, ...]:
    """The lists that are refused. `writing`: it is a target. Raises `StoreError`."""
    asked: dict[str, Stream] = {}
    for stream in Stream:
        if stream in work.streams:
            more = _MORE.get(stream, ()) + (_MORE_WRITTEN.get(stream, ()) if writing else ())
            for path in (PATHS[stream], *more):
                asked.setdefault(path, stream)
    refused = await together([_is_refused(api, path) for path in asked])
    return tuple(
        Lack(
            permission=f"{_POLICIES[path]}:read",
            stream=stream,
            purpose=_PURPOSE,
            grant=_GRANT,
        )
        for (path, stream), lacking in zip(asked.items(), refused, strict=True)
        if lacking
    )


async def _is_refused(api: Api, path: str) -> bool:
    try:
        await api.list(path, {"fields": IDS, "limit": 1}, WireId)
    except SignInAgain:
        return True
    return False
