"""How far the timestamps of a migration's streams are believed, and who may say so."""

from __future__ import annotations

import pytest

from tests.service.answers import problem

HOME = "/v1/migrations/spring"
MENDED = {"trust": "declared", "reason": "The plugin saves through the shop now."}


async def demoted(service, stream: str = "orders") -> None:
    await service.write(
        "INSERT INTO stream_states (migration_id, stream, reason, message, evidence, demoted_at,"
        " proven_at, audit_resume, audited, audit_total, audit_round)"
        " SELECT id, :stream, 'silent_change', 'They lie.', '{\"missed\": 1}',"
        " '2026-11-25T09:00:00Z', '2026-11-24T09:00:00Z', '{\"after\": \"7\"}', 30, 120, 2"
        " FROM migrations",
        stream=stream,
    )


async def streams(client) -> dict:
    items = (await client.get(f"{HOME}/streams")).json()["items"]
    return {each["stream"]: each for each in items}


async def test_streams_in_scope_are_shown_with_what_is_declared(api, migration):
    found = await streams(api)
    assert list(found) == ["categories", "products", "customers", "orders"]
    orders = found["orders"]
    assert (orders["declared"], orders["trust"], orders["demoted"]) == ("overlap", "overlap", None)
    assert (orders["overlap"], orders["settle"], orders["bounds"]) == (300.0, 10.0, "inclusive")
    assert orders["audit"] == {"runs": 100, "rounds": 0, "verified": 0, "total": 0, "share": 0.0}
    assert (orders["proven_at"], orders["sweep"], orders["horizon"]) == (None, "deep", None)


async def test_demoted_stream_says_why_and_how_far_its_audit_came(api, service, migration):
    await demoted(service)
    orders = (await streams(api))["orders"]
    assert (orders["declared"], orders["trust"]) == ("overlap", "sweep")
    assert orders["demoted"] == {
        "at": "2026-11-25T09:00:00Z",
        "reason": "silent_change",
        "message": "They lie.",
        "evidence": {"missed": 1},
    }
    assert orders["proven_at"] == "2026-11-24T09:00:00Z"
    assert (orders["audit"]["share"], orders["audit"]["rounds"]) == (0.25, 2)


async def test_policies_in_force_are_shown_with_their_risk(api, migration):
    policies = {
        "overlap": 60,
        "settle": 0,
        "audit": {"runs": 7},
        "sweep": {"orders": "shallow"},
        "horizon": {"orders": {"days": 365}, "products": {"days": 30}},
    }
    answer = await api.patch(HOME, json={"policies": policies})
    assert answer.json()["policies"] == policies
    found = await streams(api)
    orders = found["orders"]
    assert (orders["overlap"], orders["settle"], orders["audit"]["runs"]) == (60.0, 0.0, 7)
    assert orders["sweep"] == "shallow"
    assert orders["horizon"]["days"] == 365
    assert "older than 365 days" in orders["horizon"]["risk"]
    assert "in a status of its own" in orders["horizon"]["risk"]
    assert found["products"]["horizon"] is None, "the platform cannot tell"


@pytest.mark.parametrize(
    ("policies", "where"),
    [
        ({"audit": {"runs": 0}}, "/policies/audit/runs"),
        ({"audit": {"runs": "7"}}, "/policies/audit/runs"),
        ({"sweep": {"orders": "thorough"}}, "/policies/sweep/orders"),
        ({"horizon": {"orders": {"days": 0}}}, "/policies/horizon/orders/days"),
        ({"horizon": {"orders": {"years": 1}}}, "/policies/horizon/orders/years"),
    ],
)
async def test_policies_that_mean_nothing_are_refused(api, migration, policies, where):
    members = problem(await api.patch(HOME, json={"policies": policies}), 422, "invalid_request")
    assert where in [each["pointer"] for each in members["errors"]]


async def test_trust_is_restored_once_the_cause_is_mended_and_the_audit_begins_anew(
    api, service, migration
):
    await demoted(service)
    answer = await api.put(f"{HOME}/streams/orders", json=MENDED)
    assert answer.status_code == 200
    made = answer.json()
    assert (made["trust"], made["demoted"], made["proven_at"]) == ("overlap", None, None)
    assert made["audit"]["verified"] == 0
    [row] = await service.rows("SELECT * FROM stream_states")
    assert (row["reason"], row["audit_resume"], row["message"]) == (None, None, MENDED["reason"])
    assert "tests" in row["evidence"]["by"]
    assert await streams(api) == await streams(api)
    assert (await streams(api))["orders"] == made


async def test_trust_can_be_withdrawn_by_hand(api, migration):
    body = {"trust": "sweep", "reason": "A plugin writes into the database."}
    made = (await api.put(f"{HOME}/streams/orders", json=body)).json()
    assert made["trust"] == "sweep"
    assert made["demoted"]["reason"] == "set_by_hand"
    assert made["demoted"]["message"] == body["reason"]


async def test_trust_is_not_changed_under_a_running_job(api, start):
    await start()
    problem(await api.put(f"{HOME}/streams/orders", json=MENDED), 409, "job_running")


async def test_trust_belongs_to_a_stream_in_scope_and_to_administrators(api, runner, migration):
    for stream, code in (("inventory", "stream_not_in_scope"), ("shoes", "invalid_request")):
        problem(await api.put(f"{HOME}/streams/{stream}", json=MENDED), 422, code)
    nowhere = "/v1/migrations/nowhere/streams"
    problem(await api.put(f"{nowhere}/orders", json=MENDED), 404, "migration_not_found")
    problem(await api.get(nowhere), 404, "migration_not_found")
    problem(await runner.put(f"{HOME}/streams/orders", json=MENDED), 403, "missing_scope")
    no_reason = {"trust": "declared"}
    problem(await api.put(f"{HOME}/streams/orders", json=no_reason), 422, "invalid_request")


async def test_platforms_say_how_their_streams_are_read(api):
    (paper, _) = (await api.get("/v1/platforms")).json()["items"]
    reading = paper["source"]["orders"]
    assert (reading["bounds"], reading["ties"]) == ("inclusive", "")
    assert (reading["shallow"], reading["horizon"]) == (False, True)
    assert paper["source"]["products"]["horizon"] is False
