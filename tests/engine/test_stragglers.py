"""Late orders of the old shop, after the new one has begun to sell."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.test_runs import customer, order, product

LATE = {"streams": ["orders"], "options": {"stragglers": True}}


@pytest.fixture
async def launched(bench: Bench) -> Bench:
    """A shop that was moved to the last record, and whose target sells by now."""
    for number in (1, 2):
        bench.source.put(Stream.CUSTOMERS, str(number), customer(number))
        bench.source.put(Stream.PRODUCTS, str(number), product(number))
        bench.source.put(Stream.ORDERS, str(number), order(number))
    assert (await bench.run("full"))["status"] == "succeeded"
    assert (await bench.run("recent", cutover=True))["status"] == "succeeded"
    bench.source.tick(hours=1)
    bench.target.writes.clear()
    return bench


def held(bench: Bench, stream: Stream) -> list[Any]:
    return [row.content for row in bench.target.rows[stream].values()]


async def test_a_late_order_comes_with_the_customer_it_needs_and_nothing_else(
    launched: Bench,
) -> None:
    launched.source.put(Stream.CUSTOMERS, "3", customer(3))
    launched.source.put(Stream.CUSTOMERS, "4", customer(4))
    launched.source.put(Stream.PRODUCTS, "9", product(9))
    launched.source.put(Stream.ORDERS, "3", order(3, who="3"))
    row = await launched.run("recent", **LATE)
    assert row["status"] == "succeeded"
    assert launched.target.creates() == [(Stream.CUSTOMERS, "3"), (Stream.ORDERS, "3")]
    assert launched.target.writes == [
        ("create", Stream.CUSTOMERS, "3"),
        ("create", Stream.ORDERS, "3"),
    ]
    launched.target.writes.clear()
    assert (await launched.run("recent", **LATE))["status"] == "succeeded"
    assert launched.target.writes == []


async def test_what_the_new_shop_changed_is_never_overwritten(launched: Bench) -> None:
    target_id = next(
        row.id for row in launched.target.rows[Stream.ORDERS].values() if row.content.number == "1"
    )
    launched.target.edit(Stream.ORDERS, target_id, status="processing", note="Packed")
    late = replace(order(1), status="cancelled", note="Changed", email="late@example.test")
    launched.source.put(Stream.ORDERS, "1", late)
    row = await launched.run("recent", **LATE)
    assert row["status"] == "succeeded"
    content = launched.target.rows[Stream.ORDERS][target_id].content
    assert (content.status, content.note) == ("processing", "Packed")
    assert content.email == "late@example.test"
    found = await launched.rows("SELECT field, decision, settled_by FROM conflicts")
    assert {each["field"] for each in found} == {"status", "note"}
    assert {(each["decision"], each["settled_by"]) for each in found} == {("target", "policy")}


async def test_a_customer_who_registered_at_the_new_shop_keeps_what_it_holds(
    launched: Bench,
) -> None:
    theirs = replace(customer(3), first_name="Registered")
    launched.target.put(Stream.CUSTOMERS, "own", theirs)
    launched.source.put(Stream.CUSTOMERS, "3", replace(customer(3), first_name="Old"))
    launched.source.put(Stream.ORDERS, "3", order(3, who="3"))
    assert (await launched.run("recent", **LATE))["status"] == "succeeded"
    assert launched.target.rows[Stream.CUSTOMERS]["own"].content.first_name == "Registered"
    [late] = [each for each in held(launched, Stream.ORDERS) if each.number == "3"]
    assert late.customer == "own"


async def test_nothing_is_removed_or_swept(launched: Bench) -> None:
    del launched.source.rows[Stream.ORDERS]["2"]
    del launched.source.rows[Stream.PRODUCTS]["2"]
    launched.source.reads.clear()
    for _ in range(2):
        assert (await launched.run("recent", **LATE))["status"] == "succeeded"
    assert launched.target.writes == []
    assert {stream for stream, _ in launched.source.reads} == {Stream.ORDERS}
    assert await launched.rows("SELECT 1 FROM removals") == []


async def test_the_new_shops_mails_are_off_only_while_something_is_written(
    launched: Bench,
) -> None:
    muted: list[bool] = []

    async def muting(before: Any) -> None:
        muted.append(True)

    async def written(operation: Any) -> None:
        assert launched.target.mails_on is False

    launched.target.hooks.update(muting=muting, written=written)
    assert (await launched.run("recent", **LATE))["status"] == "succeeded"
    assert muted == []
    launched.source.put(Stream.ORDERS, "3", order(3, who="1"))
    assert (await launched.run("recent", **LATE))["status"] == "succeeded"
    assert muted
    assert launched.target.mails_on is True
