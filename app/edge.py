"""The edge of the API: every request passes here first and leaves here last.

It names the request, limits the body, writes one log line, and answers what nobody else caught.
"""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import BodyTooLarge
from app.problems import answer, unexpected

log = structlog.get_logger(__name__)
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SERVER_ERROR = 500


class Edge:
    """ASGI middleware. `max_body` is in bytes."""

    def __init__(self, app: ASGIApp, *, max_body: int) -> None:
        self.app = app
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        await _Exchange(self, scope, request_id).run(receive, send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, edge: Edge, scope: Scope, request_id: str) -> None:
        self.edge = edge
        self.scope = scope
        self.request_id = request_id
        self.status = 0
        self.taken = 0
        self.began = time.perf_counter()

    async def run(self, receive: Receive, send: Send) -> None:
        async def limited() -> Message:
            message = await receive()
            self.taken += len(message.get("body", b""))
            if self.taken > self.edge.max_body:
                raise self._too_large()
            return message

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = self.request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            if self._announced() > self.edge.max_body:
                await answer(self._too_large())(self.scope, receive, named)
            else:
                await self.edge.app(self.scope, limited, named)
        except Exception as error:
            problem = unexpected(error)
            log.exception("request.failed", code=problem.code)
            if self.status:
                # Half an answer is out; cutting the connection says so.
                raise
            await answer(problem)(self.scope, receive, named)
        finally:
            self._write_line()

    def _announced(self) -> int:
        length = Headers(scope=self.scope).get("content-length", "0")
        return int(length) if length.isdecimal() else 0

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(
            f"The body may have {self.edge.max_body} bytes.", headers={"Connection": "close"}
        )

    def _write_line(self) -> None:
        caller = self.scope.get("state", {}).get("caller")
        write = log.warning if self.status >= _SERVER_ERROR else log.info
        write(
            "request",
            method=self.scope["method"],
            path=self.scope["path"],
            status=self.status or None,
            milliseconds=round((time.perf_counter() - self.began) * 1000, 1),
            caller=caller.prefix if caller else None,
        )
