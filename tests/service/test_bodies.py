"""Requests that are wrong before anybody has looked at what they ask."""

from __future__ import annotations

import pytest

from tests.service.answers import problem
from tests.service.paper import a_store

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"nonsense", 400, "invalid_json"),
        (b'{"name": NaN}', 400, "invalid_json"),
        (b'{"name": Infinity}', 400, "invalid_json"),
        (b"[" * 100_00 + b"]" * 100_00, 400, "invalid_json"),
        (b'{"settings": ' + b'{"a":' * 100 + b"1" + b"}" * 101, 400, "invalid_json"),
        (b'{"name": "\xff"}', 400, "invalid_encoding"),
        ('{"name": "x"}'.encode("utf-16"), 400, "invalid_encoding"),
        (b"[]", 422, "invalid_request"),
        (b"null", 422, "invalid_request"),
        (b'"text"', 422, "invalid_request"),
        (b"", 422, "invalid_request"),
        (b'{"name": "a\\u0000b"}', 422, "invalid_request"),
        (b'{"a\\u0000b": 1}', 422, "invalid_request"),
        (b'{"settings": {"deep": ["\\ud800"]}}', 422, "invalid_request"),
        (b'{"settings": {"n": 9223372036854775808}}', 422, "invalid_request"),
        (b'{"settings": {"n": ' + b"9" * 5000 + b"}}", 422, "invalid_request"),
        (b'{"settings": {"n": 1e999}}', 422, "invalid_request"),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_apart(api, body, status, code):
    answer = await api.post("/v1/stores", content=body, headers=JSON)
    problem(answer, status, code)


async def test_the_place_of_a_forbidden_character_is_named(api):
    body = a_store(settings={"url": "https://x", "deep": {"a/b": ["ok", "no\0"]}})
    members = problem(await api.post("/v1/stores", json=body), 422, "invalid_request")
    assert members["errors"][0]["pointer"] == "/settings/deep/a~1b/1"


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense"],
)
async def test_only_json_is_taken(api, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await api.post("/v1/stores", content=b'{"name": "x"}', headers=headers)
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"],
)
async def test_json_by_any_of_its_names_is_taken(api, content_type):
    await api.post("/v1/stores", json=a_store())
    headers = {"Content-Type": content_type}
    answer = await api.patch("/v1/stores/old-shop", content=b"{}", headers=headers)
    assert answer.status_code == 200


async def test_a_body_that_announces_too_much_is_refused_unread(api):
    body = b'{"name": "' + b"x" * 100_000 + b'"}'
    answer = await api.post("/v1/stores", content=body, headers=JSON)
    problem(answer, 413, "body_too_large")


async def test_a_body_that_streams_too_much_is_refused_on_the_way(api):
    sent = 0

    async def endless():
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b" " * 10_000

    answer = await api.post("/v1/stores", content=endless(), headers=JSON)
    problem(answer, 413, "body_too_large")
    assert sent < 20


async def test_an_unknown_address_is_a_problem_too(api, service):
    problem(await api.get("/v1/nothing"), 404, "not_found")
    problem(await service.client(None).get("/"), 404, "not_found")
    problem(await api.get("/v1/stores/"), 404, "not_found")


async def test_a_wrong_method_is_a_problem_too(api):
    for path, allowed in (
        ("/v1/stores", "GET, POST"),
        ("/v1/stores/x", "DELETE, GET, PATCH"),
        ("/healthz", "GET"),
        ("/v1/migrations/x/quarantine/retry", "POST"),
    ):
        answer = await api.put(path, json={})
        problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path",
    [
        "/v1/jobs/not-an-id",
        "/v1/stores/with%20space",
        "/v1/stores/%00",
        "/v1/migrations/UPPER",
        "/v1/jobs?limit=0",
        "/v1/jobs?limit=201",
        "/v1/jobs?limit=many",
        "/v1/jobs?migraton=spring",
        "/v1/jobs?migration=%00",
        "/v1/stores?platform=%00",
        "/v1/migrations/x/links?stream=sprockets",
        "/v1/migrations/x/links?source_id=%00",
        "/v1/migrations/x/quarantine?status=lost",
    ],
)
async def test_a_wrong_parameter_is_named(api, path):
    members = problem(await api.get(path), 422, "invalid_request")
    assert members["errors"][0]["parameter"]
    assert members["errors"][0]["in"] in {"path", "query"}


async def test_the_request_is_named_after_the_caller_wish_if_that_is_harmless(api):
    mine = await api.get("/healthz", headers={"X-Request-Id": "deploy-42"})
    assert mine.headers["x-request-id"] == "deploy-42"
    for harmful in ("a b", "x" * 65, "a\tb"):
        other = await api.get("/healthz", headers={"X-Request-Id": harmful})
        assert other.headers["x-request-id"] != harmful


async def test_an_unexpected_error_tells_no_details(api, monkeypatch):
    def break_down(*_, **__):
        raise ValueError("secret detail")

    monkeypatch.setattr("app.routes.stores.stores.list_stores", break_down)
    answer = await api.get("/v1/stores")
    problem(answer, 500, "internal_error")
    assert "secret" not in answer.text


async def test_answers_are_neither_sniffed_nor_kept(api):
    answer = await api.get("/v1/stores")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
