"""Does the store do what windows rely on? Two requests whose right answer is known beforehand.

A search that is not understood is no finding but an error: Shopify says so, and shows everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from connectors.base import Finding, Window
from connectors.probing import judged
from connectors.records import Stream
from connectors.shopify.api import Api
from connectors.shopify.capabilities import READS
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
    now = api.http.server_date
    return findings(_indexed(stream, latest, now), shown, since=since or min(stamps), now=now)


def _indexed(stream: Stream, latest: Sequence[WireMark], now: datetime | None) -> list[WireMark]:
    """The records that the store's index must know by now: it follows the store by some seconds,
    and until then a search finds a record where it stood before its change.
    """
    if now is None:
        return list(latest)
    known = now - timedelta(seconds=READS[stream].settle)
    return [row for row in latest if (stamp := utc(row.updated_at)) and stamp <= known]


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
