"""WooCommerce over its REST API, version 3: as source and as target."""

from __future__ import annotations

from connectors.base import Connector
from connectors.woocommerce.capabilities import READS, REDIRECTS, WRITES
from connectors.woocommerce.granting import PERMISSIONS, STEPS
from connectors.woocommerce.settings import WooCommerceCredentials, WooCommerceSettings
from connectors.woocommerce.source import WooCommerceSource
from connectors.woocommerce.target import WooCommerceTarget

CONNECTOR = Connector(
    name="woocommerce",
    title="WooCommerce",
    settings=WooCommerceSettings,
    credentials=WooCommerceCredentials,
    permissions=PERMISSIONS,
    steps=STEPS,
    reads=READS,
    writes=WRITES,
    source=WooCommerceSource,
    target=WooCommerceTarget,
    redirects=REDIRECTS,
)
