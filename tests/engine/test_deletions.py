"""What is gone from the source goes from the target: with proof, and never too much."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.services.lifecycle import request_cancel, to_json
from connectors.errors import BadAnswer, SignInAgain, Unreachable
from connectors.records import InventoryLevel, Stream
from tests.engine.conftest import Bench
from tests.engine.shop import START
from tests.engine.test_runs import Crash, customer, order, product

COUNT = 13


@pytest.fixture
async def copied(bench: Bench) -> Bench:
    """A shop of thirteen products that has been copied in full."""
    for n in range(COUNT):
        bench.source.put(Stream.PRODUCTS, f"p{n:02}", product(n))
    bench.source.tick(minutes=5)
    assert (await bench.run("full"))["status"] == "succeeded"
    bench.target.writes.clear()
    return bench


def lose(bench: Bench, *ids: str, stream: Stream = Stream.PRODUCTS) -> None:
    for each in ids:
        del bench.source.rows[stream][each]


async def policy(bench: Bench, **deletions: Any) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE migrations SET policies = CAST(:policies AS jsonb)"),
            {"policies": to_json({"deletions": deletions})},
        )


async def removed(bench: Bench) -> list[tuple[str, str]]:
    rows = await bench.rows("SELECT source_id, status FROM removals ORDER BY source_id, at")
    return [(row["source_id"], row["status"]) for row in rows]


async def events(bench: Bench, kind: str) -> list[dict[str, Any]]:
    rows = await bench.rows("SELECT data FROM job_events WHERE type = :kind", kind=kind)
    return [row["data"] for row in rows]


def archived(bench: Bench, stream: Stream = Stream.PRODUCTS) -> list[str]:
    keys = [row.key for row in bench.target.rows[stream].values() if row.archived]
    return sorted(key.rpartition(":")[2] for key in keys)


# --- what is gone goes ---------------------------------------------------------------------------


async def test_three_deleted_products_are_archived_and_nothing_else_is(copied: Bench) -> None:
    lose(copied, "p01", "p05", "p12")
    row = await copied.run("full")
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert archived(copied) == ["p01", "p05", "p12"]
    assert {kind for kind, _, _ in copied.target.writes} == {"archive"}
    assert await removed(copied) == [("p01", "done"), ("p05", "done"), ("p12", "done")]
    assert (await copied.counters(row["id"]))["deleted"] == 3
    assert await events(copied, "deletion.done") == [
        {"stream": "products", "count": 3, "action": "archive"}
    ]
    [proof] = await copied.rows("SELECT evidence, action FROM removals WHERE source_id = 'p01'")
    assert proof["action"] == "archive"
    assert proof["evidence"] == {"direct": True, "sweeps": 1, "jobs": [str(row["id"])]}
    assert await copied.rows("SELECT 1 FROM sightings") == [], "they are kept for the job alone"


async def test_what_was_removed_is_not_removed_again(copied: Bench) -> None:
    lose(copied, "p01")
    await copied.run("full")
    copied.target.writes.clear()
    copied.source.asked_for.clear()
    row = await copied.run("full")
    assert row["status"] == "succeeded"
    assert copied.target.writes == []
    assert copied.source.asked_for == []


async def test_cutover_removes_and_a_window_does_not_even_suspect(copied: Bench) -> None:
    lose(copied, "p01")
    row = await copied.run("recent", streams=["products"])
    assert row["passes"]["products"]["mode"] == "window"
    assert archived(copied) == []
    row = await copied.run("recent", streams=["products"], cutover=True)
    assert row["status"] == "succeeded"
    assert archived(copied) == ["p01"]


async def test_stream_without_stamps_is_watched_by_every_recent_run(copied: Bench) -> None:
    await policy(copied, actions={"customers": "delete"})
    for n in range(4):
        copied.source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
    await copied.run("full")
    lose(copied, "u2", stream=Stream.CUSTOMERS)
    row = await copied.run("recent")
    assert row["status"] == "succeeded"
    assert len(copied.target.rows[Stream.CUSTOMERS]) == 3


async def test_order_that_refers_to_an_archived_product_still_does(copied: Bench) -> None:
    [link] = await copied.rows("SELECT target_id FROM links WHERE source_id = 'p01'")
    lose(copied, "p01")
    await copied.run("full")
    copied.source.put(Stream.ORDERS, "o1", order(1, product="p01"))
    await copied.run("full")
    [placed] = copied.target.rows[Stream.ORDERS].values()
    assert placed.content.lines[0].product == link["target_id"]


async def test_stock_goes_with_its_product_and_is_never_removed_itself(copied: Bench) -> None:
    for n in range(3):
        copied.source.put(Stream.INVENTORY, f"p{n:02}", InventoryLevel(product=f"p{n:02}"))
    await copied.run("full")
    lose(copied, "p01")
    lose(copied, "p01", "p02", stream=Stream.INVENTORY)
    held = len(copied.target.rows[Stream.INVENTORY])
    await copied.run("full")
    links = "SELECT source_id FROM links WHERE stream = 'inventory' ORDER BY 1"
    assert [row["source_id"] for row in await copied.rows(links)] == ["p00", "p02"]
    await copied.run("full")
    assert [row["source_id"] for row in await copied.rows(links)] == ["p00"], "missed twice"
    assert len(copied.target.rows[Stream.INVENTORY]) == held
    assert await removed(copied) == [("p01", "done")]


async def test_quarantine_of_a_record_that_was_removed_is_closed(copied: Bench) -> None:
    copied.source.put(Stream.PRODUCTS, "p01", product(1, featured=True))
    copied.target.script = ["refused"]
    assert (await copied.run("recent"))["status"] == "completed_with_errors"
    lose(copied, "p01")
    row = await copied.run("full")
    assert row["status"] == "succeeded"


# --- proof ---------------------------------------------------------------------------------------


async def test_crash_at_the_third_of_five_pages_and_a_resumed_sweep_remove_nothing(
    copied: Bench,
) -> None:
    lose(copied, "p01")
    pages = []

    async def crash(*_: Any) -> None:
        pages.append(1)
        if len(pages) == 3:
            raise Crash

    copied.source.hooks["read"] = crash
    job = await copied.start("full", streams=["products"])
    with pytest.raises(Crash):
        await copied.finish(job)
    await copied.lapse()
    row = await copied.finish(job)
    assert row["status"] == "succeeded"
    assert (archived(copied), await removed(copied)) == ([], [])
    [event] = await events(copied, "sweep.unclean")
    assert (event["stream"], event["reason"]) == ("products", "resumed")
    copied.source.hooks.clear()
    await copied.run("full", streams=["products"])
    assert archived(copied) == ["p01"], "the next sweep, a clean one, does"


async def test_sweep_that_takes_turns_and_parts_is_as_good_as_one(copied: Bench) -> None:
    copied.source.parts = 3
    copied.resources.settings.slice_seconds = 0.0
    lose(copied, "p01", "p05")
    row = await copied.run("full")
    assert row["status"] == "succeeded"
    assert archived(copied) == ["p01", "p05"]


async def test_failed_sweep_removes_nothing(copied: Bench) -> None:
    lose(copied, "p01")

    async def fail(_: Stream, page: list[Any]) -> None:
        if page[-1].id > "p05":
            raise SignInAgain("the key was taken away")

    copied.source.hooks["read"] = fail
    row = await copied.run("full", streams=["products"])
    assert row["status"] == "failed"
    assert (archived(copied), await removed(copied)) == ([], [])


async def test_cancelled_sweep_removes_nothing(copied: Bench) -> None:
    lose(copied, "p01")
    job = await copied.start("full", streams=["products"])

    async def cancel(*_: Any) -> None:
        async with copied.resources.engine.begin() as connection:
            await request_cancel(connection, job)

    copied.source.hooks["read"] = cancel
    row = await copied.finish(job)
    assert row["status"] == "cancelled"
    assert (archived(copied), await removed(copied)) == ([], [])


async def test_sweep_that_is_let_down_for_a_while_is_no_failed_one(copied: Bench) -> None:
    lose(copied, "p01")
    copied.source.read_failures = [Unreachable("away", after=0.01), BadAnswer("HTML")]
    row = await copied.run("full", streams=["products"])
    assert row["status"] == "succeeded"
    assert archived(copied) == ["p01"]


async def test_record_that_the_sweep_missed_and_the_source_has_is_applied_instead(
    copied: Bench,
) -> None:
    copied.source.hidden = {"p03"}
    copied.source.put(Stream.PRODUCTS, "p03", product(3, featured=True))
    row = await copied.run("full", streams=["products"])
    assert row["status"] == "succeeded"
    assert archived(copied) == []
    assert copied.target.writes == [("update", Stream.PRODUCTS, "p03")]
    assert await events(copied, "deletion.refuted") == [{"stream": "products", "count": 1}]
    [link] = await copied.rows("SELECT missed FROM links WHERE source_id = 'p03'")
    assert link["missed"] == 0


async def test_record_deleted_after_it_was_read_goes_with_the_next_sweep(copied: Bench) -> None:
    async def delete(_: Stream, page: list[Any]) -> None:
        if page[-1].id > "p06":
            copied.source.rows[Stream.PRODUCTS].pop("p01", None)

    copied.source.hooks["read"] = delete
    await copied.run("full", streams=["products"])
    assert archived(copied) == []
    await copied.run("full", streams=["products"])
    assert archived(copied) == ["p01"]


async def test_record_deleted_before_the_sweep_came_to_it_goes_at_once(copied: Bench) -> None:
    async def delete(_: Stream, page: list[Any]) -> None:
        copied.source.rows[Stream.PRODUCTS].pop("p11", None)

    copied.source.hooks["read"] = delete
    await copied.run("full", streams=["products"])
    assert archived(copied) == ["p11"]


async def test_record_that_was_brought_over_during_the_sweep_is_not_suspected(
    copied: Bench,
) -> None:
    """The sweep of customers is over when an order brings a new one."""
    copied.source.put(Stream.CUSTOMERS, "u1", customer(1))
    copied.source.put(Stream.ORDERS, "o1", order(1, who="u2"))

    async def register(stream: Stream, _: list[Any]) -> None:
        if stream is Stream.ORDERS:
            copied.source.put(Stream.CUSTOMERS, "u2", customer(2))

    copied.source.hooks["read"] = register
    row = await copied.run("full")
    assert row["status"] == "succeeded"
    assert len(copied.target.rows[Stream.CUSTOMERS]) == 2
    assert copied.source.asked_for == [["u2"]], "for the order alone"


async def test_what_lies_beyond_a_horizon_is_not_missed(bench: Bench) -> None:
    for n in range(4):
        made = START - timedelta(days=400 if n < 2 else 1)
        bench.source.put(Stream.ORDERS, f"o{n}", order(n), made=made)
    await bench.run("full", streams=["orders"])
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("""UPDATE migrations SET policies = '{"horizon": {"orders": {"days": 365}}}'""")
        )
    bench.source.asked_for.clear()
    row = await bench.run("recent", streams=["orders"], cutover=True)
    assert (row["status"], row["passes"]["orders"]["mode"]) == ("succeeded", "sweep")
    assert row["passes"]["orders"]["horizon"] is not None
    assert bench.source.asked_for == []
    assert await removed(bench) == []


async def test_shallow_sweep_sees_what_it_does_not_read(copied: Bench) -> None:
    async with copied.resources.engine.begin() as connection:
        await connection.execute(
            text("""UPDATE migrations SET policies = '{"sweep": {"products": "shallow"}}'""")
        )
    lose(copied, "p01")
    row = await copied.run("recent", streams=["products"], cutover=True)
    assert row["passes"]["products"]["depth"] == "shallow"
    assert archived(copied) == ["p01"]
    assert await events(copied, "deletion.refuted") == []


# --- an error is never an empty page -------------------------------------------------------------


async def test_shop_that_shows_no_record_at_all_loses_nothing(copied: Bench) -> None:
    copied.source.rows[Stream.PRODUCTS].clear()
    row = await copied.run("full", streams=["products"])
    assert row["error"]["code"] == "source_empty"
    assert (archived(copied), await removed(copied)) == ([], [])
    [event] = await events(copied, "sweep.unclean")
    assert event == {"stream": "products", "reason": "empty", "sighted": 0, "counted": 0}


async def test_pages_that_lack_what_the_store_counts_prove_nothing(copied: Bench) -> None:
    copied.source.hidden = {f"p{n:02}" for n in range(6)}
    copied.source.counts = COUNT
    await copied.run("full", streams=["products"])
    assert archived(copied) == []
    assert copied.source.asked_for == []
    [event] = await events(copied, "sweep.unclean")
    assert (event["reason"], event["sighted"], event["counted"]) == ("incomplete", 7, COUNT)


async def test_count_of_none_at_the_source_proves_nothing(copied: Bench) -> None:
    lose(copied, "p01")
    copied.source.counts = 0
    await copied.run("full", streams=["products"])
    assert (archived(copied), await removed(copied)) == ([], [])


async def test_source_that_knows_no_record_any_more_proves_nothing(copied: Bench) -> None:
    copied.source.hidden = {"p01"}
    copied.source.mute = True
    row = await copied.run("full", streams=["products"])
    assert row["status"] == "succeeded"
    assert (archived(copied), await removed(copied)) == ([], [])
    assert await events(copied, "deletion.unproven") == [{"stream": "products"}]


async def test_record_that_the_source_will_not_show_is_not_taken_for_gone(copied: Bench) -> None:
    copied.source.hidden = {"p02", "p03"}
    copied.source.denied = {"p02"}
    lose(copied, "p01")
    row = await copied.run("full", streams=["products"])
    assert row["status"] == "succeeded"
    assert archived(copied) == ["p01"], "one that cannot be told does not hide the others"
    assert await events(copied, "deletion.unclear") == [{"stream": "products", "count": 1}]


# --- the brake -----------------------------------------------------------------------------------


async def test_brake_stops_a_run_that_would_remove_thirty_percent(bench: Bench) -> None:
    for n in range(30):
        bench.source.put(Stream.PRODUCTS, f"p{n:02}", product(n))
    await bench.run("full", streams=["products"])
    bench.target.writes.clear()
    lose(bench, *(f"p{n:02}" for n in range(9)))
    row = await bench.run("full", streams=["products"])
    assert row["status"] == "completed_with_errors"
    assert row["error"]["code"] == "deletion_brake"
    assert "9 or more of 30 products" in row["error"]["message"]
    assert bench.target.writes == []
    assert {status for _, status in await removed(bench)} == {"held"}
    assert await events(bench, "deletion.braked") == [{"stream": "products", "gone": 9, "of": 30}]
    row = await bench.run(
        "recent", streams=["products"], cutover=True, options={"release_brake": True}
    )
    assert row["status"] == "succeeded"
    assert len(archived(bench)) == 9
    assert {status for _, status in await removed(bench)} == {"done"}, "the same entries"


async def test_brake_asks_no_more_than_it_needs_to_know(bench: Bench) -> None:
    for n in range(200):
        bench.source.put(Stream.PRODUCTS, f"p{n:03}", product(n))
    bench.source.page_size = 50
    await bench.run("full", streams=["products"])
    lose(bench, *(f"p{n:03}" for n in range(150)))
    row = await bench.run("full", streams=["products"])
    assert row["error"]["code"] == "deletion_brake"
    assert len(bench.source.asked_for) == 1


async def test_few_records_never_trip_the_brake(copied: Bench) -> None:
    lose(copied, *(f"p{n:02}" for n in range(5)))
    assert (await copied.run("full"))["status"] == "succeeded"
    assert len(archived(copied)) == 5


async def test_share_of_the_brake_is_for_the_migration_to_say(copied: Bench) -> None:
    await policy(copied, brake=0.5)
    lose(copied, *(f"p{n:02}" for n in range(6)))
    assert (await copied.run("full"))["status"] == "succeeded"
    assert len(archived(copied)) == 6


# --- actions -------------------------------------------------------------------------------------


async def test_customers_and_orders_are_reported_once_and_left_alone(copied: Bench) -> None:
    for n in range(9):
        copied.source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
    await copied.run("full")
    copied.target.writes.clear()
    lose(copied, *(f"u{n}" for n in range(8)), stream=Stream.CUSTOMERS)
    row = await copied.run("recent")
    assert row["status"] == "succeeded", "what is only told of trips no brake"
    assert copied.target.writes == []
    assert {status for _, status in await removed(copied)} == {"reported"}
    copied.source.asked_for.clear()
    await copied.run("recent")
    assert copied.source.asked_for == []
    assert len(await removed(copied)) == 8
    copied.source.put(Stream.CUSTOMERS, "u0", customer(0))
    await copied.run("recent")
    assert ("u0", "returned") in await removed(copied)
    lose(copied, "u0", stream=Stream.CUSTOMERS)
    await copied.run("recent")
    assert ("u0", "reported") in await removed(copied), "lost once more, told once more"


async def test_platform_that_cannot_archive_reports(copied: Bench) -> None:
    platform = copied.platform
    writes = {s: replace(each, removals=()) for s, each in platform.writes.items()}
    copied.use(replace(platform, writes=writes))
    lose(copied, "p01")
    assert (await copied.run("full"))["status"] == "succeeded"
    assert await removed(copied) == [("p01", "reported")]
    assert copied.target.writes == []


async def test_removal_that_the_target_refuses_is_an_error_with_its_reason(copied: Bench) -> None:
    lose(copied, "p01", "p02")
    copied.target.strange = {"p01"}
    row = await copied.run("full")
    assert (row["status"], row["error"]["code"]) == ("completed_with_errors", "removal_failed")
    assert await removed(copied) == [("p01", "failed"), ("p02", "done")]
    [item] = await copied.rows("SELECT code FROM removals WHERE source_id = 'p01'")
    assert item["code"] == "not_ours"
    copied.target.strange.clear()
    assert (await copied.run("full"))["status"] == "succeeded"
    assert await removed(copied) == [("p01", "done"), ("p02", "done")]


async def test_removal_without_an_answer_is_sent_again(copied: Bench) -> None:
    lose(copied, "p01")
    copied.target.remove_failures = [Unreachable("away", after=0.01)]
    row = await copied.run("full")
    assert row["status"] == "succeeded"
    assert copied.target.writes == [("archive", Stream.PRODUCTS, "p01")]
    assert await removed(copied) == [("p01", "done")]


async def test_crash_after_the_target_removed_keeps_how_the_record_stood(copied: Bench) -> None:
    lose(copied, "p01")

    async def crash(_: Any) -> None:
        copied.target.hooks.clear()
        raise Crash

    copied.target.hooks["removed"] = crash
    job = await copied.start("full", streams=["products"])
    with pytest.raises(Crash):
        await copied.finish(job)
    await copied.lapse()
    row = await copied.finish(job)
    assert row["status"] == "succeeded"
    [item] = await copied.rows("SELECT before, undoable FROM removals")
    assert item == {"before": {"archived": False}, "undoable": True}


# --- coming back ---------------------------------------------------------------------------------


async def undo(bench: Bench) -> dict[str, Any]:
    rows = await bench.rows("SELECT id FROM removals ORDER BY source_id")
    ids = [str(row["id"]) for row in rows]
    return await bench.run("recent", streams=["products"], options={"only": "undo", "ids": ids})


async def test_three_archived_products_are_undone_and_not_removed_again(copied: Bench) -> None:
    lose(copied, "p01", "p05", "p12")
    await copied.run("full")
    mails = []

    async def listen(*_: Any) -> None:
        mails.append(copied.target.mails_on)

    copied.target.hooks["restored"] = listen
    row = await undo(copied)
    assert row["status"] == "succeeded"
    assert archived(copied) == []
    assert mails == [False]
    assert {status for _, status in await removed(copied)} == {"undone"}
    for _ in range(2):
        assert (await copied.run("full"))["status"] == "succeeded"
        assert archived(copied) == [], "what a person has brought back stays"
    copied.source.put(Stream.PRODUCTS, "p01", product(1))
    await copied.run("full")
    lose(copied, "p01")
    await copied.run("full")
    assert archived(copied) == ["p01"], "it was seen again since, and is gone again"


async def test_undo_of_what_the_target_has_lost_says_so(copied: Bench) -> None:
    lose(copied, "p01")
    await copied.run("full")
    copied.target.rows[Stream.PRODUCTS].clear()
    row = await undo(copied)
    assert (row["status"], row["error"]["code"]) == ("completed_with_errors", "undo_failed")
    [item] = await copied.rows("SELECT status, code FROM removals")
    assert item == {"status": "done", "code": "gone"}


@pytest.mark.parametrize("action", ["archive", "delete"])
async def test_record_that_comes_back_at_the_source_is_brought_back(
    copied: Bench, action: str
) -> None:
    await policy(copied, actions={"products": action})
    kept = copied.source.rows[Stream.PRODUCTS]["p01"]
    lose(copied, "p01")
    await copied.run("full")
    assert len(copied.target.rows[Stream.PRODUCTS]) == COUNT - (action == "delete")
    copied.source.rows[Stream.PRODUCTS]["p01"] = kept
    kept.stamp = copied.source.now
    copied.target.writes.clear()
    row = await copied.run("recent", streams=["products"])
    assert row["status"] == "succeeded"
    came = "update" if action == "archive" else "create"
    assert copied.target.writes == [(came, Stream.PRODUCTS, "p01")]
    assert (archived(copied), len(copied.target.rows[Stream.PRODUCTS])) == ([], COUNT)
    assert await removed(copied) == [("p01", "returned")]
    assert (await undo(copied))["status"] == "succeeded"
    assert await removed(copied) == [("p01", "returned")], "there is nothing to undo any more"


# --- ids that are given away ---------------------------------------------------------------------


def born(number: int, day: int, **fields: Any) -> Any:
    return product(number, created_at=START + timedelta(days=day), **fields)


async def test_id_that_was_given_to_another_record_is_a_deletion_and_a_creation(
    bench: Bench,
) -> None:
    bench.source.put(Stream.PRODUCTS, "p1", born(1, 0))
    bench.source.put(Stream.PRODUCTS, "p2", born(2, 0))
    bench.source.put(Stream.INVENTORY, "p1", InventoryLevel(product="p1"))
    await bench.run("full")
    bench.target.writes.clear()
    bench.source.put(Stream.PRODUCTS, "p1", born(77, 9))
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert bench.target.writes == [
        ("create", Stream.PRODUCTS, "p1"),
        ("update", Stream.INVENTORY, "p1"),
        ("archive", Stream.PRODUCTS, "p1"),
    ]
    skus = {row.content.sku: row for row in bench.target.rows[Stream.PRODUCTS].values()}
    assert skus["SKU-1"].archived
    assert not skus["SKU-77"].archived
    assert skus["SKU-77"].key == f"{skus['SKU-1'].key}~1"
    bench.target.writes.clear()
    await bench.run("full")
    assert bench.target.writes == []
    bench.source.put(Stream.PRODUCTS, "p1", born(77, 9, featured=True))
    await bench.run("recent")
    assert bench.target.writes == [("update", Stream.PRODUCTS, "p1")]


async def test_reused_id_whose_create_is_refused_is_not_taken_for_the_old_record(
    bench: Bench,
) -> None:
    bench.source.put(Stream.PRODUCTS, "p1", born(1, 0))
    await bench.run("full")
    bench.source.put(Stream.PRODUCTS, "p1", born(77, 9))
    bench.target.script = ["refused"]
    assert (await bench.run("recent"))["status"] == "completed_with_errors"
    row = await bench.run("recent", options={"only": "quarantine"})
    assert row["status"] == "succeeded"
    skus = {row.content.sku: row for row in bench.target.rows[Stream.PRODUCTS].values()}
    assert skus["SKU-1"].archived
    assert skus["SKU-77"].key.endswith("p1~1")


async def test_many_ids_given_away_trip_the_brake_until_it_is_released(bench: Bench) -> None:
    for n in range(8):
        bench.source.put(Stream.PRODUCTS, f"p{n}", born(n, 0))
    await bench.run("full", streams=["products"])
    for n in range(8):
        bench.source.put(Stream.PRODUCTS, f"p{n}", born(70 + n, 9))
    for _ in range(2):
        row = await bench.run("recent", streams=["products"])
        assert row["error"]["code"] == "deletion_brake"
        assert archived(bench) == []
    row = await bench.run("recent", streams=["products"], options={"release_brake": True})
    assert row["status"] == "succeeded"
    assert len(archived(bench)) == 8
    assert len(bench.target.rows[Stream.PRODUCTS]) == 16


async def test_cancelled_removal_stops_within_a_page(bench: Bench) -> None:
    for n in range(120):
        bench.source.put(Stream.PRODUCTS, f"p{n:03}", product(n))
    bench.source.page_size = 60
    await bench.run("full", streams=["products"])
    await policy(bench, brake=1.0)
    lose(bench, *(f"p{n:03}" for n in range(110)))
    job: UUID = await bench.start("full", streams=["products"])

    async def cancel(_: Any) -> None:
        async with bench.resources.engine.begin() as connection:
            await request_cancel(connection, job)

    bench.target.hooks["removed"] = cancel
    row = await bench.finish(job)
    assert row["status"] == "cancelled"
    assert len(archived(bench)) == 50
    bench.target.hooks.clear()
    assert (await bench.run("full", streams=["products"]))["status"] == "succeeded"
    assert len(archived(bench)) == 110
