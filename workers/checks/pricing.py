"""Checks of what a price means: it is copied as it was entered, whatever the target makes of it."""

from __future__ import annotations

from collections.abc import Callable

from app.catalogue import preflight
from app.planning.pricing import Misfit, Unknown, currencies, taxes
from connectors.base import StoreReport
from connectors.records import Stream
from workers.checks.base import Check, Findings, Ground, Outcome, skipped

Look = Callable[[StoreReport, StoreReport], Misfit | Unknown | None]


async def _currency(ground: Ground) -> Outcome:
    return await _compared(
        ground, currencies, "Both stores have prices in {currency}.", "Currencies differ."
    )


async def _taxes(ground: Ground) -> Outcome:
    return await _compared(
        ground, taxes, "Prices hold the tax in both stores, or in none.", "Taxes differ."
    )


async def _compared(ground: Ground, look: Look, good: str, bad: str) -> Outcome:
    if Stream.PRODUCTS not in ground.streams:
        return skipped("Products are not in scope.")
    source, target = await ground.source_report(), await ground.target_report()
    seen = look(source, target)
    if isinstance(seen, Unknown):
        return skipped(seen.why)
    found = Findings()
    found.looked_at(1, 1)
    if seen is not None:
        found.add(f"{seen.message} {seen.advice}", stream=Stream.PRODUCTS)
    return found.outcome(good.replace("{currency}", source.currency), bad)


CHECKS = (Check(preflight.CURRENCY, _currency), Check(preflight.TAXES, _taxes))
