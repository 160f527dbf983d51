"""What `removals` sends to the service, and what it prints."""

from tests.cli.test_commands import JOB

ITEM = "b1d6f0a4-6f0e-4f38-9f8e-7a2f8f0e5d21"
HOME = "/v1/migrations/spring/removals"
REMOVAL = {
    "evidence": {"sweeps": 2, "direct": True, "reused": False, "jobs": []},
    "id": ITEM,
    "stream": "products",
    "source_id": "412",
    "target_id": "1387",
    "action": "archive",
    "status": "done",
    "undoable": True,
}


def test_removals_are_listed_by_what_became_of_them(service, run):
    service.answers[f"GET {HOME}"] = (200, {"items": [REMOVAL], "next": None})

    outcome = run("removals", "list", "-m", "spring", "--status", "done", "--stream", "products")

    assert outcome.code == 0
    assert "not in 2 sweeps, denied by its id" in outcome.out
    assert "412" in outcome.out
    assert "status=done" in service.asked[0].path
    assert "stream=products" in service.asked[0].path
    assert run("removals", "list", "-m", "spring", "--json").document == [REMOVAL]


def test_undoing_waits_for_its_job_and_fails_with_it(service, run, job):
    service.answers[f"POST {HOME}/{ITEM}/undo"] = (202, job("queued"))
    service.answers[f"GET /v1/jobs/{JOB}"] = (200, job("completed_with_errors"))

    assert run("removals", "undo", ITEM, "-m", "spring").code == 0
    assert run("removals", "undo", ITEM, "-m", "spring", "--wait").code == 1


def test_undoing_what_cannot_be_undone_says_so(service, run):
    service.answers[f"POST {HOME}/{ITEM}/undo"] = (
        409,
        {"code": "removal_not_undoable", "detail": "The removal cannot be undone."},
    )

    outcome = run("removals", "undo", ITEM, "-m", "spring")

    assert outcome.code != 0
    assert "The removal cannot be undone" in outcome.err


def test_brake_is_released_by_a_flag(service, run, job):
    service.answers["POST /v1/jobs"] = (202, job("queued"))
    for kind in ("full", "recent"):
        assert run("run", kind, "-m", "spring", "--release-brake").code == 0
        assert service.asked[-1].body["options"] == {"release_brake": True}
        run("run", kind, "-m", "spring")
        assert "options" not in service.asked[-1].body
