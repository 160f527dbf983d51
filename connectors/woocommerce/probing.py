"""Does the store do what windows rely on? Two requests that know the right answer beforehand.

The store names the records that changed last, and is then asked for everything that changed
since the oldest of them: they must all be there, in order of their ids, and nothing older. A
filter that is ignored shows older records; a bound that is read in another time zone loses some
of those it was made from, or shows older ones. A bound of long ago would show neither: an hour
more or less means nothing there.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connectors.base import Finding, Window
from connectors.probing import judged
from connectors.records import Stream
from connectors.woocommerce.api import Api, Listing
from connectors.woocommerce.lists import PATHS, latest, stamps_only
from connectors.woocommerce.parts import utc
from connectors.woocommerce.wire import WireStamp


async def probe(api: Api, stream: Stream) -> tuple[Finding, ...]:
    """Look at one stream that has a filter by date. Raises `StoreError`."""
    newest = await api.list(PATHS[stream], latest(stream), WireStamp)
    stamps = [stamp for row in newest.rows if (stamp := utc(row.date_modified_gmt))]
    if not stamps:
        return ()
    since = min(stamps)
    shown = await api.list(
        PATHS[stream], stamps_only(stream, Window(since=since, until=since)), WireStamp
    )
    return findings(newest.rows, shown, since=since, now=api.http.server_date)


def findings(
    newest: Sequence[WireStamp],
    shown: Listing[WireStamp],
    *,
    since: datetime,
    now: datetime | None,
) -> tuple[Finding, ...]:
    """Judge: `newest` all changed at or after `since`; `shown` is what the filter let through.
    `now` is the store's clock.
    """
    return judged(
        {row.id for row in newest},
        [row.id for row in shown.rows],
        [stamp for row in shown.rows if (stamp := utc(row.date_modified_gmt))],
        whole=_ids(shown) if _is_whole(shown) else None,
        since=since,
        now=now,
    )


def _is_whole(shown: Listing[WireStamp]) -> bool:
    """Whether the page holds all that the store counts: a short one proves no loss."""
    return shown.total is not None and shown.total <= len(shown.rows) + len(shown.failed)


def _ids(shown: Listing[WireStamp]) -> set[int]:
    return {row.id for row in shown.rows} | {number for number, _ in shown.failed}
