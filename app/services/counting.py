"""Counting records at the source: by its own count, or from a part that is read. Bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

from app.planning.sizing import Basis, Number, by_ratio
from connectors.abilities import Tallies
from connectors.base import Extent, Source, Sweep
from connectors.records import InventoryLevel, Stream

READING_SECONDS = 15.0
_COUNTS = 3
MOST_PAGES = 80
"""A stream that the store cannot count is read for so long, and so far."""


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


async def steady_count(source: Source, stream: Stream) -> int | None:
    """The store's own count of a stream, once it has given the same one twice; None where it gives
    none, or another one each time. Some stores add it up from several answers, between which an
    abandoned cart may come. Raises `StoreError`.
    """
    before = await source.count(stream, Sweep())
    for _ in range(_COUNTS):
        if before is None:
            break
        now = await source.count(stream, Sweep())
        if now == before:
            return now
        before = now
    return None


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
