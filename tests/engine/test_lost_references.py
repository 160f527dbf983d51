"""A record that was written without another one is mended when that one arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Operation, WriteCapability
from connectors.records import Category, InventoryLevel, Order, Stream, Variant, money
from connectors.references import Reference
from tests.engine.conftest import Bench
from tests.engine.launching import checked
from tests.engine.test_failpoints import survive
from tests.engine.test_merging import conflicts, rule
from tests.engine.test_quarantine import change, pass_time
from tests.engine.test_runs import customer, order, product
from workers.engine import failpoints


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def link(bench: Bench, source_id: str, stream: Stream = Stream.ORDERS) -> dict[str, Any]:
    [found] = await bench.rows(
        "SELECT * FROM links WHERE stream = :stream AND source_id = :id",
        stream=str(stream),
        id=source_id,
    )
    return found


def placed(bench: Bench) -> Order:
    """The one order on the target."""
    [row] = bench.target.rows[Stream.ORDERS].values()
    assert isinstance(row.content, Order)
    return row.content


def customer_on_target(bench: Bench) -> str:
    [found] = bench.target.rows[Stream.CUSTOMERS]
    return found


def order_writes(bench: Bench) -> list[str]:
    return [kind for kind, stream, _ in bench.target.writes if stream is Stream.ORDERS]


async def wrong_relations(bench: Bench) -> list[tuple[str, str]]:
    """Records that name others than they should, and where."""
    _, results = await checked(bench, checks=["data.relations"])
    return [(each["source_id"], each["field"]) for each in results["data.relations"]["evidence"]]


async def full(bench: Bench, **params: Any) -> dict[str, Any]:
    """A full run long after everything was written: later windows show nothing of it."""
    bench.source.tick(hours=1)
    return await bench.run("full", **params)


async def guest(bench: Bench) -> None:
    """An order that was written as a guest's, because the target refused its customer."""
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    bench.source.put(Stream.PRODUCTS, "p1", product(1))
    bench.source.put(Stream.ORDERS, "o1", order(1, who="u1", product="p1"))
    bench.target.script = ["applied", "refused", "refused"]
    row = await full(bench)
    assert row["status"] == "completed_with_errors"
    assert placed(bench).customer is None
    assert (await link(bench, "o1"))["losses"] == ["customer"]
    bench.source.tick(hours=1)
    bench.target.writes.clear()
    bench.source.gets.clear()


async def mend_customer(bench: Bench) -> None:
    """What the target refused is mended at the source."""
    bench.source.put(Stream.CUSTOMERS, "u1", replace(customer(1), last_name="Mended"))


async def unchanged(bench: Bench, kind: str = "recent", **params: Any) -> None:
    """Another run writes nothing, and asks the source for no single record."""
    bench.source.tick(hours=1)
    bench.source.gets.clear()
    bench.target.writes.clear()
    assert (await bench.run(kind, **params))["status"] == "succeeded"
    assert (bench.target.writes, bench.source.gets) == ([], [])


RUNS = {
    "recent": ("recent", {}),
    "cutover": ("recent", {"cutover": True}),
    "full": ("full", {}),
}


# --- what arrives --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
async def test_guests_order_becomes_the_customers_once_that_one_is_mended(
    bench: Bench, name: str
) -> None:
    await guest(bench)
    assert (await link(bench, "o1"))["lost_references"] == [
        Reference(Stream.CUSTOMERS, "u1").to_text()
    ]
    await mend_customer(bench)
    kind, params = RUNS[name]
    row = await bench.run(kind, **params)
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert placed(bench).customer == customer_on_target(bench)
    assert order_writes(bench) == ["update"]
    mended = await link(bench, "o1")
    assert (mended["lost_references"], mended["losses"], mended["mendable"]) == (None, None, False)
    assert await conflicts(bench) == []
    for again, given in RUNS.values():
        await unchanged(bench, again, **given)


async def test_customer_that_arrives_in_a_job_of_its_own_leaves_the_order_to_the_next(
    bench: Bench,
) -> None:
    await guest(bench)
    await mend_customer(bench)
    await bench.run("recent", streams=["customers"])
    assert (await link(bench, "o1"))["mendable"] is True
    assert placed(bench).customer is None
    assert await wrong_relations(bench) == [("o1", "customer")]
    bench.source.gets.clear()
    row = await bench.run("recent", streams=["orders"])
    assert row["status"] == "succeeded"
    assert placed(bench).customer == customer_on_target(bench)
    assert bench.source.gets == ["o1"]
    assert await wrong_relations(bench) == []


async def test_product_that_arrives_in_a_job_of_its_own_is_missed_on_the_order(
    bench: Bench,
) -> None:
    """What is not there yet is missed nowhere else than at itself."""
    bench.source.put(Stream.ORDERS, "o1", order(1, product="p404"))
    await full(bench)
    assert await wrong_relations(bench) == []
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p404", product(404))
    await bench.run("recent", streams=["products"])
    [(source_id, field)] = await wrong_relations(bench)
    assert (source_id, field.partition(".")[0]) == ("o1", "lines")
    await bench.run("recent", streams=["orders"])
    assert await wrong_relations(bench) == []


async def test_customer_of_a_stream_that_comes_into_scope_later_takes_his_order(
    bench: Bench,
) -> None:
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    bench.source.put(Stream.ORDERS, "o1", order(1, who="u1"))
    await change(bench, "UPDATE migrations SET streams = '{orders}'")
    assert (await full(bench))["status"] == "succeeded"
    assert placed(bench).customer is None
    await change(bench, "UPDATE migrations SET streams = '{customers,orders}'")
    bench.source.tick(hours=1)
    assert (await bench.run("recent", since=bench.source.now.isoformat()))["status"] == "succeeded"
    assert placed(bench).customer == customer_on_target(bench)
    await unchanged(bench)


async def test_free_line_gets_the_product_that_comes_later(bench: Bench) -> None:
    bench.source.put(Stream.ORDERS, "o1", order(1, product="p404"))
    await full(bench)
    assert placed(bench).lines[0].product is None
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p404", product(404))
    assert (await bench.run("recent"))["status"] == "succeeded"
    assert [each.product for each in placed(bench).lines] == [*bench.target.rows[Stream.PRODUCTS]]
    assert await conflicts(bench) == []
    await unchanged(bench)


async def test_line_waits_for_its_variant_and_not_for_its_product(bench: Bench) -> None:
    sold = order(1, product="p1")
    content = replace(sold, lines=(replace(sold.lines[0], variant="v9"),))
    bench.source.put(Stream.ORDERS, "o1", content)
    bench.source.put(Stream.PRODUCTS, "p1", product(1))
    await full(bench)
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p1", product(1, featured=True))
    await bench.run("recent")
    assert (await link(bench, "o1"))["mendable"] is False
    assert placed(bench).lines[0].variant is None
    variant = Variant(id="v9", sku="V-9", regular_price=money("9.50", "GBP"))
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p1", product(1, variants=(variant,)))
    assert (await bench.run("recent"))["status"] == "succeeded"
    [goods] = bench.target.rows[Stream.PRODUCTS].values()
    [line] = placed(bench).lines
    assert (line.product, line.variant) == (goods.id, goods.content.variants[0].id)
    await unchanged(bench)


async def test_category_gets_the_parent_and_product_the_category_that_come_later(
    bench: Bench,
) -> None:
    bench.source.put(Stream.CATEGORIES, "c1", Category(name="Mugs", parent="c9"))
    bench.source.put(Stream.PRODUCTS, "p1", product(1, categories=("c1", "c9")))
    await full(bench)
    [mugs] = bench.target.rows[Stream.CATEGORIES].values()
    assert mugs.content.parent is None
    bench.source.tick(hours=1)
    bench.source.put(Stream.CATEGORIES, "c9", Category(name="Kitchen"))
    assert (await bench.run("recent"))["status"] == "succeeded"
    ids = {row.content.name: row.id for row in bench.target.rows[Stream.CATEGORIES].values()}
    [goods] = bench.target.rows[Stream.PRODUCTS].values()
    assert bench.target.rows[Stream.CATEGORIES][mugs.id].content.parent == ids["Kitchen"]
    assert sorted(goods.content.categories) == sorted(ids.values())
    assert await conflicts(bench) == []
    await unchanged(bench)


async def test_order_that_lacks_two_records_is_mended_twice(bench: Bench) -> None:
    bench.source.put(Stream.ORDERS, "o1", order(1, who="u404", product="p404"))
    await full(bench)
    bench.source.tick(hours=1)
    bench.source.put(Stream.PRODUCTS, "p404", product(404))
    await bench.run("recent")
    assert placed(bench).lines[0].product in bench.target.rows[Stream.PRODUCTS]
    assert (await link(bench, "o1"))["lost_references"] == [
        Reference(Stream.CUSTOMERS, "u404").to_text()
    ]
    bench.source.put(Stream.CUSTOMERS, "u404", customer(404))
    await bench.run("recent")
    assert placed(bench).customer == customer_on_target(bench)
    await unchanged(bench)


# --- when it arrives -----------------------------------------------------------------------------


async def test_product_that_arrives_after_the_orders_is_given_to_its_order_in_the_same_job(
    bench: Bench,
) -> None:
    """The source denies the product once, while orders are read; stock brings it over then."""
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
    assert order_writes(bench) == ["create", "update"]
    assert placed(bench).lines[0].product in bench.target.rows[Stream.PRODUCTS]


async def test_customer_who_arrives_while_the_order_is_being_written_is_noticed(
    bench: Bench,
) -> None:
    """His page finds no order that lacks him: that one is not committed yet."""
    bench.source.put(Stream.ORDERS, "o1", order(1, who="u9"))

    async def meanwhile(operation: Operation) -> None:
        if isinstance(operation.content, Order):
            await change(
                bench,
                "INSERT INTO links (migration_id, stream, source_id, target_id, state)"
                " VALUES (:migration, 'customers', 'u9', '77', 'applied') ON CONFLICT DO NOTHING",
                migration=bench.migration,
            )

    bench.target.hooks["written"] = meanwhile
    row = await full(bench, streams=["orders"])
    assert row["status"] == "succeeded"
    assert placed(bench).customer == "77"
    assert order_writes(bench) == ["create", "update"]


async def test_order_that_changes_when_its_customer_is_there_is_written_once(bench: Bench) -> None:
    await guest(bench)
    await mend_customer(bench)
    await bench.run("recent", streams=["customers"])
    bench.source.put(Stream.ORDERS, "o1", replace(order(1, who="u1", product="p1"), note="Ring"))
    await bench.run("recent")
    assert (placed(bench).customer, placed(bench).note) == (customer_on_target(bench), "Ring")
    assert order_writes(bench) == ["update"]


@pytest.mark.parametrize("place", ["after_intent", "after_write", "after_answer", "after_commit"])
async def test_worker_that_dies_while_it_mends_loses_nothing(bench: Bench, place: str) -> None:
    await guest(bench)
    await mend_customer(bench)
    await bench.run("recent", streams=["customers"])
    failpoints.arm(f"{place}=crash")
    assert await survive(bench, await bench.start("recent", streams=["orders"])) == 1
    assert placed(bench).customer == customer_on_target(bench)
    assert await conflicts(bench) == []
    await unchanged(bench, streams=["orders"])


async def test_worker_that_dies_when_the_customer_is_written_leaves_no_guest(bench: Bench) -> None:
    await guest(bench)
    await mend_customer(bench)
    failpoints.arm("after_write=crash")
    assert await survive(bench, await bench.start("recent")) == 1
    assert placed(bench).customer == customer_on_target(bench)
    assert order_writes(bench) == ["update"]


async def test_mended_order_that_the_target_refuses_waits_in_quarantine(bench: Bench) -> None:
    await guest(bench)
    await mend_customer(bench)
    bench.target.script = ["applied", "refused"]
    assert (await bench.run("recent"))["status"] == "completed_with_errors"
    bench.source.gets.clear()
    assert (await bench.run("recent"))["status"] == "completed_with_errors"
    assert bench.source.gets == [], "it was not due"
    await pass_time(bench)
    assert (await bench.run("recent"))["status"] == "succeeded"
    assert placed(bench).customer == customer_on_target(bench)


# --- what stays as it is -------------------------------------------------------------------------


async def test_order_that_the_team_gave_to_somebody_is_a_conflict_and_not_overwritten_unseen(
    bench: Bench,
) -> None:
    await guest(bench)
    await rule(bench, orders={"customer": "manual"})
    [target_id] = bench.target.rows[Stream.ORDERS]
    bench.target.edit(Stream.ORDERS, target_id, customer="4711", note="The team's")
    await mend_customer(bench)
    await bench.run("recent")
    assert (placed(bench).customer, placed(bench).note) == ("4711", "The team's")
    assert [each["field"] for each in await conflicts(bench)] == ["customer"]
    await unchanged(bench)


async def test_only_the_field_that_names_the_arrived_record_is_written(bench: Bench) -> None:
    await guest(bench)
    [target_id] = bench.target.rows[Stream.ORDERS]
    bench.target.edit(Stream.ORDERS, target_id, note="The team's", status="on_hold")
    await mend_customer(bench)
    sent: list[Operation] = []

    async def keep(operation: Operation) -> None:
        sent.append(operation)

    bench.target.hooks["written"] = keep
    await bench.run("recent")
    [written] = [each for each in sent if isinstance(each.content, Order)]
    assert written.changed == {"customer"}
    assert (placed(bench).note, placed(bench).status) == ("The team's", "on_hold")
    assert await conflicts(bench) == []


async def test_target_that_says_nothing_of_what_it_wrote_raises_no_conflict(bench: Bench) -> None:
    bench.target.mute_answers = True
    await guest(bench)
    await rule(bench, orders={"*": "manual"})
    await mend_customer(bench)
    assert (await bench.run("recent"))["status"] == "succeeded"
    assert placed(bench).customer == customer_on_target(bench)
    assert await conflicts(bench) == []


async def test_target_without_merges_is_sent_the_mended_field_too(bench: Bench) -> None:
    plain = {stream: WriteCapability(idempotent=True, batch=2) for stream in bench.platform.writes}
    bench.use(replace(bench.platform, writes=plain))
    await guest(bench)
    await mend_customer(bench)
    assert (await bench.run("recent"))["status"] == "succeeded"
    assert placed(bench).customer == customer_on_target(bench)
    assert order_writes(bench) == ["update"]
    await unchanged(bench)


async def test_reference_that_is_gone_for_good_costs_nothing_again(bench: Bench) -> None:
    for number in range(5):
        bench.source.put(Stream.ORDERS, f"o{number}", order(number, who="u404", product="p404"))
    assert (await full(bench))["status"] == "succeeded"
    for kind, params in RUNS.values():
        await unchanged(bench, kind, **params)


async def test_mendable_order_that_is_gone_from_the_source_is_not_asked_for_again(
    bench: Bench,
) -> None:
    await guest(bench)
    await mend_customer(bench)
    for number in range(2, 12):
        bench.source.put(Stream.ORDERS, f"o{number}", order(number))
    await bench.run("recent", streams=["customers"])
    del bench.source.rows[Stream.ORDERS]["o1"]
    await bench.run("recent", cutover=True)
    await unchanged(bench)
