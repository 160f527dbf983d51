"""What the store's add-on tells of changes: those that no date shows, and deletions.

A window is read from the store's lists first. What the feed names beyond that is looked up record
by record: a change that moved no date, a product dated in the past, a refund that was deleted.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from connectors.base import Extent, Json, Page, Window
from connectors.records import Record, Stream
from connectors.woocommerce.addon import Addon, Change
from connectors.woocommerce.single import SingleRecords

FEED = "feed"
"""The name of the feed among the lists of a stream."""

TOLD = frozenset({Stream.PRODUCTS, Stream.ORDERS})
"""Streams that are read by windows, and whose windows the feed completes."""

_DELETED = "deleted"
_LOOKUP = 100


class FeedReader:
    """Reads the feed of one store. It remembers what its pass has read already."""

    def __init__(self, addon: Addon, single: SingleRecords) -> None:
        self._addon = addon
        self._single = single

    async def completes(self, stream: Stream, extent: Extent) -> bool:
        """Whether there is a feed that belongs to an extent."""
        is_told = stream in TOLD and isinstance(extent, Window)
        return is_told and await self._addon.is_usable()

    async def pages(
        self, stream: Stream, window: Window, after: int, seen: Seen
    ) -> AsyncGenerator[Page, None]:
        """Pages of what the feed names, behind its line `after`. Raises `StoreError`."""
        async for changes, more in self._addon.changes(stream, window.since, after):
            portions = [changes[at : at + _LOOKUP] for at in range(0, len(changes), _LOOKUP)]
            for number, some in enumerate(portions or [[]], start=1):
                is_last = not more and number >= len(portions)
                resume = None if is_last else _token(some[-1].seq)
                yield await self._page(stream, some, resume, seen)

    async def _page(
        self, stream: Stream, changes: Sequence[Change], resume: Json | None, seen: Seen
    ) -> Page:
        changed = [each for each in changes if each.event != _DELETED]
        news = {str(each.id) for each in changed if not seen.covers(each)}
        if not news:
            return Page(records=(), resume=resume)
        # One that nobody can read, which the lists have told of as well, must not end the pass.
        records, failed = await self._single.load(stream, sorted(news))
        return Page(records=tuple(records), resume=resume, failed=tuple(failed))

    async def deleted(self, stream: Stream, since: datetime) -> frozenset[str]:
        """Ids that the feed calls deleted; none where there is no feed. Raises `StoreError`."""
        if stream not in TOLD or not await self._addon.is_usable():
            return frozenset()
        pages = [changes async for changes, _ in self._addon.changes(stream, since)]
        return frozenset(
            str(each.id) for changes in pages for each in changes if each.event == _DELETED
        )


class Seen:
    """What a pass has read, and how new it was: the feed names most of it once more."""

    def __init__(self) -> None:
        self._stamps: dict[str, datetime] = {}

    def add(self, records: Sequence[Record]) -> None:
        """Remember records that were read."""
        self._stamps |= {each.id: each.stamp for each in records if each.stamp is not None}

    def covers(self, change: Change) -> bool:
        """Whether a change was read already: the record carries its date, or a later one."""
        stamp = self._stamps.get(str(change.id))
        return stamp is not None and stamp >= change.moment


START: Json = {"list": FEED, "last_id": 0, "offset": 0}
"""The token of the page behind which the feed begins."""


def place(resume: Json | None) -> int:
    """The line of the feed behind which a resume token goes on."""
    return int(resume["last_id"]) if resume and resume["list"] == FEED else 0


def _token(seq: int) -> Json:
    return {"list": FEED, "last_id": seq, "offset": 0}
