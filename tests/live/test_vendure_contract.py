"""Vendure shows what every connector must show, on a running store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.testing.contract import DescriptionContract, SourceContract, TargetContract
from connectors.vendure import CONNECTOR
from tests.live.vendure.bench import VendureBench, open_bench
from tests.live.vendure.store import VendureStore


@pytest.fixture
async def bench(vendure: VendureStore) -> AsyncIterator[VendureBench]:
    async with open_bench(vendure) as opened:
        yield opened


class TestVendure(DescriptionContract):
    connector = CONNECTOR


class TestVendureSource(SourceContract):
    connector = CONNECTOR


class TestVendureTarget(TargetContract):
    connector = CONNECTOR
