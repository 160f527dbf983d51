"""What Medusa can do, stream by stream, and where its limits are. All of it measured."""

from __future__ import annotations

from connectors import shown, stock
from connectors.base import (
    Action,
    Bounds,
    Loss,
    ReadCapability,
    Removal,
    Trust,
    WriteCapability,
)
from connectors.medusa import losses
from connectors.prices import COPIED
from connectors.records import Stream

_AT_ONCE = (
    "All ids are asked for at once, then the records by id: pages by number lose records, because "
    "many share one date of change."
)
_BY_ID = "The list is walked by id, each page asking for what lies beyond the last one."
_DELETED = "What is deleted is in no list any more: only a sweep shows it."

_PRODUCTS = (
    "Changing variants, prices, images, tags, categories or options leaves the product's date of "
    "change as it was: every run reads all products."
)
_ADDRESSES = (
    "Changing an address leaves the customer's date of change as it was: every run reads all of "
    "them."
)
_GUESTS = "A guest and an account of one email are two customers; only one of them can be copied."
_CAPTURES = (
    "A capture leaves the order's date of change as it was: a window also reads the orders of all "
    "payments that changed."
)
_ANNOUNCED = (
    "A customer that is created is announced to the store's own programs, as `customer.created`: "
    "turn off what greets new customers."
)
_PLACES = (
    "Stock is set at one location; what others have to sell, and what is reserved for open orders "
    "of the target, is taken into account."
)
_METADATA = (
    "A fee is a line of the order; a note, and what else Medusa has no field for, stands in the "
    "order's metadata."
)

_CURRENCY = (
    "Prices are written in the store's default currency: a product with a price in any other one "
    "is refused (`other_currency`)."
)
_SIZES = (
    "A product with all its variants goes in one request, of which the store takes 2 MB: some "
    "5,000 variants. Of a category or a customer it takes 100 KB."
)

READS: dict[Stream, ReadCapability] = {
    Stream.CATEGORIES: ReadCapability(
        trust=Trust.SWEEP,
        granularity=0.001,
        bounds=Bounds.NONE,
        ties=_AT_ONCE,
        blind_spots=("Every run reads all categories.", _DELETED),
    ),
    Stream.PRODUCTS: ReadCapability(
        trust=Trust.SWEEP,
        granularity=0.001,
        bounds=Bounds.NONE,
        ties=_AT_ONCE,
        blind_spots=(
            _PRODUCTS,
            "Prices of price lists, and with them sales, are not read.",
            _DELETED,
        ),
    ),
    Stream.CUSTOMERS: ReadCapability(
        trust=Trust.SWEEP,
        granularity=0.001,
        bounds=Bounds.NONE,
        ties=_BY_ID,
        blind_spots=(
            _ADDRESSES,
            _GUESTS,
            _DELETED,
        ),
    ),
    Stream.ORDERS: ReadCapability(
        trust=Trust.OVERLAP,
        granularity=0.001,
        bounds=Bounds.INCLUSIVE,
        ties=_BY_ID,
        blind_spots=(
            _CAPTURES,
            "Dates of change are set before a change can be seen, by seconds in large batches.",
            "A shipment need not move its order's date: a sweep shows it, or the next change.",
            "Draft orders are not read.",
        ),
        moves=("status", "addresses", "email", "metadata", "refund"),
    ),
    Stream.INVENTORY: ReadCapability(
        trust=Trust.SWEEP,
        granularity=0.001,
        bounds=Bounds.NONE,
        ties=_AT_ONCE,
        blind_spots=("Stock moves no date that can be asked for: every run reads all levels.",),
    ),
}

_DELETE = Removal(Action.DELETE)
_ARCHIVE = Removal(Action.ARCHIVE, undo=True)

_RECKONED = frozenset(
    {
        "total",
        "tax_total",
        "shipping_total",
        "discount_total",
        "lines.tax",
        "lines.subtotal_tax",
        "shipping_lines.tax",
        "fees.tax",
    }
)
"""What the store reckons from prices, rates and discounts."""

WRITES: dict[Stream, WriteCapability] = {
    Stream.CATEGORIES: WriteCapability(
        merges=True,
        batch=20,
        removals=(_DELETE,),
        refuses_doubles=True,
        losses=(
            Loss("image", "Categories have no images.", whole=True),
            Loss("position", "Medusa numbers the categories of one parent itself.", whole=True),
            Loss("extra", "Settings of extensions become metadata."),
        ),
        notes=("A category that has others below it cannot be deleted.",),
    ),
    Stream.PRODUCTS: WriteCapability(
        merges=True,
        batch=50,
        find_batch=50,
        removals=(_ARCHIVE, _DELETE),
        refuses_doubles=True,
        losses=(
            Loss("created_at", "The target dates products itself.", whole=True),
            Loss(
                "kind",
                "Products come with variants or without, and in no other kind.",
                shows=shown.kind,
            ),
            Loss(
                "regular_price",
                "A product with variants has no price of its own.",
                shows=shown.own_price,
            ),
            Loss("sale_price", "Sales are price lists, which are not written.", whole=True),
            Loss("sale_from", "Sales are price lists, which are not written.", whole=True),
            Loss("sale_to", "Sales are price lists, which are not written.", whole=True),
            Loss("status", "Private and archived products become drafts.", shows=losses.status),
            Loss("visibility", "Products are published or not.", whole=True),
            Loss("featured", "Products are not featured.", whole=True),
            Loss(
                "images",
                "The target keeps the addresses of images, not the images.",
                shows=losses.images,
            ),
            Loss("attributes", "Only what variants differ in is kept.", shows=shown.attributes),
            Loss(
                "barcode",
                "A product with variants has no barcode of its own.",
                shows=shown.own_barcode,
            ),
            Loss("variants.status", "Variants are all for sale.", shows=shown.published),
            Loss("variants.description", "Variants have no description.", shows=shown.nothing),
            Loss("tax_class", "Taxes follow from the target's own settings.", whole=True),
            Loss("taxable", "Taxes follow from the target's own settings.", whole=True),
            Loss("extra", "Settings of extensions become metadata."),
        ),
        notes=(
            "Products carry our key in `external_id`, and come into the default sales channel.",
            "A new product counts its stock: nothing of it can be sold before its level is there.",
            "The SKU of a product whose variants have their own is kept in metadata.",
            "A slug that is no handle, or a taken one, becomes another one.",
            "An archived product is a draft: it keeps its handle and its SKUs.",
            "What variants differ in cannot change once they are there.",
            _CURRENCY,
            COPIED,
            "A product without a price is shown and cannot be bought.",
            _SIZES,
        ),
    ),
    Stream.CUSTOMERS: WriteCapability(
        merges=True,
        batch=20,
        find_batch=20,
        removals=(_DELETE,),
        refuses_doubles=True,
        losses=(
            Loss("created_at", "The target dates customers itself.", whole=True),
            Loss("role", "Customers have no roles.", whole=True),
            Loss("username", "Customers sign in by their email.", whole=True),
            Loss("extra", "Groups and further addresses stay behind."),
        ),
        notes=(
            "Customers are written without an account: each makes one with the same email.",
            _ANNOUNCED,
        ),
    ),
    Stream.ORDERS: WriteCapability(
        idempotent=True,
        merges=True,
        derived=_RECKONED,
        batch=20,
        find_batch=50,
        losses=(
            Loss(
                "tax_total",
                "It is what the taxes of the parts come to, and not rounded once.",
                shows=losses.tax_total,
            ),
            Loss("fulfilments", "Shipments keep their dates, pieces and tracking numbers alone."),
            Loss("extra", "Settings of extensions become metadata."),
        ),
        notes=(
            "Orders need the add-on in the store (addons/medusa); without it none is written.",
            _METADATA,
            "An order that people of the target have edited, paid or sent is theirs.",
            "A number that is no whole number stands in the order's custom number.",
        ),
    ),
    Stream.INVENTORY: WriteCapability(
        batch=100,
        losses=stock.LOSSES,
        notes=(
            _PLACES,
            "Stock below zero is refused.",
        ),
    ),
}
