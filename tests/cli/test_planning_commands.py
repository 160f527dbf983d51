"""What `estimate`, `activity` and `plan` ask for and print."""

from __future__ import annotations

from app.schemas.planning import ActivityOut, EstimateOut, PlanOut

HOME = "/v1/migrations/spring"


def example(model) -> dict:
    """The example that the API's description shows."""
    found: dict = model.model_config["json_schema_extra"]["examples"][0]
    return model.model_validate(found).model_dump(mode="json")


def test_examples_of_the_description_are_whole():
    for model in (EstimateOut, ActivityOut, PlanOut):
        found = model.model_config["json_schema_extra"]["examples"][0]
        assert set(found) == set(model.model_fields)


def test_estimate_says_what_a_run_costs(service, run):
    service.answers[f"GET {HOME}/estimate"] = (200, example(EstimateOut))
    found = run("estimate", "-m", "spring", "--kind", "full", "--at", "2026-11-27T18:00:00Z")
    assert found.code == 0
    assert "kind=full" in service.asked[0].path
    assert "at=2026-11-27T18%3A00%3A00%2B00%3A00" in service.asked[0].path
    for told in ("18,642", "4m 46s", "187 to the source, 190 to the target", "stated", "counted"):
        assert told in found.out


def test_activity_shows_the_week_and_the_reason(service, run):
    service.answers[f"GET {HOME}/activity"] = (200, example(ActivityOut))
    found = run("activity", "-m", "spring")
    assert found.code == 0
    for told in ("81.5", "Mon", "Sun", "00-03", "21-24", "Europe/London", "82 orders"):
        assert told in found.out


def test_activity_of_a_shop_that_was_never_read_says_so(service, run):
    empty = {"since": None, "total": 0, "basis": "none", "busiest": None, "quietest": None}
    service.answers[f"GET {HOME}/activity"] = (200, example(ActivityOut) | empty)
    told = run("activity", "-m", "spring").out
    assert "nothing yet" in told
    assert "None" not in told


def test_plan_shows_freeze_runbook_windows_and_risks(service, run):
    plan = example(PlanOut) | {"ask_expert": "Several things at once."}
    recents = plan["runbook"][0] | {"what": "Every hour.", "command": "recent-sync run recent"}
    recents |= {"every": 3600.0, "until": "2026-11-27T17:00:00Z", "seconds": 22.4}
    plan["runbook"] = [recents, *plan["runbook"]]
    service.answers[f"GET {HOME}/plan"] = (200, plan)
    found = run("plan", "-m", "spring", "--launch-at", "2026-11-27T18:00:00Z")
    assert found.code == 0
    assert "launch_at=" in service.asked[0].path
    assert "freeze_at" not in service.asked[0].path
    for told in (
        "2m 8s, in 95 of 100 cases below 2m 40s",
        "Every hour. Every 1h until 2026-11-27T17:00:00Z. (takes 22s)",
        "\n    recent-sync run recent\n",
        "2026-11-27T17:47:20Z  Stop the source",
        "2026-11-27T03:00:00Z",
        "[quarantine_open]",
        "Ask an expert: Several things at once.",
    ):
        assert told in found.out


def test_a_step_whose_time_has_passed_says_so(service, run):
    plan = example(PlanOut) | {"made_at": "2026-11-27T17:50:00Z"}
    service.answers[f"GET {HOME}/plan"] = (200, plan)
    assert "2026-11-27T17:47:20Z (passed)  Stop" in run("plan", "-m", "spring").out


def test_machines_get_one_document(service, run):
    service.answers[f"GET {HOME}/plan"] = (200, example(PlanOut))
    assert run("plan", "-m", "spring", "--json").document == example(PlanOut)


def test_a_moment_without_its_zone_is_refused(service, run):
    found = run("estimate", "-m", "spring", "--at", "2026-11-27T18:00:00")
    assert found.code == 2
    assert "--at takes a moment" in found.err
    assert service.asked == []


def test_a_store_that_is_too_slow_is_told(service, run):
    answer = {"code": "store_too_slow", "detail": "The source did not answer within 40 seconds."}
    service.answers[f"GET {HOME}/estimate"] = (504, answer)
    found = run("estimate", "-m", "spring")
    assert found.code == 3
    assert "did not answer within 40 seconds" in found.err
