"""An endpoint of webhooks on loopback, and a poster that reaches it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from standardwebhooks import Webhook

from tests.fixtures.serving import serving


@dataclass
class Endpoint:
    """What was POSTed, in order. `answers` are the statuses of the next answers, then 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    @property
    def types(self) -> list[str]:
        return [
            self.verified(secret=None, number=number)["type"] for number in range(len(self.got))
        ]

    def verified(self, secret: str | None, number: int = -1) -> Any:
        """The body of a message, its signature proven by the library where a secret is given."""
        headers, body = self.got[number]
        if secret is not None:
            return Webhook(secret).verify(body, headers)
        return json.loads(body)


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """An HTTP server of its own."""
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.answers.pop(0) if found.answers else 204)
            for name, value in found.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

    with serving(Handler) as address:
        found.url = f"{address}/hook"
        yield found
