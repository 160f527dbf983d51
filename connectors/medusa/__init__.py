"""Medusa 2 over its Admin API: as source and as target."""

from __future__ import annotations

from connectors.base import Connector
from connectors.medusa.capabilities import READS, WRITES
from connectors.medusa.granting import PERMISSIONS, STEPS
from connectors.medusa.settings import MedusaCredentials, MedusaSettings
from connectors.medusa.source import MedusaSource
from connectors.medusa.target import MedusaTarget

CONNECTOR = Connector(
    name="medusa",
    title="Medusa",
    settings=MedusaSettings,
    credentials=MedusaCredentials,
    permissions=PERMISSIONS,
    steps=STEPS,
    reads=READS,
    writes=WRITES,
    source=MedusaSource,
    target=MedusaTarget,
)
