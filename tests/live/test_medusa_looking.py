"""Looking things up and going shopping in a running Medusa store."""

from __future__ import annotations

import pytest

from connectors.desk import NotTold
from tests.live.looking import prove_look_ups, prove_shopping
from tests.live.medusa.staff import let_visitors_in, writing
from tests.live.medusa.store import MedusaStore


async def test_people_find_customers_and_orders(medusa: MedusaStore) -> None:
    async with writing(medusa) as target:
        await prove_look_ups(target)


async def test_a_visitor_finds_goods_and_fills_a_cart_that_nobody_keeps(
    medusa: MedusaStore,
) -> None:
    async with writing(medusa) as target:
        with pytest.raises(NotTold):
            await target.shopper.by_name("Mug 1")
    await let_visitors_in(medusa)
    async with writing(medusa) as target:
        offer, mug = await prove_shopping(target, unknown="variant_unknown")
        assert await target.shopper.by_sku(mug.sku) == (offer,)
        assert await target.shopper.by_sku("MUG-2") == ()
    # One cart is left, of nobody and with nothing in it.
    lines = "SELECT count(*) FROM cart_line_item WHERE deleted_at IS NULL"
    assert await medusa.database.fetchval(lines) == 0
    carts = await medusa.database.fetch("SELECT email, customer_id, completed_at FROM cart")
    assert [tuple(each) for each in carts] == [(None, None, None)]
    assert await medusa.database.fetchval("SELECT count(*) FROM reservation_item") == 0
    assert not [each for each in medusa.told() if each.startswith(("order", "customer", "payment"))]
