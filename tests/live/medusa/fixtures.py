"""Medusa stores that all tests of the platform share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.fixtures.servers import Addresses
from tests.live import npm
from tests.live.medusa.store import Medusas, MedusaStore


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
