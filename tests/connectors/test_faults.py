"""The proxy of the contract suite breaks the request it is told to, and no other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from connectors.testing.faults import FAULTS, FaultyProxy, unfiltered


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent and remembers it."""

    seen: list[tuple[str, str, bytes]]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.command, self.path, body))
        answer = b'{"you": "' + body + b'"}'
        self.send_response(201)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Token", self.headers.get("X-Token", ""))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815  as the server calls it

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo():
    """A server and what it has seen."""
    handler = type("OwnEcho", (Echo,), {"seen": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler.seen
        server.shutdown()
        thread.join(timeout=10)


@pytest.fixture
async def proxy(echo) -> AsyncIterator[FaultyProxy]:
    async with FaultyProxy(echo[0]) as opened:
        yield opened


@pytest.fixture
async def client(proxy) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False, timeout=10) as opened:
        yield opened


async def test_it_passes_on_what_it_is_given(echo, client):
    answer = await client.post("/a/b?c=%20d", content=b"body", headers={"X-Token": "t"})
    assert (answer.status_code, answer.json()) == (201, {"you": "body"})
    assert answer.headers["X-Token"] == "t"
    assert echo[1] == [("POST", "/a/b?c=%20d", b"body")]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("throttled", (429, "retry-after", "0")),
        ("throttled_for_a_day", (429, "retry-after", "86400")),
        ("server_error", (500, "content-length", "0")),
        ("web_page", (200, "content-type", "text/html")),
        ("bad_request", (400, "content-type", "application/json")),
        ("forbidden", (403, "content-type", "application/json")),
        ("not_found", (404, "content-type", "application/json")),
    ],
)
async def test_one_request_gets_another_answer_and_never_arrives(echo, proxy, client, how, told):
    proxy.fail_next(how)
    answer = await client.get("/")
    status, name, value = told
    assert (answer.status_code, answer.headers[name]) == (status, value)
    assert echo[1] == []
    assert (await client.get("/")).status_code == 201


async def test_half_an_answer_is_no_json(proxy, client):
    proxy.fail_next("half_json")
    answer = await client.post("/", content=b"0123456789")
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()


async def test_a_connection_is_cut_off_before_anything_arrives(echo, proxy, client):
    proxy.fail_next("cut_off")
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get("/")
    assert echo[1] == []


async def test_an_answer_is_lost_after_the_write_was_done(echo, proxy, client):
    """A read before it is let through: it is the write that counts."""
    proxy.fail_next("lost_answer")
    assert (await client.get("/")).status_code == 201
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post("/", content=b"order")
    assert echo[1][-1] == ("POST", "/", b"order")


async def test_a_filter_by_date_is_forgotten_once_wherever_it_stands(echo, proxy, client):
    """A request that has none before it is let through."""
    proxy.fail_next("ignores_filter")
    await client.get("/rows?limit=5")
    for _ in range(2):
        await client.get("/rows", params={"since": "2026-01-01T00:00:00+00:00", "limit": 5})
    forgotten, kept = (path for _, path, _ in echo[1][-2:])
    assert forgotten == "/rows?limit=5"
    assert "since" in kept


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({"after": "2026-01-01T00:00:00Z", "take": 5}, {"take": 5}),
        ({"filter": {"updatedAt": {"after": "2026-01-01T00:00Z"}}, "take": 5}, {"take": 5}),
        ({"_or": [{"at": {"after": "2026-01-01T00:00Z"}}, {"open": True}], "n": None}, {"n": None}),
        ({"query": "updated_at:>='2026-01-01T00:00:00Z' status:any"}, {"query": "status:any"}),
        ({"title": "Room 2026"}, {"title": "Room 2026"}),
    ],
)
def test_a_filter_in_json_is_taken_out_and_nothing_else(asked, left):
    target, body = unfiltered("/graphql", json.dumps({"variables": asked}).encode())
    assert (target, json.loads(body)) == ("/graphql", {"variables": left})


def test_an_unknown_fault_is_refused():
    with pytest.raises(ValueError, match="no such fault"):
        FaultyProxy("http://127.0.0.1:9").fail_next("rain")
    assert "rain" not in FAULTS
