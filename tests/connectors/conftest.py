from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.connectors.practice import Practice, practice


@pytest.fixture
async def shop() -> AsyncIterator[Practice]:
    """A practice store to read from."""
    async with practice() as opened:
        yield opened


@pytest.fixture
async def new_shop() -> AsyncIterator[Practice]:
    """A practice store to write to."""
    async with practice(timezone="Europe/Berlin") as opened:
        yield opened
