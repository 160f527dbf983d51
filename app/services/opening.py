"""Stores opened for a request of the API. What goes wrong with them becomes a problem."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TypeVar

from msgspec.structs import replace

from app.errors import StoreFailed
from app.models import Store
from app.resources import Resources
from app.security import VaultError
from connectors import registry
from connectors.base import Connector, Source, StoreAccess, Target
from connectors.errors import StoreError

Side = TypeVar("Side", Source, Target)

SECONDS = 45.0
"""How long a request may talk to a store."""


def access_of(resources: Resources, store: Store) -> StoreAccess:
    """A store's address, with the budget of all who ask it. Raises `StoreFailed`."""
    try:
        credentials = resources.vault.open(store.credentials)
        access = registry.access(store.platform, store.settings, credentials)
    except registry.UnknownPlatformError:
        raise _failed(store, "unknown_platform", "Its connector is not installed.") from None
    except registry.AccessError:
        raise _failed(store, "invalid_store_settings", "Its settings do not fit.") from None
    except VaultError:
        raise _failed(store, "credentials_unreadable", "No key opens its credentials.") from None
    return replace(access, budgets=resources.budgets)


def opened_source(resources: Resources, store: Store) -> AbstractAsyncContextManager[Source]:
    """A store to read from. Whatever it raises within the block is a `StoreFailed`."""
    return _opened(resources, store, lambda platform: platform.source, "read")


def opened_target(resources: Resources, store: Store) -> AbstractAsyncContextManager[Target]:
    """A store to write to, as `opened_source`."""
    return _opened(resources, store, lambda platform: platform.target, "written")


@asynccontextmanager
async def _opened(
    resources: Resources,
    store: Store,
    side: Callable[[Connector], Callable[[StoreAccess], Side] | None],
    done: str,
) -> AsyncIterator[Side]:
    access = access_of(resources, store)
    make = side(registry.connector(store.platform))
    if make is None:
        raise _failed(store, "wrong_direction", f"It cannot be {done}.")
    with _failing(store):
        async with asyncio.timeout(SECONDS), make(access) as opened:
            yield opened


@contextmanager
def _failing(store: Store) -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise _failed(store, error.code, f"It says: {error.message}.") from None
    except TimeoutError:
        text = f"It took longer than {SECONDS:.0f} seconds."
        raise _failed(store, "store_timeout", text) from None


def _failed(store: Store, code: str, sentence: str) -> StoreFailed:
    return StoreFailed(
        f"The store {store.name} did not do its part. {sentence}",
        extra={"store": store.name, "store_code": code},
    )
