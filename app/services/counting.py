"""Counting records at the source: by its own count, or from a part that is read. Bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager

from msgspec.structs import replace

from app.errors import StoreCannot, StoreFailed, StoreTooSlow
from app.models import Store
from app.planning.sizing import Basis, Number, by_ratio
from app.resources import Resources
from app.security import VaultError
from connectors import registry
from connectors.base import Extent, Source, Sweep, Tallies
from connectors.errors import StoreError
from connectors.records import InventoryLevel, Stream

SECONDS = 40.0
"""After this long a store that does not answer is a problem."""

READING_SECONDS = 15.0
MOST_PAGES = 80
"""A stream that the store cannot count is read for so long, and so far."""


@asynccontextmanager
async def open_source(
    store: Store, resources: Resources, *, patience: float | None = None
) -> AsyncIterator[Source]:
    """The store as a source, for a while. It spends from the store's budget.

    Raises `StoreCannot`, `StoreFailed`, and `StoreTooSlow` where time is up.
    """
    seconds = SECONDS if patience is None else patience
    try:
        platform = registry.connector(store.platform)
        credentials = resources.vault.open(store.credentials)
        access = registry.access(store.platform, store.settings, credentials)
    except registry.UnknownPlatformError:
        raise StoreCannot("The connector of the source's platform is not installed.") from None
    except (VaultError, registry.AccessError):
        raise StoreFailed("The source's settings or credentials have to be renewed.") from None
    if platform.source is None:
        raise StoreCannot(f"{platform.title} can only be written.")
    try:
        async with (
            asyncio.timeout(seconds),
            platform.source(replace(access, budgets=resources.budgets)) as source,
        ):
            yield source
    except StoreError as error:
        raise StoreFailed(error.message, extra={"reason": error.code}) from None
    except TimeoutError:
        raise StoreTooSlow(f"The source did not answer within {seconds:.0f} seconds.") from None


async def count(
    source: Source, stream: Stream, extent: Extent, *, linked: int | None, groups: int | None
) -> Number:
    """How many records an extent holds. `linked` are those of a sweep that the ledger knows,
    `groups` the products that levels of stock belong to.
    """
    total = await source.count(stream, extent)
    if total is not None:
        return Number.exact(total, Basis.COUNTED)
    if isinstance(extent, Sweep) and isinstance(source, Tallies):
        tallied = await source.tally(stream, MOST_PAGES)
        if tallied is not None:
            return Number.exact(tallied, Basis.COUNTED)
    if linked is not None and isinstance(extent, Sweep):
        return Number.exact(linked, Basis.LEDGER)
    return await _read(source, stream, extent, groups)


async def _read(source: Source, stream: Stream, extent: Extent, groups: int | None) -> Number:
    """Read until the end, or until it was enough."""
    loop = asyncio.get_running_loop()
    end = loop.time() + READING_SECONDS
    seen: list[tuple[int, int]] = []
    products: set[str] = set()
    async with aclosing(source.read(stream, extent, {}, None)) as pages:
        async for page in pages:
            before = len(products)
            products.update(
                each.content.product
                for each in page.records
                if isinstance(each.content, InventoryLevel)
            )
            records = len(page.records) + len(page.failed) + len(page.unread)
            seen.append((records, len(products) - before))
            if page.resume is None:
                total = sum(each for each, _ in seen)
                return Number.exact(total, Basis.READ, f"all of {len(seen):,} pages")
            if len(seen) >= MOST_PAGES or loop.time() >= end:
                break
    if groups is not None and products:
        return by_ratio(seen, max(groups, len(products)))
    read = sum(each for each, _ in seen)
    return Number(
        records=read,
        low=read,
        high=None,
        basis=Basis.AT_LEAST,
        sample=f"{len(seen):,} pages, and there are more",
    )


async def count_sweeps(
    source: Source, streams: Mapping[Stream, int | None]
) -> dict[Stream, Number]:
    """All records of each stream; the values are what the ledger knows of it."""
    found: dict[Stream, Number] = {}
    for stream in Stream:
        if stream in streams:
            products = found.get(Stream.PRODUCTS)
            groups = products.records if products else None
            if stream is Stream.INVENTORY and groups is None:
                groups = await source.count(Stream.PRODUCTS, Sweep())
            found[stream] = await count(
                source, stream, Sweep(), linked=streams[stream], groups=groups
            )
    return found
