"""Orders of a bulk operation: its file cannot hold all of an order, and the rest is asked for.

A bulk operation takes no list that holds pages. The lines of refunds and shipments are therefore
fetched by id, of those orders that have any. An order that changed meanwhile, or whose lines in the
file do not come to its own sums, is read anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connectors.shopify.edited import as_sold, worth
from connectors.shopify.loading import Failed, Loader
from connectors.shopify.parts import number
from connectors.shopify.wire_orders import WireOrder

_Rows = tuple[list[WireOrder], list[Failed]]


async def whole(loader: Loader, rows: Sequence[WireOrder]) -> _Rows:
    """The orders with everything that belongs to them, and those that nobody understands. One that
    was deleted meanwhile is left out. Raises `StoreError`.
    """
    cut = [each.id for each in rows if each.refunds or each.fulfillments]
    found, failed = await loader.nested_of_orders(cut)
    nested = {each.id: each for each in found}
    gone = set(cut) - nested.keys()
    anew = []
    for row in rows:
        if row.id in gone:
            continue
        if (more := nested.get(row.id)) is not None:
            row.refunds, row.fulfillments = more.refunds, more.fulfillments
        if not _adds_up(row) or (more and more.updated_at != row.updated_at):
            anew.append(row.id)
    again, unread = await loader.orders(anew)
    by_id = {each.id: each for each in rows if each.id not in gone and each.id not in set(anew)}
    by_id |= {each.id: each for each in again}
    ordered = sorted(by_id.values(), key=lambda row: int(number(row.id)))
    return ordered, [*failed, *unread]


def _adds_up(row: WireOrder) -> bool:
    """Whether the lines that are here are all lines of the order, by its quantity and its total.
    An order that was edited may not add up although it is whole.
    """
    pieces = sum(each.quantity for each in row.line_items.nodes)
    return pieces == row.subtotal_line_items_quantity and (
        _comes_to(row) or _comes_to(as_sold(row))
    )


def _comes_to(row: WireOrder) -> bool:
    return worth(row) == Decimal(row.total_price_set.shop_money.amount)
