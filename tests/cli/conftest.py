"""A service that answers what a test tells it to, over real HTTP on loopback."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import pytest

from app.cli import client
from app.cli.main import main
from app.database import upgrade
from tests.cli.databases import execute
from tests.fixtures.serving import serving

KEY = "rs_0123456789_a-secret-of-this-test"


@dataclass(frozen=True)
class Asked:
    """A request that reached the service."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class FakeService:
    """Answers by method and path: (status, document), or a list of them for one call each. A third
    member is the answer's media type.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, request: Asked) -> Any:
        self.asked.append(request)
        found = self.answers.get(f"{request.method} {request.path.partition('?')[0]}")
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        if found is None:
            return 404, {"code": "not_found", "detail": "There is nothing at this address."}
        return found


def _handler(service: FakeService) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = self.rfile.read(length)
            is_json = headers.get("content-type") == "application/json"
            body = (json.loads(sent) if is_json else sent) if length else None
            status, document, *kind = service.answer(Asked(self.command, self.path, headers, body))
            text = document.encode() if isinstance(document, str) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", kind[0] if kind else "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

    return Handler


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeService]:
    """A fake service that the environment names."""
    fake = FakeService()
    with serving(_handler(fake)) as fake.url:
        monkeypatch.setenv("RECENT_SYNC_URL", fake.url)
        monkeypatch.setenv("RECENT_SYNC_API_KEY", KEY)
        monkeypatch.setattr(client, "PAUSE_SECONDS", 0.001)
        yield fake


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command in this process."""

    def command(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return command


@pytest.fixture
def job() -> Callable[..., dict[str, Any]]:
    """A job as the service describes it."""

    def make(status: str = "succeeded", **members: Any) -> dict[str, Any]:
        counters = {
            "read": 10,
            "created": 4,
            "updated": 2,
            "unchanged": 4,
            "conflicts": 0,
            "quarantined": 0,
            "deleted": 0,
        }
        progress = {
            "stage": 1,
            "stages": 3,
            "stream": "orders",
            "read": 10,
            "total": 20,
            "rate": 5.0,
            "seconds_left": 2,
        }
        return {
            "id": "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33",
            "kind": "recent",
            "migration": "spring",
            "status": status,
            "progress": progress,
            "counters": {"orders": counters},
            "totals": counters,
            "waiting": [],
            "waiting_until": None,
            "waiting_for": None,
            "error": None,
            "created_at": "2026-11-25T10:00:00Z",
            "finished_at": None,
            **members,
        }

    return make


@pytest.fixture(scope="module")
def database(servers: Any) -> Iterator[str]:
    """A database of the module's own, with all tables."""
    name = f"cli_{uuid4().hex[:8]}"
    execute(servers.database_url, f"CREATE DATABASE {name}")
    url = servers.database_url.rsplit("/", 1)[0] + f"/{name}"
    upgrade(url)
    yield url
    execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")
