"""A process that asks a limited store as much as it may, for the benchmark and the tests.

`python -m benchmarks.asking URL NAME --seconds 10 [--redis URL]`: so many askers at once; what they
would give back to the queue they wait for themselves. Prints one object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from contextlib import AsyncExitStack

from app.budget import SharedBudgets
from connectors.errors import TryLater
from connectors.http import StoreHttp


async def ask(url: str, name: str, *, seconds: float, askers: int, redis: str | None) -> None:
    """Ask until the time is over, then print how often the queue would have been needed."""
    end = time.monotonic() + seconds
    given_back = 0
    async with AsyncExitStack() as stack:
        budgets = None
        if redis is not None:
            budgets = SharedBudgets(redis)
            stack.push_async_callback(budgets.close)
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
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--askers", type=int, default=8)
    parser.add_argument("--redis")
    given = parser.parse_args()
    asyncio.run(
        ask(
            given.url,
            given.name,
            seconds=given.seconds,
            askers=given.askers,
            redis=given.redis,
        )
    )


if __name__ == "__main__":
    main()
