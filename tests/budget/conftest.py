from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.budget import SharedBudgets


class Clock:
    """Time that only a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def budgets(servers, clock: Clock) -> AsyncIterator[SharedBudgets]:
    """Shared budgets on a clock that stands still."""
    opened = SharedBudgets(servers.redis_url, clock)
    yield opened
    await opened.close()
