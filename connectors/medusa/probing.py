"""Does the store do what windows over orders rely on? Two requests whose answers are known."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Finding
from connectors.medusa.api import Api, Asked
from connectors.medusa.fields import IDS
from connectors.medusa.parts import iso, utc
from connectors.medusa.wire import WireStamp
from connectors.probing import judged

_NEWEST = 20
_PAGE = 100
_SECOND = timedelta(seconds=1)


async def probe(api: Api) -> tuple[Finding, ...]:
    """The orders that changed last, and then all that changed since the oldest of these."""
    newest = await api.list(
        "orders", {"fields": IDS, "order": "-updated_at", "limit": _NEWEST}, WireStamp
    )
    stamps = [stamp for row in newest.rows if (stamp := utc(row.updated_at))]
    if not stamps:
        return ()
    since = min(stamps)
    query: Asked = {
        "fields": IDS,
        "order": "id",
        "limit": _PAGE,
        "updated_at[$gte]": iso(since) or "",
    }
    shown = await api.list("orders", query, WireStamp)
    now = api.http.server_date
    return judged(
        set(newest.ids),
        # How its database sorts texts is the store's own affair.
        (),
        [stamp for row in shown.rows if (stamp := utc(row.updated_at))],
        whole=set(shown.ids) if shown.total <= len(shown.ids) else None,
        since=since,
        now=now and now + _SECOND,
    )
