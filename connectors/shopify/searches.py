"""What the store is asked to look for. Pure.

A list is walked by the ids of its records: each page asks for those beyond the last one seen. The
store's own cursors end after 25,000 records, and those of a list by date move with the dates.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.base import Extent, Window
from connectors.records import Stream
from connectors.shopify.documents import KINDS

_DAY = timedelta(days=1)


def search(stream: Stream, extent: Extent, *, after: int = 0, upto: int | None = None) -> str:
    """The records of an extent beyond `after`, up to and with `upto`."""
    terms = [f"id:>{after}"]
    if upto is not None:
        terms.append(f"id:<={upto}")
    bound = asked_since(stream, extent)
    if bound is not None:
        terms.append(f"updated_at:>='{stamp(bound)}'")
    if KINDS[stream].always:
        terms.append(KINDS[stream].always)
    return " AND ".join(terms)


def asked_since(stream: Stream, extent: Extent) -> datetime | None:
    """The bound by date that the store is given, None for none.

    Of customers its documentation says that the bound means a whole day, and not in which zone.
    """
    if not isinstance(extent, Window) or not KINDS[stream].by_change:
        return None
    since = extent.since.astimezone(UTC).replace(microsecond=0)
    if stream is Stream.CUSTOMERS:
        return since.replace(hour=0, minute=0, second=0) - _DAY
    return since


def stamp(moment: datetime) -> str:
    """A time as searches take it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
