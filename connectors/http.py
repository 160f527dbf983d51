"""How connectors talk HTTP: retry, waiting, and what a failure means, in this one place.

`StoreHttp` sends single requests to one store. It repeats what may be repeated, waits as long
as the store asks (up to a few seconds; longer waits are the caller's), keeps to a number of
parallel requests that it learns from the store's answers, and turns every failure into one of
`connectors.errors`. No message it makes holds an address with a query, a header or a body.

What a request may cost is bounded: attempts, seconds for each, bytes of an answer.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Self, TypeVar
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import httpx
import msgspec

from connectors.concurrency import Concurrency
from connectors.errors import BadAnswer, SignInAgain, StoreError, TryLater, Unreachable, request_ref
from connectors.permit import require_permit

# httpx writes every address it calls, with its query, at INFO: consumer keys, signatures, emails.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

T = TypeVar("T")
Query = Mapping[str, str | int]
Sleep = Callable[[float], Awaitable[None]]

NEVER_SENT = frozenset({"store_unreachable", "store_tls_error"})
"""Codes of `Unreachable` for which no byte of the request reached the store."""

STOPPED = frozenset({"store_server_error"})
"""Codes of `Unreachable` for which the store surely works on the request no more."""


class Patience(NamedTuple):
    """How long to try: attempts in all, the longest wait here, and the longest to tell callers.

    Without a wish of the store the n-th wait is about `first` · 2ⁿ⁻¹ seconds.
    """

    attempts: int = 5
    wait: float = 5.0
    first: float = 0.25
    after: float = 900.0


class Again(Enum):
    """Which requests may be sent again after a failure."""

    NEVER = "never"
    REPEATABLE = "repeatable"
    ANY = "any"


class Failure(NamedTuple):
    """What went wrong; `asked` is the wait that the store wished for, in seconds."""

    error: StoreError
    again: Again = Again.NEVER
    asked: float | None = None
    slow_down: bool = False


class Answer(NamedTuple):
    """An answer that the store meant: not 401, 403, 408 or 429, and no 5xx by accident."""

    status: int
    headers: httpx.Headers
    body: bytes


@dataclass(slots=True)
class Stats:
    """Counters of one `StoreHttp`; `waited` is in seconds."""

    requests: int = 0
    throttled: int = 0
    retries: int = 0
    waited: float = 0.0


_concurrency: WeakValueDictionary[tuple[int, str], Concurrency] = WeakValueDictionary()


def _shared_concurrency(origin: str) -> Concurrency:
    """One limit for all objects that talk to one store in one event loop."""
    key = (id(asyncio.get_running_loop()), origin)
    found = _concurrency.get(key)
    if found is None:
        found = _concurrency[key] = Concurrency()
    return found


@lru_cache(maxsize=2)
def _ssl_context(verify: bool) -> ssl.SSLContext:  # noqa: FBT001
    return httpx.create_ssl_context(verify=verify)


class StoreHttp:
    """One store's HTTP side. Use as an async context manager; requests may run concurrently.

    `base` is the address that all paths are relative to. `timeout` bounds one attempt, from
    the connection to the last byte, in seconds; `max_bytes` its decoded answer. `is_refusal`
    tells from the body of a 500 whether the platform refuses the request instead of failing at it.
    """

    def __init__(
        self,
        base: str,
        *,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool = True,
        timeout: float = 60.0,
        is_refusal: Callable[[bytes], bool] = lambda _: False,
        max_bytes: int = 64 * 1024 * 1024,
        patience: Patience = Patience(),  # noqa: B008  a value
        sleep: Sleep = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.stats = Stats()
        self._base = base.rstrip("/")
        self._auth = auth
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._verify = verify
        self._timeout = timeout
        self._is_refusal = is_refusal
        self._max_bytes = max_bytes
        self._patience = patience
        self._sleep = sleep
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._limit = Concurrency()
        self._date = ""
        self._clock: tuple[datetime, float] | None = None

    async def __aenter__(self) -> Self:
        parts = urlsplit(self._base)
        self._limit = _shared_concurrency(f"{parts.scheme}://{parts.netloc}")
        self._client = httpx.AsyncClient(
            auth=self._auth,
            headers=self._headers,
            verify=_ssl_context(self._verify),
            timeout=httpx.Timeout(self._timeout, connect=min(10.0, self._timeout)),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
            follow_redirects=False,
            transport=self._transport,
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def pause(self, seconds: float) -> None:
        """Wait as between attempts."""
        await self._sleep(seconds)

    @property
    def server_now(self) -> datetime | None:
        """The store's clock, from the last `Date` header; None before the first answer."""
        if self._clock is None:
            return None
        date, at = self._clock
        return date + timedelta(seconds=time.monotonic() - at)

    @property
    def server_date(self) -> datetime | None:
        """The last `Date` header itself: never ahead of the store's clock."""
        return self._clock[0] if self._clock else None

    async def request(
        self,
        method: str,
        path: str,
        *,
        decode: Callable[[Answer], T],
        query: Query | None = None,
        body: bytes | None = None,
        repeatable: bool | None = None,
        signed: bool = True,
    ) -> T:
        """Send one request, several times if it must be, and decode its answer.

        GET may be repeated, everything else only where it surely was not applied, unless
        `repeatable` says otherwise. `decode` may raise `msgspec.DecodeError` (a cut off or
        foreign answer) or a `StoreError` of its own. Raises `StoreError`.
        """
        may_repeat = method == "GET" if repeatable is None else repeatable
        attempt = 0
        while True:
            attempt += 1
            failure: Failure
            outcome = await self._attempt(method, path, query, body, signed=signed)
            if isinstance(outcome, Answer):
                try:
                    return decode(outcome)
                except msgspec.DecodeError as error:
                    failure = undecodable(outcome, error)
            else:
                failure = outcome
            await self._wait_or_raise(failure, attempt, may_repeat=may_repeat)
            self.stats.retries += 1

    async def _wait_or_raise(self, failure: Failure, attempt: int, *, may_repeat: bool) -> None:
        allowed = failure.again is Again.ANY or (failure.again is Again.REPEATABLE and may_repeat)
        if not allowed or attempt >= self._patience.attempts:
            raise failure.error from None
        wait = failure.asked
        if wait is None:
            wait = min(self._patience.wait, self._patience.first * 2 ** (attempt - 1))
            wait *= random.uniform(0.5, 1.0)  # noqa: S311  no secret depends on it
        elif wait > self._patience.wait:
            raise failure.error from None
        self.stats.waited += wait
        await self._sleep(wait)

    async def _attempt(
        self, method: str, path: str, query: Query | None, body: bytes | None, *, signed: bool
    ) -> Answer | Failure:
        async with self._limit.slot(self._sleep):
            self.stats.requests += 1
            outcome = await self._exchange(method, path, query, body, signed=signed)
            if isinstance(outcome, Answer):
                self._limit.went_well()
                return outcome
            if outcome.slow_down:
                self.stats.throttled += outcome.again is Again.ANY
                pause = outcome.asked or 0.0
                self._limit.went_badly(pause if pause <= self._patience.wait else 0.0)
            return outcome

    async def _exchange(
        self, method: str, path: str, query: Query | None, body: bytes | None, *, signed: bool
    ) -> Answer | Failure:
        if self._client is None:
            raise RuntimeError("StoreHttp is used outside of its context")
        request = self._client.build_request(
            method,
            self._base + path,
            params=dict(query) if query else None,
            content=body,
            headers={"Content-Type": "application/json"} if body is not None else None,
        )
        auth = httpx.USE_CLIENT_DEFAULT if signed else None
        if method != "GET":
            require_permit()
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.send(request, stream=True, auth=auth)
                try:
                    content = await self._content(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ssl.SSLError) as error:
            return broken(error)
        self._remember_clock(response.headers.get("date", ""))
        if content is None:
            return Failure(
                BadAnswer("the store's answer is too large", code="store_answer_too_large")
            )
        status = response.status_code
        if status == HTTPStatus.INTERNAL_SERVER_ERROR and self._is_refusal(content):
            return Answer(status, response.headers, content)
        return classify(status, response.headers, content, self._patience.after)

    async def _content(self, response: httpx.Response) -> bytes | None:
        chunks = []
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > self._max_bytes:
                return None
            chunks.append(chunk)
        return b"".join(chunks).removeprefix(b"\xef\xbb\xbf")

    def _remember_clock(self, header: str) -> None:
        if not header or header == self._date:
            return
        date = _date(header)
        if date is not None:
            self._date = header
            self._clock = (date, time.monotonic())


# --- what a failure means ------------------------------------------------------------------------


def classify(status: int, headers: httpx.Headers, body: bytes, longest: float) -> Answer | Failure:
    """Tell answers from failures by their status. `longest` caps what callers are told to wait."""
    request_id = request_ref(headers)
    asked = retry_after(headers.get("retry-after", ""), _date(headers.get("date", "")))
    after = min(longest, 30.0 if asked is None else asked)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        error: StoreError = TryLater(
            "the store limits our requests", after=after, code="store_limits", request_id=request_id
        )
        return Failure(error, Again.ANY, asked, slow_down=True)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Failure(
            SignInAgain(f"the store does not let us in ({status})", request_id=request_id)
        )
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        broken_by = "store_server_error" if status == HTTPStatus.INTERNAL_SERVER_ERROR else ""
        busy = status == HTTPStatus.SERVICE_UNAVAILABLE
        error = Unreachable(
            f"the store failed to answer ({status})",
            after=after if asked is not None else 10.0,
            code=broken_by or ("store_unavailable" if busy else "store_gateway_error"),
        )
        return Failure(error, Again.REPEATABLE, asked, slow_down=busy)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Failure(_redirected(headers.get("location", "")))
    return Answer(status, headers, body)


def _redirected(location: str) -> BadAnswer:
    """Redirects are not followed: credentials go to no address that nobody entered."""
    parts = urlsplit(location)
    where = f" to {parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else ""
    return BadAnswer(f"the store redirects{where}: enter its final address", code="store_redirects")


def broken(error: Exception) -> Failure:
    """A failure below HTTP. The error's own text is not kept: it may hold an address."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if cause is not None:
        return Failure(
            Unreachable("no secure connection to the store", after=60.0, code="store_tls_error")
        )
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Failure(BadAnswer("the store's address cannot be used", code="store_bad_address"))
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Failure(
            Unreachable("no connection to the store", code="store_unreachable"), Again.ANY
        )
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        slow = Unreachable("the store did not answer in time", code="store_timeout")
        return Failure(slow, Again.REPEATABLE, slow_down=True)
    return Failure(
        Unreachable("the store broke off the connection", code="store_cut_off"), Again.REPEATABLE
    )


def undecodable(answer: Answer, error: msgspec.DecodeError) -> Failure:
    """An answer that is not what was asked for; nothing of it goes into the message."""
    if isinstance(error, msgspec.ValidationError):
        return Failure(BadAnswer("the store's answer has an unknown form"))
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html" or answer.body.lstrip()[:1] == b"<" or not answer.body:
        text = f"the store answers with {'a web page' if answer.body else 'nothing'}, not JSON"
        return Failure(BadAnswer(text, code="store_not_json"), Again.REPEATABLE)
    text = "the store's answer is no complete JSON"
    return Failure(BadAnswer(text, code="store_not_json"), Again.REPEATABLE)


def retry_after(header: str, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` asks for, as a number or as a date; None without a usable one.

    >>> retry_after("120")
    120.0
    """
    text = header.strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124  not a number
    date = _date(text)
    return None if date is None else max(0.0, (date - (now or datetime.now(UTC))).total_seconds())


def _date(header: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
