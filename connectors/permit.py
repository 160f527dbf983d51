"""Whether the caller may still write: asked before every single request that changes a store.

Writing a page takes many requests, and a process can stand still between any two of them. Whoever
calls a connector may lose the right to write meanwhile; what it lends here is checked at the last
moment before a change leaves this process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Check = Callable[[], None]
"""Raises where writing is not allowed any more. What it raises reaches the caller unchanged."""

_check: ContextVar[Check | None] = ContextVar("write_permit", default=None)


@contextmanager
def permitted_by(check: Check) -> Iterator[None]:
    """Within the block, in this task and those it starts, a change is sent only if `check` lets."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def require_permit() -> None:
    """Raise what the caller's check raises. Without a check everything is allowed."""
    check = _check.get()
    if check is not None:
        check()
