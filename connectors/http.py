"""How connectors talk HTTP: retry and waiting, in this one place.

`StoreHttp` sends single requests to one store. It repeats what may be repeated, waits as long
as the store asks (up to a few seconds; longer waits are the caller's), keeps to the store's budget
and to a number of parallel requests that it learns from the answers, and turns every failure into
one of `connectors.errors`. No message it makes holds an address with a query, a header or a body.

What a request may cost is bounded: attempts, seconds for each, bytes of an answer.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from connectors.answers import (
    LONGEST_HOLD,
    NEVER_SENT,
    STOPPED,
    Again,
    Answer,
    Failure,
    broken,
    classify,
    http_date,
    limited,
    retry_after,
    throttled,
    undecodable,
)
from connectors.budget import Budget, Budgets, LocalBudget, Place, Word, local_budget
from connectors.concurrency import Concurrency, concurrency_of
from connectors.errors import BadAnswer, TryLater
from connectors.permit import require_permit
from connectors.readings import Cost, from_headers

__all__ = [
    "NEVER_SENT",
    "STOPPED",
    "Answer",
    "Patience",
    "Query",
    "Sleep",
    "Stats",
    "StoreHttp",
    "retry_after",
]

# httpx writes every address it calls, with its query, at INFO: consumer keys, signatures, emails.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

T = TypeVar("T")
Query = Mapping[str, str | int | Sequence[str]]
Sleep = Callable[[float], Awaitable[None]]


class Patience(NamedTuple):
    """How long to try: attempts in all, the longest wait here, and the longest to tell callers.

    Without a wish of the store the n-th wait is about `first` · 2ⁿ⁻¹ seconds.
    """

    attempts: int = 5
    wait: float = 5.0
    first: float = 0.25
    after: float = 900.0


@dataclass(slots=True)
class Stats:
    """Counters of one `StoreHttp`; `waited` is in seconds."""

    requests: int = 0
    throttled: int = 0
    retries: int = 0
    waited: float = 0.0


def _origin(address: str) -> str:
    """Scheme, host and port: one store, whatever the path and whoever asks."""
    parts = urlsplit(address)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"


@lru_cache(maxsize=2)
def _ssl_context(verify: bool) -> ssl.SSLContext:  # noqa: FBT001
    return httpx.create_ssl_context(verify=verify)


class StoreHttp:
    """One store's HTTP side. Use as an async context manager; requests may run concurrently.

    `base` is the address that all paths are relative to. `timeout` bounds one attempt, from
    the connection to the last byte, in seconds; `max_bytes` its decoded answer. `is_refusal`
    tells from the body of a 500 whether the platform refuses the request instead of failing at it;
    `judge` finds a failure in an answer whose status says that all is well. A connection that was
    idle for `idle` seconds is not used again: the store may be closing it.
    `budgets` knows the budget that is shared with all who talk to the same store; `cost_of` reads
    what a body says of it, for platforms whose headers say nothing.
    """

    def __init__(
        self,
        base: str,
        *,
        auth: httpx.Auth | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool = True,
        timeout: float = 60.0,
        idle: float = 5.0,
        is_refusal: Callable[[bytes], bool] = lambda _: False,
        judge: Callable[[Answer], Failure | None] = lambda _: None,
        max_bytes: int = 64 * 1024 * 1024,
        patience: Patience = Patience(),  # noqa: B008  a value
        budgets: Budgets | None = None,
        cost_of: Callable[[bytes], Cost] | None = None,
        sleep: Sleep = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.stats = Stats()
        self._base = base.rstrip("/")
        self._auth = auth
        self._headers = {"Accept": "application/json", **(headers or {})}
        self._verify = verify
        self._timeout = timeout
        self._idle = idle
        self._is_refusal = is_refusal
        self._judge = judge
        self._max_bytes = max_bytes
        self._patience = patience
        self._sleep = sleep
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._limit = Concurrency()
        self._budgets = budgets or local_budget
        self._budget: Budget = LocalBudget()
        self._cost_of = cost_of
        self._date = ""
        self._clock: tuple[datetime, float] | None = None

    def visited_by(
        self, auth: httpx.Auth, headers: Mapping[str, str] | None = None, *, base: str = ""
    ) -> StoreHttp:
        """The same store as somebody else meets it, in a session of its own: by another address
        where `base` names one. Nothing of our credentials goes along. The budget is the same, and
        requests are counted here.
        """
        visitor = StoreHttp(
            base or self._base,
            auth=auth,
            headers=headers,
            verify=self._verify,
            timeout=self._timeout,
            idle=self._idle,
            is_refusal=self._is_refusal,
            judge=self._judge,
            max_bytes=self._max_bytes,
            patience=self._patience,
            budgets=self._budgets,
            sleep=self._sleep,
            transport=self._transport,
        )
        visitor.stats = self.stats
        return visitor

    async def __aenter__(self) -> Self:
        origin = _origin(self._base)
        self._limit = concurrency_of(origin)
        self._budget = self._budgets(origin)
        self._client = httpx.AsyncClient(
            auth=self._auth,
            headers=self._headers,
            verify=_ssl_context(self._verify),
            timeout=httpx.Timeout(self._timeout, connect=min(10.0, self._timeout)),
            limits=httpx.Limits(
                max_connections=64, max_keepalive_connections=32, keepalive_expiry=self._idle
            ),
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
        cost: float = 1.0,
    ) -> T:
        """Send one request, several times if it must be, and decode its answer.

        GET may be repeated, everything else only where it surely was not applied, unless
        `repeatable` says otherwise. `decode` may raise `msgspec.DecodeError` (a cut off or
        foreign answer) or a `StoreError` of its own. `cost` is in points of the store's budget.
        Raises `StoreError`.
        """
        may_repeat = method == "GET" if repeatable is None else repeatable
        place = Place(cost)
        attempt = 0
        while True:
            attempt += 1
            failure: Failure
            outcome = await self._attempt(place, method, path, query, body, signed=signed)
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
        self,
        place: Place,
        method: str,
        path: str,
        query: Query | None,
        body: bytes | None,
        *,
        signed: bool,
    ) -> Answer | Failure:
        async with self._limit.slot(again=place.number > 0):
            try:
                waited = await self._turn(place)
            except TryLater:
                self._limit.queued_long()
                raise
            self.stats.requests += 1
            outcome, word = await self._exchange(method, path, query, body, signed=signed)
            await self._budget.tell(place, word)
            if isinstance(outcome, Answer):
                if not waited:
                    self._limit.went_well()
                elif waited > self._patience.wait / 2:
                    self._limit.queued_long()
            elif outcome.slow_down:
                self.stats.throttled += outcome.refused
                self._limit.went_badly()
            return outcome

    async def _turn(self, place: Place) -> float:
        """Wait until the budget lets a request go; answers with the seconds that took.

        Raises `TryLater` where that would take more than a few.
        """
        waited = 0.0
        while wait := await self._budget.ask(place, self._patience.wait - waited):
            if waited + wait > self._patience.wait:
                raise limited(wait)
            waited += wait
            self.stats.waited += wait
            await self._sleep(wait)
        return waited

    async def _exchange(
        self, method: str, path: str, query: Query | None, body: bytes | None, *, signed: bool
    ) -> tuple[Answer | Failure, Word]:
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
            return broken(error), Word()
        self._remember_clock(response.headers.get("date", ""))
        return self._meaning(response.status_code, response.headers, content)

    def _meaning(
        self, status: int, headers: httpx.Headers, content: bytes | None
    ) -> tuple[Answer | Failure, Word]:
        """What an answer means for the caller, and what it says of the budget."""
        outcome: Answer | Failure
        if content is None:
            outcome = Failure(
                BadAnswer("the store's answer is too large", code="store_answer_too_large")
            )
        elif status == HTTPStatus.INTERNAL_SERVER_ERROR and self._is_refusal(content):
            outcome = Answer(status, headers, content)
        else:
            outcome = classify(status, headers, content, self._patience.after)
        cost = self._cost_of(content) if self._cost_of and content else Cost()
        if cost.refused and isinstance(outcome, Answer):
            outcome = throttled(cost.wait or None, headers.get("x-request-id"))
        elif isinstance(outcome, Answer):
            outcome = self._judge(outcome) or outcome
        reading = cost.reading or from_headers(headers, http_date(headers.get("date", "")))
        return outcome, Word(
            pace=reading.pace() if reading else None,
            refused=isinstance(outcome, Failure) and outcome.refused,
            hold=self._hold(outcome),
        )

    def _hold(self, outcome: Answer | Failure) -> float:
        """For how long everybody leaves the store alone. A store that is out of order and names a
        long time is asked again sooner: a restart of minutes is often over in seconds.
        """
        if isinstance(outcome, Answer) or not outcome.slow_down or outcome.asked is None:
            return 0.0
        if outcome.refused:
            return min(LONGEST_HOLD, outcome.asked)
        return outcome.asked if outcome.asked <= self._patience.wait else 0.0

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
        date = http_date(header)
        if date is not None:
            self._date = header
            self._clock = (date, time.monotonic())
