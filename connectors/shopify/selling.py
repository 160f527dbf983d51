"""What of a product is for sale on Shopify, and at which price. Pure.

Every variant has a price there, 0.00 where none is given, and a sale has no dates. So what has no
price at the source is not for sale, and of a sale counts what is asked at the time of the write.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connectors.base import Loss
from connectors.prices import at_once, dates_to_come, in_force, priced
from connectors.records import Product

FOR_SALE = frozenset({"ACTIVE", "UNLISTED"})
"""The statuses of what can be bought."""

HELD_BACK = Loss("status", "It has no price at the source: it is a draft until it has one.")
_NO_PRICE = Loss("regular_price", "Something of it has no price at the source.")
_NO_SALE = Loss("sale_price", "Its sale is not on: the regular price is asked.")
_BEGINS = "A sale of it begins on {:%Y-%m-%d %H:%M} UTC: a run that reads it has to come then."
_ENDS = "A sale of it ends on {:%Y-%m-%d %H:%M} UTC: a run that reads it has to come then."


def has_prices(content: Product, now: datetime) -> bool:
    """Whether nothing of it would be sold without a price."""
    return all(in_force(each, content, now) is not None for each in priced(content))


def hold_back(body: dict[str, Any], content: Product, status: str | None, now: datetime) -> bool:
    """Make a product a draft that would be for sale without a price; whether that was done.

    `status` is what it has on the target. One variant cannot be kept from being sold, so that all
    of them wait for the last price.
    """
    if has_prices(content, now) or body.get("status", status) not in FOR_SALE:
        return False
    body["status"] = "DRAFT"
    return True


def losses_of_prices(content: Product, now: datetime) -> list[Loss]:
    """What of its prices the target does not keep."""
    losses = []
    if not has_prices(content, now):
        losses.append(_NO_PRICE)
    if at_once(content, now) is not content:
        losses.append(_NO_SALE)
    begins, ends = dates_to_come(content, now)
    if begins:
        losses.append(Loss("sale_from", _BEGINS.format(min(begins))))
    if ends:
        losses.append(Loss("sale_to", _ENDS.format(min(ends))))
    return losses
