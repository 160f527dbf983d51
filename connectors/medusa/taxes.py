"""The taxes of an order as rates of its parts. Pure.

Medusa keeps no amounts of tax, it reckons them from rates. So each part gets the rate that gives
its tax to the penny, beside the name and the rate that people know. Of several taxes of an order
each part gets the one that fits it; where none does, as with a state's and a county's, it gets a
share of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, NamedTuple

from connectors.medusa.mapping_lines import NO_RATE, RATE
from connectors.medusa.parts import own_id
from connectors.minor_units import rounded, same
from connectors.records import FeeLine, Money, Order, OrderLine, ShippingLine, Tax

Part = OrderLine | FeeLine | ShippingLine
Body = dict[str, Any]

_DIGITS = 34
_PLACES = Decimal("1E-18")
_UNNAMED = "Tax"


class _Share(NamedTuple):
    """An amount of one tax in a part."""

    tax: Tax | None
    amount: Decimal


class Taxes:
    """The taxes of one order, by its parts."""

    def __init__(self, content: Order) -> None:
        self._goods = _Chooser(
            [each for each in content.taxes if each.amount.amount],
            [*content.lines, *content.fees],
        )
        ways = [each for each in content.taxes if each.shipping_amount]
        self._ways = _Chooser(
            [tax for tax in ways if tax.shipping_amount and tax.shipping_amount.amount],
            content.shipping_lines,
            shipping=True,
        )

    def lines(self, part: Part, *names: str) -> list[Body]:
        """Tax lines of a part; `names` make their ids."""
        chooser = self._ways if isinstance(part, ShippingLine) else self._goods
        prefix = "ordsmtxl" if isinstance(part, ShippingLine) else "ordlitxl"
        return [
            _line(part, share, own_id(prefix, *names, str(place)))
            for place, share in enumerate(chooser.shares(part))
        ]

    def rate(self, part: Part) -> Decimal:
        """All rates of a part together, as a factor."""
        return part.tax.amount / part.total.amount if part.total.amount else Decimal(0)


class _Chooser:
    def __init__(
        self, taxes: Sequence[Tax], parts: Sequence[Part], *, shipping: bool = False
    ) -> None:
        self._taxes = taxes
        self._amounts = [
            (tax.shipping_amount or tax.amount).amount if shipping else tax.amount.amount
            for tax in taxes
        ]
        self._fits = self._each_has_one(parts)

    def shares(self, part: Part) -> list[_Share]:
        """Which taxes a part has, and how much of each. Nothing is taxed that costs nothing."""
        if not part.tax.amount or not part.total.amount:
            return []
        if not self._taxes:
            return [_Share(None, part.tax.amount)]
        if self._fits:
            return [_Share(self._fitting(part)[0], part.tax.amount)]
        whole = sum(self._amounts, Decimal(0))
        with localcontext(prec=_DIGITS):
            return [
                _Share(tax, part.tax.amount * amount / whole)
                for tax, amount in zip(self._taxes, self._amounts, strict=True)
            ]

    def _fitting(self, part: Part) -> list[Tax]:
        if len(self._taxes) == 1:
            return list(self._taxes)
        return [
            tax
            for tax in self._taxes
            if tax.rate is not None and same(part.tax, _of(part.total, tax.rate))
        ]

    def _each_has_one(self, parts: Sequence[Part]) -> bool:
        """Whether every part has one tax, and these sum up to what the order says."""
        sums = dict.fromkeys(range(len(self._taxes)), Decimal(0))
        for part in parts:
            if not part.tax.amount:
                continue
            fitting = self._fitting(part)
            if len(fitting) != 1:
                return False
            sums[self._taxes.index(fitting[0])] += part.tax.amount
        currency = parts[0].total.currency if parts else ""
        return len(self._taxes) == 1 or all(
            rounded(sums[place], currency) == rounded(amount, currency)
            for place, amount in enumerate(self._amounts)
        )


def _of(amount: Money, rate: Decimal) -> Money:
    return Money(amount.amount * rate / 100, amount.currency)


def _line(part: Part, share: _Share, line_id: str) -> Body:
    nominal = share.tax.rate if share.tax else None
    label = (share.tax.label or share.tax.code) if share.tax else _UNNAMED
    with localcontext(prec=_DIGITS):
        exact = share.amount * 100 / part.total.amount
        if nominal is not None and part.total.amount * nominal / 100 == share.amount:
            exact = nominal
    return {
        "id": line_id,
        "code": (share.tax.code if share.tax else "") or label,
        "description": label,
        "rate": text_of(exact),
        "metadata": {RATE: NO_RATE if nominal is None else f"{nominal:f}"},
    }


def text_of(amount: Decimal) -> str:
    """A number as text: JavaScript would make a number inexact."""
    with localcontext(prec=_DIGITS):
        found = amount.quantize(_PLACES, ROUND_HALF_UP).normalize()
    return f"{found:f}"
