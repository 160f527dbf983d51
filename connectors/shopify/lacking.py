"""Which access scopes an app lacks for some work: those that it has are listed by the store."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.grants import Lack, Work
from connectors.records import Stream
from connectors.shopify.api import Api
from connectors.shopify.documents import SHOP
from connectors.shopify.granting import PURPOSES
from connectors.shopify.shop import ALL_ORDERS, READING, REDIRECT_SCOPES, WRITING, granted_scopes
from connectors.shopify.wire import WireShopAnswer

_GRANT = (
    "Add the scope to the app's version, release it, and approve it in the store; "
    "of an older custom app, tick it under Configuration and install the app anew."
)
_ASK = "Ask Shopify for it in the app's settings, under API access, and then as any other scope."


async def lacks(api: Api, work: Work, *, writing: bool) -> tuple[Lack, ...]:
    """What the app lacks in this store. `writing`: it is a target. Raises `StoreError`."""
    granted = granted_scopes(await api.ask(SHOP, WireShopAnswer))
    return tuple(
        Lack(
            permission=scope,
            stream=stream,
            purpose=PURPOSES[scope],
            grant=_ASK if scope == ALL_ORDERS else _GRANT,
        )
        for stream, scope in _needed(work, writing=writing)
        if scope not in granted
    )


def _needed(work: Work, *, writing: bool) -> Iterator[tuple[Stream | None, str]]:
    """Scopes, and the streams that need them. To write a stream is to delete in it as well."""
    for stream in Stream:
        if stream not in work.streams:
            continue
        scopes = READING[stream] | (WRITING[stream] if writing else frozenset())
        yield from ((stream, each) for each in sorted(scopes))
        if stream is Stream.ORDERS and not writing:
            yield stream, ALL_ORDERS
    if writing and work.redirects:
        yield from ((None, each) for each in sorted(REDIRECT_SCOPES))
