"""Opening a store for a question that somebody waits for: bounded in time, failures as problems."""

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

SECONDS = 40.0
"""After this long a store that does not answer is a problem."""


@asynccontextmanager
async def open_source(
    store: Store, resources: Resources, *, patience: float = SECONDS
) -> AsyncIterator[Source]:
    """The store as a source, for a while. It spends from the store's budget.

    Raises `StoreCannot`, `StoreFailed`, and `StoreTooSlow` where time is up.
    """
    platform, access = _access(store, resources, "source")
    if platform.source is None:
        raise StoreCannot(f"{platform.title} can only be written.")
    async with _bounded("source", patience), platform.source(access) as source:
        yield source


@asynccontextmanager
async def open_target(
    store: Store, resources: Resources, *, patience: float = SECONDS
) -> AsyncIterator[Target]:
    """The store as a target, as `open_source`."""
    platform, access = _access(store, resources, "target")
    if platform.target is None:
        raise StoreCannot(f"{platform.title} can only be read.")
    async with _bounded("target", patience), platform.target(access) as target:
        yield target


def _access(store: Store, resources: Resources, side: str) -> tuple[Connector, StoreAccess]:
    try:
        platform = registry.connector(store.platform)
        credentials = resources.vault.open(store.credentials)
        access = registry.access(store.platform, store.settings, credentials)
    except registry.UnknownPlatformError:
        raise StoreCannot(f"The connector of the {side}'s platform is not installed.") from None
    except (VaultError, registry.AccessError):
        raise StoreFailed(f"The {side}'s settings or credentials have to be renewed.") from None
    return platform, replace(access, budgets=resources.budgets)


@asynccontextmanager
async def _bounded(side: str, seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except StoreError as error:
        raise StoreFailed(error.message, extra={"reason": error.code}) from None
    except TimeoutError:
        raise StoreTooSlow(f"The {side} did not answer within {seconds:.0f} seconds.") from None
