"""A shop's public pages, fetched as a visitor or a crawler would.

Nothing is signed and nothing is kept between two visits. Redirects are walked hop by hop, so that
each can be told; a hop that leaves the shop's own hosts is told and not followed. Whatever happens
on the way is a value and no exception: a page that does not answer is what a caller asks about.

What a visit may cost is bounded: hops, seconds for each, bytes of a page, pages at once. A shop
that asks for time gets a few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import NamedTuple, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx
from msgspec import Struct
from pydantic import BaseModel

from connectors.answers import broken, http_date, retry_after
from connectors.concurrency import PerLoop
from connectors.pages import page_rules
from connectors.robots import Robots
from connectors.webpage import Head, read_head, robots_words

AGENT = "recent-sync (checks of addresses before a launch)"
PERMANENT = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
MOST_HOPS = 8

LEFT_SHOP = "left_the_shop"
LOOP = "redirect_loop"
TOO_MANY_HOPS = "too_many_redirects"
BAD_LOCATION = "bad_location"

_TOLD = frozenset({LEFT_SHOP, LOOP, TOO_MANY_HOPS, BAD_LOCATION})
_AT_ONCE = 4
_ATTEMPTS = 3
_LONGEST_WAIT = 5.0
_MOST_BYTES = 1024 * 1024
_MOVED = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})

_gates = PerLoop(lambda: asyncio.Semaphore(_AT_ONCE))


def open_storefront(
    settings: BaseModel, *, transport: httpx.AsyncBaseTransport | None = None
) -> Storefront | None:
    """The public side of a store, by its settings; None where they do not say where it is.

    `transport` is for tests: another way to the shop.
    """
    base = page_rules(settings).base
    if not base:
        return None
    verify: bool = getattr(settings, "verify_tls", True)
    return Storefront(base, verify=verify, transport=transport)


class Hop(Struct, frozen=True):
    """One redirect that was met: its status, and the address it leads to."""

    status: int
    location: str

    @property
    def permanent(self) -> bool:
        """Whether search engines carry the old address's standing over."""
        return self.status in PERMANENT


class Visit(Struct, frozen=True, kw_only=True):
    """What became of a visit to the address `asked`. `url` and `status` are of the last answer,
    status 0 where there was none; `trouble` is empty, or why it went no further: `left_the_shop`,
    `redirect_loop`, `too_many_redirects`, `bad_location`, or a code of `connectors.errors`.
    """

    asked: str
    hops: tuple[Hop, ...] = ()
    url: str = ""
    status: int = 0
    trouble: str = ""
    head: Head | None = None
    tags: frozenset[str] = frozenset()

    @property
    def moves(self) -> tuple[Hop, ...]:
        """The redirects to another path. Being sent to https or to `www.` is none of them."""
        before = (self.asked, *[each.location for each in self.hops])
        return tuple(
            hop
            for at, hop in zip(before, self.hops, strict=False)
            if urlsplit(at)[2:] != urlsplit(hop.location)[2:] or _host(at) != _host(hop.location)
        )

    @property
    def found(self) -> bool:
        """Whether a page answers, redirected or not."""
        return self.status == HTTPStatus.OK and not self.trouble

    @property
    def told(self) -> bool:
        """Whether the shop has said what stands there: a broken connection, a shop that is busy
        or broken, and one that lets nobody in, say nothing.
        """
        if self.trouble:
            return self.trouble in _TOLD
        refused = (*_BUSY, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        return self.status < HTTPStatus.INTERNAL_SERVER_ERROR and self.status not in refused


class _Fetched(NamedTuple):
    status: int
    headers: httpx.Headers
    body: bytes


class Storefront:
    """One shop's public side. Use as an async context manager; visits may run concurrently.

    `base` is the address in front of all paths. Visits stay on its host, with or without `www.`.
    `timeout` is for one request, in seconds.
    """

    def __init__(
        self,
        base: str,
        *,
        verify: bool = True,
        timeout: float = 20.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        self._origin = "{0.scheme}://{0.netloc}".format(urlsplit(self.base))
        self._shop = _host(base)
        self._timeout = timeout
        self._sleep = sleep
        self._client = httpx.AsyncClient(
            headers={"User-Agent": AGENT, "Accept": "text/html,*/*;q=0.5"},
            verify=verify,
            timeout=httpx.Timeout(timeout, connect=min(10.0, timeout)),
            limits=httpx.Limits(max_connections=2 * _AT_ONCE, max_keepalive_connections=_AT_ONCE),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.aclose()

    def address(self, path: str) -> str:
        """The address of a path on the shop's host. The path is whole, as a browser sends it."""
        return f"{self._origin}/{path.lstrip('/')}"

    async def visit(self, path: str) -> Visit:
        """Go to a path and follow where it leads. Never raises for what the shop does."""
        url = asked = self.address(path)
        hops: list[Hop] = []
        seen = {_plain(url)}
        while True:
            answer = await self._fetch(url)
            if isinstance(answer, str):
                return Visit(asked=asked, hops=tuple(hops), url=url, trouble=answer)
            location = answer.headers.get("location", "")
            if answer.status not in _MOVED or not location:
                return _arrived(asked, url, answer, tuple(hops))
            following = _follow(url, location)
            hops.append(Hop(answer.status, following))
            trouble = self._stop(following, seen, len(hops))
            if trouble:
                status = answer.status
                return Visit(asked=asked, hops=tuple(hops), url=url, status=status, trouble=trouble)
            seen.add(_plain(following))
            url = following

    async def robots(self) -> Robots | None:
        """The shop's `robots.txt`; without one all is allowed. None where it is not known."""
        url = self.address("/robots.txt")
        for _ in range(MOST_HOPS):
            answer = await self._fetch(url)
            if isinstance(answer, str):
                return None
            location = answer.headers.get("location", "")
            if answer.status in _MOVED and location:
                url = _follow(url, location)
                if not self._is_ours(url):
                    return None
            elif answer.status == HTTPStatus.OK:
                return Robots.parse(answer.body.decode("utf-8", errors="replace"))
            else:
                missing = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
                return Robots({}) if missing and answer.status not in _BUSY else None
        return None

    def _stop(self, following: str, seen: set[str], hops: int) -> str:
        if not following:
            return BAD_LOCATION
        if not self._is_ours(following):
            return LEFT_SHOP
        if _plain(following) in seen:
            return LOOP
        return TOO_MANY_HOPS if hops >= MOST_HOPS else ""

    def _is_ours(self, url: str) -> bool:
        return _host(url) == self._shop

    async def _fetch(self, url: str) -> _Fetched | str:
        """One page, or the code of what kept it from us. A shop that is busy is asked again, and
        keeps this place among those at once meanwhile.
        """
        async with _gates(self._origin):
            for attempt in range(1, _ATTEMPTS):
                outcome = await self._exchange(url)
                if isinstance(outcome, str) or outcome.status not in _BUSY:
                    return outcome
                await self._sleep(_wait(outcome.headers, attempt))
            return await self._exchange(url)

    async def _exchange(self, url: str) -> _Fetched | str:
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream("GET", url) as response,
            ):
                body = b"" if response.status_code in _MOVED else await _beginning(response)
                return _Fetched(response.status_code, response.headers, body)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            # httpx looks at an answer's location itself, although it is not to follow it.
            return BAD_LOCATION
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            return broken(error).error.code


async def _beginning(response: httpx.Response) -> bytes:
    """As much of a page as is looked at: its head stands before anything long."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= _MOST_BYTES:
            break
    return bytes(body[:_MOST_BYTES])


def _arrived(asked: str, url: str, answer: _Fetched, hops: tuple[Hop, ...]) -> Visit:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_page = answer.status == HTTPStatus.OK and kind in ("text/html", "application/xhtml+xml")
    return Visit(
        asked=asked,
        hops=hops,
        url=url,
        status=answer.status,
        head=read_head(answer.body, url) if is_page else None,
        tags=robots_words(answer.headers.get_list("x-robots-tag")),
    )


def _wait(headers: httpx.Headers, attempt: int) -> float:
    asked = retry_after(headers.get("retry-after", ""), http_date(headers.get("date", "")))
    return min(_LONGEST_WAIT, 2.0 ** (attempt - 1) if asked is None else asked)


def _follow(url: str, location: str) -> str:
    """Where a redirect leads, without a fragment; empty where that is no address of the web."""
    try:
        parts = urlsplit(urljoin(url, location))
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return ""
    if not usable or parts.username is not None or parts.password is not None:
        return ""
    return urlunsplit(parts._replace(fragment=""))


def _plain(url: str) -> str:
    """An address as it is told apart from others: with its scheme, because a shop that sends
    visitors to https is no loop.
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.lower(), path=parts.path or "/"))


def _host(url: str) -> str:
    """Host and port, without `www.` and without the usual ports: http and https are one shop."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    name = (parts.hostname or "").removeprefix("www.")
    return name if port in (None, 80, 443) else f"{name}:{port}"
