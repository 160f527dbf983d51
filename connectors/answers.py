"""What an answer of a store means: pure functions from status, headers and body to a word for it.

`classify` tells answers from failures, `broken` names failures below HTTP, `retry_after` reads how
long the store wants to be left alone.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from connectors.errors import BadAnswer, SignInAgain, StoreError, TryLater, Unreachable, request_ref

NEVER_SENT = frozenset({"store_unreachable", "store_tls_error"})
"""Codes of `Unreachable` for which no byte of the request reached the store."""

STOPPED = frozenset({"store_server_error"})
"""Codes of `Unreachable` for which the store surely works on the request no more."""

LONGEST_HOLD = 86_400.0
"""A store that refuses a request is left alone as long as it wishes, up to so many seconds."""


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

    @property
    def refused(self) -> bool:
        """Whether the store limits us: it did nothing, and will do it later."""
        return self.slow_down and self.again is Again.ANY


class Answer(NamedTuple):
    """An answer that the store meant: not 401, 403, 408 or 429, and no 5xx by accident."""

    status: int
    headers: httpx.Headers
    body: bytes


def classify(status: int, headers: httpx.Headers, body: bytes, longest: float) -> Answer | Failure:
    """Tell answers from failures by their status. `longest` caps what callers are told to wait for
    a store that is out of order.
    """
    request_id = request_ref(headers)
    asked = retry_after(headers.get("retry-after", ""), http_date(headers.get("date", "")))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return throttled(asked, request_id)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Failure(
            SignInAgain(f"the store does not let us in ({status})", request_id=request_id)
        )
    if status == HTTPStatus.REQUEST_TIMEOUT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        broken_by = "store_server_error" if status == HTTPStatus.INTERNAL_SERVER_ERROR else ""
        busy = status == HTTPStatus.SERVICE_UNAVAILABLE
        error = Unreachable(
            f"the store failed to answer ({status})",
            after=10.0 if asked is None else min(longest, asked),
            code=broken_by or ("store_unavailable" if busy else "store_gateway_error"),
        )
        return Failure(error, Again.REPEATABLE, asked, slow_down=busy)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Failure(_redirected(headers.get("location", "")))
    return Answer(status, headers, body)


def throttled(asked: float | None, request_id: str | None = None) -> Failure:
    """The store refuses a request for now, and did nothing. `asked` is the wait it wishes for."""
    after = 30.0 if asked is None else min(LONGEST_HOLD, asked)
    return Failure(limited(after, request_id), Again.ANY, asked, slow_down=True)


def limited(after: float, request_id: str | None = None) -> TryLater:
    """The error of a store that limits us, to be asked again `after` seconds from now."""
    return TryLater(
        "the store limits our requests", after=after, code="store_limits", request_id=request_id
    )


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
    date = http_date(text)
    return None if date is None else max(0.0, (date - (now or datetime.now(UTC))).total_seconds())


def http_date(header: str) -> datetime | None:
    """A header's date, aware and in UTC; None where it is none."""
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
