"""The service's HTTP API, as the command line calls it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from app.cli.failures import CommandError, UnreachableError, UsageProblemError

DEFAULT_URL = "http://127.0.0.1:8400"
ATTEMPTS = 4
PAUSE_SECONDS = 0.5
_READ_SECONDS = 90.0
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
# Answers that say «not now»; every request of ours can be sent twice without harm.
_TRY_AGAIN = {429, 502, 503, 504}

Json = dict[str, Any]


class RefusedError(UsageProblemError):
    """The service refuses a request. `problem` is its answer (RFC 9457), empty if it gave none."""

    def __init__(self, message: str, status: int, problem: Json) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem


@dataclass(frozen=True)
class Answer:
    """A good answer: its document (None without a body) and its headers."""

    document: Any
    headers: Mapping[str, str]


class Api:
    """One service and one key. A context manager."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}", "Accept": "application/json"},
            timeout=httpx.Timeout(10.0, read=_READ_SECONDS),
            follow_redirects=False,
            # A proxy of the environment cannot reach this machine's own loopback.
            trust_env=urlsplit(url).hostname not in _LOOPBACK,
        )

    @classmethod
    def from_environment(cls) -> Self:
        """The service named by RECENT_SYNC_URL and RECENT_SYNC_API_KEY."""
        url = os.environ.get("RECENT_SYNC_URL") or DEFAULT_URL
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageProblemError("RECENT_SYNC_URL is not an http or https address.")
        key = os.environ.get("RECENT_SYNC_API_KEY", "").strip()
        if not key:
            raise UsageProblemError(
                "RECENT_SYNC_API_KEY is not set: `recent-sync keys create` makes a key."
            )
        if not key.isascii() or not key.isprintable():
            raise UsageProblemError("RECENT_SYNC_API_KEY does not hold an API key.")
        return cls(url, key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: Any) -> Any:
        """The document at a path of the API's version 1; None in the query is left out."""
        return self.send("GET", path, query=query).document

    def post(self, path: str, body: Json | None = None) -> Any:
        """POST, safe to send again."""
        return self.send("POST", path, body=body).document

    def patch(self, path: str, body: Json) -> Any:
        """PATCH with the members to change."""
        return self.send("PATCH", path, body=body).document

    def put(self, path: str, body: Json) -> Any:
        """PUT."""
        return self.send("PUT", path, body=body).document

    def delete(self, path: str) -> None:
        """DELETE."""
        self.send("DELETE", path)

    def text(self, path: str, **query: Any) -> str:
        """The text at a path."""
        document = self.send("GET", path, query=query, headers={"Accept": "*/*"}).document
        return str(document or "")

    def upload(self, path: str, body: bytes, kind: str) -> Any:
        """POST a file of a media type; safe to send again."""
        return self.send("POST", path, body=body, headers={"Content-Type": kind}).document

    def every(self, path: str, **query: Any) -> Iterator[Json]:
        """All items of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["items"]
            cursor = page.get("next")
            if cursor is None:
                return

    @contextmanager
    def stream(self, path: str) -> Iterator[Iterator[str]]:
        """The lines of an answer that comes bit by bit."""
        headers = {"Accept": "text/event-stream"}
        try:
            with self._client.stream("GET", f"/v1{path}", headers=headers) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _failure(self.url, answer)
                yield answer.iter_lines()
        except httpx.TransportError as error:
            raise UnreachableError(f"The service at {self.url} {_reason(error)}.") from None

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Json | bytes | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request, repeated where the network or the service asks for it.

        Raises `RefusedError` for what the service refuses, `UnreachableError` where nobody
        answers.
        """
        sent = {"Idempotency-Key": str(uuid4())} if method == "POST" else {}
        sent |= headers or {}
        given = {name: value for name, value in (query or {}).items() if value is not None}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                content = body if isinstance(body, bytes) else None
                answer = self._client.request(
                    method,
                    f"/v1{path}",
                    json=None if isinstance(body, bytes) else body,
                    content=content,
                    params=given,
                    headers=sent,
                )
            except httpx.TransportError as error:
                failure: CommandError = UnreachableError(
                    f"The service at {self.url} {_reason(error)}."
                )
            except httpx.InvalidURL:
                raise UsageProblemError("RECENT_SYNC_URL is not an address.") from None
            else:
                if answer.is_success:
                    return _read(answer)
                failure = _failure(self.url, answer)
                if not _may_try_again(answer, failure):
                    raise failure
            if attempt == ATTEMPTS:
                raise failure
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1))
        raise AssertionError


def _may_try_again(answer: httpx.Response, failure: CommandError) -> bool:
    if isinstance(failure, RefusedError):
        # Our own earlier attempt, whose answer we never saw, is still being worked on.
        return bool(failure.problem["code"] == "request_in_flight")
    return answer.status_code in _TRY_AGAIN


def _reason(error: httpx.TransportError) -> str:
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return "cannot be reached"
        case httpx.TimeoutException():
            return "did not answer in time"
        case httpx.UnsupportedProtocol():
            return "has no http or https address"
        case _:
            return "broke the connection off"


def _read(answer: httpx.Response) -> Answer:
    if not answer.content:
        return Answer(None, answer.headers)
    if answer.headers.get("Content-Type", "").startswith("text/csv"):
        return Answer(answer.text, answer.headers)
    try:
        return Answer(answer.json(), answer.headers)
    except ValueError:
        raise UnreachableError(
            "What answers at RECENT_SYNC_URL is not this service: its answer is no JSON."
        ) from None


def _failure(url: str, answer: httpx.Response) -> CommandError:
    try:
        problem = answer.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict) or "code" not in problem:
        return UnreachableError(
            f"What answers at {url} is not this service or not well: "
            f"status {answer.status_code} without an explanation."
        )
    sentence = problem_sentence(problem)
    if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return UnreachableError(sentence)
    return RefusedError(sentence, answer.status_code, problem)


def problem_sentence(problem: Json) -> str:
    """The problem in one sentence, places included, with its stable code."""
    if problem["code"] == "not_found":
        return "The service knows nothing of this id or name [not_found]."
    detail = str(problem.get("detail") or problem.get("title") or "Refused").rstrip(".")
    found = [each for each in problem.get("errors", []) if isinstance(each, dict)]
    if len(found) == 1 and str(found[0].get("detail", "")).rstrip(".") == detail:
        # The detail is the place's own: what it is about stands in the title.
        place = found[0].get("pointer") or found[0].get("parameter") or "body"
        return f"{problem.get('title') or 'Refused'}: {detail} ({place}) [{problem['code']}]."
    places = [
        f"{each.get('pointer') or each.get('parameter') or 'body'}: {each.get('detail', '')}"
        for each in found
    ]
    shown = f" ({'; '.join(place.rstrip('.') for place in places)})" if places else ""
    return f"{detail}{shown} [{problem['code']}]."
