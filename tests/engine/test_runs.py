"""What a run leaves behind, whatever happens on the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import request_cancel
from connectors.errors import BadAnswer, SignInAgain, TryLater, Unreachable
from connectors.records import (
    Category,
    Customer,
    InventoryLevel,
    Order,
    OrderLine,
    Product,
    Stream,
    Variant,
    money,
)
from tests.engine.conftest import Bench
from tests.engine.shop import START, contents


class Crash(BaseException):
    """The end of a worker, in the midst of its work."""


def product(number: int, **fields) -> Product:
    return Product(
        name=f"Product {number}", sku=f"SKU-{number}", regular_price=money("9.50", "GBP"), **fields
    )


def customer(number: int) -> Customer:
    return Customer(email=f"person{number}@example.com", first_name="A")


def order(number: int, *, who: str | None = None, product: str | None = None) -> Order:
    ten, none = money("10", "GBP"), money("0", "GBP")
    line = OrderLine(
        id="1",
        name="Thing",
        quantity=1,
        total=ten,
        subtotal=ten,
        tax=none,
        subtotal_tax=none,
        product=product,
    )
    return Order(
        number=str(number),
        status="completed",
        currency="GBP",
        total=ten,
        tax_total=none,
        shipping_total=none,
        discount_total=none,
        customer=who,
        lines=(line,),
    )


def fill(bench: Bench, count: int = 7) -> None:
    source = bench.source
    source.put(Stream.CATEGORIES, "c2", Category(name="Child", parent="c9"))
    source.put(Stream.CATEGORIES, "c9", Category(name="Root"))
    for n in range(count):
        source.put(Stream.PRODUCTS, f"p{n}", product(n, categories=("c2",)))
        source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
        source.put(Stream.ORDERS, f"o{n}", order(n, who=f"u{n}", product=f"p{n}"))
        source.put(Stream.INVENTORY, f"p{n}", InventoryLevel(product=f"p{n}", sku=f"SKU-{n}"))
    source.tick(minutes=5)


async def test_full_brings_every_record_once_and_exchanges_references(bench: Bench) -> None:
    fill(bench)
    row = await bench.run("full")
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert len(bench.target.creates()) == 2 + 4 * 7
    people = bench.target.rows[Stream.CUSTOMERS]
    for placed in bench.target.rows[Stream.ORDERS].values():
        assert people[placed.content.customer].content.email == (
            f"person{placed.content.number}@example.com"
        )
        assert placed.content.lines[0].product in bench.target.rows[Stream.PRODUCTS]
    child = next(
        c for c in bench.target.rows[Stream.CATEGORIES].values() if c.content.name == "Child"
    )
    assert bench.target.rows[Stream.CATEGORIES][child.content.parent].content.name == "Root"


async def test_second_run_writes_nothing(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")
    bench.target.writes.clear()
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert bench.target.writes == []
    row = await bench.run("recent", cutover=True)
    assert row["status"] == "succeeded"
    assert bench.target.writes == []


async def test_cursor_ends_at_the_source_clock_and_a_window_begins_an_overlap_behind(
    bench: Bench,
) -> None:
    fill(bench)
    row = await bench.run("full")
    cursors = await bench.rows("SELECT stream, watermark FROM cursors")
    assert {c["watermark"] for c in cursors} == {START + timedelta(minutes=5)}
    bench.source.tick(minutes=10)
    row = await bench.run("recent", streams=["orders"])
    view = row["passes"]["orders"]
    assert view["mode"] == "window"
    assert view["since"] == (START + timedelta(minutes=4)).isoformat()
    assert view["cursor_after"] == (START + timedelta(minutes=15)).isoformat()


async def test_recent_brings_new_and_changed_records_and_leaves_the_rest(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")
    bench.target.writes.clear()
    bench.source.put(Stream.PRODUCTS, "p3", product(3, categories=("c2",), featured=True))
    bench.source.put(Stream.CUSTOMERS, "u90", customer(90))
    bench.source.put(Stream.ORDERS, "o90", order(90, who="u90"))
    bench.source.tick(minutes=1)
    await bench.run("recent")
    assert sorted(bench.target.writes) == [
        ("create", Stream.CUSTOMERS, "u90"),
        ("create", Stream.ORDERS, "o90"),
        ("update", Stream.PRODUCTS, "p3"),
    ]


async def test_order_brings_its_new_customer_and_product_on_demand(bench: Bench) -> None:
    fill(bench, 2)
    row = await bench.run("full", streams=["orders"])
    assert row["status"] == "succeeded"
    placed = list(bench.target.rows[Stream.ORDERS].values())
    assert all(each.content.customer and each.content.lines[0].product for each in placed)
    row = await bench.run("full")
    assert len(bench.target.rows[Stream.CUSTOMERS]) == 2


async def test_order_of_a_deleted_customer_becomes_a_guests_order_and_says_so(bench: Bench) -> None:
    bench.source.put(Stream.ORDERS, "o1", order(1, who="u404"))
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    [placed] = bench.target.rows[Stream.ORDERS].values()
    assert placed.content.customer is None
    [link] = await bench.rows("SELECT losses FROM links WHERE stream = 'orders'")
    assert link["losses"] == ["customer"]


async def test_missing_reference_is_quarantined_where_the_policy_says_so(bench: Bench) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("""UPDATE migrations SET policies = '{"on_missing_reference": "quarantine"}'""")
        )
    bench.source.put(Stream.ORDERS, "o1", order(1, who="u404"))
    row = await bench.run("full")
    assert row["status"] == "completed_with_errors"
    [item] = await bench.rows("SELECT code, source_id FROM quarantine")
    assert item == {"code": "reference_missing", "source_id": "o1"}


@pytest.mark.parametrize("word", ["lost", "dropped"])
async def test_write_without_an_answer_makes_no_second_record(bench: Bench, word: str) -> None:
    fill(bench)
    bench.target.script = [word, "applied", "applied", word, "applied"] * 8
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    creates = bench.target.creates()
    assert len(creates) == len(set(creates)) == 2 + 4 * 7


async def test_lost_answer_of_an_update_is_repeated(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")
    bench.source.put(Stream.PRODUCTS, "p3", product(3, featured=True))
    bench.target.script = ["dropped", "lost", "applied"]
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert [c for c in contents(bench.target, Stream.PRODUCTS) if c.featured] != []


async def test_refused_record_is_quarantined_and_the_rest_goes_on(bench: Bench) -> None:
    fill(bench)
    bench.target.script = ["applied", "refused"]
    row = await bench.run("full", streams=["customers"])
    assert row["status"] == "completed_with_errors"
    [item] = await bench.rows("SELECT stream, source_id, code, status, attempts FROM quarantine")
    assert item == {
        "stream": "customers",
        "source_id": "u1",
        "code": "invalid",
        "status": "open",
        "attempts": 1,
    }
    assert len(bench.target.rows[Stream.CUSTOMERS]) == 6


async def test_quarantined_record_is_retried_and_resolved(bench: Bench) -> None:
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    bench.target.script = ["refused"]
    await bench.run("full")
    assert bench.target.rows[Stream.CUSTOMERS] == {}
    row = await bench.run("recent", options={"only": "quarantine"})
    assert row["status"] == "succeeded"
    assert len(bench.target.rows[Stream.CUSTOMERS]) == 1
    [item] = await bench.rows("SELECT status FROM quarantine")
    assert item["status"] == "resolved"


async def test_single_quarantined_records_can_be_retried(bench: Bench) -> None:
    for n in (1, 2):
        bench.source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
    bench.target.script = ["refused", "refused"]
    await bench.run("full")
    [chosen] = await bench.rows("SELECT id FROM quarantine WHERE source_id = 'u2'")
    row = await bench.run("recent", options={"only": "quarantine", "ids": [str(chosen["id"])]})
    assert row["status"] == "completed_with_errors", "the other one is still open"
    assert [c.email for c in contents(bench.target, Stream.CUSTOMERS)] == ["person2@example.com"]


async def test_quarantined_record_deleted_at_the_source_is_closed(bench: Bench) -> None:
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    bench.target.script = ["refused"]
    await bench.run("full")
    bench.source.rows[Stream.CUSTOMERS].clear()
    row = await bench.run("recent", options={"only": "quarantine"})
    assert row["status"] == "succeeded"
    [item] = await bench.rows("SELECT status FROM quarantine")
    assert item["status"] == "resolved"


async def test_record_that_vanished_from_the_target_is_reported_and_made_anew_on_retry(
    bench: Bench,
) -> None:
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    await bench.run("full")
    bench.target.rows[Stream.CUSTOMERS].clear()
    bench.source.put(Stream.CUSTOMERS, "u1", replace(customer(1), first_name="B"))
    row = await bench.run("recent")
    [item] = await bench.rows("SELECT code FROM quarantine")
    assert item["code"] == "target_gone"
    row = await bench.run("recent", options={"only": "quarantine"})
    assert row["status"] == "succeeded"
    [made] = bench.target.rows[Stream.CUSTOMERS].values()
    assert made.content.first_name == "B"


async def test_stock_is_written_to_a_product_that_was_made_anew(bench: Bench) -> None:
    """The team deleted it on the target; neither its content nor its stock changed since."""
    bench.source.put(Stream.PRODUCTS, "p1", product(1))
    bench.source.put(Stream.INVENTORY, "p1", InventoryLevel(product="p1", quantity=Decimal(5)))
    await bench.run("full")
    for stream in (Stream.PRODUCTS, Stream.INVENTORY):
        bench.target.rows[stream].clear()
    bench.source.put(Stream.PRODUCTS, "p1", replace(product(1), featured=True))
    bench.target.writes.clear()
    await bench.run("recent")
    await bench.run("recent", options={"only": "quarantine"})
    await bench.run("recent")
    made = {stream: list(bench.target.rows[stream].values()) for stream in Stream}
    [anew], [level] = made[Stream.PRODUCTS], made[Stream.INVENTORY]
    assert (level.content.product, level.content.quantity) == (anew.id, Decimal(5))


async def test_stock_is_written_to_a_variant_that_was_made_anew(bench: Bench) -> None:
    size = Variant(id="s", sku="S-1")
    bench.source.put(Stream.PRODUCTS, "p1", replace(product(1), variants=(size,)))
    level = InventoryLevel(product="p1", variant="s", quantity=Decimal(5))
    bench.source.put(Stream.INVENTORY, "p1:s", level)
    await bench.run("full")
    [shown] = bench.target.rows[Stream.PRODUCTS].values()
    shown.content = replace(shown.content, variants=())
    bench.target.rows[Stream.INVENTORY].clear()
    changed = replace(product(1), variants=(replace(size, weight="3"),))
    bench.source.put(Stream.PRODUCTS, "p1", changed)
    await bench.run("recent")
    await bench.run("recent")
    [shown] = bench.target.rows[Stream.PRODUCTS].values()
    [level] = [each.content for each in bench.target.rows[Stream.INVENTORY].values()]
    assert (level.variant, level.quantity) == (shown.content.variants[0].id, Decimal(5))


async def test_store_that_is_busy_or_away_for_a_while_costs_only_time(bench: Bench) -> None:
    fill(bench)
    bench.source.read_failures = [TryLater("busy", after=0.05), Unreachable("away", after=0.05)]
    bench.target.write_failures = [TryLater("busy", after=0.05) for _ in range(4)]
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    assert len(bench.target.creates()) == 2 + 4 * 7


async def test_wrong_credentials_end_the_job_at_once_with_their_code(bench: Bench) -> None:
    fill(bench)
    bench.source.read_failures = [SignInAgain("the key is not accepted")]
    row = await bench.run("full")
    assert (row["status"], row["error"]["code"]) == ("failed", "store_unauthorized")
    assert bench.target.mails_on


async def test_page_that_is_no_page_is_never_read_as_an_empty_one(bench: Bench) -> None:
    fill(bench)
    bench.source.read_failures = [BadAnswer("HTML") for _ in range(3)]
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    assert len(bench.target.creates()) == 2 + 4 * 7


async def test_mails_are_off_while_writing_and_restored_afterwards(bench: Bench) -> None:
    fill(bench)
    seen = []

    async def look(_):
        seen.append(bench.target.mails_on)

    bench.target.hooks["written"] = look
    await bench.run("full")
    assert set(seen) == {False}
    assert bench.target.mails_on


async def test_cancelled_job_stops_within_a_page_and_restores_mails(bench: Bench) -> None:
    fill(bench, 30)
    job = await bench.start("full")

    async def cancel(_):
        if len(bench.target.writes) == 10:
            async with bench.resources.engine.begin() as connection:
                await request_cancel(connection, job)

    bench.target.hooks["written"] = cancel
    row = await bench.finish(job)
    assert row["status"] == "cancelled"
    assert len(bench.target.writes) <= 10 + bench.source.page_size
    assert bench.target.mails_on
    bench.target.hooks.clear()
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    assert len(bench.target.creates()) == len(set(bench.target.creates())) == 2 + 4 * 30


async def test_two_jobs_on_one_migration_run_one_after_the_other(bench: Bench) -> None:
    fill(bench)
    first, second = await bench.start("full"), await bench.start("recent")
    assert (await bench.job(first))["status"] == "running"
    assert (await bench.job(second))["status"] == "queued"
    await bench.finish(first)
    row = await bench.finish(second)
    assert row["status"] == "succeeded"
    assert row["started_at"] >= (await bench.job(first))["finished_at"]


async def test_parts_of_a_pass_read_in_parallel_cover_it(bench: Bench) -> None:
    fill(bench, 20)
    bench.source.parts = 3
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    assert len(bench.target.creates()) == len(set(bench.target.creates())) == 2 + 4 * 20


async def test_cutover_looks_again_until_the_source_is_quiet(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")
    sold = []

    async def sell(_):
        if len(sold) < 2:
            sold.append(1)
            bench.source.tick(seconds=1)
            bench.source.put(Stream.ORDERS, f"o9{len(sold)}", order(900 + len(sold)))

    bench.target.hooks["written"] = sell
    bench.source.put(Stream.PRODUCTS, "p3", product(3, featured=True))
    row = await bench.run("recent", cutover=True)
    assert row["status"] == "succeeded"
    assert len(bench.target.rows[Stream.ORDERS]) == 9


async def test_closing_look_of_a_cutover_begins_a_settle_lag_after_the_sweep(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("""UPDATE migrations SET policies = '{"settle": 30}'"""))
    job = await bench.start("recent", cutover=True)

    async def closing() -> bool:
        row = await bench.job(job)
        return bool(row["plan"] and row["plan"][row["stage"]].get("closing"))

    for _ in range(100):
        await bench.turn()
        if await closing():
            break
        bench.source.tick(seconds=10)
        await bench.pass_time()
    [due] = await bench.rows(
        "SELECT extract(epoch FROM due_at - clock_timestamp())::float8 AS seconds"
        " FROM slices WHERE job_id = :job AND NOT done",
        job=job,
    )
    assert 20 < due["seconds"] <= 30
    assert (await bench.finish(job))["status"] == "succeeded"


async def test_cutover_of_a_shop_that_does_not_stop_selling_says_so(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")

    async def sell(operation):
        bench.source.tick(seconds=1)
        number = len(bench.source.rows[Stream.ORDERS])
        bench.source.put(Stream.ORDERS, f"z{number}", order(number))

    bench.target.hooks["written"] = sell
    bench.source.put(Stream.ORDERS, "z0", order(500))
    row = await bench.run("recent", cutover=True)
    assert row["status"] == "completed_with_errors"
    assert row["error"]["code"] == "source_still_changing"


async def test_crash_between_write_and_commit_creates_no_second_record(bench: Bench) -> None:
    fill(bench)

    crashes = []

    async def crash(_):
        if len(crashes) < 12:
            crashes.append(1)
            raise Crash

    bench.target.hooks["written"] = crash
    job = await bench.start("full")
    for _ in range(300):
        try:
            if not await bench.turn():
                await asyncio.sleep(0.05)
        except Crash:
            await bench.lapse()
        if (await bench.job(job))["status"] not in ("queued", "running"):
            break
    assert (await bench.job(job))["status"] == "succeeded"
    creates = bench.target.creates()
    assert len(creates) == len(set(creates)) == 2 + 4 * 7


async def test_source_that_returns_to_its_old_content_after_a_crash_is_not_taken_for_unchanged(
    bench: Bench,
) -> None:
    bench.source.put(Stream.INVENTORY, "p0", InventoryLevel(product="p0", quantity=Decimal(5)))
    bench.source.put(Stream.PRODUCTS, "p0", product(0))
    await bench.run("full")
    bench.source.put(Stream.INVENTORY, "p0", InventoryLevel(product="p0", quantity=Decimal(4)))
    job = await bench.start("recent", streams=["inventory"])

    async def crash(_):
        raise Crash

    bench.target.hooks["written"] = crash
    with pytest.raises(Crash):
        await bench.finish(job)
    bench.target.hooks.clear()
    bench.source.put(Stream.INVENTORY, "p0", InventoryLevel(product="p0", quantity=Decimal(5)))
    await bench.lapse()
    await bench.finish(job)
    [level] = contents(bench.target, Stream.INVENTORY)
    assert level.quantity == 5


async def test_worker_whose_lease_was_taken_over_commits_nothing(bench: Bench) -> None:
    fill(bench)
    job = await bench.start("full", streams=["customers"])
    taken = []

    async def take_over(_):
        if not taken:
            taken.append(1)
            async with bench.resources.engine.begin() as connection:
                await connection.execute(
                    text("UPDATE slices SET fence = fence + 1, lease_until = NULL WHERE NOT done")
                )

    bench.target.hooks["written"] = take_over
    row = await bench.finish(job)
    assert row["status"] == "succeeded"
    creates = bench.target.creates()
    assert len(creates) == len(set(creates)) == 7
    assert (await bench.counters(job))["created"] < 7, "the first worker's page was not committed"


async def test_half_written_order_is_left_to_the_next_window(bench: Bench) -> None:
    fill(bench)
    await bench.run("full")
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("""UPDATE migrations SET policies = '{"settle": 10}'"""))
    torn = replace(order(90), status="pending", lines=())
    bench.source.put(Stream.ORDERS, "o90", torn)
    bench.source.tick(seconds=2)
    bench.target.writes.clear()
    job = await bench.start("recent", streams=["orders"])
    await bench.finish(job)
    assert bench.target.writes == []
    assert (await bench.counters(job))["deferred"] == 1
    bench.source.put(Stream.ORDERS, "o90", order(90), stamp=bench.source.now - timedelta(seconds=2))
    bench.source.tick(seconds=20)
    await bench.run("recent", streams=["orders"])
    assert bench.target.writes == [("create", Stream.ORDERS, "o90")]


async def test_full_run_of_an_empty_shop_is_no_success(bench: Bench) -> None:
    row = await bench.run("full")
    assert (row["status"], row["error"]["code"]) == ("completed_with_errors", "source_empty")


async def test_platform_that_ignores_the_filter_is_reported_once_and_read_all_the_same(
    bench: Bench,
) -> None:
    fill(bench)
    await bench.run("full")
    bench.source.ignores_filters = True
    bench.source.tick(hours=1)
    bench.target.writes.clear()
    row = await bench.run("recent", streams=["orders"])
    assert row["status"] == "succeeded"
    assert (await bench.counters(row["id"]))["outside"] == 7
    events = await bench.rows("SELECT data FROM job_events WHERE type = 'filter.ignored'")
    assert events == [{"data": {"stream": "orders"}}]
    assert bench.target.writes == []


async def test_baseline_of_a_first_recent_is_what_the_job_says(bench: Bench) -> None:
    bench.source.put(Stream.PRODUCTS, "old", product(1), stamp=START - timedelta(days=9))
    bench.source.put(Stream.PRODUCTS, "new", product(2))
    row = await bench.run(
        "recent", streams=["products"], since=(START - timedelta(hours=1)).isoformat()
    )
    assert row["status"] == "succeeded"
    assert [c.sku for c in contents(bench.target, Stream.PRODUCTS)] == ["SKU-2"]
