"""A large Shopify store is read by one bulk operation, which survives the end of its reader."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from msgspec.structs import replace

from connectors import registry
from connectors.records import Stream
from connectors.shopify import CONNECTOR as SHOPIFY
from tests.connectors.shopify_shop import TOKEN, ShopifyShop, shopify_shop
from tests.engine.conftest import Bench
from tests.engine.shop import fake_connector
from tests.engine.test_failpoints import survive
from workers.engine import failpoints

pytestmark = [pytest.mark.contracts, pytest.mark.slow]

PRODUCTS = 20_000


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


@pytest.fixture
async def vast(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ShopifyShop]:
    """A store of many products, whose operations take some minutes of its own time."""
    async with shopify_shop(bulk_rows_a_second=100.0) as shop:
        await shop.control("POST", "seed", {"products": PRODUCTS, "variants": 2})
        target = fake_connector(idempotent=True)
        products = {Stream.PRODUCTS: replace(target.writes[Stream.PRODUCTS], batch=100)}
        platforms = {
            "shopify": replace(SHOPIFY, source=lambda _: shop.source()),
            "fake": replace(target, writes=products),
        }
        monkeypatch.setattr(registry, "connectors", lambda: platforms)
        await bench.place("source", "shopify", shop.url, access_token=TOKEN)
        yield shop


async def test_twenty_thousand_products_come_by_one_operation_though_its_reader_dies(
    bench: Bench, vast: ShopifyShop
) -> None:
    failpoints.arm("after_fetch=crash:20")
    job = await bench.start("full", streams=["products"])
    assert await survive(bench, job) == 1
    row = await bench.job(job)
    assert (row["status"], row["error"]) == ("succeeded", None)
    rows = bench.target.rows[Stream.PRODUCTS]
    assert len(rows) == PRODUCTS
    assert all(len(each.content.variants) == 2 for each in rows.values())
    creates = bench.target.creates()
    assert len(creates) == len(set(creates)) == PRODUCTS
    asked = [each["query"].split("(")[0].split("{")[0].strip() for each in vast.requests]
    assert asked.count("mutation BulkStart") == 1
    assert "query ProductPage" not in asked
    assert "mutation BulkCancel" not in asked
    assert not any("THROTTLED" in each["errors"] for each in vast.requests)
