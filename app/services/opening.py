"""Stores opened for a question that somebody waits for: bounded in time, failures as problems."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from app.errors import StoreCannot, StoreFailed, StoreTooSlow
from app.models import Store
from app.resources import Resources
from app.security import VaultError
from connectors import registry
from connectors.base import Connector, Source, StoreAccess, Target
from connectors.errors import StoreError

SECONDS = 45.0
"""After this long a store that does not answer is a problem."""


@asynccontextmanager
async def open_source(
    store: Store, resources: Resources, *, patience: float | None = None
) -> AsyncIterator[Source]:
    """The store as a source, for a while. It spends from the store's budget.

    Raises `StoreCannot`, `StoreFailed`, and `StoreTooSlow` where time is up.
    """
    platform = platform_of(store)
    if platform.source is None:
        raise StoreCannot(f"{platform.title} can only be written.")
    async with _bounded(store, patience), platform.source(access_of(store, resources)) as source:
        yield source


@asynccontextmanager
async def open_target(
    store: Store, resources: Resources, *, patience: float | None = None
) -> AsyncIterator[Target]:
    """The store as a target, as `open_source`."""
    platform = platform_of(store)
    if platform.target is None:
        raise StoreCannot(f"{platform.title} can only be read.")
    async with _bounded(store, patience), platform.target(access_of(store, resources)) as target:
        yield target


def access_of(store: Store, resources: Resources) -> StoreAccess:
    """The store's address and the budget of all who ask it. Raises `StoreCannot`, `StoreFailed`."""
    platform_of(store)
    try:
        credentials = resources.vault.open(store.credentials)
        access = registry.access(store.platform, store.settings, credentials)
    except registry.AccessError:
        raise _failed(store, "invalid_store_settings", "Its settings do not fit.") from None
    except VaultError:
        raise _failed(store, "credentials_unreadable", "No key opens its credentials.") from None
    return replace(access, budgets=resources.budgets)


def platform_of(store: Store) -> Connector:
    """The store's connector. Raises `StoreCannot` where it is not installed."""
    try:
        return registry.connector(store.platform)
    except registry.UnknownPlatformError:
        text = f"The connector of the store {store.name} is not installed."
        raise StoreCannot(text, extra={"store": store.name}) from None


@asynccontextmanager
async def _bounded(store: Store, patience: float | None) -> AsyncIterator[None]:
    seconds = SECONDS if patience is None else patience
    try:
        async with asyncio.timeout(seconds):
            yield
    except StoreError as error:
        raise _failed(store, error.code, f"It says: {error.message.rstrip('.')}.") from None
    except TimeoutError:
        text = f"The store {store.name} did not answer within {seconds:.0f} seconds."
        raise StoreTooSlow(text, extra={"store": store.name}) from None


def _failed(store: Store, code: str, sentence: str) -> StoreFailed:
    return StoreFailed(
        f"The store {store.name} did not do its part. {sentence}",
        extra={"store": store.name, "store_code": code},
    )
