"""The same promises between two practice stores, over WooCommerce's own API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from connectors.records import Stream
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench
from tests.engine.practice_stores import Stores, between_practice_stores, put

TEAM = "<p>Written by the launch team</p>"


@pytest.fixture
async def stores(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    async with between_practice_stores(bench, monkeypatch) as opened:
        yield opened


async def filled(stores: Stores) -> tuple[dict[str, Any], dict[str, Any]]:
    """A product on both stores."""
    goods = {"name": "Mug", "sku": "MUG", "status": "publish", "regular_price": "2.55"}
    await stores.old.load(product=[goods | {"description": "Old"}])
    await stores.run("full")
    return await stores.only(stores.old, "products"), await stores.only(stores.new, "products")


async def test_a_description_of_the_team_survives_every_kind_of_run(stores: Stores) -> None:
    here, there = await filled(stores)
    await put(stores.new, "products", there, description=TEAM)
    for number, params in enumerate(({}, {"cutover": True}, {"kind": "full"})):
        price = f"{number + 3}.00"
        changes = {"description": f"New {number}", "regular_price": price}
        await put(stores.old, "products", here, **changes)
        await stores.run(**params)
        shown = await stores.only(stores.new, "products")
        assert (shown["description"], float(shown["regular_price"])) == (TEAM, float(price))
    assert await stores.conflicts() == [
        {"field": "description", "status": "settled", "decision": "target"}
    ]


SOURCE = "Written at the source"


@pytest.mark.parametrize("take", ["source", "target", "later"])
async def test_each_way_of_settling_over_the_api_does_what_it_says(
    stores: Stores, take: str
) -> None:
    await stores.set_policies(conflicts={"products": {"description": "manual"}})
    here, there = await filled(stores)
    await put(stores.new, "products", there, description=TEAM)
    await put(stores.old, "products", here, description=SOURCE)
    for _ in range(2):
        await stores.run()
        assert (await stores.only(stores.new, "products"))["description"] == TEAM
    async with api_of(stores.bench) as api:
        [conflict] = (await api.get("conflicts")).json()["items"]
        assert (conflict["field"], conflict["status"]) == ("description", "open")
        answer = await api.post(f"conflicts/{conflict['id']}/settle", json={"take": take})
        assert answer.status_code == 200, answer.text
        answer = await api.post("conflicts/apply")
        assert answer.status_code == (202 if take == "source" else 409), answer.text
        if take == "source":
            row = await stores.bench.finish(UUID(answer.json()["id"]))
            assert row["status"] == "succeeded"
    wanted = SOURCE if take == "source" else TEAM
    for kind, params in (("recent", {}), ("full", {}), ("recent", {"cutover": True})):
        await stores.run(kind, **params)
        assert (await stores.only(stores.new, "products"))["description"] == wanted
    status = "later" if take == "later" else "settled"
    decision = None if take == "later" else take
    assert await stores.conflicts() == [
        {"field": "description", "status": status, "decision": decision}
    ]


@pytest.mark.parametrize(
    "faults",
    [
        {"torn_reads": {"seconds": 0.5, "probability": 1.0}},
        {"visibility_delay": {"seconds": 2.0, "probability": 1.0, "scope": "lists"}},
    ],
)
async def test_a_target_that_shows_records_late_or_torn_raises_no_false_conflict(
    stores: Stores, faults: dict[str, Any]
) -> None:
    here, _ = await filled(stores)
    await stores.new.faults(**faults)
    for number in range(3):
        changes = {"description": f"New {number}", "regular_price": f"{number + 3}.00"}
        await put(stores.old, "products", here, **changes)
        stores.old.now[0] += 60
        row = await stores.bench.run("recent")
        assert row["status"] == "succeeded"
    stores.new.now[0] += 60
    shown = await stores.only(stores.new, "products")
    assert (shown["description"], float(shown["regular_price"])) == ("New 2", 5.0)
    assert await stores.conflicts() == []


async def test_lines_and_refunds_added_later_reach_an_order_that_was_there(stores: Stores) -> None:
    line = {"name": "Mug", "quantity": 2, "total": "5.10", "subtotal": "5.10"}
    await stores.old.load(order=[{"status": "processing", "line_items": [line]}])
    await stores.run("full")
    here = await stores.only(stores.old, "orders")
    more = {"name": "Cup", "quantity": 1, "total": "3.00", "subtotal": "3.00", "product_id": 0}
    await put(stores.old, "orders", here, line_items=[more], status="completed")
    await stores.run()
    body = {"amount": "1.00", "reason": "Chipped", "api_refund": False}
    await stores.old.admin("POST", f"orders/{here['id']}/refunds", body)
    await stores.run()
    there = await stores.only(stores.new, "orders")
    assert [each["name"] for each in there["line_items"]] == ["Mug", "Cup"]
    assert (there["status"], float(there["total"])) == ("completed", 8.10)
    assert [each["reason"] for each in there["refunds"]] == ["Chipped"]
    assert await stores.conflicts() == []
    assert await stores.bench.rows("SELECT * FROM quarantine") == []
    stores.new.asked.clear()
    await stores.run(streams=[str(Stream.ORDERS)])
    assert [each for each in stores.new.requests(path="orders") if each.method != "GET"] == []
