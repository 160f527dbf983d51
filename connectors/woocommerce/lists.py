"""Which lists make up a stream, and how each is asked for."""

from __future__ import annotations

from datetime import UTC, timedelta

from connectors.base import Extent, Window
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
    (Stream.INVENTORY, ALL): {"status": "any", "_fields": PRODUCT_STOCK_FIELDS},
}


def names(stream: Stream) -> tuple[str, ...]:
    """The lists of a stream, in the order they are read."""
    return (ALL, TRASH) if stream is Stream.ORDERS else (ALL,)


def query(stream: Stream, name: str, extent: Extent) -> dict[str, str | int]:
    """The query of a list, without a place in it."""
    return {**BY_ID, **_FILTERS[stream, name], **_since(stream, extent)}


def is_filtered(stream: Stream, extent: Extent) -> bool:
    """Whether the store can keep unchanged records back. Everything else is read in full."""
    return isinstance(extent, Window) and stream in (Stream.PRODUCTS, Stream.ORDERS)


def _since(stream: Stream, extent: Extent) -> dict[str, str]:
    """The only form that is right in every time zone: GMT, without a zone, and said to be GMT.

    The bound is exclusive and counts whole seconds, hence one second less. There is no upper
    bound: records that change while they are read would leave the list and shift the others.
    """
    if not isinstance(extent, Window) or not is_filtered(stream, extent):
        return {}
    bound = extent.since.astimezone(UTC).replace(microsecond=0) - timedelta(seconds=1)
    return {"modified_after": bound.strftime("%Y-%m-%dT%H:%M:%S"), "dates_are_gmt": "true"}
