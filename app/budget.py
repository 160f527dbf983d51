"""Budgets that all processes share, in Redis.

One script (`budget.lua`) is one atomic step on what is known of a store: Redis' clock counts, and
everything is forgotten ten minutes after the last request. Redis is a convenience here as with the
queue: while it is away, every process keeps to what it learns by itself, and nobody waits for it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from connectors.budget import Kind, LocalBudget, Pace, Place, Word

log = structlog.get_logger(__name__)

_SCRIPT = Path(__file__).with_name("budget.lua").read_text(encoding="utf-8")

_TIMEOUT = 1.0
"""Seconds that Redis may take. It needs a ten thousandth of that; a busy machine may need some."""

_AWAY = 2.0
"""Seconds for which a Redis that failed is not asked again."""


class SharedBudgets:
    """The budgets of all stores, by origin. `clock` is for tests; without it Redis' own counts."""

    def __init__(self, url: str, clock: Callable[[], float] | None = None) -> None:
        self._client = Redis.from_url(
            url,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
        self._memory = _Memory(self._client.register_script(_SCRIPT), clock)
        self._budgets: dict[str, SharedBudget] = {}

    def __call__(self, origin: str) -> SharedBudget:
        """The budget of one store."""
        found = self._budgets.get(origin)
        if found is None:
            found = self._budgets[origin] = SharedBudget(self._memory, origin)
        return found

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


class _Memory:
    """Runs the script, and knows whether Redis is there. None stands for an absent Redis."""

    def __init__(self, script: AsyncScript, clock: Callable[[], float] | None) -> None:
        self._script = script
        self._clock = clock
        self._away_until = 0.0

    async def run(
        self, keys: Sequence[str], act: str, place: Place, *values: float | str
    ) -> list[str] | None:
        if time.monotonic() < self._away_until:
            return None
        now = "" if self._clock is None else repr(self._clock())
        try:
            found: list[str] | None = await self._script(
                keys, [act, now, place.epoch, place.number, place.cost, *values]
            )
        except (RedisError, OSError, TimeoutError) as error:
            if not self._away_until:
                log.warning("budget.redis_away", error=type(error).__name__)
            self._away_until = time.monotonic() + _AWAY
            return None
        if self._away_until:
            log.info("budget.redis_back")
            self._away_until = 0.0
        return found or []


class SharedBudget:
    """One store's budget, spent from by all processes that know the same Redis."""

    def __init__(self, memory: _Memory, origin: str) -> None:
        # The origin is no secret, but nobody who looks into Redis needs to know our stores.
        name = hashlib.sha256(origin.encode()).hexdigest()[:32]
        self._keys = [f"recent-sync:budget:{{{name}}}", f"recent-sync:budget:{{{name}}}:places"]
        self._memory = memory
        self._alone = LocalBudget()
        self._kind = Kind.UNKNOWN

    async def ask(self, place: Place, patience: float) -> float:
        """Seconds to wait before asking again; 0: send now."""
        found = await self._memory.run(self._keys, "ask", place, patience)
        if not found:
            return await self._alone.ask(place, patience)
        wait, place.epoch, number, mark, kind = found
        place.number, place.mark = int(number), float(mark)
        self._kind = Kind(kind)
        return float(wait)

    async def tell(self, place: Place, word: Word) -> None:
        """What came of a request that was let go."""
        await self._alone.tell(place, word)
        if word == Word() and self._kind is not Kind.UNKNOWN:
            return
        values: list[float | str] = [place.mark, int(word.refused), word.hold]
        await self._memory.run(self._keys, "tell", place, *values, *_numbers(word.pace))


def _numbers(pace: Pace | None) -> list[float]:
    return [] if pace is None else [float(each) for each in pace]
