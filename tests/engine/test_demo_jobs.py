"""A demo: a sample that is whole, written like any record or only mapped, and its report."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from sqlmodel.ext.asyncio.session import AsyncSession

from app.schemas.mapping_report import MappingReportOut
from app.services.mapping_report import mapping_report
from connectors.base import Loss
from connectors.records import (
    Address,
    Category,
    InventoryLevel,
    Refund,
    Stream,
    Variant,
    money,
)
from connectors.references import references
from tests.engine.conftest import Bench
from tests.engine.shop import START
from tests.engine.test_mapping import rules
from tests.engine.test_runs import customer, order, product

PRODUCTS, ORDERS, CUSTOMERS = Stream.PRODUCTS, Stream.ORDERS, Stream.CUSTOMERS
SHOP = 40
SIZE = {"size": 6}


def fill(bench: Bench) -> None:
    """A shop in which a few records are odd, and each category hangs below the one before."""
    source = bench.source
    source.page_size = 20
    for n in range(5):
        above = f"c{n - 1}" if n else None
        source.put(Stream.CATEGORIES, f"c{n}", Category(name=f"Shelf {n}", parent=above))
    for n in range(SHOP):
        made = START - timedelta(days=n)
        extra = {"meta": {"season": "spring", "origin": "FR"}} if n % 2 else {}
        source.put(
            PRODUCTS,
            f"p{n:02}",
            product(n, categories=("c4",), created_at=made, extra=extra),
        )
        source.put(
            CUSTOMERS,
            f"u{n:02}",
            replace(customer(n), billing=Address(city="Bern", first_name="Xanthippe")),
        )
        placed = replace(order(n, who=f"u{n:02}", product=f"p{n:02}"), created_at=made)
        source.put(ORDERS, f"o{n:02}", placed)
        source.put(Stream.INVENTORY, f"p{n:02}", InventoryLevel(product=f"p{n:02}", sku=f"SKU-{n}"))
    source.edit(PRODUCTS, "p33", variants=(Variant(id="1", sku="V1"), Variant(id="2", sku="V2")))
    source.put(Stream.INVENTORY, "p33:1", InventoryLevel(product="p33", variant="1", sku="V1"))
    refund = Refund(id="r", amount=money("10", "GBP"))
    source.edit(ORDERS, "o17", refunds=(refund,))
    source.edit(ORDERS, "o21", customer=None, note="Straße, 東京 " * 5)
    source.edit(ORDERS, "o29", currency="USD")
    source.tick(minutes=5)


async def report(bench: Bench, job: Any) -> MappingReportOut:
    async with AsyncSession(bench.resources.engine) as session:
        return await mapping_report(session, job)


async def demo(bench: Bench, **params: Any) -> tuple[dict[str, Any], dict[Stream, Any]]:
    row = await bench.run("demo", options=params.pop("options", SIZE), **params)
    found = await report(bench, row["id"])
    return row, {each.stream: each for each in found.streams}


def is_whole(bench: Bench) -> bool:
    """Whether everything that records on the target name is there."""
    rows = bench.target.rows
    return all(
        each.id in rows[each.stream]
        for stream in Stream
        for row in rows[stream].values()
        for each in references(row.content)
    )


async def test_a_demo_writes_a_small_sample_that_is_whole(bench: Bench) -> None:
    fill(bench)
    row, streams = await demo(bench)
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert is_whole(bench)
    orders = streams[ORDERS]
    assert (orders.chosen, orders.total) == (6, SHOP)
    assert len(bench.target.rows[ORDERS]) == 6
    assert 6 <= len(bench.target.rows[PRODUCTS]) <= 12
    assert len(bench.target.rows[Stream.CATEGORIES]) == 5
    assert len(bench.target.rows[Stream.INVENTORY]) >= len(bench.target.rows[PRODUCTS])
    assert orders.outcomes == {"created": 6}
    assert bench.target.mails_on


async def test_a_demo_chooses_what_is_odd(bench: Bench) -> None:
    fill(bench)
    _, streams = await demo(bench, options={"size": 10}, dry_run=True)
    reasons = streams[ORDERS].reasons
    assert {"newest", "oldest", "most_refunds", "guest", "non_ascii", "currency:USD"} <= set(
        reasons
    )
    chosen = await bench.rows(
        "SELECT source_id FROM demo_records WHERE stream = 'orders' AND cardinality(reasons) > 0"
    )
    assert {"o00", "o39", "o17", "o21", "o29"} <= {each["source_id"] for each in chosen}
    assert "most_variants" in streams[PRODUCTS].reasons


async def test_a_seed_chooses_the_same_and_another_one_others(bench: Bench) -> None:
    fill(bench)
    samples = []
    for seed in ("1", "1", "2"):
        row, _ = await demo(bench, options={"size": 20, "seed": seed}, dry_run=True)
        found = await bench.rows(
            "SELECT stream, source_id FROM demo_records WHERE job_id = :job", job=row["id"]
        )
        samples.append({(each["stream"], each["source_id"]) for each in found})
    assert samples[0] == samples[1] != samples[2]


async def test_a_demo_reads_a_bounded_part_of_a_large_stream(bench: Bench) -> None:
    fill(bench)
    for n in range(SHOP, 10 * SHOP):
        bench.source.put(ORDERS, f"o{n:03}", order(n))
    bench.source.parts = 4
    bench.source.reads.clear()
    _, streams = await demo(bench)
    assert sum(stream is ORDERS for stream, _ in bench.source.reads) <= 16
    assert streams[ORDERS].looked_at < streams[ORDERS].total


async def test_later_runs_recognise_a_demos_records(bench: Bench) -> None:
    fill(bench)
    await demo(bench)
    assert await bench.rows("SELECT 1 FROM cursors") == []
    before = {row.id for rows in bench.target.rows.values() for row in rows.values()}
    bench.target.writes.clear()
    assert (await bench.run("full"))["status"] == "succeeded"
    assert len(bench.target.rows[ORDERS]) == SHOP
    assert before <= {row.id for rows in bench.target.rows.values() for row in rows.values()}
    assert not [each for each in bench.target.writes if each[0] == "update"]
    _, streams = await demo(bench)
    assert streams[ORDERS].outcomes == {"unchanged": 6}


async def test_a_dry_run_touches_neither_target_nor_ledger(bench: Bench) -> None:
    fill(bench)
    await rules(bench, orders=[{"field": "note", "set": "old shop"}])

    async def forbidden(_: Any) -> None:
        raise AssertionError("a dry run asked the target")

    bench.target.hooks.update(muting=forbidden, unmuting=forbidden, listened=forbidden)
    row, streams = await demo(bench, dry_run=True)
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert bench.target.writes == []
    assert (bench.target.finds, bench.target.looks) == (0, [])
    for table in ("links", "quarantine", "cursors", "conflicts", "sightings"):
        assert await bench.rows(f"SELECT 1 FROM {table}") == []  # noqa: S608  a name of ours
    assert streams[ORDERS].outcomes == {"created": 6}
    assert streams[PRODUCTS].brought > 0


async def test_the_report_tells_what_became_of_each_field(bench: Bench) -> None:
    fill(bench)
    await rules(
        bench,
        products=[
            {"field": "name", "expression": "'Ems ' + name"},
            {"field": "regular_price", "drop": True, "when": "sku == 'SKU-0'"},
            {"field": "tax_class", "set": "reduced"},
            {"field": "extra.meta.season", "rename": "short_description"},
            {"field": "weight", "set": "1", "when": "false"},
        ],
    )
    row, streams = await demo(bench, options={"size": 12}, dry_run=True)
    found = streams[PRODUCTS]
    count = found.chosen + found.brought
    fields = {each.field: each for each in found.fields}
    assert (fields["name"].changed, fields["name"].kept) == (count, 0)
    assert fields["name"].examples[0].after.startswith("Ems Product")
    assert (fields["regular_price"].dropped, fields["regular_price"].kept) == (1, count - 1)
    assert fields["tax_class"].defaulted == count
    assert fields["barcode"].empty == count
    assert (fields["sku"].kept, fields["sku"].changed) == (count, 0)
    custom = {each.path: each for each in found.custom_fields}
    assert custom["extra.meta.season"].records == custom["extra.meta.origin"].records > 0
    assert custom["extra.meta.season"].unmapped == 0
    assert custom["extra.meta.origin"].unmapped == custom["extra.meta.origin"].records
    assert [each.records for each in found.rules] == [
        count,
        1,
        count,
        custom["extra.meta.season"].records,
        0,
    ]
    assert (await report(bench, row["id"])).mapping_version == 1


async def test_the_report_names_what_the_target_cannot_keep(bench: Bench) -> None:
    fill(bench)
    losses = (Loss("created_at", "It knows no dates."), Loss("fees", "It knows none.", whole=True))
    writes = {
        stream: replace(each, losses=losses) if stream is ORDERS else each
        for stream, each in bench.platform.writes.items()
    }
    bench.use(replace(bench.platform, writes=writes))
    _, streams = await demo(bench, dry_run=True)
    told = {each.field: each for each in streams[ORDERS].losses}
    assert (told["created_at"].records, told["fees"].records) == (6, 0)
    assert told["fees"].whole


async def test_what_the_target_kept_all_the_same_is_not_called_lost(bench: Bench) -> None:
    fill(bench)
    reasons = ("created_at", "discount_total", "note", "lines", "extra", "fulfilments")
    losses = tuple(Loss(each, "It may be lost.") for each in reasons)
    writes = {
        stream: replace(each, losses=losses) if stream is ORDERS else each
        for stream, each in bench.platform.writes.items()
    }
    bench.use(replace(bench.platform, writes=writes))
    bench.source.edit(ORDERS, "o21", extra={"meta": {"a": 1}}, created_at=START)

    async def forget(operation: Any) -> None:
        if operation.source_id == "o21":
            (row,) = (
                each for each in bench.target.rows[ORDERS].values() if each.key.endswith("o21")
            )
            row.content = replace(row.content, note="", extra={"meta": {}})

    bench.target.hooks["written"] = forget
    for dry in (True, False):
        _, streams = await demo(bench, dry_run=dry, options={"size": 10})
        told = {each.field: (each.records, each.lost) for each in streams[ORDERS].losses}
        lost = [None] * 6 if dry else [0, 0, 1, 0, 1, 0]
        assert told == dict(zip(reasons, zip((10, 0, 1, 10, 1, 0), lost, strict=True), strict=True))
    fields = {each.field: each.lossy for each in streams[ORDERS].fields}
    assert (fields["note"], fields["extra"], fields["created_at"]) == (1, 1, 0)


async def test_the_report_masks_what_tells_of_people(bench: Bench) -> None:
    fill(bench)
    await rules(
        bench,
        customers=[
            {"field": "email", "expression": "'x.' + value"},
            {"field": "billing.city", "set": "Zug"},
        ],
    )
    row, streams = await demo(bench)
    text = (await report(bench, row["id"])).model_dump_json()
    assert "person" not in text.replace("personal", "")
    assert "Xanthippe" not in text
    fields = {each.field: each for each in streams[CUSTOMERS].fields}
    assert fields["email"].examples[0].after == "x…@example.com"
    kept = await bench.rows("SELECT finding::text AS finding FROM demo_records")
    assert "Xanthippe" not in "".join(each["finding"] for each in kept)


async def test_refused_records_stand_in_the_report_and_in_quarantine(bench: Bench) -> None:
    fill(bench)
    bad = {"field": "total.amount", "expression": "1.5", "when": "currency == 'USD'"}
    await rules(bench, orders=[bad])
    row, streams = await demo(bench, options={"size": 10}, dry_run=True)
    assert row["status"] == "completed_with_errors"
    assert [each.code for each in streams[ORDERS].refusals] == ["mapping_failed"]
    assert await bench.rows("SELECT 1 FROM quarantine") == []
    row, streams = await demo(bench, options={"size": 10})
    assert row["status"] == "completed_with_errors"
    assert [each.source_id for each in streams[ORDERS].refusals] == ["o29"]
    (kept,) = await bench.rows("SELECT source_id, code FROM quarantine")
    assert (kept["source_id"], kept["code"]) == ("o29", "mapping_failed")


async def test_an_order_that_would_bring_too_many_along_is_passed_over(bench: Bench) -> None:
    fill(bench)
    line = order(0).lines[0]
    lines = tuple(replace(line, id=str(n), product=f"p{n:02}") for n in range(SHOP))
    bench.source.edit(ORDERS, "o11", lines=lines)
    _, streams = await demo(bench, options={"size": 4}, dry_run=True)
    assert streams[ORDERS].too_large == 1
    found = await bench.rows("SELECT 1 FROM demo_records WHERE stream = 'products'")
    assert len(found) <= 4 * 8 + 4


async def test_a_demo_that_was_interrupted_goes_on(bench: Bench) -> None:
    fill(bench)
    job = await bench.start("demo", options=SIZE)
    bench.source.read_failures = [None, None, ConnectionResetError("gone")]
    row = await bench.finish(job)
    assert row["status"] == "succeeded"
    assert len(bench.target.rows[ORDERS]) == 6
    assert is_whole(bench)


async def test_records_that_vanish_meanwhile_are_told(bench: Bench) -> None:
    fill(bench)
    del bench.source.rows[CUSTOMERS]["u00"]
    row, streams = await demo(bench, dry_run=True)
    assert row["status"] == "succeeded"
    assert streams[CUSTOMERS].outcomes["missing"] == 1


async def test_what_cannot_be_read_is_in_the_sample(bench: Bench) -> None:
    fill(bench)
    bench.source.unreadable = {"p07"}
    row, streams = await demo(bench, dry_run=True)
    assert row["error"] is None
    assert streams[PRODUCTS].reasons["unreadable"] == 1
    assert [each.source_id for each in streams[PRODUCTS].refusals] == ["p07"]


async def test_a_shop_of_one_record_is_shown_as_it_is(bench: Bench) -> None:
    bench.source.put(PRODUCTS, "p1", product(1))
    row, streams = await demo(bench)
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert {stream: each.outcomes for stream, each in streams.items()} == {PRODUCTS: {"created": 1}}
    assert (await bench.run("full"))["status"] == "succeeded"
    assert len(bench.target.rows[PRODUCTS]) == 1
