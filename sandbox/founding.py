"""A store as it is on its first day."""

from sandbox import categories, cms, customers
from sandbox.store import Store


def found(store: Store) -> None:
    """Give a new store what every WooCommerce has from the start."""
    store.found()
    customers.found(store)
    categories.found(store)
    cms.found(store)
    store.writes.clear()
    store.storage.commit()


def found_anew(store: Store) -> None:
    """Forget everything but the clock, as if the store had just been installed."""
    store.faults.switch({"all": None})
    store.storage.clear()
    store.requests.clear()
    found(store)
