"""What a pipeline learns from the exit code, and a person from the one sentence beside it."""

import pytest

from app.cli import watch
from app.cli.main import main
from tests.cli.conftest import KEY

JOB = "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33"
RUN = ("run", "recent", "--migration", "spring", "--wait")


def test_success_is_0(service, run, job):
    service.answers["POST /v1/jobs"] = (202, job())

    assert run(*RUN).code == 0


@pytest.mark.parametrize("status", ["completed_with_errors", "failed", "cancelled"])
def test_a_job_that_ends_otherwise_is_1(service, run, job, status):
    service.answers["POST /v1/jobs"] = (202, job("queued"))
    service.answers[f"GET /v1/jobs/{JOB}"] = (200, job(status))

    outcome = run(*RUN)

    assert outcome.code == 1
    assert status in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("bogus",),
        ("run", "recent"),
        ("run", "recent", "-m", "spring", "--timeout", "soon"),
        ("run", "recent", "-m", "spring", "--since", "yesterday"),
        ("run", "recent", "-m", "spring", "--since", "2026-11-25T10:00:00"),
        ("run", "full", "-m", "spring", "--streams", "orders,reviews"),
        ("store", "create", "a", "--platform", "woocommerce", "--set", "url"),
        ("store", "update", "a"),
        ("migration", "update", "spring"),
        ("migration", "create", "x", "--source", "a", "--target", "b", "--overlap", "-3"),
        ("demo", "--scale", "2"),
        ("demo", "--speed", "0"),
        ("demo", "--faults", "none,all"),
        ("keys", "create", "--scope", "root"),
    ],
)
def test_wrong_use_is_2_with_one_sentence(service, run, arguments):
    outcome = run(*arguments)

    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("recent-sync: ")
    assert len(outcome.err.strip().splitlines()) == 1
    assert service.asked == []


def test_a_missing_key_is_2(service, run, monkeypatch):
    monkeypatch.delenv("RECENT_SYNC_API_KEY")

    outcome = run("job", "list")

    assert outcome.code == 2
    assert "RECENT_SYNC_API_KEY" in outcome.err


@pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example", "http://[::1", "http://"])
def test_an_address_that_is_none_is_2(run, monkeypatch, url):
    monkeypatch.setenv("RECENT_SYNC_URL", url)
    monkeypatch.setenv("RECENT_SYNC_API_KEY", KEY)

    outcome = run("job", "list")

    assert outcome.code == 2
    assert "RECENT_SYNC_URL" in outcome.err


def test_a_refused_request_is_2_and_says_where(service, run):
    problem = {
        "code": "invalid_request",
        "detail": "The request is not valid.",
        "errors": [{"pointer": "/slug", "detail": "String should match pattern"}],
    }
    service.answers["POST /v1/migrations"] = (422, problem)

    outcome = run("migration", "create", "Spring!", "--source", "a", "--target", "b")

    assert outcome.code == 2
    assert "/slug" in outcome.err
    assert "[invalid_request]" in outcome.err


def test_a_wrong_setting_of_the_service_is_2_without_its_value(run, monkeypatch):
    monkeypatch.setenv("RECENT_SYNC_PORT", "secret-by-mistake")

    outcome = run("db", "upgrade")

    assert outcome.code == 2
    assert "RECENT_SYNC_PORT" in outcome.err
    assert "secret-by-mistake" not in outcome.err


def test_one_server_without_the_other_is_2(run, monkeypatch):
    monkeypatch.setenv("RECENT_SYNC_DATABASE_URL", "postgresql://u:hidden@127.0.0.1:1/x")
    monkeypatch.delenv("RECENT_SYNC_REDIS_URL", raising=False)

    outcome = run("db", "upgrade")

    assert outcome.code == 2
    assert "hidden" not in outcome.err


def test_nobody_at_the_address_is_3(service, run, monkeypatch):
    monkeypatch.setenv("RECENT_SYNC_URL", "http://127.0.0.1:9")

    outcome = run("job", "list")

    assert outcome.code == 3
    assert "http://127.0.0.1:9" in outcome.err


def test_a_database_that_is_away_is_3_without_its_password(run, monkeypatch):
    monkeypatch.setenv("RECENT_SYNC_DATABASE_URL", "postgresql://u:hidden@127.0.0.1:9/x")
    monkeypatch.setenv("RECENT_SYNC_REDIS_URL", "redis://127.0.0.1:9/0")

    outcome = run("keys", "list")

    assert outcome.code == 3
    assert "hidden" not in outcome.err


@pytest.mark.parametrize(
    "answer",
    [
        (200, "<html>It works!</html>"),
        (502, "<html>Bad gateway</html>"),
        (503, {"code": "database_unavailable", "detail": "The database cannot be used."}),
    ],
)
def test_a_service_that_is_not_well_is_3(service, run, answer):
    service.answers["GET /v1/jobs"] = answer

    assert run("job", "list").code == 3


def test_a_store_that_cannot_be_reached_is_3(service, run):
    side = {"ok": False, "code": "store_unreachable", "message": "Nobody answers.", "report": None}
    found = {"ok": False, "source": side, "target": side}
    service.answers["POST /v1/stores/old/check"] = (200, found)

    outcome = run("store", "check", "old", "--json")

    assert outcome.code == 3
    assert outcome.document == found
    assert outcome.err.count("Nobody answers.") == 1


@pytest.mark.parametrize("code", ["store_unauthorized", "store_bad_answer"])
def test_a_store_that_answers_otherwise_is_2(service, run, code):
    side = {"ok": False, "code": code, "message": "No.", "report": None}
    service.answers["POST /v1/stores/old/check"] = (
        200,
        {"ok": False, "source": side, "target": None},
    )
    assert run("store", "check", "old").code == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
        ("ENCRYPTION_KEYS", "c2hvcnQ="),
        ("ENCRYPTION_KEYS", "no key at all"),
        ("PORT", "many"),
    ],
)
def test_a_wrong_setting_is_2_and_one_sentence_without_its_value(run, monkeypatch, name, value):
    monkeypatch.setenv(f"RECENT_SYNC_{name}", value)
    outcome = run("db", "upgrade")
    assert outcome.code == 2
    assert outcome.err.startswith(f"recent-sync: The configuration is wrong: RECENT_SYNC_{name}:")
    assert "Traceback" not in outcome.err
    assert value not in outcome.err


def test_a_fault_that_there_is_not_is_2_before_anything_starts(run):
    outcome = run("demo", "--faults", "rate_limit,bogus")
    assert outcome.code == 2
    assert "'bogus'" in outcome.err


def test_a_store_in_a_table_shows_its_settings(service, run):
    store = {"name": "old", "platform": "woocommerce", "settings": {"url": "https://old.example"}}
    shown = {**store, "credentials_set": ["consumer_key"], "id": "1", "version": 1}
    service.answers["GET /v1/stores/old"] = (200, shown)
    assert "https://old.example" in run("store", "show", "old").out


def test_a_wait_that_is_too_long_is_4(service, run, job):
    service.answers["POST /v1/jobs"] = (202, job("queued"))
    service.answers[f"GET /v1/jobs/{JOB}"] = (200, job("running"))

    outcome = run(*RUN, "--timeout", "1s")

    assert outcome.code == 4
    assert "1s" in outcome.err


@pytest.mark.parametrize("command", [RUN, ("job", "wait", JOB)])
def test_ctrl_c_while_waiting_is_130_and_names_the_job_that_goes_on(
    service, run, job, monkeypatch, command
):
    def pressed(*_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "_rest", pressed)
    service.answers["POST /v1/jobs"] = (202, job("queued"))
    service.answers[f"GET /v1/jobs/{JOB}"] = (200, job("running"))

    outcome = run(*command)

    assert outcome.code == 130
    assert f"The job {JOB} goes on" in outcome.err
    assert f"`recent-sync job cancel {JOB}`" in outcome.err
    assert not any(asked.path.endswith("/cancel") for asked in service.asked)


def test_a_short_absence_of_the_service_does_not_matter(service, run, job):
    away = (503, {"code": "database_unavailable", "detail": "The database cannot be used."})
    service.answers["POST /v1/jobs"] = [away, away, (202, job())]

    outcome = run(*RUN)

    assert outcome.code == 0
    keys = {asked.headers["idempotency-key"] for asked in service.asked}
    assert len(keys) == 1


def test_no_command_shows_help_and_is_2(capsys):
    assert main([]) == 2
    assert "recent" in capsys.readouterr().out
