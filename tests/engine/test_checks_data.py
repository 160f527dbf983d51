"""Each planted fault is found by the check that should, and by no other one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from connectors.base import Loss, TaxBasis
from connectors.losses import Losses
from connectors.records import Category, Customer, InventoryLevel, Product, Stream
from tests.engine.conftest import Bench
from tests.engine.grounds import ground_of
from tests.engine.launching import a_line, an_order, bad, checked, euros, launch, twin
from tests.engine.shop import FakeStore, Row
from workers.checks.registry import CHECKS


async def test_a_clean_pair_raises_no_alarm_and_every_check_says_what_it_looked_at(bench: Bench):
    await launch(bench)
    writes = list(bench.target.writes)

    job, results = await checked(bench)

    assert bad(results) == set()
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert set(results) == {each.id for each in CHECKS}
    # The others need a platform on which things can be looked up; the canary has to be asked for.
    own = [each for each in results if each.startswith(("preflight.", "data."))]
    own.remove("preflight.canary")
    assert [results[each]["state"] for each in own] == ["passed"] * len(own)
    assert bench.target.writes == writes
    assert bench.target.mails_on
    assert results["data.ids"]["examined"] == 10
    assert results["data.content"]["examined"] == 10
    assert "orders: all 2" in results["data.content"]["sample"]


async def edit(bench: Bench, stream: Stream, source_id: str, **fields: Any) -> None:
    bench.target.edit(stream, await twin(bench, stream, source_id), **fields)


async def double(bench: Bench, stream: Stream, source_id: str, **fields: Any) -> None:
    row = bench.target.rows[stream][await twin(bench, stream, source_id)]
    bench.target.rows[stream]["9999"] = Row("9999", row.stamp, replace(row.content, **fields))


async def lose(bench: Bench, stream: Stream, source_id: str) -> None:
    del bench.target.rows[stream][await twin(bench, stream, source_id)]


async def write(bench: Bench, sql: str) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text(sql))


async def order_without_its_customer(bench: Bench) -> None:
    await edit(bench, Stream.ORDERS, "o101", customer=None)


async def line_of_another_product(bench: Bench) -> None:
    other = await twin(bench, Stream.PRODUCTS, "p2")
    await edit(bench, Stream.ORDERS, "o101", lines=(a_line("l101", other),))


async def product_out_of_its_category(bench: Bench) -> None:
    await edit(bench, Stream.PRODUCTS, "p1", categories=())


async def total_wrong_by_one_cent(bench: Bench) -> None:
    await edit(bench, Stream.ORDERS, "o101", total=euros("6.01"))


async def total_wrong_as_its_writer_saw(bench: Bench) -> None:
    """It was noted as lost when the order was written."""
    await edit(bench, Stream.ORDERS, "o101", total=euros("1.00"))
    await write(bench, "UPDATE links SET losses = '{total,lines}' WHERE source_id = 'o101'")


async def amounts_of_two_lines_exchanged(bench: Bench) -> None:
    """What each line says, and all sums, are as they were."""
    lines = [a_line("l1", "p1"), a_line("l2", "p2")]
    dear = replace(lines[1], total=euros("7"), subtotal=euros("7"))
    bench.source.tick(minutes=1)
    bench.source.put(Stream.ORDERS, "o103", an_order("103", lines=(lines[0], dear)))
    await bench.run("recent")
    cheap = replace(lines[1], product=await twin(bench, Stream.PRODUCTS, "p2"))
    first = replace(lines[0], product=await twin(bench, Stream.PRODUCTS, "p1"))
    first = replace(first, total=euros("7"), subtotal=euros("7"))
    await edit(bench, Stream.ORDERS, "o103", lines=(first, cheap))


async def refund_missing(bench: Bench) -> None:
    await edit(bench, Stream.ORDERS, "o102", refunds=())


async def price_old(bench: Bench) -> None:
    await edit(bench, Stream.PRODUCTS, "p1", regular_price=euros("4.99"))


async def price_of_a_variant_old(bench: Bench) -> None:
    target = bench.target.rows[Stream.PRODUCTS][await twin(bench, Stream.PRODUCTS, "p1")]
    assert isinstance(target.content, Product)
    variant = replace(target.content.variants[0], regular_price=euros("4.99"))
    await edit(bench, Stream.PRODUCTS, "p1", variants=(variant,))


async def address_dropped(bench: Bench) -> None:
    await edit(bench, Stream.CUSTOMERS, "k1", billing=None)


async def sku_swapped(bench: Bench) -> None:
    await edit(bench, Stream.PRODUCTS, "p1", sku="S2-old")


async def stock_wrong(bench: Bench) -> None:
    await edit(bench, Stream.INVENTORY, "p1", quantity=Decimal(1))


async def category_missing(bench: Bench) -> None:
    bench.source.put(Stream.CATEGORIES, "c9", Category(name="Spices"), stamp=bench.source.now)
    bench.source.rows[Stream.CATEGORIES]["c9"].stamp = bench.source.now.replace(year=2020)


async def customer_gone_from_the_target(bench: Bench) -> None:
    await lose(bench, Stream.CUSTOMERS, "k2")


async def order_doubled(bench: Bench) -> None:
    await double(bench, Stream.ORDERS, "o102")


async def email_doubled_in_capitals(bench: Bench) -> None:
    await double(bench, Stream.CUSTOMERS, "k1", email="Anna@Example.com")


async def product_doubled_without_an_sku(bench: Bench) -> None:
    """As a naive copy in a shop that refuses the SKU for the second time."""
    await double(bench, Stream.PRODUCTS, "p1", name="TEA  1", sku="", variants=())


async def new_order_waiting(bench: Bench) -> None:
    bench.source.tick(minutes=1)
    bench.source.put(Stream.ORDERS, "o103", an_order("103"))


async def new_product_waiting_with_its_stock(bench: Bench) -> None:
    bench.source.tick(minutes=1)
    bench.source.put(Stream.PRODUCTS, "p3", Product(name="Tea 3", sku="S3"))
    level = InventoryLevel(product="p3", counted=True, quantity=Decimal(3))
    bench.source.put(Stream.INVENTORY, "p3", level)


async def product_changed_silently(bench: Bench) -> None:
    bench.source.change_silently(Stream.PRODUCTS, "p2", description="Written past the shop")


async def stale_stream(bench: Bench) -> None:
    await write(
        bench,
        "UPDATE cursors SET watermark = watermark - interval '5 hours' WHERE stream = 'products'",
    )


async def untrusted_stream(bench: Bench) -> None:
    await write(
        bench,
        "INSERT INTO stream_states (migration_id, stream, reason, message, demoted_at, audited,"
        " audit_total, audit_round) SELECT id, 'orders', 'silent_change', 'They lie.', now(),"
        " 0, 0, 0 FROM migrations",
    )


async def quarantine_not_empty(bench: Bench) -> None:
    await write(
        bench,
        "INSERT INTO quarantine (id, migration_id, stream, source_id, status, code, message,"
        " attempts) SELECT gen_random_uuid(), id, 'orders', 'o7', 'open', 'invalid', 'no', 1"
        " FROM migrations",
    )


async def conflict_open(bench: Bench) -> None:
    await write(
        bench,
        "INSERT INTO conflicts (id, migration_id, stream, source_id, target_id, field, status,"
        " base_known, source_digest, target_digest, sealed) SELECT gen_random_uuid(), id,"
        " 'products', 'p1', '1', 'name', 'open', true, '', '', '' FROM migrations",
    )


async def clock_wrong(bench: Bench) -> None:
    await write(bench, "UPDATE cursors SET watermark = watermark + interval '10 minutes'")
    bench.source.tick(minutes=10)


async def launch_time_not_set(bench: Bench) -> None:
    await write(bench, "UPDATE migrations SET launch_at = NULL")


async def sku_held_by_another(bench: Bench) -> None:
    """A new product has the SKU that the target still knows of another one's record."""
    bench.source.change_silently(Stream.PRODUCTS, "p1", sku="S1-new")
    await bench.run("full")
    await edit(bench, Stream.PRODUCTS, "p1", sku="S9")
    bench.source.tick(minutes=1)
    bench.source.put(Stream.PRODUCTS, "p9", Product(name="Another", sku="S9"))


async def another_currency(bench: Bench) -> None:
    bench.target.currency = "USD"


async def tax_on_top_of_gross_prices(bench: Bench) -> None:
    """Every price is the same to the cent, and every customer pays a fifth more."""
    bench.target.tax_basis = TaxBasis.NET


async def no_tax_at_all(bench: Bench) -> None:
    bench.source.tax_basis, bench.target.tax_basis = TaxBasis.NET, TaxBasis.UNTAXED


FAULTS: list[tuple[Callable[[Bench], Awaitable[None]], set[str]]] = [
    (order_without_its_customer, {"data.relations"}),
    (line_of_another_product, {"data.relations"}),
    (product_out_of_its_category, {"data.relations"}),
    (total_wrong_by_one_cent, {"data.money"}),
    (total_wrong_as_its_writer_saw, {"data.money"}),
    (amounts_of_two_lines_exchanged, {"data.money"}),
    (refund_missing, {"data.money"}),
    (price_old, {"data.money"}),
    (price_of_a_variant_old, {"data.money"}),
    (address_dropped, {"data.content"}),
    (sku_swapped, {"data.content"}),
    (stock_wrong, {"data.content"}),
    (category_missing, {"data.ids"}),
    (customer_gone_from_the_target, {"data.ids"}),
    (order_doubled, {"data.doubled"}),
    (email_doubled_in_capitals, {"data.doubled"}),
    (product_doubled_without_an_sku, {"data.doubled"}),
    (new_order_waiting, {"data.freshness"}),
    (new_product_waiting_with_its_stock, {"data.freshness"}),
    (product_changed_silently, {"data.freshness"}),
    (stale_stream, {"data.freshness"}),
    (untrusted_stream, {"preflight.trust"}),
    (quarantine_not_empty, {"data.quarantine"}),
    (conflict_open, {"data.conflicts"}),
    (clock_wrong, {"preflight.clocks"}),
    (launch_time_not_set, {"preflight.launch"}),
    (another_currency, {"preflight.currency"}),
    (tax_on_top_of_gross_prices, {"preflight.taxes"}),
    (no_tax_at_all, {"preflight.taxes"}),
]


@pytest.mark.parametrize(("plant", "expected"), FAULTS, ids=[each.__name__ for each, _ in FAULTS])
async def test_a_fault_is_found_by_the_check_that_should_and_by_no_other(
    bench: Bench, plant: Callable[[Bench], Awaitable[None]], expected: set[str]
):
    await launch(bench)
    await plant(bench)

    job, results = await checked(bench, checks=["preflight", "data"])

    assert bad(results) == expected
    for each in expected:
        assert results[each]["found"] == len(results[each]["evidence"]) >= 1
        assert "example.com" not in str(results[each]["evidence"])
    warning = expected == {"preflight.launch"}
    assert job["status"] == ("succeeded" if warning else "completed_with_errors")


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        (None, TaxBasis.NET, "The source does not tell"),
        (TaxBasis.NET, None, "The target does not tell"),
        (TaxBasis.UNTAXED, TaxBasis.NET, "look at them"),
    ],
)
async def test_taxes_that_a_store_does_not_tell_of_are_skipped_and_the_reason_told(
    bench: Bench, source: TaxBasis | None, target: TaxBasis | None, why: str
):
    await launch(bench)
    bench.source.tax_basis, bench.target.tax_basis = source, target
    bench.target.currency = ""

    job, results = await checked(bench, checks=["preflight"])

    assert job["status"] == "succeeded"
    assert results["preflight.taxes"]["state"] == "skipped"
    assert why in results["preflight.taxes"]["summary"]
    assert results["preflight.currency"]["state"] == "skipped"
    assert "The target does not tell" in results["preflight.currency"]["summary"]


async def test_what_the_source_has_lost_has_to_be_gone_or_reported(bench: Bench):
    """A window run does not look for it: without a cutover the shop would open with it."""
    await launch(bench)
    for stream in (Stream.PRODUCTS, Stream.INVENTORY):
        bench.source.rows[stream].pop("p2", None)
    await bench.run("recent")
    job, results = await checked(bench)
    assert job["status"] == "completed_with_errors"
    assert bad(results) >= {"data.ids"}
    [evidence] = results["data.ids"]["evidence"]
    assert (evidence["source_id"], evidence["message"]) == (
        "p2",
        "The source has lost it, and it is still on the target.",
    )
    await bench.run("recent", cutover=True, options={"release_brake": True})
    _, results = await checked(bench)
    assert results["data.ids"]["state"] == "passed"


@pytest.mark.parametrize(
    "fields",
    [
        {"sku": "OWN", "variants": ()},
        {"sku": "", "variants": (), "status": "draft"},
        {"sku": "", "variants": (), "name": "Tea 1, a sample"},
    ],
)
async def test_what_the_team_made_itself_is_no_double(bench: Bench, fields: dict[str, Any]):
    await launch(bench)
    await double(bench, Stream.PRODUCTS, "p1", **fields)
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == set()


async def test_a_double_of_an_order_is_known_where_orders_get_new_numbers(bench: Bench):
    await launch(bench)
    await double(bench, Stream.ORDERS, "o102", number="9999")
    [doubled] = [each for each in CHECKS if each.id == "data.doubled"]
    async with ground_of(bench) as ground:
        assert (await doubled.run(ground)).found == 0
    async with ground_of(bench) as ground:

        async def losses(_: Stream) -> Losses:
            return Losses([Loss("number", "The target has its own.")])

        ground.losses = losses  # type: ignore[method-assign]
        [evidence] = (await doubled.run(ground)).evidence
    assert evidence.target_id == "9999"
    assert evidence.message.endswith("with the same email, total and lines.")


async def lose_order(bench: Bench, **policies: Any) -> None:
    """The source deletes a customer's order; it is reported, and left by policy."""
    await launch(bench, **policies)
    del bench.source.rows[Stream.ORDERS]["o102"]
    await bench.run("recent", cutover=True, options={"release_brake": True})
    [row] = await bench.rows("SELECT exempt FROM links WHERE source_id = 'o102'")
    assert row["exempt"]


async def test_what_was_left_by_policy_may_be_there_or_not(bench: Bench):
    await lose_order(bench)
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == set()
    await lose(bench, Stream.ORDERS, "o102")  # by hand, after the report
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == set()


async def test_what_was_left_and_is_at_the_source_again_is_missed_on_the_target(bench: Bench):
    """Nobody has noticed its return yet: a window shows no change."""
    await lose_order(bench)
    bench.source.put(
        Stream.ORDERS, "o102", an_order("102"), stamp=bench.source.now.replace(year=2020)
    )
    await lose(bench, Stream.ORDERS, "o102")
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == {"data.ids"}


async def test_what_neither_store_has_any_more_is_as_it_should_be(bench: Bench):
    await launch(bench)
    del bench.source.rows[Stream.ORDERS]["o102"]
    await lose(bench, Stream.ORDERS, "o102")
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == set()


async def test_an_order_that_comes_while_the_source_is_being_read_is_waiting_and_not_missing(
    bench: Bench,
):
    await launch(bench)
    enumerate_ids = FakeStore.enumerate

    async def selling(self: FakeStore, stream: Stream, *asked: Any) -> Any:
        if stream is Stream.ORDERS and self.shop is bench.source:
            bench.source.tick(seconds=1)
            bench.source.put(Stream.ORDERS, "o103", an_order("103"))
        async for marks in enumerate_ids(self, stream, *asked):
            yield marks

    bench.monkeypatch.setattr(FakeStore, "enumerate", selling)
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == {"data.freshness"}
    assert [each["source_id"] for each in results["data.freshness"]["evidence"]] == ["o103"]


async def test_a_clock_of_the_source_that_was_set_back_hides_no_change(bench: Bench):
    """What changed since has stamps that lie before every window."""
    await launch(bench)
    bench.source.tick(hours=-2)
    bench.source.put(Stream.ORDERS, "o101", an_order("101", note="Changed"))
    # With an empty sample, which would find it as well.
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    options = {"checks": ["data.freshness"], "sample": 0}
    job = await bench.run("verify", since=tomorrow, options=options)
    [row] = await bench.rows("SELECT * FROM check_results WHERE job_id = :id", id=job["id"])
    assert [each["source_id"] for each in row["evidence"]] == ["o101"]


async def test_a_conflict_about_what_was_taken_off_the_target_needs_no_decision(bench: Bench):
    await launch(bench)
    await conflict_open(bench)
    await write(bench, "UPDATE conflicts SET source_id = 'p2'")
    for stream in (Stream.PRODUCTS, Stream.INVENTORY):
        del bench.source.rows[stream]["p2"]
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == {"data.ids", "data.conflicts"}
    await bench.run("recent", cutover=True, options={"release_brake": True})
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == set()


async def test_two_records_that_became_one_on_the_target_are_told(bench: Bench):
    """As releases before did with two products under one SKU: the second took the first's place."""
    await launch(bench)
    bench.source.tick(minutes=1)
    bench.target.tick(minutes=1)
    bench.source.put(Stream.PRODUCTS, "p9", Product(name="Another tea", sku="S9"))
    bench.source.put(Stream.CUSTOMERS, "k9", Customer(email="anna@example.com"))
    await bench.run("recent")
    rows = bench.target.rows[Stream.PRODUCTS]
    taken, own = await twin(bench, Stream.PRODUCTS, "p1"), await twin(bench, Stream.PRODUCTS, "p9")
    rows[taken].content, rows[taken].key = rows[own].content, rows[own].key
    del rows[own]
    await write(bench, f"UPDATE links SET target_id = '{taken}' WHERE source_id = 'p9'")  # noqa: S608
    _, results = await checked(bench, checks=["data.ids"])
    [evidence] = results["data.ids"]["evidence"]
    assert (evidence["source_id"], evidence["stream"]) == ("p1", "products")
    assert evidence["message"].endswith("written over with p9.")
    # Once the first one is gone from the source, its place is the second one's by right.
    for stream in (Stream.PRODUCTS, Stream.INVENTORY):
        del bench.source.rows[stream]["p1"]
    await write(bench, "UPDATE links SET exempt = true WHERE source_id = 'p1'")
    _, results = await checked(bench, checks=["data.ids"])
    assert bad(results) == set()


async def test_a_list_that_ends_too_early_proves_nothing(bench: Bench):
    """What it does not show may have no record on the target. Some come while it is read."""
    await launch(bench)
    for counted, state in ((4, "passed"), (5, "failed")):
        bench.source.counts = counted
        _, results = await checked(bench, checks=["data.ids"])
        assert results["data.ids"]["state"] == state
    messages = {each["message"] for each in results["data.ids"]["evidence"]}
    assert messages == {"The source counts 5, and its lists show 2."}


async def test_a_change_that_waits_in_quarantine_is_told_there_and_nowhere_else(bench: Bench):
    """Whoever waives it there has decided: nothing is waiting at the source."""
    await launch(bench)
    bench.source.tick(minutes=1)
    bench.source.put(Stream.CUSTOMERS, "k2", Customer(email="bob@example.com", first_name="Bob"))
    bench.target.script = ["refused"]
    await bench.run("recent")
    assert bad((await checked(bench, checks=["data"]))[1]) == {"data.quarantine"}
    await write(bench, "UPDATE quarantine SET status = 'waived'")
    assert bad((await checked(bench, checks=["data"]))[1]) == set()
    bench.source.tick(minutes=1)
    bench.source.put(Stream.CUSTOMERS, "k2", Customer(email="bob@example.com", first_name="Rob"))
    assert bad((await checked(bench, checks=["data"]))[1]) == {"data.freshness"}
