"""Shopify over its Admin API (GraphQL): as source and as target."""

from __future__ import annotations

from connectors.base import Connector
from connectors.shopify.capabilities import READS, WRITES
from connectors.shopify.settings import ShopifyCredentials, ShopifySettings
from connectors.shopify.source import ShopifySource
from connectors.shopify.target import ShopifyTarget

CONNECTOR = Connector(
    name="shopify",
    title="Shopify",
    settings=ShopifySettings,
    credentials=ShopifyCredentials,
    reads=READS,
    writes=WRITES,
    source=ShopifySource,
    target=ShopifyTarget,
)
