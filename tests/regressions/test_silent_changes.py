"""Changes that move no date, dates that move without a change, and parts that come later."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.records import Stream
from tests.connectors.practice import Practice
from tests.engine.practice_stores import Stores, put
from tests.regressions.goods import change, prices, stocked
from tests.regressions.sizes import shirt, sizes


async def test_stock_that_moves_no_date_arrives_with_the_next_run(stores: Stores) -> None:
    ids = await stocked(stores, 3)
    await _past_its_stamps(stores)
    before = (await stores.all(stores.old, "products"))[1]["date_modified_gmt"]
    await stores.old.edit(op="silent_stock", kind="product", id=ids[1], quantity=4)
    row = await stores.run()
    assert "missed" not in await stores.bench.counters(row["id"])
    assert (await stores.all(stores.old, "products"))[1]["date_modified_gmt"] == before
    there = (await stores.all(stores.new, "products"))[1]
    assert (there["manage_stock"], there["stock_quantity"]) == (True, 4)


async def _past_its_stamps(stores: Stores) -> None:
    """Everything is on both shops, and no window will reach back to it again."""
    await stores.set_policies(overlap=5)
    await stores.run("full")
    await stores.run()


async def _audited(stores: Stores) -> None:
    """A run whose window does not reach back to the record, and which audits everything."""
    await stores.set_policies(audit={"runs": 1}, overlap=5)
    row = await stores.run()
    assert (await stores.bench.counters(row["id"]))["missed"] == 1


async def _swept(stores: Stores) -> None:
    await stores.run("recent", cutover=True)


@pytest.mark.parametrize("find", [_audited, _swept], ids=["an audit", "a cutover"])
async def test_price_of_a_variant_that_moves_no_date_is_found(stores: Stores, find: Any) -> None:
    parent = await shirt(stores.old)
    await _past_its_stamps(stores)
    variant = (await sizes(stores.old, parent))["S"]["id"]
    fields = {"regular_price": "8.00", "price": "8.00"}
    await stores.old.edit(op="patch", kind="variation", id=variant, fields=fields)
    await find(stores)
    there = await stores.only(stores.new, "products")
    shown = await sizes(stores.new, there["id"])
    assert {size: float(each["regular_price"]) for size, each in shown.items()} == {
        "S": 8.0,
        "M": 5.0,
    }


async def test_variant_that_changes_place_stays_the_same_variant(stores: Stores) -> None:
    """Children are known by who they are, not by where they stand: M moves up when S goes."""
    parent = await shirt(stores.old)
    await stores.run("full")
    there = await stores.only(stores.new, "products")
    mine = (await sizes(stores.new, there["id"]))["M"]
    await put(stores.new, f"products/{there['id']}/variations", mine, description="By the team")
    path = f"products/{parent}/variations"
    found = await sizes(stores.old, parent)
    async with stores.old.api() as api:
        await api.delete(f"{path}/{found['S']['id']}", force=True)
    await put(stores.old, path, found["M"], regular_price="7.00")
    option = {"name": "Size", "option": "L"}
    await stores.old.admin("POST", path, {"regular_price": "9.00", "attributes": [option]})
    await stores.run()
    shown = await sizes(stores.new, there["id"])
    assert {size: float(each["regular_price"]) for size, each in shown.items()} == {
        "M": 7.0,
        "L": 9.0,
    }
    assert shown["M"]["id"] == mine["id"]
    assert "By the team" in shown["M"]["description"]


async def test_date_that_moves_without_a_change_writes_nothing_and_asks_nobody(
    stores: Stores,
) -> None:
    ids = await stocked(stores, 3)
    there = (await stores.all(stores.new, "products"))[1]
    await put(stores.new, "products", there, description="Written by the team")
    for number in ids:
        await stores.old.edit(op="bump", kind="product", id=number)
    stores.new.asked.clear()
    row = await stores.run(streams=["products"])
    counters = await stores.bench.counters(row["id"])
    assert (counters["read"], counters["unchanged"]) == (3, 3)
    # A batch of nothing proves that the key may write.
    sent = [each.body for each in stores.new.requests(path="/products") if each.body]
    assert [each for each in sent if any(each.values())] == []
    looked_at = [each.query for each in stores.new.requests("GET") if "include" in each.query]
    assert looked_at == [], "nor is the target asked what it holds"
    assert await stores.conflicts() == []


async def _order(shop: Practice, **fields: Any) -> dict[str, Any]:
    line = {"name": "Mug", "quantity": 2, "total": "10.00", "subtotal": "10.00", "product_id": 0}
    made = await shop.admin("POST", "orders", {"status": "completed", "line_items": [line]})
    if fields:
        await shop.edit(op="patch", kind="order", id=made["id"], fields=fields)
    return dict(made)


async def test_refund_older_than_its_order_arrives_with_it(stores: Stores) -> None:
    order = await _order(stores.old)
    made = await stores.old.admin(
        "POST", f"orders/{order['id']}/refunds", {"amount": "2.00", "api_refund": False}
    )
    fields = {"date_created_gmt": "2020-01-01T00:00:00", "date_created": "2020-01-01T00:00:00"}
    await stores.old.edit(op="patch", kind="refund", id=made["id"], fields=fields)
    await stores.run(since="2025-01-01T00:00:00Z")
    there = await stores.only(stores.new, "orders")
    assert [float(each["total"]) for each in there["refunds"]] == [-2.0]


async def test_refund_that_is_deleted_moves_no_date_and_is_found_by_an_audit(
    stores: Stores,
) -> None:
    order = await _order(stores.old)
    path = f"orders/{order['id']}/refunds"
    made = await stores.old.admin("POST", path, {"amount": "2.00", "api_refund": False})
    await _past_its_stamps(stores)
    async with stores.old.api() as api:
        await api.delete(f"{path}/{made['id']}", force=True)
    await _audited(stores)
    assert (await stores.only(stores.new, "orders"))["refunds"] == []


async def test_line_that_moves_up_in_an_order_stays_the_same_line(stores: Stores) -> None:
    line = {"quantity": 1, "product_id": 0}
    amounts = {"Mug": "5.00", "Cup": "3.00", "Pot": "9.00"}
    lines = [{**line, "name": name, "total": each} for name, each in amounts.items()]
    made = await stores.old.admin("POST", "orders", {"line_items": lines})
    await stores.run("full")
    there = await stores.only(stores.new, "orders")
    before = {each["name"]: each["id"] for each in there["line_items"]}
    mug, _, pot = made["line_items"]
    changed = [
        {"id": mug["id"], "quantity": 0},
        {"id": pot["id"], "quantity": 2, "total": "18.00", "subtotal": "18.00"},
        {**line, "name": "Jug", "total": "7.00"},
    ]
    await put(stores.old, "orders", made, line_items=changed)
    await stores.run()
    shown = (await stores.only(stores.new, "orders"))["line_items"]
    assert {each["name"]: float(each["total"]) for each in shown} == {
        "Cup": 3.0,
        "Pot": 18.0,
        "Jug": 7.0,
    }
    kept = {each["name"]: each["id"] for each in shown if each["name"] in before}
    assert kept == {"Cup": before["Cup"], "Pot": before["Pot"]}


async def test_record_changed_while_its_own_change_is_written_is_read_again(
    stores: Stores,
) -> None:
    """What changes behind a page that was read comes with the next window, whole."""
    ids = await stocked(stores, 3)
    await change(stores.old, ids[0], regular_price="6.00")
    stores.wait(30)
    await stores.bench.run("recent", streams=[str(Stream.PRODUCTS)])
    await change(stores.old, ids[0], regular_price="7.00")
    await stores.run(streams=["products"])
    assert (await prices(stores.new))["SKU-000"] == 7.0
