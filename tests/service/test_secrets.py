"""Credentials and addresses of people stay where they belong."""

from __future__ import annotations

import io
import json
import logging

import httpx
import pytest
import structlog

from app import log
from tests.service.logging_state import kept_logging
from tests.service.paper import a_store

TOKEN = "cs_deadbeefdeadbeefdeadbeef"


@pytest.fixture
def lines():
    """What is logged, read back from JSON."""
    stream = io.StringIO()
    with kept_logging():
        log.configure("DEBUG", "json")
        logging.getLogger().handlers[0].setStream(stream)
        yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_no_credential_reaches_answers_logs_or_plain_columns(api, service, lines):
    answers = [
        await api.post(
            "/v1/stores",
            json=a_store(credentials={"token": TOKEN}),
            headers={"Idempotency-Key": "a"},
        ),
        await api.post("/v1/stores", json=a_store(credentials={"token": TOKEN, "x": TOKEN})),
        await api.post("/v1/stores", json=a_store(credentials={"token": [TOKEN]})),
        await api.patch("/v1/stores/old-shop", json={"credentials": {"spare": TOKEN}}),
        await api.get(f"/v1/stores?platform={TOKEN}"),
        await api.get(f"/v1/stores/{TOKEN}"),
        await api.get("/v1/stores"),
        await api.post("/v1/stores/old-shop/check"),
    ]
    assert answers[0].status_code == 201
    for answer in answers:
        assert TOKEN not in answer.text
        assert TOKEN not in str(answer.headers)
    told = json.dumps(lines())
    assert TOKEN not in told
    for key in service.keys.values():
        assert key not in told
        assert key.split("_", 2)[2] not in told
    for table in ("stores", "idempotency_records", "api_keys", "job_events"):
        assert TOKEN not in str(await service.rows(f"SELECT * FROM {table}"))  # noqa: S608


async def test_a_request_is_one_line_without_its_query(api, service, lines):
    await api.get("/v1/stores?platform=x", headers={"X-Request-Id": "deploy-42"})
    (line,) = [each for each in lines() if each["event"] == "request"]
    assert line["method"] == "GET"
    assert line["path"] == "/v1/stores"
    assert line["status"] == 200
    assert line["request_id"] == "deploy-42"
    assert line["caller"] == service.keys["admin"].split("_")[1]
    assert line["milliseconds"] >= 0
    assert "platform" not in json.dumps(line)


async def test_a_job_is_named_in_the_log(api, migration, lines):
    job = (await api.post("/v1/jobs", json={"kind": "full", "migration": migration})).json()
    (line,) = [each for each in lines() if each["event"] == "job.created"]
    assert (line["job_id"], line["migration"]) == (job["id"], "spring")
    assert line["request_id"]


async def test_an_unexpected_error_is_logged_with_its_trace_but_without_secrets(
    api, monkeypatch, lines
):
    def break_down(*_, **__):
        raise ValueError(f"cannot sign in to https://me:{TOKEN}@shop.example as jo@shop.example")

    monkeypatch.setattr("app.routes.stores.stores.list_stores", break_down)
    answer = await api.get("/v1/stores")
    (line,) = [each for each in lines() if each["event"] == "request.failed"]
    assert line["request_id"] == answer.json()["request_id"]
    assert "ValueError" in line["exception"]
    assert "break_down" in line["exception"]
    assert TOKEN not in json.dumps(line)
    assert "jo@" not in json.dumps(line)


def test_the_words_of_an_exception_may_quote_a_record_and_are_not_logged(lines):
    name, street = "Anna Kay", "Mill Lane 3, Leeds"

    def read_address():
        raise KeyError(street)

    def read_order():
        try:
            read_address()
        except KeyError as error:
            raise ExceptionGroup(name, [ValueError(f"12 {name}")]) from error

    try:
        read_order()
    except ExceptionGroup:
        structlog.get_logger("test").exception("record.unreadable", record="o7")
    (line,) = [each for each in lines() if each["event"] == "record.unreadable"]
    for told in ("KeyError", "ValueError", "ExceptionGroup", "in read_address", "in read_order"):
        assert told in line["exception"]
    assert line["record"] == "o7"
    assert "Mill" not in json.dumps(line)
    assert "Anna" not in json.dumps(line)


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter22hunter@host/path",
        "Authorization: Bearer hunter22hunter22",
        "Basic aHVudGVyMjI6aHVudGVyMjI=",
        "rs_0123456789_hunter22hunter22",
        "ck_hunter22hunter22",
        "shpat_hunter22hunter22",
        "GET /x?consumer_secret=hunter22&page=2",
        "oauth_signature=1&key=hunter22".replace("&", "?"),
        "hunter22@shop.example wrote",
        "first.last+hunter22@mail.shop.example",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text):
    assert "hunter22" not in log.redact(text)
    assert "aHVudGVy" not in log.redact(text)


@pytest.mark.parametrize(
    "text", ["job 7 of spring", "2026-11-22T20:00:00Z", "rate 12/s @ noon", "GET /v1/jobs?limit=2"]
)
def test_ordinary_words_are_left_alone(text):
    assert log.redact(text) == text


def test_names_that_mean_secrets_hide_whatever_they_hold():
    event = {
        "event": "x",
        "password": "a",
        "nested": {"consumer_secret": ["b"], "deep": [{"access_token": 7}]},
        "authorization": b"c",
        "key_prefix": "rs12",
        "credentials_readable": True,
        "error": ValueError("jo@shop.example"),
        "count": 3,
        "nothing": None,
    }
    clean = log.redact_event(None, "info", event)
    assert clean["password"] == clean["authorization"] == log.HIDDEN
    assert clean["nested"] == {
        "consumer_secret": log.HIDDEN,
        "deep": [{"access_token": log.HIDDEN}],
    }
    assert (clean["key_prefix"], clean["count"], clean["nothing"]) == ("rs12", 3, None)
    assert clean["credentials_readable"] is True
    assert "jo@" not in clean["error"]


def test_libraries_logs_pass_the_same_net(lines):
    logging.getLogger("some.library").warning("signed in as %s", "jo@shop.example")
    structlog.get_logger("ours").info("hello", who="jo@shop.example")
    found = lines()
    assert [each["event"] for each in found] == [f"signed in as {log.HIDDEN}", "hello"]
    assert found[1]["who"] == log.HIDDEN
    assert {each["level"] for each in found} == {"warning", "info"}
    assert all(each["timestamp"].endswith("Z") for each in found)


def test_text_for_a_terminal_passes_it_too():
    stream = io.StringIO()
    with kept_logging():
        log.configure("INFO", "text")
        logging.getLogger().handlers[0].setStream(stream)
        structlog.get_logger("ours").info("hello", who="jo@shop.example")
    assert "hello" in stream.getvalue()
    assert "jo@" not in stream.getvalue()


async def test_uvicorns_own_access_lines_are_off(service, address, lines):
    async with httpx.AsyncClient(base_url=address) as client:
        await client.get("/healthz?token=hunter22")
    told = json.dumps(lines())
    assert "hunter22" not in told
