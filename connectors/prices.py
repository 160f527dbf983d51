"""Which of a product's prices is asked, and in which currency. Pure.

A sale is a lower price with a time: before it and after it the regular price is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from connectors.records import Money, Product, Variant

COPIED = (
    "Prices are copied as they were entered, with tax or without: both stores have to agree on "
    "that (`preflight.taxes`)."
)
"""What each platform's guide says of its products."""

SALE_DATES = frozenset({"sale_from", "sale_to"})
"""Fields of a product, and of a variant, that decide which of its prices counts."""


def in_force(of: Product | Variant, product: Product, now: datetime) -> Money | None:
    """The price of a product, or of a variant of it, at a time; None where it has none."""
    regular, sale = of.regular_price, of.sale_price
    if sale is None or not is_on_sale(of, product, now):
        return regular
    return sale if regular is None or sale.amount < regular.amount else regular


def is_on_sale(of: Product | Variant, product: Product, now: datetime) -> bool:
    """Whether its price for a sale counts at a time, if it has one."""
    begins, ends = sale_dates(of, product)
    return (begins is None or begins <= now) and (ends is None or ends >= now)


def sale_dates(of: Product | Variant, product: Product) -> tuple[datetime | None, datetime | None]:
    """When its sale begins and ends: its own dates, else the product's."""
    own = of.sale_from, of.sale_to
    return own if own != (None, None) else (product.sale_from, product.sale_to)


def dates_to_come(product: Product, now: datetime) -> tuple[list[datetime], list[datetime]]:
    """When sales of it are yet to begin, and to end."""
    on_sale = [each for each in priced(product) if each.sale_price is not None]
    dates = [sale_dates(each, product) for each in on_sale]
    begins = [each for each, _ in dates if each is not None and each > now]
    return begins, [each for _, each in dates if each is not None and each >= now]


def priced(product: Product) -> Iterator[Product | Variant]:
    """What has a price of its own: the variants, or a product without any."""
    yield from product.variants or (product,)


def at_once(product: Product, now: datetime) -> Product:
    """The product as it is sold at a time, for a platform whose sales have no dates: without the
    prices of sales that are to come or over, and of those that are none. Itself where all count.
    """
    idle = {id(each) for each in priced(product) if _is_idle(each, product, now)}
    if not idle:
        return product
    if not product.variants:
        return replace(product, sale_price=None)
    variants = [
        replace(each, sale_price=None) if id(each) in idle else each for each in product.variants
    ]
    return replace(product, variants=tuple(variants))


def _is_idle(each: Product | Variant, product: Product, now: datetime) -> bool:
    return each.sale_price is not None and in_force(each, product, now) is not each.sale_price


def in_other_currencies(amounts: Iterable[Money | None], currency: str) -> str:
    """What is to be told where amounts are in other currencies; nothing where none is."""
    others = {each.currency for each in amounts if each is not None} - {currency}
    return f"prices are in {', '.join(sorted(others))}, not in {currency}" if others else ""
