from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.engine.conftest import Bench, bench, engine_database
from tests.engine.practice_stores import Stores, between_practice_stores
from workers.engine import failpoints

__all__ = ["bench", "engine_database"]


@pytest.fixture
async def stores(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    async with between_practice_stores(bench, monkeypatch) as opened:
        yield opened


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    """No failpoint outlives its test."""
    yield
    failpoints.arm("")
