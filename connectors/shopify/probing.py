"""Does the store do what windows rely on? Two requests whose right answer is known beforehand.

A search that is not understood is no finding but an error: Shopify says so, and shows everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.base import Finding, Window
from connectors.probing import judged
from connectors.records import Stream
from connectors.shopify.api import Api
from connectors.shopify.documents import KINDS, marks, newest
from connectors.shopify.parts import number, utc
from connectors.shopify.searches import asked_since, search
from connectors.shopify.wire import Nodes, WireMark

_PAGE = 250
_Lists = dict[str, Nodes[WireMark]]


async def probe(api: Api, stream: Stream) -> tuple[Finding, ...]:
    """Look at one stream that can be searched by date of change. Raises `StoreError`."""
    kind = KINDS[stream]
    everything = " AND ".join(["id:>0", *([kind.always] if kind.always else [])])
    latest = (await api.ask(newest(stream), _Lists, {"search": everything}))[kind.list].nodes
    stamps = [stamp for row in latest if (stamp := utc(row.updated_at))]
    if not stamps:
        return ()
    window = Window(since=min(stamps), until=min(stamps))
    variables = {"first": _PAGE, "search": search(stream, window)}
    shown = (await api.ask(marks(stream), _Lists, variables))[kind.list]
    since = asked_since(stream, window)
    return findings(latest, shown, since=since or min(stamps), now=api.http.server_date)


def findings(
    latest: Sequence[WireMark], shown: Nodes[WireMark], *, since: datetime, now: datetime | None
) -> tuple[Finding, ...]:
    """Judge: all of `latest` changed at or after `since`; `shown` is what the search let through.
    `now` is the store's clock.
    """
    ids = [int(number(row.id)) for row in shown.nodes]
    return judged(
        {int(number(row.id)) for row in latest},
        ids,
        [stamp for row in shown.nodes if (stamp := utc(row.updated_at))],
        whole=None if shown.page_info.has_next_page else set(ids),
        since=since,
        now=now,
    )
