"""A proxy between a connector and its store that breaks requests as a test wishes.

It serves any store that speaks plain HTTP: a bench gives the connector the proxy's address, and its
`fail_next` is the proxy's. A bench without a proxy uses `unfiltered` for a store that ignores its
filter by date.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple, Self
from urllib.parse import unquote_plus

import httpx

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOPS = frozenset({"connection", "host", "transfer-encoding", "content-length", "keep-alive"})
_SECONDS = 30.0


class _Request(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class _Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def _refusal(seconds: int) -> _Answer:
    return _Answer(HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": str(seconds)}, b"")


def _rejection(status: HTTPStatus) -> _Answer:
    """As an API says that a request will not do, with nothing in it that could be a record."""
    body = json.dumps({"code": "rejected", "message": status.phrase, "errors": []}).encode()
    return _Answer(status, {"Content-Type": "application/json"}, body)


_INSTEAD = {
    "throttled": _refusal(0),
    "throttled_for_a_day": _refusal(86_400),
    "server_error": _Answer(HTTPStatus.INTERNAL_SERVER_ERROR, {}, b""),
    "web_page": _Answer(HTTPStatus.OK, {"Content-Type": "text/html"}, b"<!doctype html><p>Soon"),
    "bad_request": _rejection(HTTPStatus.BAD_REQUEST),
    "forbidden": _rejection(HTTPStatus.FORBIDDEN),
    "not_found": _rejection(HTTPStatus.NOT_FOUND),
}
FAULTS = frozenset({*_INSTEAD, "cut_off", "half_json", "lost_answer", "ignores_filter"})
"""What a request can meet."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


class FaultyProxy:
    """Passes requests on to `upstream` (`http://host:port`). Use as an async context manager.

    `is_read` tells from its method and its body whether a request changes nothing; without it the
    method alone says so.
    """

    def __init__(
        self, upstream: str, *, is_read: Callable[[str, bytes], bool] | None = None
    ) -> None:
        self._upstream = upstream
        self._is_read = is_read or _reads
        self._next: str | None = None

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            base_url=self._upstream,
            trust_env=False,
            timeout=_SECONDS,
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # plain HTTP: no certificates to load
        )
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        await self._server.wait_closed()
        await self._client.aclose()

    @property
    def url(self) -> str:
        """Where the connector has to go."""
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def fail_next(self, how: str) -> None:
        """Break one request: the next one, or for `lost_answer` the next one that writes, and for
        `ignores_filter` the next one that asks for what changed since a moment.

        Raises `ValueError` for a fault that is not in `FAULTS`.
        """
        if how not in FAULTS:
            raise ValueError(f"no such fault: {how}")
        self._next = how

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        try:
            async with asyncio.timeout(_SECONDS):
                request = await _received(reader)
                answer = await self._answer(request)
                if answer is not None:
                    writer.write(_sent(answer))
                    await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError, httpx.HTTPError):
            pass  # the connector went away, or the store did: to the connector it is cut off
        finally:
            writer.close()

    async def _answer(self, request: _Request) -> _Answer | None:
        """The store's answer or another one; None where the connection only closes."""
        fault = self._fault(request)
        if fault == "ignores_filter":
            target, body = unfiltered(request.target, request.body)
            return await self._passed_on(request._replace(target=target, body=body))
        if fault == "cut_off" or fault in _INSTEAD:
            return _INSTEAD.get(fault)
        answer = await self._passed_on(request)
        if fault == "lost_answer":
            return None
        if fault == "half_json":
            return answer._replace(body=answer.body[: len(answer.body) // 2])
        return answer

    def _fault(self, request: _Request) -> str | None:
        if self._next == "lost_answer" and self._is_read(request.method, request.body):
            return None
        if self._next == "ignores_filter" and not _has_filter(request):
            return None
        how, self._next = self._next, None
        return how

    async def _passed_on(self, request: _Request) -> _Answer:
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in _HOPS
        }
        answer = await self._client.request(
            request.method,
            request.target,
            headers=headers | {"accept-encoding": "identity"},
            content=request.body,
        )
        kept = {name: value for name, value in answer.headers.items() if name not in _HOPS}
        return _Answer(answer.status_code, kept, answer.content)


def unfiltered(target: str, body: bytes) -> tuple[str, bytes]:
    """A request without whatever in it names a moment, in its query or in its JSON; as it is where
    nothing does. That is how it looks to a store that does not know the filter.
    """
    path, mark, query = target.partition("?")
    pairs = [each for each in query.split("&") if not _MOMENT.search(unquote_plus(each))]
    target = path + mark + "&".join(pairs)
    if not _MOMENT.search(body.decode("utf-8", "replace")):
        return target, body
    return target, json.dumps(_timeless(json.loads(body))).encode()


def _timeless(value: Any) -> Any:
    """The value without moments; None for a condition of which nothing is left."""
    if isinstance(value, dict):
        left = {name: _timeless(each) for name, each in value.items()}
        kept = {name: each for name, each in left.items() if each is not None or not value[name]}
        return kept if kept or not value else None
    if isinstance(value, list):
        left_over = [_timeless(each) for each in value]
        # Of alternatives, one without a condition holds for everything.
        return None if None in left_over and None not in value else left_over
    if isinstance(value, str) and _MOMENT.match(value):
        return None
    if isinstance(value, str) and _MOMENT.search(value):
        # A language of searching: `updated_at:>='2026-01-01T00:00:00Z' status:any`.
        return " ".join(each for each in value.split(" ") if not _MOMENT.search(each))
    return value


def _has_filter(request: _Request) -> bool:
    return unfiltered(request.target, request.body) != (request.target, request.body)


def _reads(method: str, _: bytes) -> bool:
    return method in _READS


async def _received(reader: asyncio.StreamReader) -> _Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = line.split(" ", 2)
    headers = {name: value.strip() for name, _, value in (each.partition(":") for each in lines)}
    length = next((int(headers[each]) for each in headers if each.lower() == "content-length"), 0)
    return _Request(method, target, headers, await reader.readexactly(length))


def _sent(answer: _Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"Content-Length: {len(answer.body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + answer.body
