"""What Shopify can do, stream by stream, and where its limits are."""

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
from connectors.prices import COPIED
from connectors.records import Stream
from connectors.shopify import losses

_BY_ID = (
    "Lists are walked by id, each page asking for what lies beyond the last one: Shopify's own "
    "cursors end after 25,000 records."
)
_LATE = "Searches read an index that follows the store by some seconds."
_HISTORY = "No list shows a deletion: the store's history tells of it, and is kept for a year."
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
            _HISTORY,
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
            "A product that is on any sales channel counts as published on all of them.",
            _HISTORY,
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
            _HISTORY,
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
            "What an edit took out of an order that was cancelled later is read as sold.",
            _HISTORY,
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

_DELETE = Removal(Action.DELETE)
_ARCHIVE = Removal(Action.ARCHIVE, undo=True)
_IMAGES = "The target fetches images and keeps them under its own address."

_RECKONED = frozenset(
    {
        "total",
        "tax_total",
        "shipping_total",
        "discount_total",
        "prices_include_tax",
        "discounts",
        "taxes",
        "transactions",
        "refunds",
        "fulfilments",
        "paid_at",
        "completed_at",
        "lines.tax",
        "lines.subtotal_tax",
        "shipping_lines.tax",
        "fees.tax",
    }
)
"""What the store reckons or dates itself, and refunds, which are paired one by one."""

WRITES: dict[Stream, WriteCapability] = {
    Stream.CATEGORIES: WriteCapability(
        merges=True,
        batch=20,
        find_batch=50,
        removals=(_DELETE,),
        losses=(
            Loss("parent", "Collections have no parents.", whole=True),
            Loss("position", "Collections have no order among themselves.", whole=True),
            Loss("image", _IMAGES),
            Loss("extra", "Rules that fill a collection by themselves stay behind."),
        ),
        notes=("A new collection goes on the Online Store, or on the channels in the settings.",),
    ),
    Stream.PRODUCTS: WriteCapability(
        merges=True,
        batch=20,
        find_batch=20,
        removals=(_ARCHIVE, _DELETE),
        losses=(
            Loss("created_at", "The target dates products itself.", whole=True),
            Loss("short_description", "Products have one description.", whole=True),
            Loss(
                "kind",
                "Products come with variants or without, and in no other kind.",
                shows=shown.kind,
            ),
            Loss(
                "status",
                "Private and pending products become drafts, and what has no price.",
                shows=losses.status,
            ),
            Loss("visibility", "Products are visible or unlisted.", shows=losses.visibility),
            Loss("featured", "Products are not featured.", whole=True),
            Loss(
                "sale_from",
                "A sale has no beginning: a run that reads it then brings its price.",
                whole=True,
            ),
            Loss("sale_to", "A sale has no end: a run that reads it then ends it.", whole=True),
            Loss(
                "regular_price",
                "A product with variants has no price of its own; what has none shows another.",
                shows=losses.own_regular_price,
            ),
            Loss(
                "sale_price",
                "A product with variants has none of its own; a sale is a lower price.",
                shows=losses.own_sale_price,
                firm=True,
            ),
            Loss(
                "barcode",
                "A product with variants has no barcode of its own.",
                shows=shown.own_barcode,
            ),
            Loss("images", _IMAGES),
            Loss(
                "attributes",
                "Only what variants differ in is kept, in three options.",
                shows=shown.attributes,
            ),
            Loss("dimensions", "Products have a weight alone.", whole=True),
            Loss("tax_class", "Taxes follow from the target's own settings.", whole=True),
            Loss(
                "variants",
                "Of variants with the same options one gets a number; a sale has no dates.",
                shows=losses.variants,
                firm=True,
            ),
            Loss("variants.status", "Variants are all for sale.", shows=shown.published),
            Loss("variants.description", "Variants have no description.", shows=shown.nothing),
            Loss(
                "variants.regular_price",
                "A variant without a price shows another; its product is a draft.",
                shows=losses.regular_price,
            ),
            Loss("variants.sale_price", "A sale is a lower price.", shows=losses.sale_price),
            Loss("extra", "Settings of extensions stay behind."),
        ),
        notes=(
            "A taken handle silently becomes another one on the target.",
            "A published product goes on the Online Store, or on the channels in the settings.",
            "A product that its source hides is taken off these channels.",
            COPIED,
            "Prices in another currency than the store's are refused (`other_currency`).",
            "What has no price at its source is a draft until it has one: grouped products too.",
            "One variant cannot be hidden: without a price it keeps the whole product a draft.",
            "The price in force is written. A sale that begins or ends later is told as a loss.",
            "Later a full run or a cutover brings that price, a window where the date moved.",
            "A product without variants never takes the place of one with variants of the team's.",
            "While the status of a product stays, its sales channels are up to the team.",
            "Where Shopify refuses to put a product on a channel, that is told of the product.",
            "The SKU of a product whose variants have their own is kept in a metafield.",
            "An archived product keeps its address and its SKU.",
        ),
    ),
    Stream.CUSTOMERS: WriteCapability(
        merges=True,
        batch=20,
        find_batch=50,
        at_once=True,
        removals=(_DELETE,),
        refuses_doubles=True,
        losses=(
            Loss("created_at", "The target dates customers itself.", whole=True),
            Loss("role", "Customers have no roles.", whole=True),
            Loss("username", "Customers sign in by their email.", whole=True),
            Loss(
                "shipping",
                "An address for bills and for goods is kept once.",
                shows=losses.shipping,
            ),
            Loss("billing", "Addresses have no email of their own.", shows=losses.billing),
        ),
        notes=(
            "Passwords cannot be read: customers set a new one.",
            "A customer who has orders cannot be deleted.",
        ),
    ),
    Stream.ORDERS: WriteCapability(
        merges=True,
        derived=_RECKONED,
        batch=20,
        find_batch=20,
        removals=(_DELETE,),
        losses=(
            Loss(
                "discounts",
                "Discount codes are kept as words; line totals hold the discount.",
                shows=losses.no_discounts,
            ),
            Loss(
                "discount_total",
                "It follows from discount codes, which are not sent.",
                shows=losses.no_discount_total,
            ),
            Loss(
                "prices_include_tax",
                "Prices are sent without tax.",
                shows=losses.prices_include_tax,
            ),
            Loss(
                "taxes",
                "Of several taxes of an order each line shows one, with their sum.",
                shows=losses.taxes,
            ),
            Loss("transactions", "A payment keeps its gateway, date and amount alone."),
            Loss(
                "refunds",
                "The target reckons what a line that is given back is worth.",
                shows=losses.refunds,
            ),
            Loss(
                "fulfilments",
                "Dated by the target; an order that arrives completed has one, without number.",
            ),
            Loss("billing", "The address of a bill can be written once and never changed."),
            Loss(
                "paid_at",
                "Payments are dated: an order of zero has none, one paid later is dated then.",
                shows=losses.paid_at,
            ),
            Loss(
                "completed_at",
                "An order that is completed later is dated by the target.",
                shows=losses.completed_at,
            ),
            Loss(
                "email",
                "An order without an email shows that of its customer.",
                shows=losses.email,
            ),
        ),
        notes=(
            "Orders carry our key in `sourceIdentifier` and in a metafield.",
            "Lines and totals of an order cannot be changed once it is written.",
            "Such a change is refused: Shopify's edits reckon taxes anew and claim stock.",
            "Amounts are rounded to the minor unit, line by line.",
            "Payment, shipments, refunds, cancellation and the customer reach an order later too.",
            "A line that was written before its product was there stays without it, and is told.",
            "A development store takes five new orders a minute.",
        ),
    ),
    Stream.INVENTORY: WriteCapability(
        batch=20,
        losses=stock.LOSSES,
        notes=(
            "Only whole quantities can be written, and at one location.",
            "Stock is set from what was seen there: a sale in between is noticed.",
        ),
    ),
}

REDIRECTS = (
    "Shopify keeps them and leads on where no page answers, whatever the case of a path and the "
    "query behind it. More than twenty at once are imported as a file."
)
