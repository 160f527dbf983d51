"""Looking things up and going shopping in a running Medusa store."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from connectors.desk import NotTold
from connectors.records import Stream
from connectors.testing.contents import gbp, level, product
from connectors.testing.operations import applied, operations
from tests.live.looking import prove_look_ups
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
    goods = [product(1), product(2, status="draft"), product(3)]
    async with writing(medusa) as target:
        made = applied(await target.write(Stream.PRODUCTS, operations(Stream.PRODUCTS, goods)))
        levels = [
            replace(level(1), product=made["1"].target_id),
            replace(level(3), product=made["3"].target_id, quantity=Decimal(0)),
        ]
        applied(await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, levels)))
        shopper = target.shopper
        [offer] = await shopper.by_name("Mug 1")
        assert (offer.product, offer.in_stock) == (made["1"].target_id, True)
        assert offer.price == gbp("2.55")
        assert await shopper.by_sku(goods[0].sku) == (offer,)
        assert await shopper.by_name("Mug 2") == ()
        assert await shopper.by_sku(goods[1].sku) == ()
        [sold_out] = await shopper.by_name("Mug 3")
        assert not sold_out.in_stock
        assert await shopper.takes(offer.buyable[0])
        assert not await shopper.takes(sold_out.buyable[0])
        assert not await shopper.takes("variant_unknown")
        assert await target.desk.newest(10) == ()
    # One cart is left, of nobody and with nothing in it.
    lines = "SELECT count(*) FROM cart_line_item WHERE deleted_at IS NULL"
    assert await medusa.database.fetchval(lines) == 0
    carts = await medusa.database.fetch("SELECT email, customer_id, completed_at FROM cart")
    assert [tuple(each) for each in carts] == [(None, None, None)]
    assert await medusa.database.fetchval("SELECT count(*) FROM reservation_item") == 0
    assert not [each for each in medusa.told() if each.startswith(("order", "customer", "payment"))]
