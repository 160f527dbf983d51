"""A process that asks a limited store as much as it may, for the benchmark and the tests.

`python -m benchmarks.asking URL NAME WAY --seconds 10 --redis URL`: some askers at once; what they
would give back to the queue they wait for themselves. Prints one object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from contextlib import AsyncExitStack
from enum import StrEnum

from app.budget import SharedBudgets
from app.log import configure
from connectors.budget import Budgets, LocalBudget, Place, Word, local_budget
from connectors.errors import TryLater
from connectors.http import StoreHttp


class Way(StrEnum):
    """How a process knows when to ask: from a budget that all share, from what it learns from
    headers by itself, or from being refused alone.
    """

    SHARED = "shared"
    ALONE = "alone"
    ADAPTIVE = "adaptive"


class Unheeding:
    """A budget that knows no pace: adaptive concurrency and waits after refusals are left."""

    def __init__(self) -> None:
        self._inner = LocalBudget()

    async def ask(self, place: Place, patience: float) -> float:
        """As ever."""
        return await self._inner.ask(place, patience)

    async def tell(self, place: Place, word: Word) -> None:
        """All but what the headers say."""
        await self._inner.tell(place, word._replace(pace=None))


async def ask(
    url: str, name: str, way: Way, *, seconds: float, askers: int, redis: str | None
) -> None:
    """Ask until the time is over, then print how often the queue would have been needed."""
    end = time.monotonic() + seconds
    given_back = 0
    async with AsyncExitStack() as stack:
        budgets: Budgets = local_budget
        if way is Way.ADAPTIVE:
            unheeding = Unheeding()
            budgets = lambda _: unheeding  # noqa: E731
        elif way is Way.SHARED:
            if redis is None:
                raise ValueError("a shared budget needs --redis")
            budgets = shared = SharedBudgets(redis)
            stack.push_async_callback(shared.close)
        http = await stack.enter_async_context(StoreHttp(url, budgets=budgets))

        async def one(asker: int) -> None:
            nonlocal given_back
            number = 0
            while (left := end - time.monotonic()) > 0:
                try:
                    await http.request(
                        "GET", f"/?{name}.{asker}.{number}", decode=lambda answer: answer.status
                    )
                    number += 1
                except TryLater as error:
                    given_back += 1
                    await asyncio.sleep(min(error.after, left))

        await asyncio.gather(*(one(asker) for asker in range(askers)))
        print(json.dumps({"given_back": given_back, "throttled": http.stats.throttled}))


def main() -> None:
    """Ask, as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("name")
    parser.add_argument("way", type=Way, choices=list(Way))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--askers", type=int, default=8)
    parser.add_argument("--redis")
    given = parser.parse_args()
    configure("WARNING", "text")
    asyncio.run(
        ask(
            given.url,
            given.name,
            given.way,
            seconds=given.seconds,
            askers=given.askers,
            redis=given.redis,
        )
    )


if __name__ == "__main__":
    main()
