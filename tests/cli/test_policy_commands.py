"""`migration policies …`: what is shown, and what is sent to change them."""

from __future__ import annotations

import json

import pytest

HOME = "/v1/migrations/spring"
POLICIES = {
    "overlap": 600,
    "conflicts": {"products": {"price": "source"}},
    "readiness": {"thresholds": {"data.ids": {"allowed": 2}}, "max_new": 3},
}


@pytest.fixture
def known(service):
    """A migration with some policies."""
    shown = (200, {"slug": "spring", "policies": POLICIES})
    service.answers |= {f"GET {HOME}": shown, f"PATCH {HOME}": shown}
    return service


def put(known, run, *arguments: str) -> dict:
    """The policies that a command sends."""
    outcome = run("migration", "policies", *arguments, "-m", "spring")
    assert outcome.code == 0, outcome.err
    assert known.asked[-1].method == "PATCH"
    return known.asked[-1].body["policies"]


def test_policies_are_shown_as_a_file_that_can_be_set_again(known, run, tmp_path):
    outcome = run("migration", "policies", "-m", "spring")
    assert outcome.code == 0
    file = tmp_path / "policies.yaml"
    file.write_text(outcome.out)
    assert put(known, run, "set", "--file", str(file)) == POLICIES
    assert run("migration", "policies", "-m", "spring", "--json").document == POLICIES


def test_a_migration_without_policies_says_so(service, run):
    service.answers[f"GET {HOME}"] = (200, {"policies": {}})
    assert "defaults" in run("migration", "policies", "-m", "spring").out


def test_what_is_not_named_stays(known, run):
    values = ("conflicts.products.*=target", "deletions.brake=0.1", "settle=0")
    assert put(known, run, "set", *values) == {
        "conflicts": {"products": {"price": "source", "*": "target"}},
        "deletions": {"brake": 0.1},
        "settle": 0,
    }


def test_a_check_and_a_list_are_named_as_they_are_read(known, run):
    values = ("readiness.thresholds.data.money.allowed=1", "readiness.fail_on=blocker,data.ids")
    assert put(known, run, "set", *values)["readiness"] == {
        "max_new": 3,
        "thresholds": {"data.ids": {"allowed": 2}, "data.money": {"allowed": 1}},
        "fail_on": ["blocker", "data.ids"],
    }


def test_a_policy_that_is_taken_back_leaves_nothing_empty(known, run):
    keys = ("readiness.thresholds.data.ids.allowed", "conflicts.products.price", "overlap")
    assert put(known, run, "unset", *keys) == {
        "conflicts": None,
        "overlap": None,
        "readiness": {"max_new": 3},
    }
    missing = run("migration", "policies", "unset", "-m", "spring", "deletions.brake")
    assert (missing.code, "no policy deletions.brake" in missing.err) == (2, True)


def test_a_file_replaces_by_name_and_null_removes(known, run, tmp_path):
    file = tmp_path / "policies.json"
    file.write_text(json.dumps({"conflicts": {"orders": {"*": "manual"}}, "overlap": None}))
    wanted = {"conflicts": {"orders": {"*": "manual"}}, "overlap": None, "settle": 5}
    assert put(known, run, "set", "settle=5", "--file", str(file)) == wanted


def test_what_the_service_refuses_is_one_sentence(known, run):
    problem = {"code": "invalid_request", "title": "The request is not valid"}
    place = {"pointer": "/policies/deletions/brake", "detail": "Input should be a valid number"}
    known.answers[f"PATCH {HOME}"] = (422, problem | {"detail": "No.", "errors": [place]})
    outcome = run("migration", "policies", "set", "-m", "spring", "deletions.brake=much")
    assert outcome.code == 2
    assert "/policies/deletions/brake" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("wrong", ["brake", "=1", "a..b=1", "overlap=[", "overlap=.nan"])
def test_what_is_no_value_asks_nobody(known, run, wrong):
    assert run("migration", "policies", "set", "-m", "spring", wrong).code == 2
    assert run("migration", "policies", "set", "-m", "spring").code == 2
    assert run("migration", "policies").code == 2
    assert known.asked == []


def test_the_schema_names_every_policy(run):
    found = run("migration", "policies", "schema").document
    assert {"conflicts", "deletions", "readiness", "overlap"} <= set(found["properties"])


def test_a_launch_time_can_be_removed(service, run):
    shown = {"slug": "spring", "source": {"name": "a"}, "target": {"name": "b"}}
    service.answers[f"PATCH {HOME}"] = (200, shown)
    assert run("migration", "update", "spring", "--launch-at", "none").code == 0
    assert service.asked[-1].body == {"launch_at": None}


@pytest.mark.parametrize(
    ("moment", "is_told"),
    [("2020-11-27T18:00:00+01:00", True), ("2999-11-27T18:00:00Z", False), ("none", False)],
)
def test_a_launch_time_that_has_passed_is_set_and_told(service, run, moment, is_told):
    shown = {"slug": "spring", "source": {"name": "a"}, "target": {"name": "b"}}
    service.answers[f"PATCH {HOME}"] = (200, shown)
    shown = run("migration", "update", "spring", "--launch-at", moment, "--json")
    assert shown.code == 0
    assert ("has passed" in shown.err) is is_told
