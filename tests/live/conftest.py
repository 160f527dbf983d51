"""Real stores, installed from npm and running on this machine: `make test-live`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.engine.conftest import bench, engine_database
from tests.fixtures.servers import Addresses
from tests.live import npm
from tests.live.medusa.store import Medusas, MedusaStore
from tests.live.tables import PairTables
from tests.live.vendure.fixtures import bare_vendure, opened_vendure, vendure, vendures

__all__ = [
    "bare_vendure",
    "bench",
    "engine_database",
    "opened_vendure",
    "vendure",
    "vendures",
]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(PairTables(), "pair-tables")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of one platform share its stores, and so one process."""
    for item in items:
        platform = item.path.stem.split("_")[1]
        item.add_marker(pytest.mark.xdist_group(platform))


@pytest.fixture(scope="session")
async def medusas(
    servers: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Medusas]:
    """A way to open Medusa stores."""
    if npm.node() is None:
        pytest.exit("Real stores need Node and npm on the PATH.", returncode=1)
    stores = Medusas(servers.database_url, tmp_path_factory.mktemp("medusa"))
    yield stores
    await stores.close()


@pytest.fixture(scope="session")
async def opened_medusa(medusas: Medusas) -> AsyncIterator[MedusaStore]:
    async with medusas.open("first") as store:
        yield store


@pytest.fixture(scope="session")
async def other_opened_medusa(medusas: Medusas) -> AsyncIterator[MedusaStore]:
    async with medusas.open("second") as store:
        yield store


@pytest.fixture
async def medusa(opened_medusa: MedusaStore) -> MedusaStore:
    """A store, empty."""
    await opened_medusa.empty()
    return opened_medusa


@pytest.fixture
async def other_medusa(other_opened_medusa: MedusaStore) -> MedusaStore:
    """A second store, empty."""
    await other_opened_medusa.empty()
    return other_opened_medusa
