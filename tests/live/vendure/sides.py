"""A Vendure store as one side of a migration."""

from __future__ import annotations

from connectors.vendure import CONNECTOR
from connectors.vendure.source import VendureSource
from tests.live.pairs import Side
from tests.live.vendure.store import VendureStore


def side(store: VendureStore) -> Side:
    """A running Vendure store as one side of a migration."""
    url = store.access().settings.url  # type: ignore[attr-defined]
    return Side(CONNECTOR, url, store.credentials, lambda: VendureSource(store.access()))
