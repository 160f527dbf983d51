"""Writing records one by one, side by side: what the caller hears of those that failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from connectors.attempts import Attempt
from connectors.base import Operation, Outcome
from connectors.concurrency import together
from connectors.errors import StoreError

WriteOne = Callable[[Operation], Awaitable[Outcome]]
"""Writes one record. Raises `StoreError` only while nothing of it was applied, or all of it may
have been in one request.
"""


async def write_each(
    operations: Sequence[Operation],
    write: WriteOne,
    room: asyncio.Semaphore,
    attempt: Attempt,
) -> list[Outcome]:
    """One request or more for each record. The first one goes ahead: where the store is closed,
    nothing at all is applied, and that is what the caller hears. `attempt` is a new one.
    """

    async def one(operation: Operation) -> Outcome | StoreError:
        async with room:
            try:
                return await write(operation)
            except StoreError as error:
                return error

    found: list[Outcome | StoreError] = [await one(operations[0])]
    if isinstance(found[0], StoreError):
        found[0] = attempt.outcome(operations[0], found[0])
    attempt.touched = True
    found += await together([one(each) for each in operations[1:]])
    return [
        attempt.outcome(operation, each) if isinstance(each, StoreError) else each
        for operation, each in zip(operations, found, strict=True)
    ]
