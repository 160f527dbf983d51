"""Mapping rules in runs: every part of the engine sees the same mapped records."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import to_json
from connectors.errors import BadAnswer
from connectors.records import Category, Stream
from tests.engine.conftest import Bench
from tests.engine.shop import contents
from tests.engine.test_runs import fill, product
from workers.engine.stores import load_stores

PRODUCTS, ORDERS, CUSTOMERS = Stream.PRODUCTS, Stream.ORDERS, Stream.CUSTOMERS
BRAND = {"field": "name", "expression": "'Ems ' + name"}


async def rules(bench: Bench, **by_stream: list[dict[str, Any]]) -> None:
    """Put a version of the bench's rules, as the service does."""
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO mapping_versions (migration_id, version, rules, author)"
                " SELECT :migration, count(*) + 1, CAST(:rules AS jsonb), 'tester'"
                " FROM mapping_versions WHERE migration_id = :migration"
            ),
            {"migration": bench.migration, "rules": to_json(by_stream)},
        )
        await connection.execute(
            text("UPDATE quarantine SET next_at = clock_timestamp() WHERE code = 'mapping_failed'")
        )


def names(bench: Bench, stream: Stream = PRODUCTS) -> set[str]:
    return {row.content.name for row in bench.target.rows[stream].values()}


async def test_records_arrive_as_the_rules_want_them_and_references_still_lead_there(
    bench: Bench,
) -> None:
    fill(bench, 3)
    # An order's customer is brought over on demand, by the same rules.
    await rules(
        bench,
        products=[BRAND],
        customers=[{"field": "last_name", "set": "B"}],
        orders=[{"field": "number", "expression": "'A-' + number"}],
    )
    row = await bench.run("full", streams=["orders", "products"])
    assert (row["status"], row["mapping_version"]) == ("succeeded", 1)
    assert names(bench) == {"Ems Product 0", "Ems Product 1", "Ems Product 2"}
    people = bench.target.rows[CUSTOMERS]
    assert {each.content.last_name for each in people.values()} == {"B"}
    for order in bench.target.rows[ORDERS].values():
        assert order.content.number.startswith("A-")
        assert order.content.customer in people
        assert order.content.lines[0].product in bench.target.rows[PRODUCTS]


async def test_nothing_is_written_again_while_source_and_rules_stay(bench: Bench) -> None:
    fill(bench, 3)
    await rules(bench, products=[BRAND], orders=[{"field": "note", "set": "old shop"}])
    await bench.run("full")
    bench.target.writes.clear()
    for kind, more in (("recent", {}), ("full", {}), ("recent", {"cutover": True})):
        assert (await bench.run(kind, **more))["status"] == "succeeded"
    assert bench.target.writes == []


async def test_changed_rules_reach_migrated_records_with_the_next_sweep(bench: Bench) -> None:
    fill(bench, 3)
    await bench.run("full")
    before = {row.id for row in bench.target.rows[PRODUCTS].values()}
    await rules(bench, products=[BRAND])
    row = await bench.run("full")
    assert (row["status"], row["mapping_version"]) == ("succeeded", 1)
    assert names(bench) == {"Ems Product 0", "Ems Product 1", "Ems Product 2"}
    assert {row.id for row in bench.target.rows[PRODUCTS].values()} == before
    await rules(bench)
    await bench.run("full")
    assert names(bench) == {"Product 0", "Product 1", "Product 2"}


async def test_an_audit_does_not_blame_timestamps_for_changed_rules(bench: Bench) -> None:
    fill(bench, 4)
    await bench.run("full")
    await rules(bench, products=[BRAND])
    await rules(bench, products=[{"field": "weight", "set": "1"}])
    bench.source.tick(minutes=30)
    for _ in range(3):
        assert (await bench.run("recent"))["status"] == "succeeded"
    demoted = await bench.rows("SELECT stream FROM stream_states WHERE demoted_at IS NOT NULL")
    assert demoted == []


async def test_an_audit_under_rules_still_finds_a_silent_change(bench: Bench) -> None:
    fill(bench, 4)
    await rules(bench, products=[BRAND])
    await bench.run("full")
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("""UPDATE migrations SET policies = '{"audit": {"runs": 1}}'""")
        )
    bench.source.tick(minutes=30)
    bench.source.change_silently(PRODUCTS, "p1", weight="9")
    await rules(bench, products=[BRAND, {"field": "tax_class", "set": "x"}])
    await bench.run("recent", streams=["products"])
    (found,) = await bench.rows("SELECT * FROM stream_states WHERE demoted_at IS NOT NULL")
    assert [each["id"] for each in found["evidence"]["records"]] == ["p1"]
    weights = {row.content.sku: row.content.weight for row in bench.target.rows[PRODUCTS].values()}
    assert weights["SKU-1"] == "9"


async def test_a_record_that_rules_fail_on_is_kept_in_quarantine_until_other_rules_come(
    bench: Bench,
) -> None:
    fill(bench, 3)
    bad = {"field": "regular_price.amount", "expression": "1.5", "when": "sku == 'SKU-1'"}
    await rules(bench, products=[{"field": "weight", "set": "1"}, bad])
    row = await bench.run("full")
    assert row["status"] == "completed_with_errors"
    (kept,) = await bench.rows("SELECT * FROM quarantine WHERE stream = 'products'")
    assert (kept["code"], kept["source_id"]) == ("mapping_failed", "p1")
    assert "/products/1" in kept["message"]
    attempts = kept["attempts"]
    assert len(bench.target.rows[PRODUCTS]) == 2
    # The same rules on the same content: nothing to try.
    await bench.run("recent")
    (kept,) = await bench.rows("SELECT * FROM quarantine WHERE stream = 'products'")
    assert (kept["attempts"], kept["status"]) == (attempts, "open")
    await rules(bench, products=[{"field": "weight", "set": "1"}])
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert len(bench.target.rows[PRODUCTS]) == 3
    (kept,) = await bench.rows("SELECT * FROM quarantine WHERE stream = 'products'")
    assert kept["status"] == "resolved"


async def test_a_record_that_rules_fail_on_is_not_taken_for_gone(bench: Bench) -> None:
    fill(bench, 3)
    await bench.run("full")
    await rules(bench, products=[{"field": "name", "expression": "extra.nothing"}])
    for _ in range(3):
        await bench.run("full")
    assert await bench.rows("SELECT 1 FROM removals") == []
    assert not any(row.archived for row in bench.target.rows[PRODUCTS].values())
    assert {row["missed"] for row in await bench.rows("SELECT missed FROM links")} == {0}


async def test_a_mapped_key_finds_what_is_there_under_that_key(bench: Bench) -> None:
    bench.target.put(PRODUCTS, "t1", replace(product(1), sku="NEW-1"))
    bench.source.put(PRODUCTS, "p1", product(1))
    rule = {"field": "sku", "expression": "sku.replace('SKU-', 'NEW-')"}
    await rules(bench, products=[rule])
    await bench.run("full", streams=["products"])
    assert list(bench.target.rows[PRODUCTS]) == ["t1"]


async def test_categories_that_become_one_are_all_followed_to_it(bench: Bench) -> None:
    for name in ("a", "b"):
        bench.source.put(Stream.CATEGORIES, name, Category(name=name))
    bench.source.put(PRODUCTS, "p1", product(1, categories=("a", "b")))
    await rules(bench, products=[{"field": "categories", "values": {"a": "b"}}])
    await bench.run("full")
    (made,) = contents(bench.target, PRODUCTS)
    (target,) = made.categories
    assert bench.target.rows[Stream.CATEGORIES][target].content.name == "b"


async def test_a_job_goes_on_by_the_rules_it_began_with(bench: Bench) -> None:
    fill(bench, 3)
    await rules(bench, products=[BRAND])
    job = await bench.start("full", streams=["products"])
    await bench.turn()
    await rules(bench, products=[{"field": "name", "set": "other"}])
    row = await bench.finish(job)
    assert row["mapping_version"] == 1
    assert names(bench) == {"Ems Product 0", "Ems Product 1", "Ems Product 2"}


async def test_a_function_that_is_missing_ends_the_job_and_not_the_worker(bench: Bench) -> None:
    fill(bench, 2)
    await rules(bench, products=[{"function": "nowhere"}])
    row = await bench.run("full")
    assert (row["status"], row["error"]["code"]) == ("failed", "mapping_unusable")
    assert bench.target.writes == []
    assert bench.target.mails_on


async def test_whoever_opens_a_migrations_stores_sees_mapped_records(bench: Bench) -> None:
    fill(bench, 2)
    failing = {"field": "note", "expression": "extra.nothing"}
    await rules(bench, products=[BRAND], orders=[failing])
    given = bench.resources
    stores = await load_stores(given.engine, given.vault, bench.migration)
    async with stores.open(given.budgets) as (source, _):
        found = await source.get(PRODUCTS, ["p1"])
        assert found["p1"].content.name == "Ems Product 1"
        before = replace(found["p1"], content=product(1, categories=("c2",)))
        assert stores.scope.mapped(before) == found["p1"]
        with pytest.raises(BadAnswer, match="/orders/0"):
            await source.get(ORDERS, ["o1"])
