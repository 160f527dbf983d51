"""What Shopify can do, stream by stream, and where its limits are."""

from __future__ import annotations

from connectors.base import Bounds, ReadCapability, Trust
from connectors.records import Stream

_BY_ID = (
    "Lists are walked by id, each page asking for what lies beyond the last one: Shopify's own "
    "cursors end after 25,000 records."
)
_LATE = "Searches read an index that follows the store by some seconds."
_OVERLAP = 900.0
_SETTLE = 30.0

READS: dict[Stream, ReadCapability] = {
    Stream.CATEGORIES: ReadCapability(
        trust=Trust.OVERLAP,
        overlap=_OVERLAP,
        settle=_SETTLE,
        bounds=Bounds.INCLUSIVE,
        ties=_BY_ID,
        shallow=True,
        page_size=50,
        blind_spots=(
            _LATE,
            "A metafield can change without moving the collection's date of change.",
            "Deleting a collection leaves no trace that its list shows.",
        ),
        moves=("title", "description", "image", "search engine texts", "products"),
    ),
    Stream.PRODUCTS: ReadCapability(
        trust=Trust.OVERLAP,
        overlap=_OVERLAP,
        settle=_SETTLE,
        bounds=Bounds.INCLUSIVE,
        ties=_BY_ID,
        shallow=True,
        page_size=50,
        blind_spots=(
            _LATE,
            "A sale moves stock but not the product's date of change.",
            "An automatic collection can take a product in or let it go without moving its date.",
            "A metafield can change without moving the product's date of change.",
            "The date of change moves without any change that is seen.",
        ),
        moves=("its own fields", "variants and their prices", "media", "tags", "publishing"),
    ),
    Stream.CUSTOMERS: ReadCapability(
        trust=Trust.OVERLAP,
        overlap=_OVERLAP,
        settle=_SETTLE,
        bounds=Bounds.INCLUSIVE,
        ties=_BY_ID,
        shallow=True,
        page_size=50,
        blind_spots=(
            _LATE,
            "A bound by date means a whole day: up to two days more are read and left out again.",
            "Customers without an email, from the counter above all, cannot be copied.",
            "Merging two customers makes one of them disappear.",
        ),
        moves=("its own fields", "addresses", "orders", "marketing consent"),
    ),
    Stream.ORDERS: ReadCapability(
        trust=Trust.OVERLAP,
        overlap=_OVERLAP,
        settle=_SETTLE,
        bounds=Bounds.INCLUSIVE,
        ties=_BY_ID,
        shallow=True,
        page_size=50,
        blind_spots=(
            _LATE,
            "Without the scope read_all_orders orders older than 60 days are in no list.",
            "A payment made elsewhere can bear a date before its order's.",
            "Deleting an order leaves no trace that its list shows.",
        ),
        moves=("status", "lines", "payment", "refund", "fulfilment", "note", "tags"),
    ),
    Stream.INVENTORY: ReadCapability(
        trust=Trust.SWEEP,
        bounds=Bounds.NONE,
        ties=_BY_ID,
        page_size=50,
        blind_spots=(
            "Stock moves no date that a list can be searched by: every run reads all levels.",
        ),
    ),
}
