"""Jobs of kind `verify`: they write nothing, go on where they stopped, and end with a verdict."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from app.catalogue import CATALOGUE, Group, State
from app.models import JobStatus
from connectors.base import StoreReport
from connectors.errors import BadAnswer, Rejected, SignInAgain, Unreachable
from connectors.grants import Lack, Work
from connectors.records import Product, Stream
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench
from tests.engine.launching import bad, checked, launch, twin
from tests.engine.practice_stores import between_practice_stores
from tests.engine.shop import FakeStore
from workers.checks import conducting
from workers.checks.registry import CHECKS, chosen
from workers.duties import DUTIES
from workers.engine.slices import work


def test_every_check_that_is_described_is_carried_out_and_the_other_way_round():
    assert [each.id for each in CHECKS] == list(CATALOGUE)
    for each in CATALOGUE.values():
        assert each.group in Group
        assert each.title
        assert each.proves.endswith(".")
    assert [each.id for each in chosen(["data.money", "preflight"])] == [
        each for each in CATALOGUE if each.startswith("preflight.") or each == "data.money"
    ]


async def slices(bench: Bench, job: Any) -> list[dict[str, Any]]:
    return await bench.rows("SELECT id, kind FROM slices WHERE job_id = :id AND NOT done", id=job)


async def to_the_checks(bench: Bench, job: Any) -> Any:
    """The slice that carries the checks out, about to begin."""
    while True:
        [row] = await slices(bench, job)
        if row["kind"] == "check":
            return row["id"]
        await bench.turn()


async def test_a_turn_that_is_over_hands_the_rest_on_and_no_check_runs_twice(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    await launch(bench)
    ran: list[str] = []
    carry_out = conducting._outcome

    async def noted(run: Any, ground: Any, check: Any) -> Any:
        ran.append(check.id)
        return await carry_out(run, ground, check)

    monkeypatch.setattr(conducting, "_outcome", noted)
    job = await bench.start("verify")
    slice_id = await to_the_checks(bench, job)
    for _ in range(2):  # a process that is to end after its first three checks, then another one
        begun = len(ran)
        await work(
            bench.resources,
            slice_id,
            holder="ending",
            stopping=lambda begun=begun: len(ran) >= begun + 3,
            duties=DUTIES,
        )
    assert len(await bench.rows("SELECT check_id FROM check_results")) == 6
    row = await bench.finish(job)
    assert row["status"] == JobStatus.SUCCEEDED
    assert ran == list(CATALOGUE)


async def test_a_worker_that_died_within_a_check_is_taken_over_at_that_check(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    await launch(bench)
    ran: list[str] = []
    keep = conducting._carry_out

    async def dying(run: Any, ground: Any, check: Any, position: int) -> None:
        ran.append(check.id)
        if ran.count("preflight.clocks") == 1 and check.id == "preflight.clocks":
            raise OSError("the process is gone")
        await keep(run, ground, check, position)

    monkeypatch.setattr(conducting, "_carry_out", dying)
    job = await bench.start("verify", options={"checks": ["preflight"]})
    slice_id = await to_the_checks(bench, job)
    await work(bench.resources, slice_id, holder="dying", stopping=lambda: False, duties=DUTIES)
    await bench.lapse()
    row = await bench.finish(job)
    assert row["status"] == JobStatus.SUCCEEDED
    assert [each for each in ran if ran.count(each) > 1] == ["preflight.clocks"] * 2


async def test_it_is_cancelled_between_two_checks(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    await launch(bench)
    job = await bench.start("verify")
    async with api_of(bench) as api:
        keep = conducting._carry_out

        async def cancelled(run: Any, ground: Any, check: Any, position: int) -> None:
            if position == 2:
                await api.post(f"http://api.test/v1/jobs/{job}/cancel")
            await keep(run, ground, check, position)

        monkeypatch.setattr(conducting, "_carry_out", cancelled)
        row = await bench.finish(job)
        assert row["status"] == JobStatus.CANCELLED
        shown = (await api.get(f"http://api.test/v1/jobs/{job}/checks")).json()["items"]
        assert [each["id"] for each in shown] == list(CATALOGUE)[:3]
        found = (await api.get("readiness")).json()
        assert [each["code"] for each in found["reasons"]] == ["never_verified"]


async def test_what_it_may_not_ask_is_unknown_and_the_other_checks_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    await launch(bench)

    async def refusing(self: FakeStore, *args: Any) -> Any:
        raise Rejected("it is not for us")

    monkeypatch.setattr(FakeStore, "find", refusing)
    bench.source.tick(minutes=1)
    bench.source.put(Stream.PRODUCTS, "p9", Product(name="New", sku="S9"))
    job, results = await checked(bench)
    assert results["preflight.space"]["state"] == State.UNKNOWN
    assert "It is not for us." in results["preflight.space"]["summary"]
    assert bad(results) == {"preflight.space", "data.freshness"}
    assert set(results) == set(CATALOGUE)
    assert "preflight.space" in job["error"]["message"]


async def test_a_store_that_is_away_for_good_ends_no_job_and_is_no_ready(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    await launch(bench)

    async def away(self: FakeStore, *args: Any) -> Any:
        raise Unreachable("it cannot be reached", after=0.01)

    for name in ("check", "server_time", "get", "find"):
        monkeypatch.setattr(FakeStore, name, away)
    bench.target.rows[Stream.ORDERS].clear()
    job, results = await checked(bench)
    assert job["status"] == JobStatus.COMPLETED_WITH_ERRORS
    assert set(results) == set(CATALOGUE)
    assert results["preflight.stores"]["state"] == State.FAILED
    assert results["preflight.stores"]["found"] == 2
    for each in ("preflight.permissions", "preflight.clocks", "data.freshness", "data.money"):
        assert results[each]["state"] == State.UNKNOWN
    assert results["data.quarantine"]["state"] == State.PASSED
    assert "preflight.clocks" in job["error"]["message"]


async def test_credentials_that_lack_a_permission_are_a_matter_of_permissions(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    await launch(bench)

    async def refused(self: FakeStore) -> StoreReport:
        if self.shop.name == "target":
            raise SignInAgain("the key may only read")
        return StoreReport(platform_version="1")

    monkeypatch.setattr(FakeStore, "check", refused)
    _, results = await checked(
        bench, checks=["preflight.stores", "preflight.permissions", "preflight.silence"]
    )
    assert bad(results) == {"preflight.permissions"}
    assert "the key may only read" in results["preflight.permissions"]["evidence"][0]["message"]


async def test_each_permission_that_is_missing_is_one_finding_with_its_stream(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    await launch(bench, deletions={"actions": {"customers": "delete"}})
    asked: list[Work] = []

    async def lacks(self: FakeStore, work: Work) -> tuple[Lack, ...]:
        asked.append(work)
        if self.shop.name == "source":
            return ()
        given = {"purpose": "Orders are made.", "grant": "Tick it."}
        names = ("write_orders", "write_refunds")
        return tuple(Lack(permission=each, stream=Stream.ORDERS, **given) for each in names)

    monkeypatch.setattr(FakeStore, "lacks", lacks, raising=False)
    _, results = await checked(bench, checks=["preflight"])
    assert bad(results) == {"preflight.permissions"}
    found = results["preflight.permissions"]
    assert (found["found"], found["summary"]) == (2, "What the credentials do not allow: 2.")
    first = found["evidence"][0]
    assert first["stream"] == "orders"
    assert first["message"] == "The target grants no write_orders. Orders are made. Tick it."
    assert asked[0] == Work(streams=frozenset(Stream), deletes=frozenset({Stream.CUSTOMERS}))


async def test_a_silence_that_is_gone_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    await launch(bench)

    async def gone(self: FakeStore, before: Any) -> None:
        raise BadAnswer("the add-on is not there any more", code="addon_gone")

    monkeypatch.setattr(FakeStore, "prove_silence", gone, raising=False)
    _, results = await checked(bench, checks=["preflight"])
    assert bad(results) == {"preflight.silence"}
    assert "addon_gone" in results["preflight.silence"]["evidence"][0]["message"]


async def test_a_defect_of_one_check_hides_nothing_of_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    await launch(bench)

    async def crashing(self: FakeStore) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(FakeStore, "loud", crashing)
    _, results = await checked(bench, checks=["preflight"])
    assert bad(results) == {"preflight.silence"}
    assert results["preflight.silence"]["state"] == State.UNKNOWN


async def test_a_new_product_whose_sku_another_one_s_record_holds_is_found(bench: Bench):
    await launch(bench)
    bench.target.edit(Stream.PRODUCTS, await twin(bench, Stream.PRODUCTS, "p1"), sku="S9")
    bench.source.tick(minutes=1)
    bench.source.put(Stream.PRODUCTS, "p9", Product(name="New", sku="S9"))
    bench.source.put(Stream.PRODUCTS, "p8", Product(name="Newer", sku="S8"))
    _, results = await checked(bench, checks=["preflight.space"])
    space = results["preflight.space"]
    assert (space["state"], space["examined"], space["found"]) == ("failed", 2, 1)
    assert space["evidence"][0]["source_id"] == "p9"
    assert "record of p1" in space["evidence"][0]["message"]


async def test_edits_of_the_team_are_no_fault_where_the_policy_lets_them_stay(bench: Bench):
    await launch(bench)
    target_id = await twin(bench, Stream.PRODUCTS, "p1")
    bench.target.edit(Stream.PRODUCTS, target_id, description="By the team", name="By the team")
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == set()
    assert "which stay: 2." in results["data.content"]["summary"]

    await write_policies(bench, '{"conflicts": {"products": {"description": "source"}}}')
    _, results = await checked(bench, checks=["data"])
    assert bad(results) == {"data.content"}
    [evidence] = results["data.content"]["evidence"]
    assert (evidence["field"], evidence["source_id"]) == ("description", "p1")


async def write_policies(bench: Bench, policies: str) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE migrations SET policies = CAST(:policies AS jsonb)"),
            {"policies": policies},
        )


async def test_thresholds_of_a_stream_s_age_are_the_migration_s(bench: Bench):
    await launch(bench, readiness={"thresholds": {"data.freshness": {"seconds": 60}}})
    bench.source.tick(minutes=5)
    _, results = await checked(bench, checks=["data.freshness"])
    assert results["data.freshness"]["found"] == len(Stream)
    assert "5 minutes behind" in results["data.freshness"]["evidence"][0]["message"]


async def test_a_migration_that_was_never_run_is_not_ready(bench: Bench):
    _, results = await checked(bench, checks=["data.freshness", "data.doubled"])
    assert bad(results) == {"data.freshness"}
    assert results["data.freshness"]["found"] == len(Stream)


SHOP = {
    "product_cat": [{"name": "Tea", "slug": "tea"}],
    "product": [{"name": "Mug", "sku": "MUG", "status": "publish", "regular_price": "2.55"}],
}


async def test_between_practice_stores_a_clean_pair_passes_and_a_cent_is_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    """Over WooCommerce's own API: declared losses and what the shop reckons are no faults."""
    async with between_practice_stores(bench, monkeypatch) as stores:
        await stores.old.load(product=SHOP["product"])
        customer = await stores.old.admin("POST", "customers", {"email": "anna@example.com"})
        [product] = await stores.all(stores.old, "products")
        order = {
            "status": "completed",
            "customer_id": customer["id"],
            "billing": {"email": "anna@example.com", "first_name": "Anna", "city": "Ulm"},
            "line_items": [{"product_id": product["id"], "quantity": 2}],
        }
        await stores.old.admin("POST", "orders", order)
        await stores.run("full")
        stores.wait(60)
        chosen_checks = ["data", "preflight.stores", "preflight.silence", "preflight.space"]

        job, results = await checked(bench, checks=chosen_checks)

        assert bad(results) == set(), results["data.relations"]["evidence"]
        assert job["status"] == JobStatus.SUCCEEDED
        assert results["data.content"]["examined"] >= 4
        [there] = await stores.all(stores.new, "products")
        await stores.new.admin("PUT", f"products/{there['id']}", {"regular_price": "2.54"})
        _, results = await checked(bench, checks=chosen_checks)
        assert bad(results) == {"data.money"}
        assert "2.55 GBP / 2.54 GBP" in results["data.money"]["evidence"][0]["message"]


async def test_webhooks_hear_of_a_verdict_when_it_is_another_one(bench: Bench):
    await launch(bench)
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO webhooks (id, url, description, events, secrets)"
                " VALUES (gen_random_uuid(), 'https://hooks.example.com/', '',"
                " '{verdict.changed}', :secret)"
            ),
            {"secret": bench.resources.vault.seal_bytes(b"[]")},
        )

    async def told() -> list[tuple[str, str | None]]:
        rows = await bench.rows("SELECT data FROM webhook_events ORDER BY at")
        return [(each["data"]["verdict"], each["data"]["before"]) for each in rows]

    await bench.run("verify")
    assert await told() == [("ready", None)]
    await bench.run("verify")
    await bench.run("verify", options={"checks": ["data.money"]})
    assert len(await told()) == 1, "nothing new, and a part is no verdict"
    [row, *_] = bench.target.rows[Stream.PRODUCTS].values()
    del bench.target.rows[Stream.PRODUCTS][row.id]
    await bench.run("verify")
    assert await told() == [("ready", None), ("not_ready", "ready")]
