"""What somebody changed on the target where the source's values rule: a verification notices it,
the next run puts it back, and the gate is green again.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from connectors.base import Loss, Operation
from connectors.records import Product, Stream
from tests.engine.conftest import Bench
from tests.engine.launching import a_line, bad, checked, euros, launch, twin
from tests.engine.shop import FakeStore
from tests.engine.test_failpoints import survive
from tests.engine.test_lost_references import link
from tests.engine.test_mapping import rules
from tests.engine.test_merging import conflicts, rule
from workers.engine import failpoints


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def held(bench: Bench, stream: Stream, source_id: str) -> Any:
    return bench.target.rows[stream][await twin(bench, stream, source_id)].content


async def edit(bench: Bench, stream: Stream, source_id: str, **fields: Any) -> None:
    bench.target.edit(stream, await twin(bench, stream, source_id), **fields)


async def events(bench: Bench, kind: str) -> list[Any]:
    rows = await bench.rows(
        "SELECT data FROM job_events WHERE type = :kind ORDER BY data->>'stream'", kind=kind
    )
    return [row["data"] for row in rows]


async def look(bench: Bench) -> set[str]:
    """Verify, and answer with the checks that stand in the way; nothing is written meanwhile."""
    writes = list(bench.target.writes)
    _, results = await checked(bench)
    assert bench.target.writes == writes
    return bad(results)


async def cheaper(bench: Bench) -> None:
    """The team changes a price, and of the text what is the team's own."""
    await edit(bench, Stream.PRODUCTS, "p1", regular_price=euros("4"), description="Polished")


async def run(bench: Bench, **params: Any) -> dict[str, Any]:
    bench.target.writes.clear()
    row = await bench.run("recent", **params)
    assert (row["status"], row["error"]) == ("succeeded", None)
    return row


# --- the loop ------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"cutover": True}], ids=["recent", "cutover"])
async def test_the_gate_goes_red_a_run_mends_the_target_and_the_gate_is_green(
    bench: Bench, params: dict[str, Any]
) -> None:
    await launch(bench)
    await cheaper(bench)
    await edit(bench, Stream.INVENTORY, "p2", quantity=Decimal(2))
    await edit(bench, Stream.ORDERS, "o101", total=euros("6.01"), note="Ring twice")
    await edit(bench, Stream.CUSTOMERS, "k1", first_name="Hannah")
    assert await look(bench) == {"data.content", "data.money"}
    assert await events(bench, "drift.found") == [
        {"stream": each, "count": 1} for each in ("customers", "inventory", "orders", "products")
    ]
    row = await run(bench, **params)
    counted = await bench.counters(row["id"])
    assert (counted["updated"], counted["restored"]) == (4, 4)
    assert sum(each["count"] for each in await events(bench, "drift.restored")) == 4
    assert await look(bench) == set()
    product = await held(bench, Stream.PRODUCTS, "p1")
    assert (product.regular_price, product.description) == (euros("5"), "Polished")
    bench.target.writes.clear()
    for kind, again in (("recent", {}), ("recent", {"cutover": True}), ("full", {})):
        await bench.run(kind, **again)
    assert bench.target.writes == []


async def test_only_the_fields_that_are_the_sources_are_written(bench: Bench) -> None:
    await launch(bench)
    await edit(bench, Stream.ORDERS, "o101", note="Ring twice")
    await cheaper(bench)
    await edit(bench, Stream.PRODUCTS, "p1", name="Tee", featured=True)
    await look(bench)
    sent: list[Operation] = []

    async def keep(operation: Operation) -> None:
        sent.append(operation)

    bench.target.hooks["written"] = keep
    await run(bench)
    by_id = {each.source_id: each for each in sent}
    assert by_id["p1"].changed == frozenset({"regular_price"})
    assert by_id["o101"].changed == frozenset({"note"})
    assert (await held(bench, Stream.PRODUCTS, "p1")).name == "Tee"


async def test_what_was_overwritten_is_kept_once_as_a_settled_conflict(bench: Bench) -> None:
    await launch(bench)
    for _ in range(2):
        await cheaper(bench)
        await look(bench)
        await run(bench)
    [kept] = await conflicts(bench)
    assert (kept["field"], kept["status"], kept["decision"]) == (
        "regular_price",
        "settled",
        "source",
    )
    assert kept["values"]["target"]["amount"] == "4"
    assert await look(bench) == set()


async def test_a_run_that_nobody_verified_before_leaves_the_target_as_it_is(bench: Bench) -> None:
    await launch(bench)
    await cheaper(bench)
    bench.target.looks.clear()
    await run(bench, cutover=True)
    assert (bench.target.writes, bench.target.looks) == ([], [])


async def test_a_variants_price_and_a_variant_that_was_deleted(bench: Bench) -> None:
    await launch(bench, conflicts={"products": {"variants": "source"}})
    for source_id, change in (("p1", {"regular_price": euros("4")}), ("p2", None)):
        product = await held(bench, Stream.PRODUCTS, source_id)
        variants = (replace(product.variants[0], **change),) if change else ()
        await edit(bench, Stream.PRODUCTS, source_id, variants=variants)
    assert await look(bench) == {"data.content", "data.money"}
    await run(bench)
    assert await look(bench) == set()
    for source_id in ("p1", "p2"):
        [variant] = (await held(bench, Stream.PRODUCTS, source_id)).variants
        assert variant.regular_price == euros("5")


async def test_an_order_line_that_was_given_another_product(bench: Bench) -> None:
    await launch(bench)
    other = await twin(bench, Stream.PRODUCTS, "p2")
    await edit(bench, Stream.ORDERS, "o101", lines=(a_line("l101", other),))
    assert await look(bench) == {"data.relations"}
    await run(bench)
    assert await look(bench) == set()


async def test_what_is_put_back_is_what_the_mapping_rules_make_of_the_source(bench: Bench) -> None:
    await rules(bench, customers=[{"field": "last_name", "set": "Mapped"}])
    await launch(bench)
    assert await look(bench) == set()
    await edit(bench, Stream.CUSTOMERS, "k1", last_name="Typed")
    assert await look(bench) == {"data.content"}
    await run(bench)
    assert (await held(bench, Stream.CUSTOMERS, "k1")).last_name == "Mapped"
    assert await look(bench) == set()


async def test_a_pass_that_brings_a_change_leaves_the_rest_to_the_stage_behind_it(
    bench: Bench,
) -> None:
    await launch(bench)
    await cheaper(bench)
    await look(bench)
    product = bench.source.rows[Stream.PRODUCTS]["p1"].content
    assert isinstance(product, Product)
    bench.source.put(Stream.PRODUCTS, "p1", replace(product, barcode="4006381333931"))
    bench.source.tick(seconds=30)
    row = await run(bench)
    assert [source_id for _, _, source_id in bench.target.writes] == ["p1", "p1"]
    assert (await bench.counters(row["id"]))["restored"] == 1
    there = await held(bench, Stream.PRODUCTS, "p1")
    assert (there.barcode, there.regular_price) == ("4006381333931", euros("5"))
    assert await look(bench) == set()


# --- what stays ----------------------------------------------------------------------------------


async def test_fields_under_other_policies_stay_untouched(bench: Bench) -> None:
    await launch(bench, conflicts={"products": {"regular_price": "target"}})
    await cheaper(bench)
    await edit(bench, Stream.PRODUCTS, "p1", name="Tee")
    assert await look(bench) == set()
    await run(bench)
    assert bench.target.writes == []
    assert (await link(bench, "p1", Stream.PRODUCTS))["drifted"] is None


async def test_a_finding_says_whether_a_run_puts_it_back(bench: Bench) -> None:
    await launch(bench)
    await edit(bench, Stream.PRODUCTS, "p1", regular_price=euros("4"), sku="OTHER")
    _, results = await checked(bench, checks=["data.money", "data.content"])
    [price], [sku] = (results[each]["evidence"] for each in ("data.money", "data.content"))
    told = "The next run puts the source's value back."
    assert price["message"] == f"Source and target: 5.00 EUR / 4.00 EUR. {told}"
    assert (sku["field"], sku["message"]) == ("sku", "It differs.")


async def test_a_policy_that_changed_since_keeps_what_the_team_wrote(bench: Bench) -> None:
    await launch(bench)
    await cheaper(bench)
    await look(bench)
    await rule(bench, products={"regular_price": "target"})
    await run(bench)
    assert bench.target.writes == []
    assert await look(bench) == set()
    assert (await link(bench, "p1", Stream.PRODUCTS))["drifted"] is None


async def test_what_somebody_put_right_meanwhile_is_only_unmarked(bench: Bench) -> None:
    await launch(bench)
    await cheaper(bench)
    await edit(bench, Stream.INVENTORY, "p2", quantity=Decimal(2))
    await look(bench)
    await edit(bench, Stream.PRODUCTS, "p1", regular_price=euros("5"))
    await edit(bench, Stream.INVENTORY, "p2", quantity=Decimal(3))
    row = await run(bench)
    assert bench.target.writes == []
    assert "restored" not in await bench.counters(row["id"])
    for stream, source_id in ((Stream.PRODUCTS, "p1"), (Stream.INVENTORY, "p2")):
        assert (await link(bench, source_id, stream))["drifted"] is None


async def test_a_target_that_is_selling_keeps_what_was_changed_there(bench: Bench) -> None:
    await launch(bench)
    await edit(bench, Stream.ORDERS, "o101", note="Ring twice")
    await look(bench)
    await run(bench, streams=["orders"], options={"stragglers": True})
    assert bench.target.writes == []


async def test_a_declared_loss_and_one_of_this_very_record_are_not_put_back(bench: Bench) -> None:
    losses = (Loss("status", "The target has its own."),)
    orders = replace(bench.platform.writes[Stream.ORDERS], losses=losses)
    writes = {**bench.platform.writes, Stream.ORDERS: orders}
    bench.use(replace(bench.platform, writes=writes))
    await launch(bench)
    await edit(bench, Stream.ORDERS, "o101", status="pending", note="Ring", number="7")
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET losses = '{number}'"))
    await look(bench)
    assert (await link(bench, "o101"))["drifted"] == ["note"]
    await run(bench)
    order = await held(bench, Stream.ORDERS, "o101")
    assert (order.status, order.number, order.note) == ("pending", "7", "")
    assert (await link(bench, "o101"))["losses"] == ["number"], "it was not written now"
    assert await look(bench) == set()


async def test_a_target_that_keeps_its_value_whatever_is_written_is_written_to_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await launch(bench)
    await cheaper(bench)
    stubborn = FakeStore._written

    def written(self: FakeStore, operation: Operation, before: Any) -> Any:
        content, children = stubborn(self, operation, before)
        if isinstance(content, Product) and isinstance(before, Product):
            content = replace(content, regular_price=before.regular_price)
        return content, children

    monkeypatch.setattr(FakeStore, "_written", written)
    assert "data.money" in await look(bench)
    await run(bench)
    assert [kind for kind, *_ in bench.target.writes] == ["update"]
    for _ in range(2):
        assert "data.money" in await look(bench)
        await run(bench)
        assert bench.target.writes == []


# --- doubts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["after_intent", "after_write", "after_answer", "after_commit"])
async def test_a_worker_that_dies_while_it_mends_leaves_nothing_half_mended(
    bench: Bench, place: str
) -> None:
    await launch(bench)
    await cheaper(bench)
    await edit(bench, Stream.INVENTORY, "p2", quantity=Decimal(2))
    await look(bench)
    failpoints.arm(f"{place}=crash")
    assert await survive(bench, await bench.start("recent")) == 1
    assert await look(bench) == set()
    bench.target.writes.clear()
    await run(bench)
    assert bench.target.writes == []


async def test_a_look_at_a_half_written_record_overwrites_nothing(bench: Bench) -> None:
    await launch(bench)
    await cheaper(bench)
    await look(bench)
    target_id = await twin(bench, Stream.PRODUCTS, "p1")
    torn = await held(bench, Stream.PRODUCTS, "p1")
    await edit(bench, Stream.PRODUCTS, "p1", regular_price=euros("5"))
    bench.target.shows[target_id] = [torn]
    await run(bench)
    assert bench.target.writes == []
    assert await conflicts(bench) == []


async def test_a_refused_restoring_waits_in_quarantine(bench: Bench) -> None:
    await launch(bench)
    await cheaper(bench)
    await look(bench)
    bench.target.script = ["refused"]
    assert (await bench.run("recent"))["status"] == "completed_with_errors"
    bench.target.writes.clear()
    assert (await bench.run("recent"))["status"] == "completed_with_errors"
    assert bench.target.writes == [], "it was not due"
    await run(bench, cutover=True)
    assert await look(bench) == set()


async def test_a_record_that_the_source_has_lost_is_left_to_removals(bench: Bench) -> None:
    await launch(bench)
    await cheaper(bench)
    await look(bench)
    del bench.source.rows[Stream.PRODUCTS]["p1"]
    await run(bench, streams=["products"])
    assert bench.target.writes == []


async def test_a_record_that_is_gone_from_the_target_is_refused_as_in_any_update(
    bench: Bench,
) -> None:
    await launch(bench)
    await cheaper(bench)
    await look(bench)
    del bench.target.rows[Stream.PRODUCTS][await twin(bench, Stream.PRODUCTS, "p1")]
    row = await bench.run("recent")
    assert row["status"] == "completed_with_errors"
    [kept] = await bench.rows("SELECT source_id, code FROM quarantine")
    assert kept == {"source_id": "p1", "code": "target_gone"}
