"""Doing several things at once: as many as the store bears, and no longer than they are wanted."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
)
from contextlib import asynccontextmanager, suppress
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class Concurrency:
    """How many requests of this process to one store may run at once, learnt from its answers.

    Additive increase, multiplicative decrease: starts small, grows by one after about as many
    good answers as the limit is, and halves when the store throttles or times out. A halving
    counts once for all requests that were under way when it happened. How many requests a store
    allows over time, where it says so, is the budget's matter (`connectors.budget`).
    """

    def __init__(self, start: int = 4, most: int = 16) -> None:
        self._limit = float(start)
        self._most = float(most)
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._forgiven = 0

    @property
    def limit(self) -> int:
        """How many requests may run at once now."""
        return int(self._limit)

    def went_well(self) -> None:
        """Grow a little."""
        self._limit = min(self._most, self._limit + 1 / self._limit)
        self._forgiven = max(0, self._forgiven - 1)

    def went_badly(self) -> None:
        """Halve, unless a request of the same moment did."""
        if self._forgiven > 0:
            self._forgiven -= 1
            return
        self._limit = max(1.0, self._limit / 2)
        self._forgiven = self._running - 1

    def queued_long(self) -> None:
        """Shrink a little: those that are let in wait for their turn anyway."""
        self._limit = max(1.0, self._limit - 0.5)

    @asynccontextmanager
    async def slot(self, *, again: bool = False) -> AsyncIterator[None]:
        """Hold one of the places. Who comes `again` goes before those that were never let in."""
        await self._enter(again=again)
        try:
            yield
        finally:
            self._running -= 1
            self._wake()

    async def _enter(self, *, again: bool) -> None:
        if self._running < self.limit and (again or not self._waiting):
            self._running += 1
            return
        place = asyncio.get_running_loop().create_future()
        if again:
            self._waiting.appendleft(place)
        else:
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


def loop_time() -> float:
    """The running event loop's time in seconds, by which its sleeps are measured."""
    return asyncio.get_running_loop().time()


class PerLoop(Generic[T]):
    """One object for each store in each event loop, kept for as long as the loop: what was learnt
    of a store is still known when it is opened again.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._kept: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, T]] = WeakKeyDictionary()

    def __call__(self, origin: str) -> T:
        """The running loop's object for a store."""
        kept = self._kept.setdefault(asyncio.get_running_loop(), {})
        found = kept.get(origin)
        if found is None:
            found = kept[origin] = self._make()
        return found


concurrency_of = PerLoop(Concurrency)


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
