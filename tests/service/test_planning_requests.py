"""Estimates, activity and plans over the API."""

from __future__ import annotations

from app.services import opening
from tests.service.answers import problem
from tests.service.paper import NOW, a_store

HOME = "/v1/migrations/spring"


async def settings(api, **changes) -> None:
    body = {"settings": a_store()["settings"] | changes}
    answer = await api.patch("/v1/stores/old-shop", json=body)
    assert answer.status_code == 200, answer.text


async def test_estimate_counts_at_the_source(api, reader, migration):
    await settings(api, pages=250)
    answer = await reader.get(f"{HOME}/estimate")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["kind"], found["records"]) == ("full", 4 * 250)
    assert found["points"] == 3 * 250 + 25
    orders = next(each for each in found["streams"] if each["stream"] == "orders")
    assert (orders["basis"], orders["created"], orders["mode"]) == ("counted", 250, "sweep")
    assert orders["requests"] == {"source": 3, "target": 6}
    assert found["made_at"] == found["at"] == "2026-11-25T09:30:00Z"
    low, most = found["seconds"]["low"], found["seconds"]["high"]
    assert low < found["seconds"]["expected"] < most


async def test_estimate_after_the_cursor_reads_windows(api, service, migration):
    await service.set_cursors("spring", "categories", "products", "customers", "orders")
    found = (await api.get(f"{HOME}/estimate")).json()
    assert found["kind"] == "recent"
    assert {each["mode"] for each in found["streams"]} == {"window"}
    cutover = (await api.get(f"{HOME}/estimate", params={"kind": "cutover"})).json()
    assert {each["mode"] for each in cutover["streams"]} == {"sweep"}


async def test_points_of_a_migration_count(api, migration):
    body = {"policies": {"points": {"orders": 3.0}}}
    assert (await api.patch(HOME, json=body)).status_code == 200
    found = (await api.get(f"{HOME}/estimate")).json()
    points = {each["stream"]: each["points"] for each in found["streams"]}
    assert (points["orders"], points["products"]) == (3.0, 1.0)


async def test_points_below_nothing_are_refused(api, migration):
    answer = await api.patch(HOME, json={"policies": {"points": {"orders": -1.0}}})
    assert problem(answer, 422, "invalid_request")


async def test_a_source_that_is_away_is_a_problem_of_its_own(api, migration):
    await settings(api, mood="offline")
    found = problem(await api.get(f"{HOME}/estimate"), 502, "store_failed")
    assert found["store_code"] == "store_unreachable"


async def test_a_slow_source_does_not_hang_the_request(api, migration, monkeypatch):
    monkeypatch.setattr(opening, "SECONDS", 0.2)
    await settings(api, mood="slow")
    assert problem(await api.get(f"{HOME}/estimate"), 504, "store_too_slow")


async def test_plan_and_activity_do_without_the_source(api, reader, migration):
    await settings(api, mood="offline")
    plan = (await reader.get(f"{HOME}/plan")).json()
    assert "source_unreachable" in {each["code"] for each in plan["risks"]}
    activity = (await reader.get(f"{HOME}/activity")).json()
    assert (activity["total"], activity["zone"]) == (0, "UTC")


async def test_plan_reckons_back_from_the_launch(api, migration):
    query = {"launch_at": "2026-11-27T18:00:00Z"}
    found = (await api.get(f"{HOME}/plan", params=query)).json()
    assert found["made_at"] == NOW.isoformat().replace("+00:00", "Z")
    steps = {each["key"]: each["at"] for each in found["runbook"]}
    assert steps["switch"] == found["launch_at"] == "2026-11-27T18:00:00Z"
    assert steps["full"] == found["made_at"] < steps["freeze"] < steps["verify"] < steps["switch"]
    chosen = {**query, "freeze_at": "2026-11-27T03:00:00Z"}
    found = (await api.get(f"{HOME}/plan", params=chosen)).json()
    assert found["freeze"]["starts_at"] == "2026-11-27T03:00:00Z"


async def test_wrong_questions_are_refused(api, migration):
    assert problem(await api.get("/v1/migrations/none/plan"), 404, "migration_not_found")
    assert problem(await api.get(f"{HOME}/estimate?kind=demo"), 422, "invalid_request")
    assert problem(await api.get(f"{HOME}/estimate?at=tomorrow"), 422, "invalid_request")
    far = {"launch_at": "9999-12-31T23:59:59Z"}
    assert problem(await api.get(f"{HOME}/plan", params=far), 422, "invalid_request")


async def test_a_launch_that_is_set_for_any_time_is_answered(api, migration):
    for far in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert (await api.patch(HOME, json={"launch_at": far})).status_code == 200
        for what in ("plan", "activity"):
            answer = await api.get(f"{HOME}/{what}")
            assert answer.status_code == 200, answer.text
