"""Real stores, installed from npm and running on this machine: `make test-live`."""

from __future__ import annotations

import pytest

from tests.engine.conftest import bench, engine_database
from tests.live.medusa.fixtures import (
    medusa,
    medusas,
    opened_medusa,
    other_medusa,
    other_opened_medusa,
)
from tests.live.tables import PairTables
from tests.live.vendure.fixtures import (
    bare_vendure,
    opened_vendure,
    vendure,
    vendure_target,
    vendures,
)

__all__ = [
    "bare_vendure",
    "bench",
    "engine_database",
    "medusa",
    "medusas",
    "opened_medusa",
    "opened_vendure",
    "other_medusa",
    "other_opened_medusa",
    "vendure",
    "vendure_target",
    "vendures",
]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(PairTables(), "pair-tables")
