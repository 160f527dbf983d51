"""Medusa shows what every connector must show, against a server of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.medusa import CONNECTOR
from connectors.testing.contract import SourceContract, TargetContract
from connectors.testing.faults import FaultyProxy
from tests.live.medusa.bench import MedusaBench
from tests.live.medusa.store import MedusaStore


@pytest.fixture
async def bench(medusa: MedusaStore) -> AsyncIterator[MedusaBench]:
    async with FaultyProxy(medusa.url) as proxy:
        yield MedusaBench(medusa, proxy)


class TestMedusaSource(SourceContract):
    connector = CONNECTOR


class TestMedusaTarget(TargetContract):
    connector = CONNECTOR
