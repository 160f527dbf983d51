"""What `schedule` and `webhook` send to the service, and what they print."""

import pytest

SCHEDULE = {
    "id": "3b8f2a60-9f44-4a9b-8a55-6f0c1f5d7e21",
    "migration": "spring",
    "name": "launch-day",
    "job": {"kind": "recent"},
    "cron": None,
    "timezone": "UTC",
    "every": "15m",
    "starts_at": None,
    "until": "launch",
    "final_at": "launch-20m",
    "overlap": "skip",
    "state": "active",
    "paused_at": None,
    "next": [
        {"at": "2026-11-27T17:30:00Z", "final": False},
        {"at": "2026-11-27T17:40:00Z", "final": True},
    ],
    "last": None,
}
HOME = f"/v1/schedules/{SCHEDULE['id']}"
HOOK = "/v1/webhooks/6d9a4d0e-7c19-4a7b-9df5-2f0d1a6b8c33"
HOOK_ID = HOOK.rpartition("/")[2]


@pytest.fixture
def scheduled(service):
    service.answers["GET /v1/schedules"] = (200, {"items": [SCHEDULE], "next": None})
    service.answers[f"GET {HOME}/runs"] = (200, {"items": [], "next": None})
    service.answers[f"PATCH {HOME}"] = (200, SCHEDULE)
    service.answers["POST /v1/schedules"] = (201, SCHEDULE)
    service.answers[f"DELETE {HOME}"] = (204, "")
    return service


def test_adding_sends_what_was_given(scheduled, run):
    outcome = run(
        "schedule", "add", "launch-day", "-m", "spring", "--every", "15m", "--until", "launch",
        "--final-at", "launch-20m",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert scheduled.asked[-1].body == {
        "migration": "spring",
        "name": "launch-day",
        "timezone": "UTC",
        "every": "15m",
        "until": "launch",
        "final_at": "launch-20m",
        "overlap": "skip",
        "job": {"kind": "recent"},
    }
    assert "2026-11-27T17:40:00Z (final)" in outcome.out
    run(
        "schedule", "add", "nightly", "-m", "spring", "--cron", "5 4 * * *", "--timezone",
        "Europe/Berlin", "--kind", "full", "--streams", "customers,orders",
    )  # fmt: skip
    body = scheduled.asked[-1].body
    assert (body["cron"], body["timezone"]) == ("5 4 * * *", "Europe/Berlin")
    assert body["job"] == {"kind": "full", "streams": ["customers", "orders"]}


def test_an_interval_and_an_expression_exclude_each_other(scheduled, run):
    assert run("schedule", "add", "odd", "-m", "spring").code == 2
    both = ("--cron", "* * * * *", "--every", "5m")
    assert run("schedule", "add", "odd", "-m", "spring", *both).code == 2
    assert scheduled.asked == []


def test_a_schedule_is_found_by_its_name(scheduled, run):
    assert "launch-day" in run("schedule", "list").out
    assert run("schedule", "show", "launch-day", "--json").document == {**SCHEDULE, "runs": []}
    for command, paused in (("pause", True), ("resume", False)):
        assert run("schedule", command, "launch-day").code == 0
        assert scheduled.asked[-1].body == {"paused": paused}
    assert run("schedule", "remove", SCHEDULE["id"]).code == 0
    assert scheduled.asked[-1].method == "DELETE"
    assert run("schedule", "pause", "unknown").code == 2


def test_a_new_webhook_shows_its_secret(service, run):
    service.answers["POST /v1/webhooks"] = (201, {"id": HOOK_ID, "secret": "whsec_x"})
    outcome = run(
        "webhook", "add", "https://hooks.example.com/", "--events", "job.ended, lag.exceeded",
        "--lag", "30m", "-m", "spring",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert "whsec_x" in outcome.out
    assert service.asked[-1].body == {
        "url": "https://hooks.example.com/",
        "events": ["job.ended", "lag.exceeded"],
        "description": "",
        "migration": "spring",
        "lag_seconds": 1800,
    }


def test_webhooks_are_tested_rotated_replayed_and_removed(service, run):
    message = {"message": "msg_1"}
    service.answers |= {
        f"POST {HOOK}/test": (202, message),
        f"POST {HOOK}/rotate": (200, {"id": HOOK_ID, "secret": "whsec_y"}),
        f"POST {HOOK}/replay": (202, {"replayed": 3}),
        f"POST {HOOK}/deliveries/d1/replay": (202, message),
        f"PATCH {HOOK}": (200, {"id": HOOK_ID}),
        f"DELETE {HOOK}": (204, ""),
    }
    assert "msg_1" in run("webhook", "test", HOOK_ID).out
    assert "whsec_y" in run("webhook", "rotate", HOOK_ID, "--keep", "2h").out
    assert service.asked[-1].body == {"keep": "2h"}
    since = ("--since", "2026-11-27T12:00:00Z")
    assert run("webhook", "replay", HOOK_ID, *since, "--json").document == {"replayed": 3}
    assert run("webhook", "replay", HOOK_ID, "--delivery", "d1").code == 0
    assert run("webhook", "replay", HOOK_ID).code == 2
    for command, disabled in (("enable", False), ("disable", True)):
        assert run("webhook", command, HOOK_ID).code == 0
        assert service.asked[-1].body == {"disabled": disabled}
    assert run("webhook", "remove", HOOK_ID).code == 0


def test_deliveries_show_the_latest_answer(service, run):
    delivery = {
        "id": "d1",
        "type": "job.ended",
        "status": "pending",
        "attempts": 2,
        "log": [{"status": None, "code": "timed_out"}],
        "next_at": "2026-11-27T12:00:00Z",
    }
    service.answers[f"GET {HOOK}/deliveries"] = (200, {"items": [delivery], "next": None})
    service.answers[f"GET {HOOK}"] = (200, {"id": HOOK_ID, "url": "https://hooks.example.com/"})
    service.answers["GET /v1/webhooks"] = (200, {"items": [], "next": None})
    assert "timed_out" in run("webhook", "deliveries", HOOK_ID, "--status", "pending").out
    assert "status=pending" in service.asked[-1].path
    shown = run("webhook", "show", HOOK_ID, "--json").document
    assert shown["deliveries"] == [delivery]
    assert run("webhook", "list", "--json").document == []
