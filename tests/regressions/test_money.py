"""Amounts that shops reckon differently arrive to the minor unit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.minor_units import same
from connectors.records import money
from tests.engine.conftest import Bench
from tests.engine.practice_stores import Stores, between_practice_stores

Line = tuple[str, str, int]
"""Subtotal, total (after discounts) and quantity, as the shop writes them."""


def order(currency: str, total: str, lines: list[Line], **fields: Any) -> dict[str, Any]:
    """An order as the old shop keeps it: what it says is the total, is the total."""
    return {
        "status": "completed",
        "currency": currency,
        "total": total,
        "line_items": [
            {
                "name": f"Thing {n}",
                "product_id": 0,
                "quantity": quantity,
                "subtotal": subtotal,
                "total": total,
                "subtotal_tax": "0.00",
                "total_tax": "0.00",
            }
            for n, (subtotal, total, quantity) in enumerate(lines)
        ],
        **fields,
    }


def _taxed(document: dict[str, Any], *taxes: str) -> dict[str, Any]:
    for line, tax in zip(document["line_items"], taxes, strict=True):
        line.update(total_tax=tax, subtotal_tax=tax)
    total = sum((Decimal(tax) for tax in taxes), Decimal(0))
    return {**document, "total_tax": str(total), "cart_tax": str(total)}


ORDERS: dict[str, dict[str, Any]] = {
    "a third of a cent": order("GBP", "1.01", [("1.005", "1.005", 3)]),
    "rounded by the line": order("GBP", "1.02", [("0.335", "0.335", 1)] * 3),
    "yen have no decimals": order("JPY", "1999", [("1999", "1999", 1)]),
    "all of it discounted": order("GBP", "0.00", [("24.99", "0.00", 1)], discount_total="24.99"),
    "tax within the price": _taxed(
        order("EUR", "11.90", [("10.00", "10.00", 1)], prices_include_tax=True), "1.90"
    ),
    "tax rounded by the line": _taxed(
        order("EUR", "1.21", [("0.335", "0.335", 1)] * 3), "0.064", "0.064", "0.064"
    ),
    "tax of two rates": _taxed(
        order("EUR", "22.60", [("10.00", "10.00", 1), ("10.00", "10.00", 1)]), "1.90", "0.70"
    ),
}


@pytest.fixture
async def taxing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    """The target reckons taxes itself, by a rate of its own."""
    async with between_practice_stores(bench, monkeypatch, tax_rate="7.25") as stores:
        yield stores


@pytest.mark.parametrize("name", ORDERS)
async def test_total_of_an_order_arrives_to_the_minor_unit(taxing: Stores, name: str) -> None:
    document = ORDERS[name]
    await taxing.old.load(order=[document])
    await taxing.run("full", streams=["orders"])
    shown = await taxing.only(taxing.new, "orders")
    currency = document["currency"]
    assert (shown["currency"], Decimal(shown["total"])) == (currency, Decimal(document["total"]))
    for mine, theirs in zip(document["line_items"], shown["line_items"], strict=True):
        assert same(money(mine["total"], currency), money(theirs["total"], currency))
    [link] = await taxing.bench.rows("SELECT losses FROM links WHERE stream = 'orders'")
    assert "total" not in link["losses"]


async def test_total_that_the_target_cannot_hold_is_a_loss_that_is_told(taxing: Stores) -> None:
    """Dinars have three decimals, the new shop was set up with two."""
    await taxing.old.load(order=[order("KWD", "3.005", [("3.005", "3.005", 1)])])
    await taxing.run("full", streams=["orders"])
    shown = await taxing.only(taxing.new, "orders")
    assert abs(Decimal(shown["total"]) - Decimal("3.005")) < Decimal("0.01")
    [link] = await taxing.bench.rows("SELECT losses FROM links WHERE stream = 'orders'")
    assert "total" in link["losses"]
