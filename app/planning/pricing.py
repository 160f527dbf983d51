"""Whether a price means the same in both stores: it is copied as it was entered. Pure."""

from __future__ import annotations

from msgspec import Struct

from connectors.base import StoreReport, TaxBasis

_WORDS = {
    TaxBasis.GROSS: "prices hold the tax",
    TaxBasis.NET: "tax is added to prices",
    TaxBasis.UNTAXED: "no tax is charged",
}
_SAME_TAXES = (
    "Set the target's prices and taxes up as the source's are, or map prices; waive"
    " `preflight.taxes` where another way of taxing is wanted."
)
_SAME_CURRENCY = (
    "Make the source's currency the one of the target's prices, or map prices; waive"
    " `preflight.currency` where they are converted."
)


class Misfit(Struct, frozen=True):
    """Prices that mean something else on the target: a stable code, and what to do about it."""

    code: str
    message: str
    advice: str


class Unknown(Struct, frozen=True):
    """Nobody can say whether prices fit, and why, as a sentence."""

    why: str


def currencies(source: StoreReport, target: StoreReport) -> Misfit | Unknown | None:
    """What stands against the same currency; None where it is the same."""
    if silent := _silent({"source": source.currency, "target": target.currency}):
        return Unknown(f"The {silent} does not tell the currency of its prices.")
    if source.currency.upper() == target.currency.upper():
        return None
    message = (
        f"Prices are in {source.currency} at the source and in {target.currency} on the target."
    )
    return Misfit("currencies_differ", message, _SAME_CURRENCY)


def taxes(source: StoreReport, target: StoreReport) -> Misfit | Unknown | None:
    """What stands against the same taxes in prices; None where they are the same."""
    theirs, ours = source.tax_basis, target.tax_basis
    if silent := _silent({"source": theirs, "target": ours}):
        return Unknown(f"The {silent} does not tell whether its prices hold the tax.")
    if theirs is None or ours is None or theirs is ours:
        return None
    words = f"At the source {_WORDS[theirs]}, on the target {_WORDS[ours]}"
    if theirs is TaxBasis.UNTAXED:
        # Whether a store that could tax does so is a matter of its rates and its customers.
        return Unknown(f"{words}, where its rates say so: look at them.")
    return Misfit("taxes_differ", f"{words}.", _SAME_TAXES)


def misfits(source: StoreReport, target: StoreReport) -> tuple[Misfit, ...]:
    """Whatever is known to be different."""
    found = (currencies(source, target), taxes(source, target))
    return tuple(each for each in found if isinstance(each, Misfit))


def _silent(told: dict[str, object]) -> str:
    """Which store does not tell; nothing where both do."""
    return next((side for side, value in told.items() if not value), "")
