"""Vendure stores of the live tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.vendure.target import VendureTarget
from tests.fixtures.servers import Addresses
from tests.live import npm
from tests.live.vendure.store import Vendures, VendureStore


@pytest.fixture(scope="session")
def vendures(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Vendures:
    """A way to open Vendure stores."""
    if npm.node() is None:
        pytest.exit("Real stores need Node and npm on the PATH.", returncode=1)
    return Vendures(servers.database_url, tmp_path_factory.mktemp("vendure"))


@pytest.fixture(scope="session")
async def opened_vendure(vendures: Vendures) -> AsyncIterator[VendureStore]:
    async with vendures.open("whole") as store:
        yield store


@pytest.fixture(scope="session")
async def bare_vendure(vendures: Vendures) -> AsyncIterator[VendureStore]:
    """A store without our add-on."""
    async with vendures.open("bare", addon=False) as store:
        yield store


@pytest.fixture
async def vendure(opened_vendure: VendureStore) -> VendureStore:
    """A store with our add-on, empty."""
    await opened_vendure.control("reset")
    return opened_vendure


@pytest.fixture
async def vendure_target(vendure: VendureStore) -> AsyncIterator[VendureTarget]:
    """The connector, signed in to write to it."""
    async with VendureTarget(vendure.access()) as opened:
        yield opened
