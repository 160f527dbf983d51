"""The store as an ASGI application."""

import asyncio
import contextlib
import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from sandbox.app import Receive, Scope, Send, drop, read_request
from sandbox.wire import Request
from tests.shopify_store import bulk, contract, documents, execution, redirect_imports
from tests.shopify_store.config import StoreConfig
from tests.shopify_store.control import Control
from tests.shopify_store.faults import Faults
from tests.shopify_store.fields import Ask, Doc
from tests.shopify_store.store import Store

_DEPRECATION = "https://shopify.dev/api/usage/versioning#deprecation-practices"
_TOKEN_SECONDS = 86_399
_AT_ONCE = 100
_PAGE = b"<!DOCTYPE html><html><head><title>Something went wrong</title></head></html>"


def open_store(config: StoreConfig | None = None, **values: Any) -> "App":
    """A new, empty store; values are those of `StoreConfig`."""
    return App(config or StoreConfig(**values))


@dataclass
class Answer:
    """An answer; with `dropped` it never comes, with `cut` it breaks off in the middle."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    dropped: bool = False
    cut: bool = False


def _base_url(request: Request) -> str:
    """The address by which the store was met."""
    return f"{'https' if request.https else 'http'}://{request.host}"


def _json(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(value).encode(), headers)


class App:
    """Takes requests: the API, the token endpoint, files, and what tests control."""

    def __init__(self, config: StoreConfig) -> None:
        self.config = config
        self.store = Store(config)
        self.faults = Faults(self.store)
        self.requests: list[Doc] = []
        self.control = Control(self.store, self.faults, self.requests)
        self._tokens: dict[str, float] = {}
        self._numbers = itertools.count(1)
        self._background: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            request = await read_request(scope, receive)
            # As on a network, others get their turn meanwhile.
            await asyncio.sleep(0)
            answer = self._answer(request)
            self._get_on()
            await self._send(answer, receive, send)

    async def close(self) -> None:
        """Stop what runs in the background."""
        if self._background is not None:
            self._background.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._background

    def _get_on(self) -> None:
        """Let bulk operations get on while nobody looks."""
        if bulk.going(self.store) and (self._background is None or self._background.done()):
            self._background = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while operations := bulk.going(self.store):
            for each in operations:
                bulk.advance(self.store, each, _AT_ONCE)
            await asyncio.sleep(0 if self.config.bulk_rows_a_second is None else 0.05)

    # --- requests -------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Answer:
        if request.path.startswith("/_control"):
            return self._controlled(request)
        if request.path.startswith("/_files/"):
            return self._file(request)
        if request.path.startswith("/_uploads/"):
            return self._upload(request)
        if request.path == "/admin/oauth/access_token":
            return self._token(request)
        parts = request.path.strip("/").split("/")
        if parts[:2] != ["admin", "api"] or parts[3:] != ["graphql.json"]:
            return Answer(404, _PAGE, content_type="text/html; charset=utf-8")
        return self._graphql(request, parts[2])

    def _controlled(self, request: Request) -> Answer:
        name = request.path.removeprefix("/_control").strip("/")
        body = json.loads(request.body) if request.body else None
        try:
            return _json(self.control.act(request.method, name, body))
        except Exception as error:  # noqa: BLE001 - the test that asked shall read what was wrong
            return _json({"error": repr(error)}, 400)

    def _file(self, request: Request) -> Answer:
        """A file of an operation, for whoever knows its signed address."""
        number = request.path.removeprefix("/_files/").removesuffix(".jsonl")
        operation = self.store.tables["BulkOperation"].get(int(number))
        if operation is None or not operation["_lines"] or "signature" not in request.query:
            return Answer(403, b"<Error><Code>AccessDenied</Code></Error>", content_type="text/xml")
        bulk.advance(self.store, operation, 0)
        cut = bool(self.faults.strikes("file_cut_off"))
        return Answer(200, bulk.file_of(operation), content_type="application/jsonl", cut=cut)

    def _upload(self, request: Request) -> Answer:
        """A file that is put where it was said that it may be."""
        signed = "x-shopify-access-token" in request.headers
        self.requests.append({"upload": request.path, "signed": signed, "errors": []})
        failing = self.faults.strikes("upload_fails")
        if failing is not None:
            return Answer(int(failing.get("status", 503)), content_type="text/xml")
        number = request.path.removeprefix("/_uploads/")
        kind = request.headers.get("content-type", "")
        return Answer(redirect_imports.put(self.store, number, kind, request.body))

    def _token(self, request: Request) -> Answer:
        """The grant for client credentials, by form or by JSON."""
        if request.headers.get("content-type", "").startswith("application/json"):
            given = json.loads(request.body)
        else:
            given = dict(parse_qsl(request.body.decode()))
        wanted = (self.config.client_id, self.config.client_secret, "client_credentials")
        if (given.get("client_id"), given.get("client_secret"), given.get("grant_type")) != wanted:
            return _json({"error": "invalid_client"}, 400)
        token = f"shpat_granted_{next(self._numbers)}"
        self._tokens[token] = self.store.clock.true_now() + _TOKEN_SECONDS
        scopes = ",".join(self.config.scopes)
        return _json({"access_token": token, "scope": scopes, "expires_in": _TOKEN_SECONDS})

    def _known(self, request: Request) -> bool:
        token = request.headers.get("x-shopify-access-token", "")
        granted = self._tokens.get(token, 0.0) > self.store.clock.true_now()
        return token == self.config.token or granted

    # --- the API --------------------------------------------------------------------------------

    def _graphql(self, request: Request, asked: str) -> Answer:
        entry: Doc = {"version": asked, "at": self.store.clock.stamp()}
        self.requests.append(entry)
        answer = self._faulty(request, contract.served(asked), entry)
        number = next(self._numbers)
        entry["request_id"] = hashlib.sha256(str(number).encode()).hexdigest()[:32]
        entry["status"] = "dropped" if answer.dropped else answer.status
        answer.headers.setdefault("x-shopify-api-version", contract.served(asked))
        answer.headers["x-request-id"] = entry["request_id"]
        return answer

    def _faulty(self, request: Request, version: str, entry: Doc) -> Answer:
        """The answer, with whatever was armed to go wrong."""
        asked = request.body
        early = self._before(asked)
        if early is not None:
            return early
        if not self._known(request):
            words = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return _json({"errors": words}, 401)
        try:
            body = json.loads(request.body)
        except ValueError:
            return _json({"errors": "Bad Request"}, 400)
        entry.update(query=body.get("query"), variables=body.get("variables"))
        throttled = bool(self.faults.strikes("throttled", asked))
        ask = Ask(
            self.store,
            contract.load(version),
            frozenset(self.config.scopes),
            base_url=_base_url(request),
        )
        told = execution.answer(ask, self.store.bucket, body, throttled=throttled)
        entry["deprecated"] = _deprecated(version, body.get("query"))
        entry["cost"] = told.get("extensions", {}).get("cost")
        entry["errors"] = [
            each.get("extensions", {}).get("code") for each in told.get("errors", [])
        ]
        answer = self._after(told, asked)
        if entry["deprecated"]:
            answer.headers["x-shopify-api-deprecated-reason"] = _DEPRECATION
        return answer

    def _before(self, asked: bytes) -> Answer | None:
        """What is answered before anything is done."""
        for name, answer in _EARLY.items():
            given = self.faults.strikes(name, asked)
            if given:
                return answer(given)
        return None

    def _after(self, told: Doc, asked: bytes) -> Answer:
        strikes = self.faults.strikes
        if strikes("partial_data", asked):
            told = _partial(told)
        answer = _json(told)
        if strikes("timeout_after", asked):
            return Answer(dropped=True)
        if strikes("error_after", asked):
            return Answer(502, _PAGE, content_type="text/html")
        if strikes("web_page", asked):
            return Answer(200, _PAGE, content_type="text/html; charset=utf-8")
        if strikes("half_json", asked):
            answer.body = answer.body[: len(answer.body) * 2 // 3]
        if strikes("other_version", asked):
            answer.headers["x-shopify-api-version"] = "2025-10"
        return answer

    async def _send(self, answer: Answer, receive: Receive, send: Send) -> None:
        if answer.dropped:
            await drop(0.0, receive, send)
            return
        headers = {
            "date": self.store.clock.date_header(),
            "content-type": answer.content_type,
            "content-length": str(len(answer.body)),
            **answer.headers,
        }
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        start = {"type": "http.response.start", "status": answer.status, "headers": encoded}
        await send(start)
        if answer.cut:
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            await drop(0.0, receive, send)
            return
        await send({"type": "http.response.body", "body": answer.body})


def _deprecated(version: str, text: Any) -> list[str]:
    """Deprecated fields of a document; none of one that is not valid."""
    try:
        return list(documents.deprecated(version, text))
    except (documents.Wrong, TypeError):
        return []


def _partial(told: Doc) -> Doc:
    """An answer in which one record could not be read: null, with an error beside the data."""
    for root, value in (told.get("data") or {}).items():
        if isinstance(value, dict) and value.get("nodes"):
            value["nodes"][-1] = None
            path = [root, "nodes", len(value["nodes"]) - 1]
            code = {"code": "INTERNAL_SERVER_ERROR"}
            told["errors"] = [{"message": "Internal error.", "path": path, "extensions": code}]
            break
    return told


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


_INTERNAL = {
    "message": "Internal error. Looks like something went wrong on our end.",
    "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "practice"},
}
_EARLY: dict[str, Callable[[Doc], Answer]] = {
    "throttled_for_a_day": lambda _: _json(
        {"errors": "Throttled"}, 429, **{"retry-after": "86400"}
    ),
    "too_many": lambda given: _json(
        {"errors": "Throttled"}, 429, **{"retry-after": str(given.get("seconds", 2))}
    ),
    "server_error": lambda given: Answer(
        int(given.get("status", 500)), _PAGE, content_type="text/html"
    ),
    "internal_error": lambda _: _json({"errors": [_INTERNAL]}),
    "timeout_before": lambda _: Answer(dropped=True),
    "signed_out": lambda _: _json({"errors": "[API] Invalid API key or access token"}, 401),
}
