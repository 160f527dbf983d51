"""Shopify over its Admin API (GraphQL): as source and as target."""

from __future__ import annotations

from connectors.base import Connector
from connectors.shopify.capabilities import READS, REDIRECTS, WRITES
from connectors.shopify.granting import PERMISSIONS, STEPS
from connectors.shopify.settings import ShopifyCredentials, ShopifySettings
from connectors.shopify.source import ShopifySource
from connectors.shopify.target import ShopifyTarget

CONNECTOR = Connector(
    name="shopify",
    title="Shopify",
    settings=ShopifySettings,
    credentials=ShopifyCredentials,
    permissions=PERMISSIONS,
    steps=STEPS,
    reads=READS,
    writes=WRITES,
    source=ShopifySource,
    target=ShopifyTarget,
    redirects=REDIRECTS,
)
