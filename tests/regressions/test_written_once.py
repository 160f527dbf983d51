"""Each record once, and only ours: lost answers, new names, strangers on the target, waiting."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.engine.practice_stores import Stores, put
from tests.regressions.goods import change, goods, prices, stocked


async def _filled(stores: Stores, count: int = 12) -> None:
    await stores.old.load(
        product=goods(count),
        customer=[{"email": f"person{n}@example.com"} for n in range(count)],
    )
    for n, person in enumerate(await stores.all(stores.old, "customers")):
        line = {"name": "Mug", "quantity": 1, "total": "5.00", "subtotal": "5.00", "product_id": 0}
        body = {"customer_id": person["id"], "line_items": [line], "transaction_id": f"t{n}"}
        await stores.old.admin("POST", "orders", body)


async def _identities(stores: Stores) -> dict[str, Counter[str]]:
    found = {}
    for path, name in (("products", "sku"), ("customers", "email"), ("orders", "transaction_id")):
        found[path] = Counter(each[name] for each in await stores.all(stores.new, path))
    return found


@pytest.mark.parametrize(
    "faults",
    [
        {"timeout_after": {"probability": 0.4}},
        {"error_after": {"probability": 0.4, "methods": ["POST", "PUT"]}},
        {"html_page": {"probability": 0.4, "methods": ["POST", "PUT"]}},
        {"late_commit": {"probability": 0.4, "seconds": 0.2}},
    ],
    ids=lambda faults: next(iter(faults)),
)
async def test_write_whose_answer_is_lost_makes_no_second_record(
    stores: Stores, faults: dict[str, Any]
) -> None:
    await _filled(stores)
    await stores.new.faults(**faults)
    await stores.run("full")
    await stores.new.faults(all=None)
    for path, found in (await _identities(stores)).items():
        assert set(found.values()) == {1}, path
        assert len(found) >= 12, path
    stores.new.asked.clear()
    await stores.run("full")
    created = [each.body for each in stores.new.requests("POST", "/batch")]
    assert [each for each in created if any(each.values())] == []


async def test_second_run_over_an_unchanged_shop_writes_nothing(stores: Stores) -> None:
    await _filled(stores)
    await stores.run("full")
    for kind, params in (("recent", {}), ("recent", {"cutover": True}), ("full", {})):
        stores.new.asked.clear()
        stamps = [each["date_modified_gmt"] for each in await stores.all(stores.new, "orders")]
        row = await stores.run(kind, **params)
        counters = await stores.bench.counters(row["id"])
        assert counters.get("created", 0) + counters.get("updated", 0) == 0
        again = [each["date_modified_gmt"] for each in await stores.all(stores.new, "orders")]
        assert again == stamps


async def test_record_that_gets_another_sku_slug_or_email_stays_the_same_record(
    stores: Stores,
) -> None:
    await _filled(stores, 3)
    await stores.run("full")
    goods_there = {each["id"] for each in await stores.all(stores.new, "products")}
    people_there = {each["id"] for each in await stores.all(stores.new, "customers")}
    mug = (await stores.all(stores.old, "products"))[1]
    await put(stores.old, "products", mug, sku="RENAMED", slug="renamed")
    person = next(
        each
        for each in await stores.all(stores.old, "customers")
        if each["email"] == "person1@example.com"
    )
    await put(stores.old, "customers", person, email="renamed@example.com")
    line = {"product_id": mug["id"], "quantity": 1, "total": "5.00"}
    body = {"customer_id": person["id"], "line_items": [line], "transaction_id": "later"}
    await stores.old.admin("POST", "orders", body)
    await stores.run()
    renamed = [
        each for each in await stores.all(stores.new, "products") if each["sku"] == "RENAMED"
    ]
    assert [each["id"] in goods_there for each in renamed] == [True]
    people = await stores.all(stores.new, "customers")
    assert {each["id"] for each in people} == people_there
    owner = next(each["id"] for each in people if each["email"] == "renamed@example.com")
    orders = await stores.all(stores.new, "orders")
    later = next(each for each in orders if each["transaction_id"] == "later")
    assert later["customer_id"] == owner
    assert later["line_items"][0]["product_id"] == renamed[0]["id"]


async def test_what_somebody_else_put_into_the_target_is_left_alone(stores: Stores) -> None:
    """A test order, a product of the team: neither changed, nor paired, nor removed."""
    line = {"name": "Theirs", "quantity": 1, "total": "1.00", "product_id": 0}
    await stores.new.admin("POST", "orders", {"status": "pending", "line_items": [line]})
    await stores.new.load(product=goods(1, sku="THEIRS"), customer=[{"email": "t@example.com"}])
    theirs = [
        (await stores.all(stores.new, path))[0] for path in ("orders", "products", "customers")
    ]
    await _filled(stores, 3)
    await stores.run("full")
    await stores.run("recent", cutover=True)
    for path, before in zip(("orders", "products", "customers"), theirs, strict=True):
        found = {each["id"]: each for each in await stores.all(stores.new, path)}
        assert found[before["id"]] == before
    assert len(await stores.all(stores.new, "orders")) == 1 + 3
    links = await stores.bench.rows("SELECT target_id FROM links WHERE stream <> 'categories'")
    assert str(theirs[0]["id"]) not in {each["target_id"] for each in links}


async def test_watermark_does_not_pass_over_a_record_that_could_not_be_written(
    stores: Stores,
) -> None:
    """Its SKU belongs to somebody else until later: no window shows the record again."""
    ids = await stocked(stores, 3)
    await stores.set_policies(overlap=0)
    await stores.new.load(product=goods(1, sku="TAKEN", name="Theirs"))
    await change(stores.old, ids[0], sku="TAKEN", regular_price="7.00")
    stores.wait(60)
    row = await stores.bench.run("recent", streams=["products"])
    assert row["status"] == "completed_with_errors"
    [kept] = await stores.quarantine()
    assert kept["source_id"] == str(ids[0])
    theirs = next(e for e in await stores.all(stores.new, "products") if e["name"] == "Theirs")
    await put(stores.new, "products", theirs, sku="GIVEN-BACK")
    await stores.bench.run("recent", options={"only": "quarantine"})
    assert await stores.quarantine() == []
    assert (await prices(stores.new))["TAKEN"] == 7.0


async def test_order_that_came_before_its_product_is_brought_over_once_it_is_there(
    stores: Stores,
) -> None:
    await stores.set_policies(on_missing_reference="quarantine")
    [mug] = (await stores.old.load(product=goods(1)))["product"]
    line = {"product_id": mug, "quantity": 1, "total": "5.00"}
    await stores.old.admin("POST", "orders", {"line_items": [line]})
    kept = stores.old.store.read("product", mug)
    await stores.old.edit(op="hard_delete", kind="product", id=mug)
    stores.wait(60)
    row = await stores.bench.run("full")
    assert row["status"] == "completed_with_errors"
    assert [each["code"] for each in await stores.quarantine()] == ["reference_missing"]
    assert await stores.all(stores.new, "orders") == []
    await stores.old.load(product=[kept])
    await stores.run("full")
    order = await stores.only(stores.new, "orders")
    there = await stores.only(stores.new, "products")
    assert [each["product_id"] for each in order["line_items"]] == [there["id"]]
    assert await stores.quarantine() == []
