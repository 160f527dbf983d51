"""The look-ups of a running store, of whatever platform: what people know leads to the records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from connectors.records import Order, Stream
from connectors.testing.contents import LONG_AGO, customer, order
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


def _at(number: int) -> dict[str, Any]:
    moment = LONG_AGO + timedelta(days=number)
    return dict.fromkeys(("created_at", "paid_at", "completed_at"), moment)
