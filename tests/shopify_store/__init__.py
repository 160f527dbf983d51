"""A practice store that speaks Shopify's Admin GraphQL API, for tests.

It executes any document over the schema that Shopify publishes (`tests.contracts_location`), with
its own storage in memory, and behaves as the documentation and people's reports say: cost bucket,
filters that fail open, versions that fall forward, bulk operations with files, user errors.
"""

from tests.shopify_store.app import App, open_store
from tests.shopify_store.config import StoreConfig

__all__ = ["App", "StoreConfig", "open_store"]
