from __future__ import annotations

import pytest

HOME = "/v1/migrations/spring/conflicts"
ITEM = {
    "id": "e2b8f1c4-51d3-4a07-9a57-0c5b2d7e8f44",
    "stream": "products",
    "source_id": "12",
    "field": "name",
    "status": "open",
    "decision": None,
    "settled_by": None,
    "values": {"base": "Mug", "source": "Blue mug", "target": "[bold]Cup[/bold]"},
    "last_at": "2026-11-25T10:00:00Z",
}

COUNTS = {"open": 1, "later": 2, "settled": 1240, "by_policy": 1236}


def test_open_conflicts_are_listed_with_their_fields(service, run):
    service.answers[f"GET {HOME}"] = (200, {"items": [ITEM], "next": None})
    service.answers[f"GET {HOME}/summary"] = (200, COUNTS)
    outcome = run("conflicts", "list", "-m", "spring", "--field", "name")
    assert outcome.code == 0
    assert "products" in outcome.out
    assert "status=open" in service.asked[0].path
    assert "field=name" in service.asked[0].path
    assert run("conflicts", "list", "-m", "spring", "--json").document == [ITEM]


def test_those_that_are_not_listed_are_counted(service, run):
    service.answers[f"GET {HOME}"] = (200, {"items": [], "next": None})
    service.answers[f"GET {HOME}/summary"] = (200, COUNTS)
    told = run("conflicts", "list", "-m", "spring", "--stream", "products").out
    assert "2 put off; 1,240 settled, 1,236 of them by policy" in told
    assert "1 open" not in told
    assert "stream=products" in service.asked[-1].path
    outcome = run("conflicts", "list", "-m", "spring", "--all")
    assert "status=" not in service.asked[-2].path
    assert "others" not in outcome.out


def test_a_conflict_is_shown_with_the_values_of_both_sides(service, run):
    service.answers[f"GET {HOME}/{ITEM['id']}"] = (200, ITEM)
    outcome = run("conflicts", "show", ITEM["id"], "-m", "spring")
    assert outcome.code == 0
    assert "Blue mug" in outcome.out
    assert "[bold]Cup[/bold]" in outcome.out


def test_one_conflict_is_settled_with_a_reason(service, run):
    service.answers[f"POST {HOME}/{ITEM['id']}/settle"] = (200, ITEM)
    options = ("--take", "target", "--reason", "Ours.")
    outcome = run("conflicts", "settle", ITEM["id"], "-m", "spring", *options)
    assert outcome.code == 0
    assert service.asked[0].body == {"take": "target", "reason": "Ours."}


def test_many_conflicts_are_settled_alike(service, run):
    service.answers[f"POST {HOME}/settle"] = (200, {"settled": 3})
    options = ("--take", "source", "--all", "--stream", "products", "--json")
    outcome = run("conflicts", "settle", "-m", "spring", *options)
    assert outcome.document == {"settled": 3}
    assert service.asked[0].body == {"take": "source", "streams": ["products"]}


@pytest.mark.parametrize("arguments", [(), (ITEM["id"], "--all"), (ITEM["id"], "--field", "name")])
def test_settling_nothing_or_too_much_is_wrong_use(service, run, arguments):
    outcome = run("conflicts", "settle", *arguments, "-m", "spring", "--take", "source")
    assert outcome.code == 2
    assert service.asked == []


@pytest.mark.parametrize(("status", "code"), [("succeeded", 0), ("completed_with_errors", 1)])
def test_carrying_out_can_wait_for_its_job(service, run, job, status, code):
    ended = job(status)
    service.answers[f"POST {HOME}/apply"] = (202, ended)
    service.answers[f"GET /v1/jobs/{ended['id']}"] = (200, ended)
    outcome = run("conflicts", "apply", "-m", "spring", "--wait", "--json")
    assert outcome.code == code
    assert outcome.document["status"] == status
