"""Levels of stock, counted without a look into each product."""

from __future__ import annotations

import pytest

from connectors.base import Sweep
from connectors.records import Stream
from connectors.testing.sweeps import read
from sandbox import seed
from tests.connectors.practice import Instead, Practice

SCALE = 0.003


@pytest.fixture
async def real(shop: Practice) -> Practice:
    """A part of the real shop, with what counts as no level, and what counts as one more."""
    seed.fill(shop.app.store, scale=SCALE)
    await shop.admin("POST", "products", {"name": "Elsewhere", "type": "external"})
    parent = await shop.admin("POST", "products", {"name": "Own", "type": "variable"})
    await shop.admin("PUT", f"products/{parent['id']}", {"manage_stock": True})
    await shop.admin("POST", f"products/{parent['id']}/variations", {"regular_price": "3.00"})
    return shop


async def test_tally_is_what_a_sweep_delivers(real: Practice) -> None:
    async with real.source() as source:
        tallied = await source.tally(Stream.INVENTORY, 10)
        before = len(real.requests("GET", "/products"))
        delivered = await read(source, Stream.INVENTORY, Sweep())
    assert tallied == len(delivered) > 100
    assert before <= 6, "three counts, and a page of those with variations"


async def test_other_streams_are_counted_by_the_store(real: Practice) -> None:
    async with real.source() as source:
        assert await source.tally(Stream.ORDERS, 10) is None
        for stream in Stream:
            if stream is not Stream.INVENTORY:
                assert await source.count(stream, Sweep()) == len(
                    await read(source, stream, Sweep())
                )


async def test_tally_gives_up_where_too_much_had_to_be_read(real: Practice) -> None:
    async with real.source() as source:
        assert await source.tally(Stream.INVENTORY, 0) is None


async def test_a_store_that_ignores_the_filter_is_not_believed(real: Practice) -> None:
    simple = [{"id": 5, "type": "simple", "variations": []}]
    real.instead.append(
        Instead(
            "GET",
            "/products",
            200,
            simple,
            {"X-WP-Total": "1", "X-WP-TotalPages": "1"},
            {"type": "variable", "per_page": "100"},
        )
    )
    async with real.source() as source:
        assert await source.tally(Stream.INVENTORY, 10) is None
