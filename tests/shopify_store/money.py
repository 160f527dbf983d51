"""Amounts as Shopify writes them."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.shopify_store.fields import Doc

NOTHING = Decimal(0)
_CENT = Decimal("0.01")


def amount(value: Any) -> Decimal:
    """An exact amount from what a document says."""
    return Decimal(str(value))


def cents(value: Decimal) -> Decimal:
    """Rounded to the minor unit."""
    return value.quantize(_CENT, ROUND_HALF_UP)


def price(value: Any) -> str:
    """The scalar `Money`: always two places."""
    return str(cents(amount(value)))


def money(value: Decimal, currency: str) -> Doc:
    """`MoneyV2`, whose amount is a `Decimal`: as few places as it needs, but one."""
    text = str(cents(value))
    return {
        "__typename": "MoneyV2",
        "amount": text.removesuffix("0"),
        "currencyCode": currency,
    }


def bag(value: Decimal, currency: str) -> Doc:
    """`MoneyBag`; the store sells in its own currency only."""
    return {"shopMoney": money(value, currency), "presentmentMoney": money(value, currency)}


def bagged(given: Doc | None) -> Decimal:
    """The amount of a `MoneyBagInput`."""
    return amount(given["shopMoney"]["amount"]) if given else NOTHING


def total(values: Iterable[Decimal]) -> Decimal:
    """A sum that starts at nothing."""
    return sum(values, NOTHING)
