from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from drills.database import drill_database


@pytest.fixture(scope="session")
def drill_url(servers: Any) -> Iterator[str]:
    """A database for drills, one after the other."""
    with asyncio.Runner() as runner:
        database = drill_database(servers.database_url)
        url = runner.run(database.__aenter__())
        yield url
        runner.run(database.__aexit__(None, None, None))
