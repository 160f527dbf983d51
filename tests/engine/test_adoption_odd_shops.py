"""Adoption of shops in which hardly anything is as it should be."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors import shown
from connectors.base import Loss, StoreReport
from connectors.records import Category, InventoryLevel, Product, Stream, Variant, money
from tests.engine.adopted import (
    PAIRS,
    SINCE,
    adopt,
    customer,
    fill,
    order,
    product,
    states,
)
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench
from tests.engine.shop import START, FakeStore
from tests.engine.test_mapping import rules

PRODUCTS, ORDERS, CATEGORIES = Stream.PRODUCTS, Stream.ORDERS, Stream.CATEGORIES


async def linked(bench: Bench, stream: str) -> dict[str, str]:
    rows = await bench.rows(PAIRS)
    return {each["source_id"]: each["target_id"] for each in rows if each["stream"] == stream}


# --- copies --------------------------------------------------------------------------------------


async def test_copies_without_a_sku_are_named(bench: Bench) -> None:
    """A shop takes each SKU once, and puts a number behind a slug that is taken."""
    fill(bench)
    for number in (1, 2):
        bench.source.edit(PRODUCTS, f"p{number}", sku="" if number == 1 else "MUG-2")
        bench.target.edit(PRODUCTS, f"tp{number}", sku="" if number == 1 else "MUG-2")
        copy = product(number, sku="", slug=f"mug-{number}-2", categories=(f"tc{number}",))
        bench.target.put(PRODUCTS, f"tp{number}9", copy)
    cheaper = product(3, sku="", slug="mug-3-7", regular_price=money("1.00", "GBP"))
    bench.target.put(PRODUCTS, "tp39", cheaper)
    bench.target.put(PRODUCTS, "own", product(3, sku="MUG-3-XL", slug="mug-3-8"))
    bench.target.put(CATEGORIES, "tc9", Category(name="C1", slug="c-1-2"))
    bench.target.put(CATEGORIES, "tc8", Category(name="C2", slug="c-2-5", parent="tc1"))
    await adopt(bench)
    found = await states(bench, "products")
    assert {each: found["target", each] for each in ("tp19", "tp29", "tp39")} == {
        "tp19": ("doubled", "p1"),
        "tp29": ("doubled", "p2"),
        "tp39": ("doubled", "p3"),
    }
    # What has a SKU of its own is the team's.
    assert found["target", "own"] == ("target_only", None)
    categories = await states(bench, "categories")
    assert categories["target", "tc9"] == ("doubled", "c1")
    assert categories["target", "tc8"] == ("doubled", "c2")
    assert await linked(bench, "products") == {f"p{n}": f"tp{n}" for n in (1, 2, 3)}


async def test_of_copies_without_sku_and_slug_one_is_linked(bench: Bench) -> None:
    fill(bench)
    bench.source.edit(PRODUCTS, "p1", sku="")
    for name in ("tp1", "tp19"):
        made = product(1, sku="", slug=name, categories=("tc1",))
        bench.target.put(PRODUCTS, name, made)
    await adopt(bench)
    assert (await states(bench, "products"))["target", "tp19"] == ("doubled", "p1")
    assert (await linked(bench, "products"))["p1"] == "tp1"


async def test_twins_of_the_source_are_no_copies(bench: Bench) -> None:
    """The old shop has two products of one name itself, and the tool has lost one of them."""
    fill(bench)
    for number, slug in (("p1", "mug"), ("p4", "mug-2")):
        twin = product(1, sku="", slug=slug, name="Mug", categories=("c1",))
        bench.source.put(PRODUCTS, number, twin)
    for name, slug in (("tp1", "mug"), ("tp4", "other")):
        twin = product(1, sku="", slug=slug, name="Mug", categories=("tc1",))
        bench.target.put(PRODUCTS, name, twin)
    await bench.run("adopt", since=SINCE)
    found = await states(bench, "products")
    assert found["source", "p1"] == ("paired", "tp1")
    # It may be the second one: nobody calls it a copy of the first.
    assert found["target", "tp4"][0] == found["source", "p4"][0] == "ambiguous"


async def test_a_copy_about_which_somebody_decided_stays_one(bench: Bench) -> None:
    fill(bench)
    bench.target.put(ORDERS, "to9", bench.target.rows[ORDERS]["to1"].content)
    await adopt(bench)
    async with api_of(bench) as api:
        listed = (await api.get("adoption/pairs", params={"state": "doubled"})).json()["items"]
        where = f"adoption/pairs/{listed[0]['id']}"
        assert (await api.put(where, json={"decision": "ignore"})).status_code == 200
    await adopt(bench)
    assert (await states(bench, "orders"))["target", "to9"] == ("doubled", "o1")


@pytest.mark.parametrize("told", [{"extra": {"account": True}}, {"role": "guest"}])
async def test_a_guest_and_an_account_of_one_email_are_not_mixed_up(
    bench: Bench, told: dict[str, Any]
) -> None:
    fill(bench)
    bench.source.put(Stream.CUSTOMERS, "u9", customer(1, **told))
    bench.target.put(Stream.CUSTOMERS, "tu0", customer(1, **told))
    await adopt(bench)
    found = await linked(bench, "customers")
    assert (found["u1"], found["u9"]) == ("tu1", "tu0")


async def test_a_guest_and_an_account_that_share_one_record_are_left_to_people(
    bench: Bench,
) -> None:
    fill(bench)
    bench.source.put(Stream.CUSTOMERS, "u9", customer(1, extra={"account": True}))
    row = await bench.run("adopt", since=SINCE)
    assert row["status"] == "completed_with_errors"
    found = await states(bench, "customers")
    assert found["source", "u1"][0] == found["source", "u9"][0] == "ambiguous"


# --- what tools make of a record -----------------------------------------------------------------


@pytest.mark.parametrize("fields", [{}, {"number": "WC-01001"}])
async def test_orders_that_were_moved_by_a_time_zone_are_told_apart(
    bench: Bench, fields: dict[str, Any]
) -> None:
    """Somebody orders the same each week; the tool took the old shop's local time for UTC."""
    fill(bench)
    for name in ("o1", "o2", "o3"):
        content = bench.source.rows[ORDERS][name].content
        placed = START.replace(hour=22, minute=11, second=int(name[1])) - timedelta(
            days=7 * int(name[1])
        )
        same = replace(order(1), created_at=placed, customer=content.customer)
        bench.source.put(ORDERS, name, same)
        there = replace(same, created_at=placed + timedelta(hours=5), customer=None, number=name)
        bench.target.put(ORDERS, f"t{name}", replace(there, **fields) if name == "o1" else there)
    await adopt(bench)
    assert await linked(bench, "orders") == {name: f"t{name}" for name in ("o1", "o2", "o3")}


async def test_new_ids_on_the_target_are_paired_anew(bench: Bench) -> None:
    """The other tool was run again on an emptied shop, after an adoption that nobody used."""
    fill(bench)
    await adopt(bench)
    for stream, rows in bench.target.rows.items():
        for row in [*rows.values()]:
            del rows[row.id]
            content = row.content
            if stream is PRODUCTS:
                content = replace(content, categories=tuple(f"n{e}" for e in content.categories))
            bench.target.put(stream, f"n{row.id}", content)
    await adopt(bench)
    assert await linked(bench, "products") == {f"p{n}": f"ntp{n}" for n in (1, 2, 3)}
    assert await linked(bench, "orders") == {f"o{n}": f"nto{n}" for n in (1, 2, 3)}
    row = await bench.run("recent", cutover=True)
    assert (row["status"], bench.target.creates()) == ("succeeded", [])


# --- mapping rules, and records that cannot be read ----------------------------------------------


async def test_what_the_other_tool_brought_is_known_although_rules_change_its_keys(
    bench: Bench,
) -> None:
    fill(bench)
    for number in (1, 2, 3):
        made = {"sku": f"OLD-{number}", "slug": f"s{number}", "name": f"N{number}"}
        bench.source.edit(PRODUCTS, f"p{number}", **made)
        bench.target.edit(PRODUCTS, f"tp{number}", **made)
    # The tool had made one as the rules want it.
    bench.target.edit(PRODUCTS, "tp3", sku="NEW-3")
    await rules(
        bench,
        products=[
            {"field": "sku", "expression": "sku.replace('OLD', 'NEW')"},
            {"field": "slug", "set": "x"},
            {"field": "name", "expression": "'Ems ' + name"},
            {"field": "regular_price.amount", "expression": "1.5", "when": "id == 'p2'"},
        ],
    )
    await adopt(bench)
    assert await linked(bench, "products") == {f"p{n}": f"tp{n}" for n in (1, 2, 3)}
    # Drift is from what the rules want; the one that they fail on goes to quarantine later.
    rows = await bench.rows("SELECT record_id, differs FROM adoption_records WHERE differs <> '{}'")
    by_id = {each["record_id"]: set(each["differs"]) for each in rows}
    assert by_id["p1"] == {"sku", "slug", "name"}
    assert by_id["p3"] == {"slug", "name"}
    await bench.run("recent", cutover=True)
    assert bench.target.creates() == []


async def test_what_cannot_be_read_is_not_made_a_second_time(bench: Bench) -> None:
    fill(bench)
    bench.source.unreadable = {"o1"}
    row = await bench.run("adopt", since=SINCE)
    assert row["status"] == "completed_with_errors"
    held = await bench.rows("SELECT source_id, code FROM quarantine")
    assert held == [{"source_id": "o1", "code": "adoption_ambiguous"}]
    bench.source.unreadable = set()
    await bench.run("recent", cutover=True)
    assert bench.target.creates() == []
    await adopt(bench)
    assert (await linked(bench, "orders"))["o1"] == "to1"
    assert await bench.rows("SELECT 1 FROM quarantine WHERE status = 'open'") == []


async def test_what_cannot_be_read_on_the_target_is_told(bench: Bench) -> None:
    fill(bench)
    bench.target.unreadable = {"to1"}
    row = await bench.run("adopt", since=SINCE)
    assert (row["status"], row["error"]["code"]) == (
        "completed_with_errors",
        "target_not_understood",
    )
    assert (await states(bench, "orders"))["target", "to1"] == ("ambiguous", None)
    [row] = await bench.rows("SELECT id FROM adoption_records WHERE record_id = 'to1'")
    async with api_of(bench) as api:
        where = f"adoption/pairs/{row['id']}"
        assert (await api.put(where, json={"decision": "ignore"})).status_code == 200
    assert (await bench.run("adopt", since=SINCE))["status"] == "succeeded"


# --- drift ---------------------------------------------------------------------------------------


async def test_drift_is_counted_in_every_stream_and_gone_after_a_run(bench: Bench) -> None:
    fill(bench)
    for number in (1, 2, 3):
        level = InventoryLevel(product=f"p{number}", counted=True, quantity=Decimal(5))
        bench.source.put(Stream.INVENTORY, f"p{number}", level)
        # The first is the same, written otherwise.
        there = replace(
            level, product=f"tp{number}", quantity=Decimal(("5.0", "5", "3")[number - 1])
        )
        bench.target.put(Stream.INVENTORY, f"tp{number}", there)
    bench.target.edit(CATEGORIES, "tc1", name="Cups")
    bench.target.edit(PRODUCTS, "tp1", regular_price=money("6", "GBP"))
    bench.target.edit(Stream.CUSTOMERS, "tu1", first_name="")
    for number in (1, 2, 3):
        bench.target.edit(ORDERS, f"to{number}", number=f"{1000 + number}")
    bench.target.edit(ORDERS, "to1", status="pending")
    await adopt(bench)
    async with api_of(bench) as api:
        streams = (await api.get("drift")).json()["streams"]
        assert {name: (each["differing"], each["fields"]) for name, each in streams.items()} == {
            "categories": (1, {"name": 1}),
            "products": (1, {"regular_price": 1}),
            "customers": (1, {"first_name": 1}),
            "orders": (1, {"status": 1}),
            "inventory": (1, {"quantity": 1}),
        }
        assert {each["unverified"] for each in streams.values()} == {3}
        row = await bench.run("recent", cutover=True)
        assert (row["status"], bench.target.creates()) == ("succeeded", [])
        streams = (await api.get("drift")).json()["streams"]
        assert {(each["differing"], each["unverified"]) for each in streams.values()} == {(0, 0)}
    await adopt(bench)
    assert await bench.rows("SELECT 1 FROM adoption_records WHERE differs <> '{}'") == []


async def test_an_order_that_is_of_something_else_is_drift(bench: Bench) -> None:
    """Counts, names and amounts are right, and what leads from one record to another is not."""
    fill(bench)
    for number in (1, 2, 3):
        bench.target.edit(ORDERS, f"to{number}", number=f"{1000 + number}")
    [line] = bench.target.rows[ORDERS]["to1"].content.lines
    bench.target.edit(ORDERS, "to1", lines=(replace(line, product=None),))
    bench.target.edit(ORDERS, "to2", customer="tu3")
    # What the old shop itself has lost cannot be brought over.
    [line] = bench.source.rows[ORDERS]["o3"].content.lines
    bench.source.edit(ORDERS, "o3", lines=(replace(line, product="p9"),), customer="u9")
    bench.target.edit(ORDERS, "to3", lines=(replace(line, product=None),), customer=None)
    wrong: set[tuple[str, str]] = {("o1", "lines"), ("o2", "customer")}
    for left in (wrong, set()):
        await adopt(bench)
        rows = await bench.rows(
            "SELECT record_id, unnest(differs) AS field FROM adoption_records"
            " WHERE stream = 'orders'"
        )
        assert {(each["record_id"], each["field"]) for each in rows} == left
        assert (await bench.run("recent", cutover=True))["status"] == "succeeded"


# --- baselines -----------------------------------------------------------------------------------


async def watermark(bench: Bench) -> Any:
    [cursor] = await bench.rows("SELECT watermark FROM cursors WHERE stream = 'products'")
    return cursor["watermark"]


async def test_a_cursor_that_a_run_has_reached_stays_where_it_is(bench: Bench) -> None:
    """Forward it would leap over changes that nobody has read."""
    fill(bench)
    await adopt(bench, streams=["products"])
    await bench.run("recent", streams=["products"])
    reached = await watermark(bench)
    for days in (9, -9, 9):
        later = (START + timedelta(days=days)).isoformat()
        await bench.run("adopt", since=later, streams=["products"])
        assert await watermark(bench) == reached


async def test_a_baseline_lies_before_what_a_demo_has_written(bench: Bench) -> None:
    bench.source.put(PRODUCTS, "p1", product(1))
    demo = await bench.run("demo")
    for name in ("to1", "to2"):
        bench.target.put(PRODUCTS, name, product(2))
    later = (demo["finished_at"] + timedelta(days=9)).isoformat()
    row = await bench.run("adopt", since=later)
    assert await watermark(bench) == demo["started_at"]
    # Where nothing was written, the future is no baseline either.
    [cursor] = await bench.rows("SELECT watermark FROM cursors WHERE stream = 'orders'")
    assert row["started_at"] < cursor["watermark"] < row["finished_at"]


class StoreWithAddon(FakeStore):
    """A store on which our add-on stands."""

    async def check(self) -> StoreReport:
        return StoreReport(platform_version="1", addon="1.0")


async def test_what_a_target_keeps_with_the_addon_is_drift(bench: Bench) -> None:
    fill(bench)
    losses = (Loss("number", "It counts itself.", addon=True), Loss("note", "There is none."))
    orders = replace(bench.platform.writes[ORDERS], losses=losses)
    platform = replace(bench.platform, writes={**bench.platform.writes, ORDERS: orders})
    bench.target.edit(ORDERS, "to1", note="Ours")
    told = []
    for store in (FakeStore, StoreWithAddon):
        bench.use(replace(platform, source=store, target=store))
        await adopt(bench)
        told += await bench.rows(
            "SELECT differs, declared FROM adoption_records WHERE record_id = 'o1'"
        )
    assert told == [
        {"differs": [], "declared": ["number", "note"]},
        {"differs": ["number"], "declared": ["note"]},
    ]


async def test_a_loss_that_strikes_some_records_is_no_excuse_for_others(bench: Bench) -> None:
    fill(bench)
    losses = (
        Loss("status", "Private ones become drafts.", shows=drafts),
        Loss("regular_price", "None of its own with variants.", shows=shown.own_price),
        Loss("variants.status", "All are for sale.", shows=shown.published),
    )
    products = replace(bench.platform.writes[PRODUCTS], losses=losses)
    bench.use(replace(bench.platform, writes={**bench.platform.writes, PRODUCTS: products}))
    bench.source.edit(PRODUCTS, "p1", status="private")
    bench.target.edit(PRODUCTS, "tp1", status="draft", regular_price=money("1", "GBP"))
    bench.source.edit(PRODUCTS, "p2", status="private")
    bench.source.edit(PRODUCTS, "p3", variants=(Variant(id="s", sku="S", status="private"),))
    bench.target.edit(PRODUCTS, "tp3", regular_price=None, variants=(Variant(id="ts", sku="S"),))
    await adopt(bench)
    rows = await bench.rows(
        "SELECT record_id, differs, declared FROM adoption_records"
        " WHERE stream = 'products' AND side = 'source' ORDER BY record_id"
    )
    assert [(each["differs"], each["declared"]) for each in rows] == [
        (["regular_price"], ["status"]),
        (["status"], []),
        ([], ["regular_price", "variants"]),
    ]


def drafts(content: Product) -> str:
    return "draft" if content.status == "private" else content.status


async def test_the_database_knows_how_much_it_has_to_pair(bench: Bench) -> None:
    """Else it compares every record with every other one: 20,000 orders took minutes."""
    fill(bench)
    await adopt(bench)
    [known] = await bench.rows(
        "SELECT reltuples, (SELECT count(*) FROM adoption_records) AS records FROM pg_class"
        " WHERE oid = 'adoption_records'::regclass"
    )
    assert known["reltuples"] == known["records"] == 24
