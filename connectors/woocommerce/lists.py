"""Which lists make up a stream, and how each is asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from connectors.base import Extent, Sweep, Window
from connectors.records import Stream
from connectors.woocommerce.wire import (
    WireCategory,
    WireCustomer,
    WireOrder,
    WireProduct,
    WireStock,
)

PATHS: dict[Stream, str] = {
    Stream.CATEGORIES: "products/categories",
    Stream.PRODUCTS: "products",
    Stream.CUSTOMERS: "customers",
    Stream.ORDERS: "orders",
    Stream.INVENTORY: "products",
}

ROWS: dict[Stream, type] = {
    Stream.CATEGORIES: WireCategory,
    Stream.PRODUCTS: WireProduct,
    Stream.CUSTOMERS: WireCustomer,
    Stream.ORDERS: WireOrder,
    Stream.INVENTORY: WireStock,
}

BY_ID: dict[str, str | int] = {"orderby": "id", "order": "asc"}
"""Sorted by id: nothing else is stable."""

PAGE = 100
"""Records a list shows at once, at the most."""

ALL = "any"
TRASH = "trash"
OPEN = "open"
"""Orders that still go on, however old; only read where a sweep leaves old ones out."""

_STOCK_FIELDS = "id,sku,manage_stock,stock_quantity,stock_status,backorders,date_modified_gmt"
VARIATION_STOCK_FIELDS = _STOCK_FIELDS
PRODUCT_STOCK_FIELDS = f"{_STOCK_FIELDS},type,variations"

_FILTERS: dict[tuple[Stream, str], dict[str, str]] = {
    (Stream.CATEGORIES, ALL): {},
    # `any` alone leaves the trash out; a status of its own would leave out the rest.
    (Stream.PRODUCTS, ALL): {"include_status": "any,trash"},
    (Stream.CUSTOMERS, ALL): {"role": "all"},
    (Stream.ORDERS, ALL): {"status": "any"},
    # `status=any,trash` silently drops the trash: it has to be a list of its own.
    (Stream.ORDERS, TRASH): {"status": "trash"},
    (Stream.ORDERS, OPEN): {"status": "pending,processing,on-hold"},
    (Stream.INVENTORY, ALL): {"status": "any", "_fields": PRODUCT_STOCK_FIELDS},
}


_STAMPS = "id,status,date_modified_gmt"
_NEWEST = 20


def names(stream: Stream, extent: Extent) -> tuple[str, ...]:
    """The lists of a stream, in the order they are read."""
    if stream is not Stream.ORDERS:
        return (ALL,)
    return (ALL, TRASH, OPEN) if _horizon(extent) else (ALL, TRASH)


def query(stream: Stream, name: str, extent: Extent) -> dict[str, str | int]:
    """The query of a list, without a place in it."""
    bounds = {} if name == OPEN else _bounds(stream, extent)
    return {**BY_ID, **_FILTERS[stream, name], **bounds}


def stamps_only(stream: Stream, extent: Extent, name: str = ALL) -> dict[str, str | int]:
    """The query of a list that shows ids and dates of change: its first page."""
    return query(stream, name, extent) | {"per_page": PAGE, "_fields": _STAMPS}


def latest(stream: Stream) -> dict[str, str | int]:
    """The query of the records that changed last. Good for a look, never for a walk."""
    by_date: dict[str, str | int] = {"orderby": "modified", "order": "desc"}
    return by_date | _FILTERS[stream, ALL] | {"per_page": _NEWEST, "_fields": _STAMPS}


def is_filtered(stream: Stream, extent: Extent) -> bool:
    """Whether the store can keep unchanged records back. Everything else is read in full."""
    return isinstance(extent, Window) and has_filter(stream)


def has_filter(stream: Stream) -> bool:
    """Whether the store knows a filter by date of change for this stream."""
    return stream in (Stream.PRODUCTS, Stream.ORDERS)


def _bounds(stream: Stream, extent: Extent) -> dict[str, str]:
    """The only form that is right in every time zone: GMT, without a zone, and said to be GMT.

    A window has no upper bound: records that change while they are read would leave the list and
    shift the others.
    """
    horizon = _horizon(extent)
    if isinstance(extent, Window) and is_filtered(stream, extent):
        return {"modified_after": _before(extent.since), "dates_are_gmt": "true"}
    if horizon is not None and stream is Stream.ORDERS:
        return {"after": _before(horizon), "dates_are_gmt": "true"}
    return {}


def _horizon(extent: Extent) -> datetime | None:
    return extent.since_created if isinstance(extent, Sweep) else None


def _before(moment: datetime) -> str:
    """A bound is exclusive and counts whole seconds, hence one second less."""
    bound = moment.astimezone(UTC).replace(microsecond=0) - timedelta(seconds=1)
    return bound.strftime("%Y-%m-%dT%H:%M:%S")
