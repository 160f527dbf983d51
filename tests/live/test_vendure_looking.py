"""Looking things up and going shopping in a running Vendure store."""

from __future__ import annotations

from connectors.vendure.target import VendureTarget
from tests.live.looking import prove_look_ups, prove_shopping
from tests.live.vendure.store import VendureStore


async def test_people_find_customers_and_orders(vendure: VendureStore) -> None:
    async with VendureTarget(vendure.access()) as target:
        await prove_look_ups(target)


async def test_a_visitor_finds_goods_and_fills_a_cart_that_nobody_keeps(
    vendure: VendureStore,
) -> None:
    async with VendureTarget(vendure.access()) as target:
        await prove_shopping(target, unknown="999999")
    # A cart begins as any visitor's does, and nothing else happens.
    assert set(await vendure.control("effects")) == {"OrderStateTransitionEvent"}
