"""How many decimals a currency has (ISO 4217), for comparing amounts to the minor unit."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from connectors.records import Money

_DECIMALS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def decimals(currency: str) -> int:
    """0 for yen, 3 for Kuwaiti dinars, 2 for nearly all others."""
    return _DECIMALS.get(currency, 2)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """An amount in whole minor units, halves rounded up. Nothing is never below zero."""
    found = amount.quantize(Decimal(1).scaleb(-decimals(currency)), ROUND_HALF_UP)
    return found or abs(found)


def same(left: Money, right: Money) -> bool:
    """Whether two amounts agree to the minor unit."""
    return left.currency == right.currency and rounded(left.amount, left.currency) == rounded(
        right.amount, right.currency
    )
