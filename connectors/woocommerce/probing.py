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
from itertools import pairwise

from connectors.base import Finding, Severity, Window
from connectors.records import Stream
from connectors.woocommerce.api import Api, Listing
from connectors.woocommerce.lists import PATHS, latest, stamps_only
from connectors.woocommerce.parts import utc
from connectors.woocommerce.wire import WireStamp

NOT_KEPT = Finding(
    "filter_not_kept",
    "Asked for what changed since a moment, the store shows what changed before it.",
)
LOSES = Finding(
    "filter_loses_records",
    "Asked for what changed since a moment, the store leaves out records that changed later.",
)
UNSORTED = Finding("order_not_kept", "Asked for an order by id, the store answers in another.")
FUTURE = Finding(
    "stamp_in_the_future", "A record says that it will change in the future.", Severity.WARNING
)


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
    ids = [row.id for row in shown.rows]
    stamps = [stamp for row in shown.rows if (stamp := utc(row.date_modified_gmt))]
    seen = {
        NOT_KEPT: any(stamp < since for stamp in stamps),
        LOSES: _is_whole(shown) and not {row.id for row in newest} <= _ids(shown),
        UNSORTED: any(left >= right for left, right in pairwise(ids)),
        FUTURE: now is not None and any(stamp > now for stamp in stamps),
    }
    return tuple(finding for finding, found in seen.items() if found)


def _is_whole(shown: Listing[WireStamp]) -> bool:
    """Whether the page holds all that the store counts: a short one proves no loss."""
    return shown.total is not None and shown.total <= len(shown.rows) + len(shown.failed)


def _ids(shown: Listing[WireStamp]) -> set[int]:
    return {row.id for row in shown.rows} | {number for number, _ in shown.failed}
