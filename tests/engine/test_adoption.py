"""Pairing what another tool has brought over, between two shops in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.services.lifecycle import request_cancel
from connectors.records import Stream, money
from tests.engine.adopted import PAIRS, SINCE, adopt, fill, order, states
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench
from tests.engine.shop import START
from tests.engine.test_failpoints import survive
from workers.engine import failpoints


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def test_everything_that_is_told_is_linked_and_nothing_is_written(bench: Bench) -> None:
    fill(bench)
    row = await adopt(bench)
    assert row["status"] == "succeeded"
    links = await bench.rows(PAIRS)
    assert {(each["source_id"], each["target_id"]) for each in links} == {
        (f"{kind}{number}", f"t{kind}{number}") for kind in "cpuo" for number in (1, 2, 3)
    }
    assert bench.target.writes == []
    assert bench.source.writes == []
    assert bench.target.mails_on
    cursors = await bench.rows("SELECT DISTINCT watermark FROM cursors")
    assert [each["watermark"] for each in cursors] == [START]


async def test_no_baseline_is_refused_over_the_api(bench: Bench) -> None:
    async with api_of(bench) as api:
        answer = await api.post(
            "http://api.test/v1/jobs", json={"kind": "adopt", "migration": "move"}
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "baseline_required")
        body = {"kind": "adopt", "migration": "move", "since": SINCE}
        refused = await api.post("http://api.test/v1/jobs", json=body | {"cutover": True})
        assert refused.status_code == 422
        narrowed = {"kind": "recent", "migration": "move", "options": {"id_fields": ["x"]}}
        refused = await api.post("http://api.test/v1/jobs", json=narrowed)
        assert refused.json()["errors"][0]["pointer"] == "/options/id_fields"
        assert (await api.post("http://api.test/v1/jobs", json=body)).status_code == 202


async def test_adopting_again_says_the_same(bench: Bench) -> None:
    fill(bench)
    bench.target.put(Stream.ORDERS, "to9", bench.target.rows[Stream.ORDERS]["to1"].content)
    del bench.target.rows[Stream.ORDERS]["to3"]
    await adopt(bench)
    first, links = await states(bench, "orders"), await bench.rows(PAIRS)
    await adopt(bench)
    assert await states(bench, "orders") == first
    assert await bench.rows(PAIRS) == links
    assert first["target", "to9"] == ("doubled", "o1")
    assert first["source", "o3"] == ("source_only", None)


async def test_records_of_an_earlier_run_of_ours_keep_their_links(bench: Bench) -> None:
    fill(bench)
    for stream in Stream:
        bench.target.rows[stream].clear()
    await bench.run("full", streams=["categories", "products", "customers"])
    before = await bench.rows(PAIRS)
    for number in (1, 2, 3):
        bench.target.put(Stream.ORDERS, f"to{number}", order(number))
    await adopt(bench)
    after = await bench.rows(PAIRS)
    assert [each for each in after if each["stream"] != "orders"] == before
    assert len(after) == len(before) + 3
    # What a run of ours has reached does not move back.
    [cursor] = await bench.rows("SELECT watermark FROM cursors WHERE stream = 'products'")
    assert cursor["watermark"] >= START


@pytest.mark.parametrize(
    ("fields", "evidence"),
    [
        ({"total": money("9.99", "GBP")}, "adopted:moment_lines_email"),
        ({"email": "wrong@example.com"}, "adopted:moment_total_customer"),
        ({"email": "wrong@example.com", "customer": None}, "adopted:moment_total_lines"),
        ({"created_at": None}, "adopted:total_lines_email"),
        ({"created_at": None, "number": "1001", "lines": ()}, "adopted:number_total_email"),
        ({"status": "pending", "note": "?", "billing": None}, "adopted:moment_total_email"),
    ],
)
async def test_an_order_with_something_wrong_is_known_by_the_rest(
    bench: Bench, fields: dict[str, Any], evidence: str
) -> None:
    fill(bench)
    bench.target.edit(Stream.ORDERS, "to1", **fields)
    await adopt(bench)
    [link] = await bench.rows("SELECT * FROM links WHERE stream = 'orders' AND source_id = 'o1'")
    assert (link["target_id"], link["matched_by"]) == ("to1", evidence)


async def test_swapped_skus_are_not_guessed(bench: Bench) -> None:
    fill(bench)
    bench.target.edit(Stream.PRODUCTS, "tp1", sku="MUG-2")
    bench.target.edit(Stream.PRODUCTS, "tp2", sku="MUG-1")
    row = await bench.run("adopt", since=SINCE)
    assert row["status"] == "completed_with_errors"
    found = await states(bench, "products")
    assert [found["source", each][0] for each in ("p1", "p2", "p3")] == [
        "ambiguous",
        "ambiguous",
        "paired",
    ]


async def test_an_id_in_the_metadata_tells_what_nothing_else_does(bench: Bench) -> None:
    fill(bench)
    told = {"meta": {"legacy_id": "p1"}}
    bench.target.edit(Stream.PRODUCTS, "tp1", name="Cup", sku="", slug="cup", extra=told)
    await adopt(bench, options={"id_fields": []})
    assert (await states(bench, "products"))["source", "p1"] == ("source_only", None)
    await adopt(bench)
    assert (await states(bench, "products"))["source", "p1"] == ("paired", "tp1")


async def test_an_id_that_everything_else_contradicts_is_not_believed(bench: Bench) -> None:
    """Metadata of an even earlier migration name ids of another shop."""
    fill(bench)
    bench.target.edit(Stream.PRODUCTS, "tp1", extra={"meta": {"legacy_id": "p2"}})
    bench.target.edit(Stream.PRODUCTS, "tp2", extra={"meta": {"legacy_id": "p1"}})
    await adopt(bench)
    found = await states(bench, "products")
    assert found["source", "p1"] == ("paired", "tp1")
    assert found["source", "p2"] == ("paired", "tp2")


# --- interrupted ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "place",
    [
        "after_fetch",
        "after_fetch=crash:5",
        "after_commit=crash:3",
        "after_commit=crash:9",
        "splitting",
    ],
)
async def test_a_worker_that_dies_leaves_an_adoption_that_goes_on(bench: Bench, place: str) -> None:
    fill(bench)
    failpoints.arm(place if "=" in place else f"{place}=crash")
    job = await bench.start("adopt", since=SINCE)
    assert await survive(bench, job) == 1
    row = await bench.job(job)
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert len(await bench.rows(PAIRS)) == 12
    assert bench.target.writes == []


async def test_a_cancelled_adoption_stops_and_can_be_run_again(bench: Bench) -> None:
    fill(bench)
    job = await bench.start("adopt", since=SINCE)
    for _ in range(3):
        await bench.turn()
    async with bench.resources.engine.begin() as connection:
        await request_cancel(connection, job)
    assert (await bench.finish(job))["status"] == "cancelled"
    await adopt(bench)
    assert len(await bench.rows(PAIRS)) == 12


async def test_of_two_copies_the_one_in_use_is_linked(bench: Bench) -> None:
    fill(bench)
    there = bench.target.rows[Stream.ORDERS]["to1"].content
    bench.target.edit(Stream.ORDERS, "to1", status="trashed")
    bench.target.put(Stream.ORDERS, "to9", there)
    await adopt(bench, streams=["orders"])
    found = await states(bench, "orders")
    assert found["source", "o1"] == ("paired", "to9")
    assert found["target", "to1"] == ("doubled", "o1")


async def test_two_things_in_common_are_proposed_and_not_believed(bench: Bench) -> None:
    fill(bench)
    wrong = {"created_at": None, "number": "9", "total": money("9.99", "GBP"), "customer": None}
    bench.target.edit(Stream.ORDERS, "to1", **wrong)
    await bench.run("adopt", since=SINCE)
    assert (await states(bench, "orders"))["source", "o1"] == ("ambiguous", None)
    await bench.run("recent", cutover=True)
    assert bench.target.creates() == []


async def test_the_same_goods_ordered_once_more_are_another_order(bench: Bench) -> None:
    """The new shop is tried out by an old customer, whose former order the tool has lost."""
    fill(bench)
    bench.target.edit(Stream.ORDERS, "to1", created_at=START, number="999")
    await bench.run("adopt", since=SINCE)
    found = await states(bench, "orders")
    assert found["source", "o1"] == ("ambiguous", None)
    assert found["target", "to1"] == ("ambiguous", None)
