"""A store of a few lines that allows so much and no more, and writes down every request.

It is no practice store: it answers every path alike. What it has is a limit that is kept exactly
and announced the way real platforms do it, and a network in which answers overtake each other.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, Protocol

import uvicorn

Headers = dict[str, str]


class Limit(Protocol):
    """What is allowed. `now` is in seconds of the store's own clock."""

    @property
    def left(self) -> float:
        """How many requests could be let through now."""
        ...

    def take(self, now: float) -> bool:
        """Let one request through, or refuse it."""
        ...

    def says(self, now: float) -> Headers:
        """The headers of an answer."""
        ...

    def allowed(self, since: float, until: float) -> float:
        """How many requests could be let through in a long run of that time."""
        ...

    def steady(self, log: Sequence[Entry]) -> tuple[float, float]:
        """The time of a log in which nothing was spent that had been saved before."""
        ...


@dataclass
class LeakyBucket:
    """Shopify's REST limit: `most` requests at once, and `most` / 20 more a second.

    Time begins with the first request.
    """

    most: float = 40
    left: float = 10
    at: float | None = None

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.most / 20

    def take(self, now: float) -> bool:
        """Let one request through, or refuse it."""
        passed = 0.0 if self.at is None else now - self.at
        self.left = min(self.most, self.left + self.rate * passed)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True

    def says(self, _: float) -> Headers:
        """What is in use."""
        return {"x-shopify-shop-api-call-limit": f"{self.most - self.left:.0f}/{self.most:.0f}"}

    def allowed(self, since: float, until: float) -> float:
        """All that comes back."""
        return self.rate * (until - since)

    def steady(self, log: Sequence[Entry]) -> tuple[float, float]:
        """From when the bucket was nearly empty for the first time."""
        return next(each.at for each in log if each.left < self.most / 10), log[-1].at


@dataclass
class FixedWindow:
    """BigCommerce's limit: `quota` requests in each window of `length` seconds."""

    quota: int = 150
    length: float = 30.0
    number: int = -1
    spent: int = 0

    @property
    def left(self) -> int:
        """What this window still allows."""
        return self.quota - self.spent

    def take(self, now: float) -> bool:
        """Let one request through, or refuse it."""
        if int(now // self.length) != self.number:
            self.number, self.spent = int(now // self.length), 0
        if self.spent >= self.quota:
            return False
        self.spent += 1
        return True

    def says(self, now: float) -> Headers:
        """Quota, rest, length and end of the window."""
        return {
            "x-rate-limit-requests-quota": str(self.quota),
            "x-rate-limit-requests-left": str(self.left),
            "x-rate-limit-time-window-ms": f"{self.length * 1000:.0f}",
            "x-rate-limit-time-reset-ms": f"{(self.length - now % self.length) * 1000:.0f}",
        }

    def allowed(self, since: float, until: float) -> float:
        """The quota of each window."""
        return self.quota * (until - since) / self.length

    def steady(self, log: Sequence[Entry]) -> tuple[float, float]:
        """The windows that lie between those of the first and the last request."""
        first, last = (int(each.at // self.length) for each in (log[0], log[-1]))
        return (first + 1) * self.length, last * self.length


class Entry(NamedTuple):
    """One request: when it was decided on (seconds), who sent it, whether it was refused, and how
    many more could have been let through.
    """

    at: float
    name: str
    refused: bool
    left: float


@dataclass
class LimitedStore:
    """The store. `retry_after` is what the next requests are told, whatever the limit says; the
    limit itself refuses without naming a time.
    """

    limit: Limit
    latency: float = 0.04
    url: str = ""
    log: list[Entry] = field(default_factory=list)
    retry_after: list[str] = field(default_factory=list)
    dice: Random = field(default_factory=lambda: Random(7))

    async def __call__(self, scope: MutableMapping[str, Any], _: Any, send: Any) -> None:
        """Answer one request."""
        await asyncio.sleep(self.latency * self.dice.random())
        now = time.monotonic()
        said: Headers
        if self.retry_after:
            refused, said = True, {"retry-after": self.retry_after.pop(0)}
        else:
            refused = not self.limit.take(now)
            said = self.limit.says(now)
        self.log.append(Entry(now, scope["query_string"].decode(), refused, self.limit.left))
        await asyncio.sleep(self.latency * self.dice.random())
        headers = [(name.encode(), text.encode()) for name, text in said.items()]
        headers.append((b"content-type", b"application/json"))
        status = 429 if refused else 200
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    def share(self, since: float, until: float) -> Share:
        """What was made of the limit in a time of the log."""
        entries = [each for each in self.log if since <= each.at < until]
        refused = sum(each.refused for each in entries)
        return Share(
            (len(entries) - refused) / self.limit.allowed(since, until),
            refused / max(1, len(entries)),
        )


class Share(NamedTuple):
    """Shares of one: of what was allowed, what was used; of the requests, what was refused."""

    used: float
    refused: float


@contextmanager
def serving(store: LimitedStore) -> Iterator[LimitedStore]:
    """Serve on a free port, in a thread, until the block ends."""
    server = uvicorn.Server(
        uvicorn.Config(store, port=0, log_level="warning", access_log=False, lifespan="off")
    )
    thread = threading.Thread(target=server.run, name="limited store")
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not server.started:
            if time.monotonic() > deadline:
                raise TimeoutError("the store did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        store.url = f"http://127.0.0.1:{port}"
        yield store
    finally:
        server.should_exit = True
        thread.join()
