"""What lists are asked for: filters of windows, and the orders that count. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connectors.base import Extent, Window
from connectors.records import Stream
from connectors.vendure.parts import iso
from connectors.vendure.states import CLOSED

Filter = dict[str, Any]

MOMENT = timedelta(milliseconds=1)
"""What the store shows of a time: it keeps more of it, so a record can seem this much too early."""

PLACED: Filter = {"orderPlacedAt": {"isNull": False}}
"""Carts and drafts are orders that nobody placed."""


def options(stream: Stream, extent: Extent) -> dict[str, Any]:
    """The options of a list for an extent."""
    found = _filter(stream, extent)
    return {"filter": found} if found else {}


def has_window(stream: Stream) -> bool:
    """Whether the stream can be asked for what changed."""
    return stream in (Stream.CATEGORIES, Stream.PRODUCTS, Stream.ORDERS)


def changed(since: datetime) -> Filter:
    """Changed at or after a moment: the store's bound is exclusive."""
    return {"updatedAt": {"after": iso(since - MOMENT)}}


def _filter(stream: Stream, extent: Extent) -> Filter:
    since = extent.since if isinstance(extent, Window) and has_window(stream) else None
    if stream is not Stream.ORDERS:
        return changed(since) if since else {}
    if since is None:
        return PLACED
    fresh = [
        changed(since),
        {"orderPlacedAt": {"after": iso(since - MOMENT)}},
        {"state": {"notIn": list(CLOSED)}},
    ]
    return {**PLACED, "_or": fresh}
