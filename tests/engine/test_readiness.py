"""The verdict over the bench's two shops: ready, not ready, stale, waived, signed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from app.services import source_moves
from app.settings import Settings
from app.signing import NotSignedError, OutOfTimeError, Signer, read_signed
from connectors.errors import Unreachable
from connectors.records import Customer, Stream
from tests.engine.api_client import api_of
from tests.engine.conftest import Bench
from tests.engine.launching import an_order, checked, euros, launch, set_migration, twin
from tests.engine.shop import FakeStore

HOME = "http://api.test/v1/migrations/move"
LATER = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@pytest.fixture
async def api(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(source_moves, "FRESH_SECONDS", 0.0)
    async with api_of(bench) as client:
        yield client


async def verdict(api: httpx.AsyncClient) -> tuple[str, list[str], dict[str, Any]]:
    answer = await api.get("readiness")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return found["verdict"], [each["code"] for each in found["reasons"]], found


async def keys(api: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await api.get("http://api.test/v1/readiness/keys")).json()
    return found


async def wrong_total(bench: Bench, source_id: str = "o101") -> None:
    target_id = await twin(bench, Stream.ORDERS, source_id)
    bench.target.edit(Stream.ORDERS, target_id, total=euros("6.01"))


async def test_ready_until_the_source_takes_one_more_order(bench: Bench, api: httpx.AsyncClient):
    assert (await verdict(api))[:2] == ("not_ready", ["never_verified"])
    await launch(bench)
    await checked(bench)

    assert (await verdict(api))[:2] == ("ready", [])

    bench.source.tick(seconds=60)
    bench.source.put(Stream.ORDERS, "o103", an_order("103"))
    stale, reasons, found = await verdict(api)
    assert (stale, reasons) == ("stale", ["source_moved"])
    assert "orders o103" in found["reasons"][0]["message"]
    assert found["summary"] == "what was verified may not be true any more: source_moved"


async def test_a_record_that_was_only_touched_has_not_moved(bench: Bench, api: httpx.AsyncClient):
    await launch(bench)
    await checked(bench)
    bench.source.tick(seconds=60)
    bench.source.put(Stream.ORDERS, "o101", bench.source.rows[Stream.ORDERS]["o101"].content)
    assert (await verdict(api))[0] == "ready"


async def test_some_new_records_are_allowed_where_the_policy_says_so(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench, readiness={"max_new": 1})
    await checked(bench)
    bench.source.tick(seconds=60)
    bench.source.put(Stream.ORDERS, "o103", an_order("103"))
    assert (await verdict(api))[0] == "ready"
    bench.source.put(Stream.ORDERS, "o104", an_order("104"))
    assert (await verdict(api))[:2] == ("stale", ["source_moved"])


async def test_the_source_is_looked_at_as_the_mapping_rules_show_it(
    bench: Bench, api: httpx.AsyncClient
):
    rules = {"orders": [{"field": "note", "set": "From the old shop"}]}
    assert (await api.put("mapping", json=rules)).status_code == 200
    await launch(bench)
    await checked(bench)
    bench.source.tick(seconds=60)
    bench.source.put(Stream.ORDERS, "o101", bench.source.rows[Stream.ORDERS]["o101"].content)
    assert (await verdict(api))[:2] == ("ready", [])
    bench.source.edit(Stream.ORDERS, "o101", status="cancelled")
    assert (await verdict(api))[:2] == ("stale", ["source_moved"])
    await api.put("mapping", json={"orders": [{"field": "note", "set": "Otherwise"}]})
    assert (await verdict(api))[:2] == ("stale", ["configuration_changed"])


async def test_a_source_that_does_not_answer_is_never_ready(
    bench: Bench, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    async def away(self: FakeStore) -> datetime:
        raise Unreachable("it cannot be reached")

    await launch(bench)
    await checked(bench)
    monkeypatch.setattr(FakeStore, "server_time", away)
    assert (await verdict(api))[:2] == ("stale", ["source_unreachable"])


async def test_the_source_is_asked_once_for_several_questions(
    bench: Bench, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    await launch(bench)
    await checked(bench)
    monkeypatch.setattr(source_moves, "FRESH_SECONDS", 60.0)
    asked = bench.source.asked["time"]
    for _ in range(3):
        assert (await verdict(api))[0] == "ready"
    assert bench.source.asked["time"] == asked + 1


async def test_failing_checks_stand_in_the_way_until_they_are_waived(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    await wrong_total(bench)
    job, _ = await checked(bench)
    assert job["error"]["code"] == "not_ready"
    assert "data.money" in job["error"]["message"]
    bad, reasons, found = await verdict(api)
    assert (bad, reasons) == ("not_ready", ["checks_failed"])
    [money] = [each for each in found["checks"] if each["stands_in_way"]]
    assert money["id"] == "data.money"
    assert money["evidence"][0]["field"] == "total"
    assert "6.00 EUR / 6.01 EUR" in money["evidence"][0]["message"]

    body = {"check": "data.money", "reason": "Agreed.", "expires_at": LATER, "records": ["o101"]}
    waiver = (await api.post("waivers", json=body)).json()
    assert waiver["author"].startswith("tester (")
    good, _, found = await verdict(api)
    [money] = [each for each in found["checks"] if each["waived"]]
    assert (good, money["id"], money["state"]) == ("ready", "data.money", "failed")
    assert money["waived"]["reason"] == "Agreed."
    [listed] = (await api.get("waivers")).json()["items"]
    assert listed == waiver

    assert (await api.delete(f"waivers/{waiver['id']}")).status_code == 204
    assert (await verdict(api))[0] == "not_ready"
    assert (await api.delete(f"waivers/{waiver['id']}")).json()["code"] == "waiver_not_found"


async def test_a_waiver_covers_what_it_names_and_not_one_finding_more(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    await wrong_total(bench, "o101")
    await wrong_total(bench, "o102")
    await checked(bench)
    body = {"check": "data.money", "reason": "Agreed.", "expires_at": LATER, "records": ["o101"]}
    await api.post("waivers", json=body)
    assert (await verdict(api))[0] == "not_ready"
    await api.post("waivers", json=body | {"records": ["o101", "o102"]})
    assert (await verdict(api))[0] == "ready"
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE waivers SET expires_at = now()"))
    assert (await verdict(api))[0] == "not_ready"


async def test_a_verdict_holds_no_longer_than_the_waivers_it_rests_on(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    await wrong_total(bench)
    await checked(bench)
    soon = datetime.now(UTC) + timedelta(minutes=5)
    body = {"check": "data.money", "reason": "Agreed.", "expires_at": soon.isoformat()}
    await api.post("waivers", json=body)
    _, _, found = await verdict(api)
    assert found["verdict"] == "ready"
    assert datetime.fromisoformat(found["expires_at"]) == soon
    assert read_signed(found["token"], await keys(api))["exp"] == int(soon.timestamp())


async def test_what_quarantine_holds_already_is_no_move_of_the_source(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    bench.source.tick(seconds=60)
    bench.source.put(Stream.ORDERS, "o103", an_order("103"))
    bench.target.script = ["refused"]
    await bench.run("recent")
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE quarantine SET status = 'waived'"))
    await checked(bench)
    assert (await verdict(api))[0] == "ready"
    bench.source.edit(Stream.ORDERS, "o103", status="cancelled")
    assert (await verdict(api))[:2] == ("stale", ["source_moved"])


async def test_waivers_are_refused_for_the_past_and_for_checks_that_are_not_there(
    bench: Bench, api: httpx.AsyncClient
):
    body = {"check": "data.money", "reason": "Agreed.", "expires_at": "2020-01-01T00:00:00Z"}
    assert (await api.post("waivers", json=body)).json()["code"] == "invalid_expiry"
    body = {"check": "data.luck", "reason": "Agreed.", "expires_at": LATER}
    answer = await api.post("waivers", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"fail_on": ["data.ids"]}, "ready"),
        ({"fail_on": ["data"]}, "not_ready"),
        ({"thresholds": {"data.money": {"allowed": 1}}}, "ready"),
        ({"thresholds": {"data.money": {"allowed": 0}}}, "not_ready"),
    ],
)
async def test_policies_say_what_stands_in_the_way(
    bench: Bench, api: httpx.AsyncClient, policy: dict[str, Any], expected: str
):
    await launch(bench, readiness=policy)
    await wrong_total(bench)
    job, _ = await checked(bench)
    assert (await verdict(api))[0] == expected
    assert (job["status"] == "succeeded") == (expected == "ready")


async def test_what_the_verdict_rests_on_may_not_change(bench: Bench, api: httpx.AsyncClient):
    await launch(bench)
    await checked(bench)
    await bench.run("recent")
    assert (await verdict(api))[:2] == ("stale", ["written_since"])
    await checked(bench)
    assert (await verdict(api))[0] == "ready"
    answer = await api.patch(HOME, json={"policies": {"readiness": {"valid_minutes": 5}}})
    assert answer.status_code == 200, answer.text
    assert (await verdict(api))[:2] == ("stale", ["configuration_changed"])
    await checked(bench)
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE verifications SET finished_at = finished_at - interval '6 minutes'")
        )
    assert (await verdict(api))[1] == ["expired"]


async def test_some_checks_alone_are_no_ground_for_a_verdict(bench: Bench, api: httpx.AsyncClient):
    await launch(bench)
    job, results = await checked(bench, checks=["data.money", "preflight"])
    assert {each.partition(".")[0] for each in results} == {"data", "preflight"}
    assert "data.ids" not in results
    assert (await verdict(api))[1] == ["never_verified"]
    shown = (await api.get(f"http://api.test/v1/jobs/{job['id']}/checks")).json()["items"]
    assert [each["id"] for each in shown] == list(results)
    catalogue = (await api.get("checks")).json()["items"]
    assert {each["id"] for each in catalogue} > set(results)
    assert next(each for each in catalogue if each["id"] == "preflight.launch")["counts"] is False


async def test_the_verdict_is_signed_and_whoever_changes_it_is_found_out(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    await checked(bench)
    _, _, found = await verdict(api)
    token, published = found["token"], await keys(api)

    claims = read_signed(token, published)

    assert claims["sub"] == "move"
    assert claims["verdict"] == {name: found[name] for name in found if name != "token"}
    assert claims["verdict"]["digest"] == found["digest"]
    head, body, signature = token.split(".")
    other = Signer([bytes(32)])
    forged = other.sign(
        claims["verdict"],
        subject="move",
        at=datetime.now(UTC),
        until=datetime.now(UTC) + timedelta(hours=1),
    )
    for wrong in (forged, f"{head}.{body[:-2]}AA.{signature}", "no token", ""):
        with pytest.raises(NotSignedError):
            read_signed(wrong, published)
    past = datetime.now(UTC) - timedelta(hours=2)
    own = Signer.from_settings(bench.resources.settings)
    old = own.sign({}, subject="move", at=past, until=past + timedelta(hours=1))
    with pytest.raises(OutOfTimeError):
        read_signed(old, published)


async def test_all_processes_sign_alike_and_old_keys_stay_published(bench: Bench):
    settings = bench.resources.settings
    first = Signer.from_settings(settings).published()
    assert Signer.from_settings(settings).published() == first
    assert "d" not in first["keys"][0]
    old = settings.encryption_keys
    assert old is not None
    rotated = settings.model_copy(
        update={"encryption_keys": type(old)(f"another-key,{old.get_secret_value()}")}
    )
    assert Signer.from_settings(rotated).published()["keys"][1] == first["keys"][0]


async def test_a_key_of_its_own_signs_where_one_is_set(bench: Bench):
    settings = bench.resources.settings
    derived = Signer.from_settings(settings).published()["keys"]
    secret = Fernet.generate_key().decode()
    own = settings.model_copy(update={"signing_key": SecretStr(f"{secret}, {secret}")})
    published = Signer.from_settings(own).published()["keys"]
    assert len(published) == 2
    assert published[0] not in derived
    with pytest.raises(ValidationError):
        Settings(signing_key="too short")


async def test_policies_of_a_wrong_form_are_refused(bench: Bench, api: httpx.AsyncClient):
    await set_migration(bench)
    for policy in (
        {"fail_on": ["luck"]},
        {"fail_on": []},
        {"valid_minutes": 0},
        {"max_new": -1},
        {"thresholds": {"data.luck": {}}},
        {"thresholds": {"data.money": {"allowed": -1}}},
    ):
        answer = await api.patch(HOME, json={"policies": {"readiness": policy}})
        assert answer.status_code == 422, policy


async def test_of_a_stream_that_is_read_whole_another_count_is_a_move(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    await checked(bench)
    assert (await verdict(api))[2]["counts"] == {
        "categories": 2,
        "products": 2,
        "customers": 2,
        "orders": 2,
        "inventory": 2,
    }
    bench.source.put(Stream.CUSTOMERS, "k3", Customer(email="cora@example.com"))
    stale, reasons, found = await verdict(api)
    assert (stale, reasons) == ("stale", ["source_moved"])
    told = "customers, of which there are 1 more than when it was verified"
    assert told in found["reasons"][0]["message"]
    del bench.source.rows[Stream.CUSTOMERS]["k3"]
    assert (await verdict(api))[0] == "ready"
    del bench.source.rows[Stream.CUSTOMERS]["k2"]
    assert "1 fewer" in (await verdict(api))[2]["reasons"][0]["message"]


async def test_what_is_deleted_from_a_stream_that_is_believed_is_in_no_window(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench, readiness={"max_new": 1})
    await checked(bench)
    del bench.source.rows[Stream.ORDERS]["o101"]
    assert (await verdict(api))[0] == "ready"
    del bench.source.rows[Stream.ORDERS]["o102"]
    assert (await verdict(api))[:2] == ("stale", ["source_moved"])


async def test_a_count_that_wavers_is_asked_for_again(
    bench: Bench, api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    """As of a store that subtracts its abandoned carts, which come and go."""
    await launch(bench)
    await checked(bench)
    count, wavering = FakeStore.count, [1]

    async def wavers(self: FakeStore, stream: Stream, extent: Any) -> int | None:
        found = await count(self, stream, extent)
        return found if found is None or not wavering else found - wavering.pop()

    monkeypatch.setattr(FakeStore, "count", wavers)
    assert (await verdict(api))[0] == "ready"
    assert not wavering


async def test_a_clock_of_the_source_that_was_set_back_is_no_window(
    bench: Bench, api: httpx.AsyncClient
):
    """A change since has a stamp that no window from the watermark on shows; a count does."""
    await launch(bench)
    await checked(bench)
    bench.source.tick(hours=-2)
    assert (await verdict(api))[0] == "ready"
    bench.source.put(Stream.ORDERS, "o103", an_order("103"))
    assert (await verdict(api))[:2] == ("stale", ["source_moved"])


async def test_what_was_checked_again_and_failed_speaks_against_an_older_ready(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    await checked(bench)
    await wrong_total(bench)
    await checked(bench, checks=["data.money"])
    stale, reasons, found = await verdict(api)
    assert (stale, reasons) == ("stale", ["failed_since"])
    assert "data.money" in found["reasons"][0]["message"]
    target_id = await twin(bench, Stream.ORDERS, "o101")
    bench.target.edit(Stream.ORDERS, target_id, total=euros("6.00"))
    await checked(bench, checks=["data.money"])
    assert (await verdict(api))[0] == "ready"


async def test_what_was_decided_since_and_not_carried_out_is_not_verified(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    bench.source.edit(Stream.PRODUCTS, "p1", description="From the source")
    target_id = await twin(bench, Stream.PRODUCTS, "p1")
    bench.target.edit(Stream.PRODUCTS, target_id, description="From the team")
    await bench.run("recent")
    await checked(bench)
    assert (await verdict(api))[0] == "ready"
    [conflict] = (await api.get("conflicts")).json()["items"]
    answer = await api.post(f"conflicts/{conflict['id']}/settle", json={"take": "target"})
    assert answer.status_code == 200, answer.text
    assert (await verdict(api))[0] == "ready"
    await api.post(f"conflicts/{conflict['id']}/settle", json={"take": "source"})
    assert (await verdict(api))[:2] == ("stale", ["decided_since"])


async def test_an_adoption_changes_the_ledger_and_so_the_ground_of_a_verdict(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    await checked(bench)
    since = datetime.now(UTC) - timedelta(days=30)
    await bench.run("adopt", since=since.isoformat())
    assert (await verdict(api))[:2] == ("stale", ["written_since"])


async def test_a_waiver_for_a_record_is_none_for_another_one_with_its_id_on_the_target(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    await wrong_total(bench, "o101")
    await checked(bench)
    body = {"check": "data.money", "reason": "Agreed.", "expires_at": LATER}
    for records in ([await twin(bench, Stream.ORDERS, "o101")], ["products/o101"]):
        await api.post("waivers", json=body | {"records": records})
        assert (await verdict(api))[0] == "not_ready"
    await api.post("waivers", json=body | {"records": ["orders/o101"]})
    assert (await verdict(api))[0] == "ready"


async def test_a_verification_that_looked_at_nothing_proves_nothing(
    bench: Bench, api: httpx.AsyncClient
):
    await launch(bench)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await bench.run("verify", since=tomorrow, options={"sample": 0})
    bad, reasons, found = await verdict(api)
    assert (bad, reasons) == ("not_ready", ["checks_failed"])
    content = next(each for each in found["checks"] if each["id"] == "data.content")
    assert (content["state"], content["examined"]) == ("unknown", 0)
    assert content["summary"] == "None of 10 could be looked at, so nobody knows."


async def test_redirects_are_a_part_of_what_was_verified_and_visits_are_not(
    bench: Bench, api: httpx.AsyncClient
):
    async def say(**columns: str) -> None:
        async with bench.resources.engine.begin() as connection:
            for name, value in columns.items():
                await connection.execute(text(f"UPDATE old_paths SET {name} = {value}"))  # noqa: S608

    await launch(bench)
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO old_paths (migration_id, key, path, target)"
                " SELECT id, '/a', '/a', '/b' FROM migrations"
            )
        )
    await checked(bench)
    await say(visits="7", pushed_at="now()")
    assert (await verdict(api))[0] == "ready"
    await say(target="'/c'")
    stale, reasons, found = await verdict(api)
    assert (stale, reasons) == ("stale", ["configuration_changed"])
    assert found["reasons"][0]["message"] == "Changed since: redirects."
