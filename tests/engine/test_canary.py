"""The canary: an order that is written to see whether anybody is told of it, and removed again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from connectors.base import Refused
from connectors.desk import NotTold
from connectors.woocommerce.target import WooCommerceTarget
from connectors.woocommerce.traces import WooCommerceTraces
from tests.engine.conftest import Bench
from tests.engine.launching import bad, checked
from tests.engine.practice_stores import Stores, between_practice_stores
from workers.checks import canary
from workers.engine.failpoints import Crash

CANARY = "preflight.canary"
CHECKS = ["preflight.silence", CANARY, "data.ids", "data.doubled", "numbers"]


@pytest.fixture(params=[False, True], ids=["plain", "add-on"])
async def stores(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> AsyncIterator[Stores]:
    """A migration that is ready; of WooCommerce's versions the first that notes mails, or later."""
    opened = between_practice_stores(bench, monkeypatch, addon=request.param, version="10.9.1")
    async with opened as pair:
        await fill(pair)
        yield pair


@pytest.fixture
async def plain(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    async with between_practice_stores(bench, monkeypatch, version="10.9.1") as pair:
        await fill(pair)
        yield pair


async def fill(stores: Stores, **thresholds: Any) -> None:
    at_once = {CANARY: {"seconds": 0, **thresholds}}
    await stores.set_policies(readiness={"thresholds": at_once})
    anna = await stores.old.admin("POST", "customers", {"email": "anna@shop.test"})
    await stores.old.admin(
        "POST",
        "orders",
        {"status": "completed", "customer_id": anna["id"], "billing": {"email": "anna@shop.test"}},
    )
    await stores.run("full")
    stores.wait(60)


async def flown(bench: Bench) -> dict[str, Any]:
    """A canary of its own; no other check."""
    _, results = await checked(bench, checks=[CANARY], canary=True)
    found: dict[str, Any] = results[CANARY]
    return found


async def canaries(stores: Stores) -> list[str]:
    """What of a canary is on the target, the trash looked through as well."""
    found = []
    for path in ("customers?role=all", "orders?status=any", "orders?status=trash"):
        rows = await stores.new.admin("GET", path)
        found += [path.partition("?")[0] for each in rows if "canary" in repr(each)]
    return found


async def loud(stores: Stores) -> bool:
    switch = await stores.new.admin("GET", "settings/email_customer_completed_order/enabled")
    return bool(switch["value"] == "yes")


async def mails(stores: Stores) -> list[Any]:
    found: list[Any] = (await stores.new.effects())["mails"]
    return found


def messages(result: dict[str, Any]) -> str:
    return " ".join(each["message"] for each in result["evidence"])


async def test_in_a_silent_store_it_passes_and_leaves_nothing(bench: Bench, stores: Stores):
    before = await mails(stores)
    links = await bench.rows("SELECT count(*) FROM links")

    _, results = await checked(bench, checks=CHECKS, canary=True)

    assert bad(results) == set()
    result = results[CANARY]
    assert (result["state"], result["examined"], result["found"]) == ("passed", 2, 0)
    told = [(each["stream"], each["message"].split(" ")[0]) for each in result["evidence"]]
    written, removed = ["customers", "orders"], ["orders", "customers"]
    assert told[:2] == [(each, "Written") for each in written]
    assert told[-2:] == [(each, "Removed") for each in removed]
    assert "notes at it: 0" in messages(result)
    assert stores.new.requests("DELETE", "orders/")
    assert await canaries(stores) == []
    assert await mails(stores) == before
    assert await loud(stores)
    assert await bench.rows("SELECT count(*) FROM links") == links
    assert await bench.rows("SELECT unmuted, muted_by FROM stores WHERE name = 'target'") == [
        {"unmuted": None, "muted_by": []}
    ]


async def test_without_being_asked_nothing_is_written(bench: Bench, plain: Stores):
    before = plain.new.store.writes.copy()
    _, results = await checked(bench, checks=[CANARY])
    assert results[CANARY]["state"] == "skipped"
    assert "not asked for" in results[CANARY]["summary"]
    assert plain.new.store.writes == before


async def test_a_plugin_that_mails_all_the_same_is_found_where_settings_look_silent(
    bench: Bench, plain: Stores
):
    await plain.new.faults(forced_mails={})
    job, results = await checked(bench, checks=CHECKS, canary=True)
    assert results["preflight.silence"]["state"] == "passed"
    assert bad(results) == {CANARY}
    assert job["error"]["code"] == "not_ready"
    result = results[CANARY]
    assert result["found"] >= 1
    first = result["evidence"][0]
    assert "a mail was sent" in first["message"]
    assert (first["stream"], bool(first["target_id"])) == ("orders", True)
    assert "@" not in messages(result)
    assert await canaries(plain) == []
    assert await loud(plain)


async def test_a_store_that_notes_no_mails_is_left_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    async with between_practice_stores(bench, monkeypatch) as old:
        await fill(old)
        before = old.new.store.writes.copy()
        result = await flown(bench)
        assert (result["state"], old.new.store.writes) == ("skipped", before)
        assert "10.9" in result["summary"]


async def test_a_webhook_that_would_hear_of_it_keeps_it_from_being_written(
    bench: Bench, plain: Stores
):
    hook = {"topic": "order.created", "delivery_url": "https://erp.shop.test/", "status": "active"}
    await plain.new.admin("POST", "webhooks", hook)
    before = plain.new.store.writes.copy()
    result = await flown(bench)
    assert (result["state"], result["found"]) == ("failed", 1)
    assert "order.created" in result["evidence"][0]["message"]
    assert plain.new.store.writes == before

    at_once = {CANARY: {"seconds": 0, "allowed": 1}}
    await plain.set_policies(readiness={"thresholds": at_once})
    result = await flown(bench)
    assert "notes at it: 0" in messages(result), "the team puts up with one"
    assert await canaries(plain) == []


def dies_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is gone once the canary is on the target."""
    read, died = WooCommerceTraces.of_orders, []

    async def of_orders(self: WooCommerceTraces, orders: Any) -> Any:
        if not died:
            died.append(orders)
            raise Crash
        return await read(self, orders)

    monkeypatch.setattr(WooCommerceTraces, "of_orders", of_orders)


async def crashed(bench: Bench) -> Any:
    job = await bench.start("verify", options={"checks": [CANARY], "canary": True})
    with pytest.raises(Crash):
        await bench.finish(job)
    await bench.lapse()
    return job


async def test_whoever_takes_over_from_a_worker_that_died_removes_what_it_left(
    bench: Bench, stores: Stores, monkeypatch: pytest.MonkeyPatch
):
    dies_once(monkeypatch)
    job = await crashed(bench)
    assert await canaries(stores) == ["customers", "orders"]

    row = await bench.finish(job)

    assert row["status"] == "succeeded"
    [result] = await bench.rows("SELECT * FROM check_results")
    left = [each for each in result["evidence"] if "earlier" in each["message"]]
    assert (result["state"], len(left)) == ("passed", 2)
    assert await canaries(stores) == []
    assert await loud(stores)


async def test_one_that_stays_behind_alarms_no_other_check_and_the_next_one_finds_it(
    bench: Bench, stores: Stores, monkeypatch: pytest.MonkeyPatch
):
    dies_once(monkeypatch)
    job = await crashed(bench)
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE jobs SET cancel_requested_at = clock_timestamp()"))
    assert (await bench.finish(job))["status"] == "cancelled"
    assert await loud(stores), "the last stage gives the store its voice back"
    assert len(await canaries(stores)) == 2

    _, results = await checked(bench, checks=["data", "numbers", "effects"])
    assert bad(results) == set()
    result = await flown(bench)
    assert (result["state"], messages(result).count("earlier")) == ("passed", 2)
    assert await canaries(stores) == []


async def test_what_cannot_be_removed_is_named_and_no_second_one_is_written(
    bench: Bench, plain: Stores, monkeypatch: pytest.MonkeyPatch
):
    async def refusing(self: WooCommerceTarget, stream: Any, given: Any, action: Any) -> Any:
        return [Refused(source_id=each.source_id, code="forbidden", message="No") for each in given]

    monkeypatch.setattr(canary, "_STEP", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(WooCommerceTarget, "remove", refusing)
        result = await flown(bench)
        assert (result["state"], result["found"]) == ("failed", 2)
        [order] = [e for e in await plain.all(plain.new, "orders") if "canary" in repr(e)]
        first = result["evidence"][0]
        assert first["target_id"] == str(order["id"])
        assert "forbidden" in first["message"]

        result = await flown(bench)
        assert result["summary"] == "An earlier canary could not be removed; none was written."
        assert len(await canaries(plain)) == 2
    assert await loud(plain)
    assert (await flown(bench))["state"] == "passed"
    assert await canaries(plain) == []


async def test_whatever_goes_wrong_while_it_is_there_it_is_removed(
    bench: Bench, plain: Stores, monkeypatch: pytest.MonkeyPatch
):
    """A store that tells nothing after all, and a defect of ours."""
    for error, state in ((NotTold("It is not told."), "skipped"), (ZeroDivisionError(), "unknown")):

        async def failing(*_: Any, error: Exception = error) -> Any:
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(WooCommerceTraces, "of_orders", failing)
            result = await flown(bench)
        assert result["state"] == state
        assert plain.new.requests("DELETE", "orders/")
        assert await canaries(plain) == []
        assert await loud(plain)
        plain.new.asked.clear()


async def test_an_order_whose_answer_was_lost_is_looked_for_and_not_written_twice(
    bench: Bench, plain: Stores
):
    lost = {"probability": 1.0, "times": 1, "route": "orders", "methods": ["POST"]}
    await plain.new.faults(timeout_after=lost)
    before = plain.new.store.writes.copy()
    result = await flown(bench)
    assert result["state"] == "passed"
    assert (plain.new.store.writes - before)["order"] <= 2, "made once, and removed"
    assert await canaries(plain) == []


async def test_a_target_that_takes_no_such_order_is_unknown_and_keeps_nothing(
    bench: Bench, plain: Stores, monkeypatch: pytest.MonkeyPatch
):
    write = WooCommerceTarget.write

    async def picky(self: WooCommerceTarget, stream: Any, operations: Any) -> Any:
        if stream == "orders":
            return [
                Refused(source_id=e.source_id, code="invalid", message="No") for e in operations
            ]
        return await write(self, stream, operations)

    monkeypatch.setattr(WooCommerceTarget, "write", picky)
    result = await flown(bench)
    assert result["state"] == "unknown"
    assert "[invalid]" in result["summary"]
    assert await canaries(plain) == []
