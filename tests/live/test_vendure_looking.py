"""Looking things up and going shopping in a running Vendure store."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from connectors.records import Stream
from connectors.testing.contents import gbp, level, product
from connectors.testing.operations import applied, operations
from connectors.vendure.target import VendureTarget
from tests.live.looking import prove_look_ups
from tests.live.vendure.store import VendureStore


async def test_people_find_customers_and_orders(vendure: VendureStore) -> None:
    async with VendureTarget(vendure.access()) as target:
        await prove_look_ups(target)


async def test_a_visitor_finds_goods_and_fills_a_cart_that_nobody_keeps(
    vendure: VendureStore,
) -> None:
    goods = [product(1), product(2, status="draft"), product(3)]
    async with VendureTarget(vendure.access()) as target:
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
        assert await shopper.by_name("Mug 2") == ()
        [sold_out] = await shopper.by_name("Mug 3")
        assert not sold_out.in_stock
        assert await shopper.takes(offer.buyable[0])
        assert not await shopper.takes(sold_out.buyable[0])
        assert not await shopper.takes("999999")
        assert await target.desk.newest(10) == ()
    # A cart begins as any visitor's does, and nothing else happens.
    assert set(await vendure.control("effects")) == {"OrderStateTransitionEvent"}
