"""Reading a Shopify store."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Self

import httpx
from msgspec.structs import replace

from connectors.base import (
    Extent,
    Finding,
    Json,
    Marks,
    Page,
    StoreAccess,
    StoreReport,
    Sweep,
    Traffic,
    Window,
)
from connectors.cms import CmsPages
from connectors.concurrency import read_ahead
from connectors.errors import BadAnswer
from connectors.grants import Lack, Work
from connectors.records import Record, Stream
from connectors.shopify.api import Api, open_api
from connectors.shopify.bulk import BulkReader, NoBulkError, is_going
from connectors.shopify.bulk_lines import Lines
from connectors.shopify.cms import cms_pages
from connectors.shopify.desk import ShopifyDesk
from connectors.shopify.documents import CLOCK, KINDS
from connectors.shopify.feed import deleted
from connectors.shopify.files import Files
from connectors.shopify.lacking import lacks
from connectors.shopify.loading import Loader
from connectors.shopify.probing import probe
from connectors.shopify.searches import asked_since
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.shop import READ_SCOPES, examine
from connectors.shopify.single import SingleRecords
from connectors.shopify.splitting import counted, split
from connectors.shopify.verifying import BulkCheck
from connectors.shopify.walking import Step, Walker
from connectors.shopify.wire import Wire, WireId

_BULK_MARK = "RecentSync_"


class _Clock(Wire):
    shop: WireId


class ShopifySource:
    """One store, to read from.

    Parts are `{after, upto}`, a range of ids, or `{bulk}`, the name of a bulk operation. Resume
    tokens are `{after}`, the last id seen, with `bulk`, the operation's id, while one is read.
    """

    def __init__(
        self,
        access: StoreAccess,
        api: Api | None = None,
        *,
        files: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        if not isinstance(access.settings, ShopifySettings):
            raise TypeError("settings of another platform")
        self._settings = access.settings
        self._api = api or open_api(access)
        self._loader = Loader(self._api, self._settings)
        self._single = SingleRecords(self._api, self._loader)
        self.desk = ShopifyDesk(self._api, self._loader)
        self._walker = Walker(self._api, self._settings.page_size)
        way = Files(self._api, self._settings, transport=files)
        self._bulk = BulkReader(self._api, self._settings, way)

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._api.__aexit__(*exc)

    def traffic(self) -> Traffic:
        """Requests sent since the store was opened, and how many it refused for now."""
        return Traffic(self._api.stats.requests, self._api.stats.throttled)

    async def check(self) -> StoreReport:
        """Prove that the store answers in our version and grants all that reading needs."""
        return await examine(self._api, self._settings, READ_SCOPES)

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """The access scopes that it needs and the app does not have."""
        return await lacks(self._api, work, writing=False)

    async def server_time(self) -> datetime:
        """The `Date` header of a request made now: whole seconds, never ahead of the store."""
        await self._api.ask(CLOCK, _Clock)
        found = self._api.http.server_date
        if found is None:
            raise BadAnswer("the store does not say what time it is", code="store_no_clock")
        return found

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        """The store's own count; None where it only says that there are at least so many, and for
        customers that changed, whose bound is not exact.
        """
        if stream is Stream.CUSTOMERS and isinstance(extent, Window):
            return None
        return await counted(self._api, stream, extent)

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        """One bulk operation for a large sweep, else ranges of ids of about the same size."""
        total = await self.count(stream, extent)
        large = total is None or total >= self._settings.bulk_from
        if large and isinstance(extent, Sweep):
            return [{"bulk": f"{_BULK_MARK}{secrets.token_hex(8)}"}]
        if total is None:
            return [{}]
        wanted = min(parts, total // (2 * self._settings.page_size))
        return await split(self._api, stream, extent, total, wanted)

    async def read(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        """Pages in order of ids, the next one being fetched while one is in use. While a bulk
        operation runs, pages without records say which one to go on with.
        """
        pages = read_ahead(self._pages(stream, extent, part, resume))
        try:
            async for page in pages:
                yield page
        finally:
            await pages.aclose()

    async def enumerate(
        self, stream: Stream, extent: Sweep, part: Json, resume: Json | None
    ) -> AsyncGenerator[Marks, None]:
        """Ids and dates of change alone, 250 in one request."""
        after, upto = _place(part, resume)
        async for marks in self._walker.marks(stream, extent, after, upto):
            yield marks

    async def probe(self, stream: Stream) -> tuple[Finding, ...]:
        """Two requests; nothing is asked where lists cannot be searched by date."""
        return await probe(self._api, stream) if KINDS[stream].by_change else ()

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records; the store answers null for what is gone."""
        return await self._single.get(stream, ids)

    async def deleted(self, stream: Stream, since: datetime) -> frozenset[str]:
        """What the store's history calls deleted, for a year; of stock it tells nothing."""
        return await deleted(self._api, stream, since)

    async def cms_pages(self, most: int) -> CmsPages:
        """Pages, blogs and articles, where the app may read them."""
        return await cms_pages(self._api, self._settings.public_pages, most)

    async def _pages(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        if "bulk" in part and (resume is None or "bulk" in resume):
            after = resume["after"] if resume else 0
            operation = resume["bulk"] if resume else None
            found = self._from_bulk(stream, part["bulk"], operation, after)
            try:
                # Closed with us, for it holds a file.
                async with aclosing(found) as pages:
                    async for page in pages:
                        after = page.resume["after"] if page.resume else after
                        yield page
            except NoBulkError:
                # What came of it so far is whole; the rest is read page by page.
                resume = {"after": after}
            else:
                return
        last, upto = _place(part, resume)
        async for step in self._walker.walk(stream, extent, last, upto):
            page = await self._page(stream, extent, step.rows, _token(step))
            yield replace(page, failed=(*step.failed, *page.failed))

    async def _from_bulk(
        self, stream: Stream, mark: str, operation: str | None, after: int
    ) -> AsyncGenerator[Page, None]:
        if operation is None:
            operation = await self._bulk.begin(stream, mark)
        token = {"bulk": operation, "after": after}
        state = await self._bulk.state(operation)
        while is_going(state):
            yield Page(records=(), resume=token)
            state = await self._bulk.later(state)
        yield Page(records=(), resume=token)
        lines = await self._bulk.lines(stream, state)
        try:
            check = BulkCheck(self._loader, stream)
            await check.sample(lines)
            async for page in self._of_lines(stream, lines, check, operation, after):
                yield page
        finally:
            lines.close()

    async def _of_lines(
        self, stream: Stream, lines: Lines, check: BulkCheck, operation: str, after: int
    ) -> AsyncIterator[Page]:
        ids = [each for each in lines.ids if each > after]
        size = self._settings.page_size
        for start in range(0, max(1, len(ids)), size):
            some = ids[start : start + size]
            rows, failed = await check.completed(list(lines.rows(some)))
            more = start + size < len(ids)
            token = {"bulk": operation, "after": some[-1]} if more else None
            page = await self._page(stream, Sweep(), rows, token)
            yield replace(page, total=len(lines.ids), failed=(*failed, *page.failed))

    async def _page(
        self, stream: Stream, extent: Extent, rows: Sequence[Any], token: Json | None
    ) -> Page:
        records, failed = await self._loader.load(stream, rows)
        kept, outside = _inside(stream, extent, records)
        return Page(records=tuple(kept), resume=token, outside=outside, failed=tuple(failed))


def _place(part: Json, resume: Json | None) -> tuple[int, int | None]:
    """Where to go on, and where to end."""
    after: int = resume["after"] if resume else part.get("after", 0)
    return after, part.get("upto")


def _token(step: Step) -> Json | None:
    return {"after": step.last} if step.more else None


def _inside(stream: Stream, extent: Extent, records: Sequence[Record]) -> tuple[list[Record], int]:
    """Records of the window, and how many the store should have kept back. Between the bound that
    it was given and the window's own lie those that it rightly shows and nobody asked for.
    """
    bound = asked_since(stream, extent)
    if bound is None or not isinstance(extent, Window):
        return list(records), 0
    since = extent.since.replace(microsecond=0)
    kept = [each for each in records if each.stamp is None or each.stamp >= since]
    outside = sum(each.stamp is not None and each.stamp < bound for each in records)
    return kept, outside
