"""The connector shows what every connector must show also where the store has the add-on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from connectors.records import Stream
from connectors.testing.contract import SourceContract, TargetContract
from connectors.woocommerce import CONNECTOR
from tests.connectors.practice import practice
from tests.connectors.test_woocommerce_contract import PracticeBench

WITH_ADDON = replace(
    CONNECTOR,
    writes={
        stream: replace(each, losses=each.losses_in(addon=True), idempotent=stream is Stream.ORDERS)
        for stream, each in CONNECTOR.writes.items()
    },
)
"""The same connector, held to what the add-on keeps, and to orders that may be sent twice."""


@pytest.fixture
async def bench() -> AsyncIterator[PracticeBench]:
    async with practice(addon=True) as shop:
        yield PracticeBench(shop)


class TestSourceWithAddon(SourceContract):
    connector = WITH_ADDON


class TestTargetWithAddon(TargetContract):
    connector = WITH_ADDON
