"""Medusa 2 over its Admin API: as source and as target."""

from __future__ import annotations

from connectors.base import Connector
from connectors.medusa.settings import MedusaCredentials, MedusaSettings

CONNECTOR = Connector(
    name="medusa",
    title="Medusa",
    settings=MedusaSettings,
    credentials=MedusaCredentials,
)
