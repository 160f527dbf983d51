"""The canary on Shopify's practice server, by the same documents that write orders there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import to_json
from connectors import registry
from connectors.shopify import CONNECTOR as SHOPIFY
from tests.connectors.shopify_shop import TOKEN, ShopifyShop, shopify_shop
from tests.engine.conftest import Bench
from tests.engine.launching import checked

pytestmark = pytest.mark.contracts

CANARY = "preflight.canary"
POLICIES = {"readiness": {"thresholds": {CANARY: {"seconds": 0}}}}


@pytest.fixture
async def shop(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ShopifyShop]:
    """The bench's migration with a Shopify store as its target."""
    async with shopify_shop() as new:
        platforms = {"fake": bench.platform, "shopify": replace(SHOPIFY, target=new_target(new))}
        monkeypatch.setattr(registry, "connectors", lambda: platforms)
        await bench.place("target", "shopify", new.url, access_token=TOKEN)
        async with bench.resources.engine.begin() as connection:
            await connection.execute(
                text("UPDATE migrations SET policies = CAST(:policies AS jsonb)"),
                {"policies": to_json(POLICIES)},
            )
        # Reading the schema takes longer than a slice is held here.
        async with new.target() as target:
            await target.check()
        yield new


def new_target(shop: ShopifyShop) -> Any:
    return lambda _: shop.target()


async def flown(bench: Bench) -> dict[str, Any]:
    _, results = await checked(bench, checks=["preflight.silence", CANARY], canary=True)
    assert results["preflight.silence"]["state"] == "passed"
    found: dict[str, Any] = results[CANARY]
    return found


def left(shop: ShopifyShop) -> list[str]:
    return [kind for kind in ("Customer", "Order") for _ in shop.store.all(kind)]


async def test_it_is_written_watched_and_removed_and_nobody_hears_of_it(
    bench: Bench, shop: ShopifyShop
):
    result = await flown(bench)
    assert (result["state"], result["examined"]) == ("passed", 2), result["summary"]
    assert "Nobody can tell whether webhooks heard of it." in result["summary"]
    assert [each["stream"] for each in result["evidence"]] == [
        "customers",
        "orders",
        "orders",
        "orders",
        "customers",
    ]
    assert left(shop) == []
    assert (await shop.effects())["entries"] == []


async def test_an_app_that_confirms_orders_by_itself_is_found(bench: Bench, shop: ShopifyShop):
    await shop.faults(forced_mails={})
    result = await flown(bench)
    assert (result["state"], result["found"]) == ("failed", 1)
    assert "the timeline says that a mail was sent" in result["evidence"][0]["message"]
    assert left(shop) == []


async def test_a_store_that_looks_domains_up_gets_an_address_that_has_one(
    bench: Bench, shop: ShopifyShop
):
    """As Shopify may: it refuses an email whose domain it cannot find."""
    await shop.faults(strict_domains={})
    result = await flown(bench)
    assert result["state"] == "passed"
    assert left(shop) == []
