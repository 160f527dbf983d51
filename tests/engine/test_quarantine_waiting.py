"""A record that lacks another one is tried when that one arrives, by whatever way."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from sqlalchemy import text

from connectors.records import InventoryLevel, Order, Stream, Variant, money
from connectors.references import Reference
from tests.engine.conftest import Bench
from tests.engine.shop import contents
from tests.engine.test_quarantine import change, entry, waive
from tests.engine.test_runs import customer, order, product
from workers.engine import quarantine
from workers.engine.attempts import REFERENCE_MISSING


async def be_strict(bench: Bench) -> None:
    """Orders without their customer or product are not written."""
    await change(
        bench, """UPDATE migrations SET policies = '{"on_missing_reference":"quarantine"}'"""
    )


def placed(bench: Bench) -> list[Order]:
    return [each for each in contents(bench.target, Stream.ORDERS) if isinstance(each, Order)]


async def test_order_waits_for_its_product_and_comes_with_it(bench: Bench) -> None:
    await be_strict(bench)
    bench.source.put(Stream.ORDERS, "o1", order(1, product="p404"))
    await bench.run("full")
    waiting = await entry(bench, "o1")
    assert waiting["waits_for"] == [Reference(Stream.PRODUCTS, "p404").to_text()]
    assert waiting["code"] == REFERENCE_MISSING
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p404", product(404))
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    [made] = placed(bench)
    assert made.lines[0].product in bench.target.rows[Stream.PRODUCTS]


async def test_job_that_brings_the_product_alone_leaves_the_order_to_the_next(bench: Bench) -> None:
    await be_strict(bench)
    bench.source.put(Stream.ORDERS, "o1", order(1, product="p404"))
    await bench.run("full")
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p404", product(404))
    await bench.run("recent", streams=["products"])
    woken = await entry(bench, "o1")
    assert (woken["status"], woken["waits_for"]) == ("open", [])
    assert woken["pause"] <= 0
    row = await bench.run("recent", streams=["orders"])
    assert row["status"] == "succeeded"
    assert len(placed(bench)) == 1


async def test_product_that_arrives_after_the_orders_takes_its_order_along(bench: Bench) -> None:
    """The source denies the product once, while orders are read; stock brings it over then."""
    await be_strict(bench)
    bench.source.put(Stream.ORDERS, "o1", order(1, product="p9"))
    bench.source.put(Stream.PRODUCTS, "p9", product(9))
    bench.source.put(Stream.INVENTORY, "p9", InventoryLevel(product="p9", sku="SKU-9"))
    bench.source.hidden = {"p9"}

    async def show(stream: Stream, _page: Any) -> None:
        if stream is Stream.ORDERS:
            bench.source.hidden = set()

    bench.source.hooks["read"] = show
    bench.source.shows["p9"] = [None]
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    [made] = placed(bench)
    assert made.lines[0].product in bench.target.rows[Stream.PRODUCTS]
    assert (await entry(bench, "o1"))["status"] == "resolved"


async def test_product_that_arrives_while_a_cutover_closes_takes_its_order_along(
    bench: Bench,
) -> None:
    await be_strict(bench)
    bench.source.put(Stream.ORDERS, "o1", order(1, product="p9"))
    bench.source.tick(hours=1)

    async def sell_on(stream: Stream, _page: Any) -> None:
        if stream is Stream.INVENTORY and "p9" not in bench.source.rows[Stream.PRODUCTS]:
            bench.source.tick(minutes=1)
            bench.source.put(Stream.PRODUCTS, "p9", product(9))

    bench.source.hooks["read"] = sell_on
    row = await bench.run("recent", cutover=True, since=bench.source.now.isoformat())
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert len(placed(bench)) == 1


async def test_order_waits_for_everything_that_it_lacks(bench: Bench) -> None:
    await be_strict(bench)
    bench.source.put(Stream.ORDERS, "o1", order(1, who="u404", product="p404"))
    await bench.run("full")
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p404", product(404))
    row = await bench.run("recent")
    assert row["status"] == "completed_with_errors"
    waiting = await entry(bench, "o1")
    assert waiting["waits_for"] == [Reference(Stream.CUSTOMERS, "u404").to_text()]
    assert waiting["attempts"] == 1, "nothing was to be gained by trying"
    bench.source.put(Stream.CUSTOMERS, "u404", customer(404))
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert len(placed(bench)) == 1


async def test_order_that_lacks_a_variant_is_not_woken_by_its_product(bench: Bench) -> None:
    await be_strict(bench)
    sold = order(1, product="p1")
    bench.source.put(
        Stream.ORDERS, "o1", replace(sold, lines=(replace(sold.lines[0], variant="v9"),))
    )
    bench.source.put(Stream.PRODUCTS, "p1", product(1))
    await bench.run("full")
    waiting = await entry(bench, "o1")
    assert waiting["waits_for"] == [Reference(Stream.PRODUCTS, "p1", "v9").to_text()]
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p1", product(1, featured=True))
    await bench.run("recent")
    assert (await entry(bench, "o1"))["attempts"] == 1
    variant = Variant(id="v9", sku="V-9", regular_price=money("9.50", "GBP"))
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p1", product(1, variants=(variant,)))
    await bench.run("recent", streams=["products"])
    assert (await entry(bench, "o1"))["waits_for"] == []
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert len(placed(bench)) == 1


async def test_link_that_came_by_another_way_is_noticed(bench: Bench) -> None:
    """As when a refusal is committed just after the record that it lacks."""
    await be_strict(bench)
    bench.source.put(Stream.ORDERS, "o1", order(1, product="p404"))
    await bench.run("full")
    await change(
        bench,
        "INSERT INTO links (migration_id, stream, source_id, target_id, state)"
        " VALUES (:migration, 'products', 'p404', '77', 'applied')",
        migration=bench.migration,
    )
    bench.source.tick(hours=1)
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert [each.lines[0].product for each in placed(bench)] == ["77"]


async def test_nothing_is_opened_where_nothing_waits(bench: Bench) -> None:
    """A run without quarantine has no more slices than its passes need."""
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    row = await bench.run("full", streams=["customers"])
    found = await bench.rows(
        "SELECT count(*) FROM slices WHERE job_id = :id AND kind = 'retry'", id=row["id"]
    )
    assert found == [{"count": 0}]


async def test_waiting_records_are_found_by_an_index(bench: Bench) -> None:
    waiting = [Reference(Stream.PRODUCTS, f"p{n}").to_text() for n in range(20_000)]
    await change(
        bench,
        "INSERT INTO quarantine (id, migration_id, stream, source_id, status, code, message,"
        " attempts, waits_for) SELECT gen_random_uuid(), :migration, 'orders', each, 'open',"
        " 'reference_missing', '', 1, ARRAY[each] FROM unnest(CAST(:waiting AS text[])) AS each",
        migration=bench.migration,
        waiting=waiting,
    )
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("ANALYZE quarantine"))
        plan = await connection.execute(
            text(f"EXPLAIN {quarantine._WAITING.text}"),
            {"migration": bench.migration, "arrived": waiting[:100]},
        )
        assert "quarantine_waiting" in "\n".join(plan.scalars())


async def test_waived_record_does_not_wait_any_more(bench: Bench) -> None:
    await be_strict(bench)
    bench.source.put(Stream.ORDERS, "o1", order(1, product="p404"))
    await bench.run("full")
    await waive(bench)
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p404", product(404))
    row = await bench.run("recent")
    assert (row["status"], placed(bench)) == ("succeeded", [])
