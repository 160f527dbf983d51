"""Shopify over its Admin API (GraphQL)."""

from __future__ import annotations

from connectors.base import Connector
from connectors.shopify.capabilities import READS
from connectors.shopify.settings import ShopifyCredentials, ShopifySettings
from connectors.shopify.source import ShopifySource

CONNECTOR = Connector(
    name="shopify",
    title="Shopify",
    settings=ShopifySettings,
    credentials=ShopifyCredentials,
    reads=READS,
    source=ShopifySource,
)
