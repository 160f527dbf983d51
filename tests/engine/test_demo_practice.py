"""A demo, and rules, between two practice stores, over WooCommerce's own API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.practice_stores import Stores, between_practice_stores, put
from tests.engine.test_demo_jobs import report
from tests.engine.test_lost_references_practice import sold
from tests.engine.test_mapping import rules


@pytest.fixture
async def stores(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    async with between_practice_stores(bench, monkeypatch) as opened:
        yield opened


async def test_what_a_demo_showed_and_wrote_is_what_a_full_run_leaves(stores: Stores) -> None:
    await sold(stores, "processing")
    mug = next(each for each in await stores.all(stores.old, "products") if each["sku"] == "MUG")
    await put(stores.old, "products", mug, meta_data=[{"key": "season", "value": "spring"}])
    await rules(
        stores.bench,
        products=[
            {"field": "name", "expression": "'Ems ' + name", "when": "sku == 'MUG'"},
            {"field": "extra.meta.season", "rename": "short_description"},
        ],
        orders=[{"field": "note", "set": "from the old shop"}],
    )
    stores.new.asked.clear()
    dry = await stores.run("demo", dry_run=True)
    assert stores.new.asked == []
    wet = await stores.run("demo")
    reports = [await report(stores.bench, row["id"]) for row in (dry, wet)]
    for told in reports:
        by_stream = {each.stream: each for each in told.streams}
        assert by_stream[Stream.ORDERS].outcomes == {"created": 1}
        assert [each.records for each in by_stream[Stream.PRODUCTS].rules] == [1, 1]
    # What the new shop shows counts: its clock dates the order, and nothing was discounted.
    lost = {each.field: each.lost for each in by_stream[Stream.ORDERS].losses}
    assert (lost["created_at"], lost["discounts"], lost["discount_total"]) == (1, 0, 0)
    lost = {each.field: each.lost for each in by_stream[Stream.PRODUCTS].losses}
    assert (lost["created_at"], lost["attributes"]) == (0, 0)
    order = await stores.only(stores.new, "orders")
    products = {each["sku"]: each for each in await stores.all(stores.new, "products")}
    customer = await stores.only(stores.new, "customers")
    assert (order["customer_note"], order["customer_id"]) == ("from the old shop", customer["id"])
    assert [line["product_id"] for line in order["line_items"]] == [
        products["MUG"]["id"],
        products["SHIRT"]["id"],
    ]
    mug = products["MUG"]
    assert (mug["name"], mug["short_description"]) == ("Ems Mug", "spring")
    assert "season" not in {each["key"] for each in mug["meta_data"]}
    assert mug["stock_quantity"] == 50
    for kind, params in (("full", {}), ("recent", {}), ("recent", {"cutover": True})):
        stores.new.asked.clear()
        await stores.run(kind, **params)
        sent = [each for each in stores.new.requests("P", "batch") if any(each.body.values())]
        assert [each for each in sent if "settings" not in each.path] == []
    effects = await stores.new.effects()
    assert (effects["stock_movements"], effects["mails"]) == ({}, {})


async def test_changed_rules_reach_what_is_on_the_target_and_the_teams_text_stays(
    stores: Stores,
) -> None:
    await sold(stores, "processing")
    await stores.run("full")
    there = next(each for each in await stores.all(stores.new, "products") if each["sku"] == "MUG")
    await put(stores.new, "products", there, description="By the launch team")
    await rules(
        stores.bench,
        products=[
            {"field": "name", "expression": "'Ems ' + name"},
            {"field": "description", "set": "By a rule", "when": "sku == 'MUG'"},
        ],
    )
    await stores.run("full")
    products = {each["sku"]: each for each in await stores.all(stores.new, "products")}
    assert {each["name"] for each in products.values()} == {"Ems Mug", "Ems Shirt"}
    assert products["MUG"]["description"] == "By the launch team"
    assert {each["field"] for each in await stores.conflicts()} == {"description"}
