"""Doing several things at once: as many as the store bears, and no longer than they are wanted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
)
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")


class Concurrency:
    """How many requests to one store may run at once, learnt from how the store answers.

    Additive increase, multiplicative decrease: starts small, grows by one after about as many
    good answers as the limit is, and halves when the store throttles or times out. A halving
    counts once for all requests that were under way when it happened. A pause that the store
    asked for holds back every request of the store.
    """

    def __init__(self, start: int = 4, most: int = 16) -> None:
        self._limit = float(start)
        self._most = float(most)
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._not_before = 0.0
        self._forgiven = 0

    @property
    def limit(self) -> int:
        """How many requests may run at once now."""
        return int(self._limit)

    def went_well(self) -> None:
        """Grow a little."""
        self._limit = min(self._most, self._limit + 1 / self._limit)
        self._forgiven = max(0, self._forgiven - 1)

    def went_badly(self, pause: float = 0.0) -> None:
        """Halve, unless a request of the same moment did; hold back all for `pause` seconds."""
        self._not_before = max(self._not_before, _now() + pause)
        if self._forgiven > 0:
            self._forgiven -= 1
            return
        self._limit = max(1.0, self._limit / 2)
        self._forgiven = self._running - 1

    @asynccontextmanager
    async def slot(self, sleep: Callable[[float], Awaitable[None]]) -> AsyncIterator[None]:
        """Hold one of the places; waits for one, and for the end of a pause."""
        await self._enter()
        try:
            pause = self._not_before - _now()
            if pause > 0:
                await sleep(pause)
            yield
        finally:
            self._running -= 1
            self._wake()

    async def _enter(self) -> None:
        if self._running < self.limit and not self._waiting:
            self._running += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                # The place was given to us in the same moment: pass it on.
                self._running -= 1
            else:
                with suppress(ValueError):
                    self._waiting.remove(place)
            self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting and self._running < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self._running += 1
                place.set_result(None)


def _now() -> float:
    """The event loop's time, by which its sleeps are measured."""
    return asyncio.get_running_loop().time()


async def together(tasks: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run side by side and answer in order. The first failure cancels the rest and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(each) for each in tasks]
    except BaseExceptionGroup as failures:
        raise _first(failures) from None
    return [each.result() for each in running]


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = failures
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


async def read_ahead(pages: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same pages, each next one being fetched while the present one is in use."""
    task = asyncio.create_task(_next(pages))
    try:
        while (page := await task) is not None:
            task = asyncio.create_task(_next(pages))
            yield page
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await pages.aclose()


async def _next(pages: AsyncGenerator[T, None]) -> T | None:
    return await anext(pages, None)
