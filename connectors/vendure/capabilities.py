"""What Vendure can do, stream by stream, and where its limits are. All of it measured on 3.7."""

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
from connectors.vendure import losses

_BY_ID = (
    "Lists are sorted by id and read with an overlap: a page has to begin with the last record of "
    "the page before, so that nothing that goes meanwhile moves another out of sight."
)
_LATE = "A change that takes long is seen late, with a date from when it began."
_GONE = "What is deleted leaves no trace: it is not in the list any more."
_VARIANTS = (
    "A change of a variant does not move the product's date: windows read the list of variants as "
    "well."
)
_UNMOVED = (
    "Deleting a variant, renaming an option, a facet or a tax category, and a collection that "
    "takes a product in or lets it go move no date."
)
_STALE = (
    "Placing, paying, sending and delivering an order leave its date of change as it was, or put "
    "an older one back: windows read what changed, what was placed, and every order that is "
    "neither delivered nor cancelled."
)
_CLOSED = (
    "A refund, a note or an address of an order that is delivered or cancelled already is found by "
    "a sweep alone, as before the launch."
)
_OVERLAP = 300.0
_SETTLE = 10.0
_TICK = 0.001

READS: dict[Stream, ReadCapability] = {
    Stream.CATEGORIES: ReadCapability(
        trust=Trust.OVERLAP,
        overlap=_OVERLAP,
        settle=_SETTLE,
        granularity=_TICK,
        bounds=Bounds.EXCLUSIVE,
        ties=_BY_ID,
        shallow=True,
        blind_spots=(_LATE, _GONE),
        moves=("its own fields and texts", "filters", "parent", "image"),
    ),
    Stream.PRODUCTS: ReadCapability(
        trust=Trust.OVERLAP,
        overlap=_OVERLAP,
        settle=_SETTLE,
        granularity=_TICK,
        bounds=Bounds.EXCLUSIVE,
        ties=_BY_ID,
        blind_spots=(
            _LATE,
            _GONE,
            _VARIANTS,
            _UNMOVED,
        ),
        moves=("its own fields and texts", "variants and their prices", "images", "facets"),
    ),
    Stream.CUSTOMERS: ReadCapability(
        trust=Trust.SWEEP,
        granularity=_TICK,
        bounds=Bounds.NONE,
        ties=_BY_ID,
        blind_spots=(
            "An address does not move its customer's date: every run reads all customers.",
        ),
    ),
    Stream.ORDERS: ReadCapability(
        trust=Trust.OVERLAP,
        overlap=_OVERLAP,
        settle=_SETTLE,
        granularity=_TICK,
        bounds=Bounds.EXCLUSIVE,
        ties=_BY_ID,
        blind_spots=(
            _LATE,
            _STALE,
            _CLOSED,
        ),
        moves=("its own fields", "lines", "custom fields"),
    ),
    Stream.INVENTORY: ReadCapability(
        trust=Trust.SWEEP,
        granularity=_TICK,
        bounds=Bounds.NONE,
        ties=_BY_ID,
        blind_spots=("An order moves stock without any date: every run reads all levels.",),
    ),
}

_DELETE = Removal(Action.DELETE)
_ARCHIVE = Removal(Action.ARCHIVE, undo=True)
_ORDERS = (
    "Vendure's API dates, numbers and prices orders itself, and pays refunds twice that are sent "
    "twice: without the add-on no order is written."
)
_NAMES = "An address has one field for a full name, which is split at its last space, and no email."
_IMAGES = "Images are not copied: Vendure takes files, not addresses."

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
"""What follows from lines, payments and shipments, and what is paired one by one."""

WRITES: dict[Stream, WriteCapability] = {
    Stream.CATEGORIES: WriteCapability(
        merges=True,
        batch=20,
        find_batch=50,
        removals=(_DELETE,),
        losses=(
            Loss("image", _IMAGES, whole=True),
            Loss("position", "Collections are appended to their neighbours."),
            Loss("extra", "Filters and display settings of the source stay behind.", whole=True),
        ),
        notes=(
            (
                "A collection holds the products that have a value of the private facet "
                "recent-sync-collections; Vendure puts them in some moments later."
            ),
            "A collection that has others within it is not deleted: they would go, too.",
        ),
    ),
    Stream.PRODUCTS: WriteCapability(
        merges=True,
        batch=20,
        find_batch=20,
        removals=(_ARCHIVE, _DELETE),
        losses=(
            Loss("created_at", "The target dates products itself.", whole=True),
            Loss(
                "sku",
                "A product whose variants have their own has none.",
                addon=True,
                shows=shown.own_sku,
            ),
            Loss("images", _IMAGES, whole=True),
            Loss("short_description", "Products have one description.", whole=True),
            Loss(
                "kind",
                "Products come with variants or without, and in no other kind.",
                shows=losses.kind,
            ),
            Loss(
                "status",
                "Private, pending and archived products become drafts.",
                shows=losses.status,
            ),
            Loss("visibility", "Products are enabled or not.", whole=True),
            Loss("featured", "Products are not featured.", whole=True),
            Loss(
                "sale_price",
                "A variant has one price: the regular one. Sales are promotions.",
                whole=True,
            ),
            Loss("sale_from", "Sales are promotions.", whole=True),
            Loss("sale_to", "Sales are promotions.", whole=True),
            Loss("attributes", "Attributes become facets, which all products share."),
            Loss("barcode", "Variants have no barcode.", whole=True),
            Loss("weight", "Variants have no weight.", whole=True),
            Loss("dimensions", "Variants have no measures.", whole=True),
            Loss("tax_class", "Only tax categories that the target has are kept, by their names."),
            Loss("taxable", "Taxes follow from the tax category.", whole=True),
            Loss(
                "variants",
                "Of variants with the same options one gets a number.",
                shows=shown.told_apart,
            ),
            Loss(
                "variants.status",
                "Variants are enabled or not; without a price they are not.",
                shows=losses.variant_status,
            ),
            Loss("variants.description", "Variants have no description.", shows=shown.nothing),
            Loss("extra", "Settings of extensions stay behind.", whole=True),
        ),
        notes=(
            "A taken slug silently becomes another one on the target.",
            "A deleted product is kept out of sight and cannot come back.",
            (
                "What has no price is disabled until it has one. Of a variant the add-on keeps "
                "whether it is to be sold then; without it, it stays disabled."
            ),
            (
                "Where the target's product has variants that are not the source's, it is refused "
                "(`foreign_variants`): they would be destroyed with their stock."
            ),
            "Prices in another currency than the channel's are refused (`other_currency`).",
            COPIED,
            "Only one language is written.",
        ),
    ),
    Stream.CUSTOMERS: WriteCapability(
        merges=True,
        batch=20,
        find_batch=50,
        serial_creates=True,
        refuses_doubles=True,
        removals=(_DELETE,),
        losses=(
            Loss("created_at", "The target dates customers itself.", whole=True),
            Loss("role", "Customers have no roles.", whole=True),
            Loss("username", "Customers sign in by their email.", whole=True),
            Loss("billing", _NAMES, addon=True, shows=losses.billing),
            Loss("shipping", _NAMES, addon=True, shows=losses.shipping),
            Loss("extra", "Fields of extensions stay behind.", whole=True),
        ),
        notes=(
            "Passwords cannot be read: customers set a new one.",
            "An address needs a country that the target knows.",
        ),
    ),
    Stream.ORDERS: WriteCapability(
        merges=True,
        derived=_RECKONED,
        idempotent=True,
        at_once=True,
        batch=20,
        find_batch=50,
        losses=(
            Loss("number", _ORDERS, whole=True, addon=True),
            Loss("extra", "Meta data of extensions stay behind.", whole=True),
            Loss(
                "tax_total",
                "It is what the taxes of the parts come to, and not rounded once.",
                shows=losses.tax_total,
            ),
            Loss("fulfilments", "A completed order without shipments gets one."),
        ),
        notes=(
            "Guests' orders have no customer; their email is kept with the order.",
            "Stock is left alone; sending an open order later takes nothing from what is for sale.",
            "Orders are never taken away: Vendure deletes drafts alone.",
            (
                "An order that staff has paid, sent or changed is theirs: its sums, payments and "
                "shipments are not written any more (`order_worked_on`)."
            ),
            "An order keeps its currency, also one that the channel does not sell in.",
        ),
    ),
    Stream.INVENTORY: WriteCapability(
        at_once=True,
        batch=50,
        losses=stock.LOSSES,
        notes=(
            "Only whole quantities can be written, and at one location.",
            (
                "Stock is set to what is for sale and what open orders hold: what the target sold "
                "meanwhile is not taken off."
            ),
        ),
    ),
}
