from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.connectors.practice import Practice, practice


@pytest.fixture
async def shop() -> AsyncIterator[Practice]:
    """A practice store with two products and a category below another."""
    async with practice(name="Old shop") as opened:
        await opened.load(
            product=[
                {"id": 201, "name": "Blue mug", "slug": "blue-mug", "description": "<p>Blue.</p>"},
                {"id": 202, "name": "Tin & tray", "slug": "tin-tray"},
                {"id": 203, "name": "Draft", "slug": "draft", "status": "draft"},
            ],
            category=[
                {"id": 301, "name": "Kitchen", "slug": "kitchen"},
                {"id": 302, "name": "Baking", "slug": "baking", "parent": 301},
            ],
        )
        yield opened
