"""Looking things up and going shopping in a running store, of whatever platform."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from connectors.records import Order, Product, Stream
from connectors.shopper import Offer
from connectors.testing.contents import LONG_AGO, customer, gbp, level, order, product
from connectors.testing.operations import applied, operations


async def prove_look_ups(target: Any) -> None:
    """Write two customers with three orders, and find all by email and number."""
    people = [customer(1), customer(2)]
    made = applied(await target.write(Stream.CUSTOMERS, operations(Stream.CUSTOMERS, people)))
    orders: list[Order] = [
        order(number, customer=made[who].target_id, email=f"ann.{who}@example.test", **_at(number))
        for number, who in enumerate("121", 1)
    ]
    sent = applied(await target.write(Stream.ORDERS, operations(Stream.ORDERS, orders)))
    ids = [sent[each].target_id for each in "123"]
    desk = target.desk

    by_email = await desk.orders_of("ANN.1@example.test")
    assert [each.id for each in by_email] == [ids[2], ids[0]]
    by_number = await desk.orders_numbered(orders[1].number)
    assert [each.id for each in by_number] == [ids[1]]
    assert await desk.orders_numbered("536") == ()
    [account] = await desk.accounts("Ann.1@Example.test")
    assert account.id == made["1"].target_id
    assert (await desk.history(made["1"].target_id), await desk.history(made["2"].target_id)) == (
        2,
        1,
    )
    newest = await desk.newest(2)
    assert [(each.id, each.number) for each in newest] == [
        (ids[2], orders[2].number),
        (ids[1], orders[1].number),
    ]
    assert newest[0].key == "m1:orders:3"


async def prove_shopping(target: Any, *, unknown: str) -> tuple[Offer, Product]:
    """Sell three mugs, one of them a draft and one sold out: a visitor finds what is for sale, at
    its price, and puts what is in stock into a cart. Answers with the offer of the first, and it.
    """
    goods = [product(1), product(2, status="draft"), product(3)]
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
    assert not await shopper.takes(unknown)
    assert await target.desk.newest(10) == ()
    return offer, goods[0]


def _at(number: int) -> dict[str, Any]:
    moment = LONG_AGO + timedelta(days=number)
    return dict.fromkeys(("created_at", "paid_at", "completed_at"), moment)
