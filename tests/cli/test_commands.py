"""What commands send to the service, and what they print."""

import io
import json

import pytest

from tests.cli.conftest import KEY

JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"
STORE = {
    "id": "5b0f6f0e-6a44-4a5e-9d39-8e0d3a5f2a10",
    "name": "old",
    "platform": "woocommerce",
    "settings": {"url": "https://shop.example"},
    "credentials_set": ["consumer_key", "consumer_secret"],
    "credentials_readable": True,
    "muted": False,
    "version": 1,
}
CREDENTIALS = {"consumer_key": "ck_sesame", "consumer_secret": "cs_sesame"}
CREATE = (
    "store",
    "create",
    "old",
    "--platform",
    "woocommerce",
    "--set",
    "url=https://shop.example",
)


def test_a_run_says_what_was_asked_for(service, run, job):
    service.answers["POST /v1/jobs"] = (202, job("queued"))

    outcome = run(
        *("run", "recent", "--migration", "spring", "--streams", "orders, customers"),
        *("--since", "2026-11-25T10:00:00Z", "--cutover", "--idempotency-key", "launch-1"),
    )

    assert outcome.code == 0
    asked = service.asked[0]
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["idempotency-key"] == "launch-1"
    assert asked.body == {
        "kind": "recent",
        "migration": "spring",
        "streams": ["orders", "customers"],
        "since": "2026-11-25T10:00:00+00:00",
        "cutover": True,
    }


WAITING = {"waiting": ["store_unreachable"], "waiting_until": "2026-11-25T10:05:00Z"}
WHY = "waiting: store_unreachable until 2026-11-25T10:05:00Z"


def test_a_job_that_waits_says_why_while_it_is_waited_for(service, run, job):
    service.answers["POST /v1/jobs"] = (202, job("queued"))
    busy, again = job("running"), job("running", **WAITING)
    service.answers[f"GET /v1/jobs/{JOB}"] = [(200, busy), (200, again), (200, job())]
    outcome = run("run", "recent", "-m", "spring", "--wait")
    assert outcome.code == 0
    assert WHY in outcome.err


def test_the_status_says_why_the_latest_job_waits(service, run, job):
    empty = (200, {"items": [], "next": None})
    service.answers |= {
        "GET /v1/migrations/spring": (
            200,
            {
                "slug": "spring",
                "source": {"name": "a"},
                "target": {"name": "b"},
                "launch_at": None,
            },
        ),
        "GET /v1/migrations/spring/cursors": empty,
        "GET /v1/migrations/spring/quarantine": empty,
    }
    for members, words in ((WAITING, WHY), ({"waiting_for": "j2"}, "waiting for the job j2")):
        service.answers["GET /v1/jobs"] = (200, {"items": [job("running", **members)]})
        assert words in run("status", "-m", "spring").out
    service.answers["GET /v1/jobs"] = (200, {"items": [job("running")]})
    assert "waiting" not in run("status", "-m", "spring").out


def test_waiting_prints_one_document_and_progress_apart_from_it(service, run, job):
    service.answers["POST /v1/jobs"] = (202, job("queued"))
    service.answers[f"GET /v1/jobs/{JOB}"] = [(200, job("running")), (200, job())]

    outcome = run("run", "full", "-m", "spring", "--wait", "--json")

    assert outcome.document["status"] == "succeeded"
    assert "orders, 10 of 20 records" in outcome.err


def test_a_person_gets_a_table(service, run, job):
    service.answers[f"GET /v1/jobs/{JOB}"] = (200, job())

    outcome = run("job", "show", JOB)

    assert "orders" in outcome.out
    assert "succeeded" in outcome.out


def test_a_failed_job_says_why(service, run, job):
    error = {"code": "store_unauthorized", "message": "The store does not accept the credentials."}
    service.answers[f"GET /v1/jobs/{JOB}"] = (200, job("failed", error=error))

    outcome = run("job", "wait", JOB)

    assert outcome.code == 1
    assert "The store does not accept the credentials [store_unauthorized]." in outcome.err


def test_lists_are_read_to_their_end(service, run):
    pages = [{"items": [STORE], "next": "abc"}, {"items": [{**STORE, "name": "new"}], "next": None}]
    service.answers["GET /v1/stores"] = [(200, page) for page in pages]

    outcome = run("store", "list", "--json")

    assert [each["name"] for each in outcome.document] == ["old", "new"]
    assert service.asked[1].path == "/v1/stores?cursor=abc"


def test_credentials_come_from_a_file_and_are_never_printed(service, run, tmp_path):
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(CREDENTIALS))
    service.answers["POST /v1/stores"] = (201, STORE)

    outcome = run(*CREATE, "--credentials-file", str(file))

    assert outcome.code == 0
    assert service.asked[0].body["credentials"] == CREDENTIALS
    assert "sesame" not in outcome.out + outcome.err


def test_credentials_come_from_standard_input(service, run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(CREDENTIALS)))
    service.answers["POST /v1/stores"] = (201, STORE)

    run(*CREATE, "--credentials-file", "-")

    assert service.asked[0].body["credentials"] == CREDENTIALS


def test_credentials_come_from_the_environment(service, run, monkeypatch):
    monkeypatch.setenv("RECENT_SYNC_STORE_CREDENTIALS", json.dumps(CREDENTIALS))
    service.answers["POST /v1/stores"] = (201, STORE)

    run(*CREATE)

    assert service.asked[0].body["credentials"] == CREDENTIALS


@pytest.mark.parametrize("text", ['{"consumer_key": "ck_sesame"', '["ck_sesame"]', ""])
def test_credentials_in_a_wrong_form_are_not_repeated(service, run, tmp_path, text):
    file = tmp_path / "credentials.json"
    file.write_text(text)

    outcome = run(*CREATE, "--credentials-file", str(file))

    assert outcome.code == 2
    assert "sesame" not in outcome.out + outcome.err
    assert service.asked == []


def test_without_a_terminal_missing_credentials_are_not_asked_for(service, run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    platform = {"name": "woocommerce", "credentials_schema": {"properties": {"consumer_key": {}}}}
    service.answers["GET /v1/platforms"] = (200, {"items": [platform], "next": None})

    outcome = run(*CREATE)

    assert outcome.code == 2
    assert "--credentials-file" in outcome.err


def test_an_api_key_is_never_printed(service, run, monkeypatch):
    monkeypatch.setenv("RECENT_SYNC_URL", "http://127.0.0.1:9")

    outcome = run("job", "list")

    assert KEY not in outcome.out + outcome.err


def test_settings_are_read_as_what_they_look_like(service, run, tmp_path):
    file = tmp_path / "credentials.json"
    file.write_text("{}")
    service.answers["POST /v1/stores"] = (201, STORE)

    run(
        *("store", "create", "old", "--platform", "woocommerce"),
        *("--set", "timeout=30", "--set", "verify_tls=false", "--set", "url=http://x/?a=b"),
        *("--credentials-file", str(file)),
    )

    settings = service.asked[0].body["settings"]
    assert settings == {"timeout": 30, "verify_tls": False, "url": "http://x/?a=b"}


def test_names_are_quoted_in_addresses(service, run):
    service.answers["GET /v1/stores/a%2Fb%3Fc"] = (200, STORE)

    assert run("store", "show", "a/b?c", "--json").document == STORE


def test_events_are_told_one_by_one(service, run):
    service.answers[f"GET /v1/jobs/{JOB}/events"] = (
        200,
        """: hello

id: 1
event: job.started
data: {"at": "2026-11-25T10:00:00Z"}

id: 2
event: job.ended
data: {"status":
data: "succeeded"}

""",
    )

    outcome = run("job", "events", JOB, "--json")

    assert [event["type"] for event in outcome.document] == ["job.started", "job.ended"]
    assert outcome.document[1]["data"] == {"status": "succeeded"}


DEMOTED = {
    "stream": "orders",
    "declared": "overlap",
    "trust": "sweep",
    "demoted": {"reason": "silent_change", "message": "They lie.", "at": None, "evidence": {}},
    "proven_at": None,
    "audit": {"runs": 100, "rounds": 2, "verified": 30, "total": 120, "share": 0.25},
    "horizon": {"days": 365, "risk": "Older changes go unnoticed."},
}


def test_streams_are_listed_with_the_reason_and_the_risk(service, run):
    address = "GET /v1/migrations/spring/streams"
    service.answers[address] = (200, {"items": [DEMOTED], "next": None})

    outcome = run("streams", "list", "-m", "spring")

    assert outcome.code == 0
    assert "They lie. [silent_change]" in outcome.out
    assert "25% of 120 in round 3" in outcome.out
    assert "orders: Older changes go unnoticed." in outcome.out


def test_trust_is_restored_with_a_reason(service, run):
    restored = {**DEMOTED, "trust": "overlap", "demoted": None}
    service.answers["PUT /v1/migrations/spring/streams/orders"] = (200, restored)

    outcome = run("streams", "trust", "orders", "-m", "spring", "--reason", "Mended.")

    assert service.asked[0].body == {"trust": "declared", "reason": "Mended."}
    assert outcome.out == "The trust in orders is overlap now.\n"


def test_trust_can_be_withdrawn(service, run):
    service.answers["PUT /v1/migrations/spring/streams/orders"] = (200, DEMOTED)

    run("streams", "trust", "orders", "-m", "spring", "--reason", "It lies.", "--sweep")

    assert service.asked[0].body == {"trust": "sweep", "reason": "It lies."}


def test_unknown_stream_is_wrong_use(service, run):
    outcome = run("streams", "trust", "shoes", "-m", "spring", "--reason", "Mended.")

    assert outcome.code == 2
    assert "'shoes'" in outcome.err
    assert service.asked == []
