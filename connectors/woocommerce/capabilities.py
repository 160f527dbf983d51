"""What WooCommerce can do, stream by stream, and where its limits are. All of it measured."""

from __future__ import annotations

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
from connectors.woocommerce import losses

_BY_ID = (
    "Lists are walked by id, which no two records share: sorted by date of change, records of "
    "one second change places between two pages."
)

_NAMED = "The add-on names it to every run."

READS: dict[Stream, ReadCapability] = {
    Stream.CATEGORIES: ReadCapability(
        trust=Trust.SWEEP,
        bounds=Bounds.NONE,
        ties=_BY_ID,
        blind_spots=("Categories have no date of change: every run reads all of them.",),
    ),
    Stream.PRODUCTS: ReadCapability(
        trust=Trust.OVERLAP,
        bounds=Bounds.EXCLUSIVE,
        ties=_BY_ID,
        shallow=True,
        blind_spots=(
            f"A product created with a date in the past is changed at that date. {_NAMED}",
            f"A scheduled product carries a date of change in the future. {_NAMED}",
            f"Stock that an extension writes past WooCommerce moves no date. {_NAMED}",
            "Stock that SQL writes past WordPress moves none either, and nobody names it.",
            f"Deleting a product for good leaves no trace. {_NAMED}",
        ),
        moves=(
            "purchase",
            "stock",
            "meta data",
            "category assignment",
            "review",
            "trash",
            "creating, changing or deleting a variation",
        ),
    ),
    Stream.CUSTOMERS: ReadCapability(
        trust=Trust.SWEEP,
        bounds=Bounds.NONE,
        ties=_BY_ID,
        blind_spots=(
            "Customers cannot be filtered by date: every run reads all of them.",
            "Customers made by other plugins have no date of change at all.",
        ),
    ),
    Stream.ORDERS: ReadCapability(
        trust=Trust.OVERLAP,
        bounds=Bounds.EXCLUSIVE,
        ties=_BY_ID,
        shallow=True,
        blind_spots=(
            f"Deleting a refund does not move the order's date of change. {_NAMED}",
            "Order notes do not move it, either; they are not copied.",
            f"An order whose status no active plugin registers is in no list. {_NAMED}",
            f"Deleting an order for good leaves no trace. {_NAMED}",
        ),
        moves=("status", "meta data", "lines", "refund created", "trash"),
        horizon=True,
        horizon_risk="An older order in a status that an extension made counts as closed.",
    ),
    Stream.INVENTORY: ReadCapability(
        trust=Trust.SWEEP,
        bounds=Bounds.NONE,
        ties=_BY_ID,
        blind_spots=(
            "Stock can change without moving any date: every run reads all levels.",
            (
                "Stock that a product counts for its variations is read with theirs. Where each of "
                "them counts its own, nothing is sold of it, and it is not read."
            ),
        ),
    ),
}

_DELETE = Removal(Action.DELETE)
_ARCHIVE = Removal(Action.ARCHIVE, undo=True)

_TAX_REASON = "The target reckons taxes by its own rates; a fee line holds the difference."

_RECKONED = frozenset(
    {
        "number",
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
        "created_at",
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
        at_once=True,
        removals=(_DELETE,),
        keyed=False,
        losses=(Loss("image", "The target fetches images and keeps them under its own address."),),
        notes=(
            "Categories carry no key of ours: they are found by slug, then by name.",
            "Deleting a category cannot tell whether it was there before.",
        ),
    ),
    Stream.PRODUCTS: WriteCapability(
        merges=True,
        removals=(_ARCHIVE, _DELETE),
        losses=(
            Loss("images", "The target fetches images and keeps them under its own address."),
            Loss(
                "attributes",
                "Shared attributes become the product's own.",
                shows=losses.attributes,
            ),
            Loss("extra", "Shipping classes and shared settings of extensions stay behind."),
            Loss("created_at", "A date in the target's future becomes the target's present."),
        ),
        notes=(
            "A taken slug silently becomes another one on the target.",
            "An archived product is a draft: it keeps its address and its SKU.",
            "Which products a grouped one holds, up-sells and cross-sells are not copied.",
            COPIED,
        ),
    ),
    Stream.CUSTOMERS: WriteCapability(
        merges=True,
        at_once=True,
        removals=(_DELETE,),
        serial_creates=True,
        refuses_doubles=True,
        losses=(
            Loss("created_at", "The API does not let a registration date be set.", whole=True),
            Loss("role", "The API creates customers only.", whole=True),
            Loss("username", "A taken user name is replaced, and it can never be changed."),
        ),
        notes=("Passwords cannot be read: customers set a new one.",),
    ),
    Stream.ORDERS: WriteCapability(
        merges=True,
        derived=_RECKONED,
        batch=50,
        find_batch=50,
        removals=(_ARCHIVE, _DELETE),
        losses=(
            Loss(
                "number",
                "The target numbers orders itself; meta data keeps the number.",
                addon=True,
            ),
            Loss(
                "created_at",
                "The target dates orders itself; meta data keeps the date.",
                addon=True,
            ),
            Loss(
                "paid_at",
                "The target dates payments itself; meta data keeps the date.",
                addon=True,
            ),
            Loss(
                "completed_at",
                "The target dates completion itself; meta data keeps the date.",
                addon=True,
            ),
            Loss(
                "discounts",
                "Coupons would discount again: line totals hold the discount.",
                whole=True,
                addon=True,
            ),
            Loss("discount_total", "It follows from coupons, which are not sent.", addon=True),
            Loss("taxes", _TAX_REASON, addon=True),
            Loss("prices_include_tax", "The target's own setting counts.", addon=True),
            Loss("fulfilments", "WooCommerce itself knows no shipments.", whole=True),
        ),
        notes=(
            "Orders are found by `created_via`, which holds our key.",
            "A WooCommerce before 9.9 drops that key: orders are made there with the add-on only.",
            "Lines that were changed count as taken from stock, also where the order is not paid.",
            "An archived order is in the trash, which WordPress empties after 30 days.",
            "The add-on keeps coupon codes in small letters.",
            "The add-on keeps totals with as many decimals as the shop shows.",
        ),
    ),
    Stream.INVENTORY: WriteCapability(
        at_once=True,
        notes=(
            "Only whole quantities can be written.",
            "Stock that a product counts for its variations is set with theirs.",
            "Stock is set to the source's: what the target sold meanwhile is not taken off.",
        ),
    ),
}

REDIRECTS = (
    "The add-on keeps them and leads on where WordPress finds no page, before WordPress guesses: a "
    "page that is there always goes first. Without the add-on none is taken: import the map into a "
    "plugin, or let the web server redirect."
)
