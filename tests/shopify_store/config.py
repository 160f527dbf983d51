"""What a practice store is when it opens."""

import time
from collections.abc import Callable
from dataclasses import dataclass

READING = (
    "read_all_orders",
    "read_content",
    "read_customers",
    "read_inventory",
    "read_locations",
    "read_merchant_managed_fulfillment_orders",
    "read_online_store_navigation",
    "read_orders",
    "read_products",
    "read_publications",
)
WRITING = (
    "write_customers",
    "write_inventory",
    "write_merchant_managed_fulfillment_orders",
    "write_online_store_navigation",
    "write_orders",
    "write_products",
    "write_publications",
)


@dataclass(frozen=True, kw_only=True)
class StoreConfig:
    """One store and the one app that is installed in it.

    `bucket` and `restore_rate` are points and points a second, `max_query_cost` what one document
    may ask for. `orders_a_minute` is the limit of a development store, None for a paying one.
    `bulk_rows_a_second` is how fast a bulk operation gets on; with None it is done at the first
    look; `import_rows_a_second` the same of an import of redirects. `time_source`
    gives seconds since 1970.
    """

    name: str = "Practice"
    currency: str = "GBP"
    timezone: str = "America/New_York"
    token: str = "shpat_practice"
    client_id: str = "practice"
    client_secret: str = "shpss_practice"
    scopes: tuple[str, ...] = READING + WRITING
    bucket: float = 2000.0
    restore_rate: float = 100.0
    max_query_cost: int = 1000
    orders_a_minute: int | None = None
    bulk_at_once: int = 5
    bulk_rows_a_second: float | None = None
    import_rows_a_second: float | None = None
    taxes_included: bool = False
    time_source: Callable[[], float] = time.time

    @property
    def development(self) -> bool:
        """Whether this is a development store."""
        return self.orders_a_minute is not None
