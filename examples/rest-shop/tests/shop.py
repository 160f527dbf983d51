"""The shop itself, as far as a test needs it: a real HTTP server with rows of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "open-sesame"
Row = dict[str, Any]


@dataclass
class OwnShop:
    """Rows by list and id. The clock stands still until a test moves it."""

    now: datetime = datetime(2025, 6, 1, 12, tzinfo=UTC)
    rows: dict[str, dict[int, Row]] = field(default_factory=dict)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def clear(self) -> None:
        self.rows = {"products": {}, "customers": {}, "orders": {}}

    def add(self, kind: str, **values: Any) -> int:
        number = next(self._ids)
        self.rows[kind][number] = {"id": number, "changed_at": self.now.isoformat(), **values}
        return number

    def change(self, kind: str, number: int, **values: Any) -> None:
        self.rows[kind][number] |= {"changed_at": self.now.isoformat(), **values}

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def answer(self, request: Request) -> Response:
        """`GET /api/{kind}` with `ids`, or with `after`, `since` and `limit`."""
        headers = {"Date": format_datetime(self.now, usegmt=True)}
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "token"}, status_code=401, headers=headers)
        asked = request.query_params
        rows = sorted(self.rows[request.path_params["kind"]].values(), key=lambda each: each["id"])
        if "ids" in asked:
            rows = [each for each in rows if str(each["id"]) in asked["ids"].split(",")]
        since = datetime.fromisoformat(asked.get("since", "2000-01-01T00:00:00+00:00"))
        rows = [each for each in rows if datetime.fromisoformat(each["changed_at"]) >= since]
        behind = [each for each in rows if each["id"] > int(asked.get("after", 0))]
        shown = behind[: int(asked.get("limit", len(behind)))]
        found = {"rows": shown, "total": len(rows), "more": len(shown) < len(behind)}
        return JSONResponse(found, headers=headers)


@contextmanager
def served(shop: OwnShop) -> Iterator[str]:
    """The shop on a port of this machine; its address."""
    app = Starlette(routes=[Route("/api/{kind}", shop.answer)])
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", date_header=False)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        socket.close()
