"""What checks stand on: a stated sample, and records that are read once."""

from __future__ import annotations

from connectors.records import Category, Customer, Order, Product, Stream, money
from tests.engine.conftest import Bench
from tests.engine.grounds import ground_of
from workers.checks.records import Records


def an_order(number: str, customer: str | None = None) -> Order:
    zero = money("0", "EUR")
    return Order(
        number=number,
        status="completed",
        currency="EUR",
        total=money("5", "EUR"),
        tax_total=zero,
        shipping_total=zero,
        discount_total=zero,
        customer=customer,
    )


async def test_the_sample_holds_all_that_changed_and_some_of_the_rest(bench: Bench):
    for number in range(20):
        bench.source.put(Stream.CATEGORIES, f"c{number:02}", Category(name=f"Category {number}"))
    await bench.run("full")
    bench.source.tick(minutes=10)
    bench.source.put(Stream.CATEGORIES, "c03", Category(name="New name"))
    await bench.run("recent")
    bench.source.put(Stream.CATEGORIES, "c04", Category(name="Another name"))
    await bench.run("recent")
    await bench.run("recent")

    async with ground_of(bench, sample=5) as ground:
        sample = await ground.sample(Stream.CATEGORIES)
    async with ground_of(bench, sample=5) as ground:
        again = await ground.sample(Stream.CATEGORIES)
    async with ground_of(bench, sample=5, seed="eight") as ground:
        other = await ground.sample(Stream.CATEGORIES)

    assert [each.source_id for each in sample.pairs if each.changed] == ["c04", "c03"]
    assert len(sample.pairs) == 7
    assert sample.total == 20
    assert sample.words == "categories: all 2 that changed, and 5 of the other 18 by chance"
    assert again == sample
    assert {each.source_id for each in other.pairs} != {each.source_id for each in sample.pairs}


async def test_of_too_many_changes_the_newest_are_taken_and_the_words_say_so(bench: Bench):
    for number in range(6):
        bench.source.put(Stream.CATEGORIES, f"c{number}", Category(name=f"Category {number}"))
    await bench.run("full")

    async with ground_of(bench, sample=1, changed=2) as ground:
        sample = await ground.sample(Stream.CATEGORIES)

    assert len(sample.pairs) == 3
    assert sample.words == (
        "categories: the newest 2 of 6 that changed, and 1 of the other 4 by chance"
    )


async def test_contents_are_resolved_to_the_targets_ids(bench: Bench):
    bench.source.put(Stream.CATEGORIES, "c1", Category(name="Tea"))
    bench.source.put(Stream.PRODUCTS, "p1", Product(name="Green", sku="g", categories=("c1",)))
    bench.source.put(Stream.CUSTOMERS, "k1", Customer(email="anna@example.com"))
    bench.source.put(Stream.ORDERS, "o1", an_order("1", "k1"))
    await bench.run("full")
    links = {
        row["source_id"]: row["target_id"]
        for row in await bench.rows("SELECT source_id, target_id FROM links")
    }

    async with ground_of(bench) as ground:
        records = await ground.source_records(Stream.PRODUCTS, ["p1", "gone"])
        orders = await ground.source_records(Stream.ORDERS, ["o1"])
        contents = await ground.resolved([*records.values(), *orders.values()])

    assert set(records) == {"p1"}
    assert contents["p1"].categories == (links["c1"],)
    assert contents["o1"].customer == links["k1"]


async def test_records_are_read_once_and_memory_is_bounded(bench: Bench):
    for number in range(5):
        bench.source.put(Stream.CATEGORIES, f"c{number}", Category(name=f"Category {number}"))
    ids = [f"c{number}" for number in range(5)]
    async with ground_of(bench) as ground:
        records = Records(ground.source, limit=4)
        first = await records.get(Stream.CATEGORIES, ids)
        await records.get(Stream.CATEGORIES, ids[1:])
        asked_twice = await records.get(Stream.CATEGORIES, ["c0", "gone"])
    assert set(first) == set(ids)
    assert set(asked_twice) == {"c0"}
    assert bench.source.asked["get"] == 2  # all at once, then the one that had to make room
