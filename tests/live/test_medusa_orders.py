"""What Medusa's staff does with orders that came in, and what becomes of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Applied, Operation, Outcome
from connectors.records import Fulfilment, Order, Stream, Transaction
from connectors.testing.contents import LONG_AGO, gbp, order, refund
from connectors.testing.operations import applied, operations
from tests.live.medusa.selling import give_back, payment
from tests.live.medusa.staff import writing
from tests.live.medusa.store import MedusaStore

_PLACED = order(1, status="pending", paid_at=None, completed_at=None)
_PAID = order(1, status="processing", completed_at=None)
_BREAK = """
    CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN RAISE EXCEPTION ''the disk is full''; END';
    CREATE TRIGGER breaks BEFORE UPDATE ON order_item EXECUTE FUNCTION broken();
"""
"""How many pieces were sent cannot be written any more."""

_SETTLED = 0.5
"""Seconds after which a request that waits for a lock waits for it."""


async def _brought(medusa: MedusaStore, content: Order) -> Applied:
    async with writing(medusa) as target:
        return applied(await target.write(Stream.ORDERS, operations(Stream.ORDERS, [content])))["1"]


def _later(content: Order, made: Applied, *fields: str) -> list[Operation]:
    """The order as it is at the source by now."""
    [operation] = operations(Stream.ORDERS, [content])
    changed = frozenset(fields)
    return [replace(operation, target_id=made.target_id, children=made.children, changed=changed)]


async def _write(medusa: MedusaStore, sent: list[Operation]) -> Outcome:
    async with writing(medusa) as target:
        [outcome] = await target.write(Stream.ORDERS, sent)
    return outcome


async def _shown(medusa: MedusaStore, made: Applied, fields: str) -> dict[str, Any]:
    found = await medusa.ask("GET", f"orders/{made.target_id}", fields=fields)
    shown: dict[str, Any] = found["order"]
    return shown


async def _capture(medusa: MedusaStore, made: Applied) -> None:
    await medusa.ask("POST", f"payments/{await payment(medusa, made.target_id)}/capture", {})


async def _refund(medusa: MedusaStore, made: Applied) -> None:
    await give_back(medusa, made.target_id, 1.25)


async def _cancel(medusa: MedusaStore, made: Applied) -> None:
    await medusa.ask("POST", f"orders/{made.target_id}/cancel", {})


async def _complete(medusa: MedusaStore, made: Applied) -> None:
    await medusa.ask("POST", f"orders/{made.target_id}/complete", {})


async def _edit(medusa: MedusaStore, made: Applied) -> None:
    await medusa.ask("POST", "order-edits", {"order_id": made.target_id})


async def _take_back(medusa: MedusaStore, made: Applied) -> None:
    await medusa.ask("POST", "returns", {"order_id": made.target_id})


@pytest.mark.parametrize(
    ("content", "act"),
    [
        (_PLACED, _capture),
        (_PLACED, _cancel),
        (_PAID, _refund),
        (_PAID, _cancel),
        (_PAID, _complete),
        (_PAID, _edit),
        (order(1), _take_back),
    ],
)
async def test_what_staff_did_with_money_or_state_of_an_order_is_not_taken_back(
    medusa: MedusaStore, content: Order, act: Any
) -> None:
    """None of it moves the order's version, and payments that came in are those that they move."""
    made = await _brought(medusa, content)
    await act(medusa, made)
    fields = "status,payment_status,*summary,*order_change,*returns"
    fields += ",payment_collections.payments.captures.amount"
    fields += ",payment_collections.payments.refunds.amount"
    before = await _shown(medusa, made, fields)
    back = replace(_PAID, refunds=(refund(9, "2.55"),))
    outcome = await _write(medusa, _later(back, made, "status", "refunds", "paid_at"))
    assert getattr(outcome, "code", outcome) == "order_worked_on"
    assert await _shown(medusa, made, fields) == before


async def test_what_staff_does_while_an_order_is_replaced_is_not_taken_back(
    medusa: MedusaStore,
) -> None:
    made = await _brought(medusa, _PAID)
    back = replace(_PAID, refunds=(refund(9, "2.55"),))
    async with medusa.database.transaction():
        done = "UPDATE \"order\" SET status = 'completed' WHERE id = $1"
        await medusa.database.execute(done, made.target_id)
        writes = asyncio.ensure_future(_write(medusa, _later(back, made, "refunds")))
        await asyncio.sleep(_SETTLED)
        assert not writes.done()
    outcome = await writes
    assert getattr(outcome, "code", outcome) == "order_worked_on"
    assert (await _shown(medusa, made, "status"))["status"] == "completed"


async def test_a_shipment_that_the_source_has_no_more_goes(medusa: MedusaStore) -> None:
    """Also the one that a completed order gets which came without any."""
    whole = order(1)
    made = await _brought(medusa, whole)
    lines = tuple((each.id, each.quantity) for each in whole.lines)
    told = Fulfilment(id="7", status="delivered", tracking="T-1", lines=lines, at=LONG_AGO)
    seen = []
    for content in (replace(whole, fulfilments=(told,)), _PAID):
        fields = ("status", "fulfilments", "completed_at")
        outcome = await _write(medusa, _later(content, made, *fields))
        assert isinstance(outcome, Applied)
        assert isinstance(outcome.content, Order)
        shipped = [each.tracking for each in outcome.content.fulfilments]
        seen.append((outcome.content.status, shipped))
    assert seen == [("completed", ["T-1"]), ("processing", [])]


async def test_an_order_that_cannot_be_written_to_the_end_is_as_before(
    medusa: MedusaStore,
) -> None:
    """What is replaced and breaks off then would look unsent, and staff would send it again."""
    whole = replace(order(1), number="A-1")
    made = await _brought(medusa, whole)
    fields = "custom_display_id,fulfillment_status"
    before = await _shown(medusa, made, fields)
    assert before["custom_display_id"] == "A-1"
    await medusa.database.execute(_BREAK)
    try:
        outcome = await _write(medusa, _later(replace(whole, note="Ring"), made, "note"))
    finally:
        await medusa.database.execute("DROP FUNCTION broken CASCADE")
    assert getattr(outcome, "code", outcome) == "store_rejected"
    assert await _shown(medusa, made, fields) == before
    outcome = await _write(medusa, _later(replace(whole, note="Ring"), made, "note"))
    assert isinstance(outcome, Applied)


async def test_payments_that_the_source_has_no_more_go(medusa: MedusaStore) -> None:
    taken = [Transaction(gateway="card", amount=gbp(each), at=LONG_AGO) for each in ("30", "7.30")]
    made = await _brought(medusa, replace(_PAID, transactions=tuple(taken)))
    one = (replace(taken[0], amount=gbp("37.30")),)
    unpaid = replace(_PLACED, transactions=())
    async with writing(medusa) as target:
        other = operations(Stream.ORDERS, [order(2)], 2)
        applied(await target.write(Stream.ORDERS, other))
    seen = []
    for content in (replace(_PAID, transactions=one), unpaid, replace(_PAID, transactions=one)):
        fields = ("status", "transactions", "paid_at")
        outcome = await _write(medusa, _later(content, made, *fields))
        assert isinstance(outcome, Applied)
        assert isinstance(outcome.content, Order)
        found = await _shown(medusa, made, "payment_status,*summary")
        amounts = [each.amount for each in outcome.content.transactions]
        seen.append((outcome.content.status, found["summary"]["paid_total"], amounts))
    paid = ("processing", 37.3, [gbp("37.30")])
    assert seen == [paid, ("pending", 0, []), paid]
    rows = await medusa.database.fetchval("SELECT count(*) FROM capture")
    assert rows == 2


async def test_nobody_brings_orders_in_without_a_key_of_the_staffs(medusa: MedusaStore) -> None:
    key = {"title": "Storefront", "type": "publishable"}
    visitor = (await medusa.ask("POST", "api-keys", key))["api_key"]["token"]
    for headers in ({}, {"x-publishable-api-key": visitor}):
        for method in ("GET", "POST"):
            request = medusa.staff.build_request(
                method, "/admin/recent-sync/orders", json={"packed": ""}, headers=headers
            )
            del request.headers["Authorization"]
            assert (await medusa.staff.send(request)).status_code == 401
