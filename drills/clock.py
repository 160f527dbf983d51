"""An event loop with a time of its own: it passes only while everybody waits for it.

All that sleeps here (engine, connectors, practice stores, leases) sleeps in virtual time, which
leaps to the next timer as soon as nothing can run. What lies outside of this process, PostgreSQL,
takes no virtual time: while its answer is awaited, the clock stands still.

Whether an answer has come is looked at only when nothing else can run. The order in which tasks go
on therefore depends on nothing but the tasks themselves, and not on how fast the machine is.
"""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PATIENCE = 60.0
"""Real seconds that an answer from outside may take."""


class StandstillError(RuntimeError):
    """Nothing can ever happen again: every task waits for another one."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """`start` is when it begins, in seconds since 1970. `outside` says that somebody waits for
    what no timer of this loop brings: whoever goes out sets it, and takes it back.
    """

    def __init__(self, start: float) -> None:
        self._start = start
        self._passed = 0.0
        self.outside = False
        super().__init__(_Selector(self))

    def time(self) -> float:
        """Seconds since it began: a small number, so that no timer is lost in rounding."""
        return self._passed

    def now(self) -> float:
        """Seconds since 1970."""
        return self._start + self._passed

    def leap(self, seconds: float) -> None:
        """Let time pass at once."""
        self._passed += seconds


class _Selector(selectors.DefaultSelector):
    """Looks for answers from outside only when a task waits for one and nothing else can run."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        """As the loop wants it: 0 where something can run, else the time to the next timer."""
        if timeout is not None and timeout <= 0:
            return []
        if self._loop.outside:
            found = super().select(_PATIENCE)
            if not found:
                raise StandstillError(f"no answer from outside within {_PATIENCE:.0f} s")
            return found
        if timeout is None:
            raise StandstillError("every task waits for another one")
        self._loop.leap(timeout)
        return []


@contextmanager
def virtual_time(start: float) -> Iterator[asyncio.Runner]:
    """A runner whose loop begins at a moment, in seconds since 1970.

    Garbage is collected afterwards, not meanwhile: generators that a dead worker leaves behind
    are closed when they are found, and that would be at a moment of its own in every run.
    """
    loop = VirtualLoop(start)
    loop.set_exception_handler(_pass_over)
    was_on = gc.isenabled()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            yield runner
    finally:
        if was_on:
            gc.enable()


def _pass_over(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a worker that died in the middle leaves behind is no news."""
    del loop, context
