"""Vendure over its Admin API (GraphQL): as source and as target."""

from __future__ import annotations

from connectors.base import Connector
from connectors.vendure.capabilities import READS, WRITES
from connectors.vendure.granting import PERMISSIONS, STEPS
from connectors.vendure.settings import VendureCredentials, VendureSettings
from connectors.vendure.source import VendureSource
from connectors.vendure.target import VendureTarget

CONNECTOR = Connector(
    name="vendure",
    title="Vendure",
    settings=VendureSettings,
    credentials=VendureCredentials,
    permissions=PERMISSIONS,
    steps=STEPS,
    reads=READS,
    writes=WRITES,
    source=VendureSource,
    target=VendureTarget,
)
