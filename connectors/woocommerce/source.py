"""Reading a WooCommerce store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from connectors.base import (
    Extent,
    Finding,
    Json,
    Mark,
    Marks,
    Page,
    StoreAccess,
    StoreReport,
    Sweep,
    Window,
)
from connectors.cms import CmsPages
from connectors.concurrency import read_ahead, together
from connectors.grants import Lack, Work
from connectors.records import Record, Stream
from connectors.session import Session
from connectors.woocommerce.addon import Addon
from connectors.woocommerce.api import Api, open_api
from connectors.woocommerce.cms import cms_pages
from connectors.woocommerce.desk import WooCommerceDesk
from connectors.woocommerce.feed import FEED, START, FeedReader, Seen, place
from connectors.woocommerce.lacking import lacks
from connectors.woocommerce.lists import (
    ALL,
    PATHS,
    ROWS,
    has_filter,
    is_filtered,
    names,
    query,
    stamps_only,
)
from connectors.woocommerce.loading import Loader
from connectors.woocommerce.mapping_orders import IGNORED
from connectors.woocommerce.parts import utc
from connectors.woocommerce.permalinks import product_paths
from connectors.woocommerce.probing import probe
from connectors.woocommerce.reading import Fetch, Place, Step, Walk
from connectors.woocommerce.settings import WooCommerceSettings
from connectors.woocommerce.single import SingleRecords
from connectors.woocommerce.tally import levels
from connectors.woocommerce.wire import WireId, WireStamp
from connectors.woocommerce.wordpress import examine, examine_addon

_PAGES_A_PART = 2


class WooCommerceSource(Session):
    """One store, to read from. Parts are `{list, after, upto, offset}`, resume tokens
    `{list, last_id, offset}`.
    """

    def __init__(self, access: StoreAccess, api: Api | None = None) -> None:
        if not isinstance(access.settings, WooCommerceSettings):
            raise TypeError("settings of another platform")
        self._settings = access.settings
        self._api = api or open_api(access)
        super().__init__(self._api.http)
        self._loader = Loader(self._api, self._settings)
        self._single = SingleRecords(self._api, self._loader)
        self._addon = Addon(self._api, imports=False)
        self._feed = FeedReader(self._addon, self._single)
        self.desk = WooCommerceDesk(self._api, self._loader)

    async def check(self) -> StoreReport:
        """Prove that a WooCommerce answers and lets us read."""
        report = await examine(self._api, self._settings)
        version, told = await examine_addon(self._addon, reads=True)
        return replace(report, findings=(*report.findings, *told), addon=version)

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """What the key may not read of it."""
        return await lacks(self._api, work, writing=False)

    async def server_time(self) -> datetime:
        """The `Date` header of a request made now: whole seconds, never ahead of the store."""
        await self._api.list("products", {"per_page": 1, "_fields": "id"}, WireId)
        return self.last_date()

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        """The store's own count. None for stock, where variations cannot be counted."""
        if stream is Stream.INVENTORY:
            return None
        totals = await together(
            [self._total(stream, extent, name) for name in names(stream, extent)]
            + ([self._carts(extent)] if stream is Stream.ORDERS else [])
        )
        if any(total is None for total in totals):
            return None
        *counted, last = [total or 0 for total in totals]
        return max(0, sum(counted) - last) if stream is Stream.ORDERS else last

    async def tally(self, stream: Stream, pages: int) -> int | None:
        """Levels of stock, which no count of the store's tells."""
        return await levels(self._api, pages) if stream is Stream.INVENTORY else None

    async def _total(self, stream: Stream, extent: Extent, name: str) -> int | None:
        fields: dict[str, str | int] = {"per_page": 1, "_fields": "id"}
        found = await self._api.list(PATHS[stream], query(stream, name, extent) | fields, WireId)
        return found.total

    async def _carts(self, extent: Extent) -> int | None:
        """Abandoned carts, which the list of all orders counts."""
        asked = query(Stream.ORDERS, ALL, extent) | {"status": "checkout-draft", "per_page": 1}
        return (await self._api.list("orders", asked | {"_fields": "id"}, WireId)).total

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        """Ranges of ids with about as many records each; the last one is open."""
        total = await self._total(stream, extent, ALL)
        wanted = min(parts, (total or 0) // (_PAGES_A_PART * self._settings.page_size))
        if total is None or wanted < _PAGES_A_PART:
            return [{}]
        offsets = [total * index // wanted for index in range(1, wanted)]
        found = await together([self._id_at(stream, extent, offset) for offset in offsets])
        bounds = sorted({(row, offset) for row, offset in zip(found, offsets, strict=True) if row})
        ranges: list[Json] = []
        after, start = 0, 0
        for bound, offset in bounds:
            ranges.append({"list": ALL, "after": after, "upto": bound, "offset": start})
            after, start = bound, offset + 1
        ranges.append({"list": ALL, "after": after, "offset": start})
        others = [name for name in names(stream, extent) if name != ALL]
        if await self._feed.completes(stream, extent):
            others.append(FEED)
        return ranges + [{"list": name} for name in others]

    async def _id_at(self, stream: Stream, extent: Extent, offset: int) -> int | None:
        fields: dict[str, str | int] = {"per_page": 1, "offset": offset, "_fields": "id"}
        found = await self._api.list(PATHS[stream], query(stream, ALL, extent) | fields, WireId)
        return found.rows[0].id if found.rows else None

    async def read(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        """Pages in order of ids, the next one being fetched while one is in use."""
        pages = read_ahead(self._pages(stream, extent, part, resume))
        try:
            async for page in pages:
                yield page
        finally:
            await pages.aclose()

    async def enumerate(
        self, stream: Stream, extent: Sweep, part: Json, resume: Json | None
    ) -> AsyncGenerator[Marks, None]:
        """Ids and dates of change alone: five times as fast as whole orders."""
        steps = read_ahead(self._steps(stream, extent, part, resume, stamps=True))
        try:
            async for step, token in steps:
                rows = [row for row in step.rows if row.status not in IGNORED]
                marks = [Mark(str(row.id), utc(row.date_modified_gmt)) for row in rows]
                marks += [Mark(str(number), None) for number, _ in step.failed]
                yield Marks(marks=tuple(marks), resume=token, total=step.total)
        finally:
            await steps.aclose()

    async def probe(self, stream: Stream) -> tuple[Finding, ...]:
        """Two requests, for products and orders; the other streams have no filter to doubt."""
        return await probe(self._api, stream) if has_filter(stream) else ()

    async def _pages(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        told = part.get("list") in (None, FEED) and await self._feed.completes(stream, extent)
        seen = Seen()
        if FEED not in (part.get("list"), (resume or {}).get("list")):
            async for step, token in self._steps(stream, extent, part, resume):
                page = await self._page(stream, extent, step, token)
                seen.add(page.records if told else ())
                yield replace(page, resume=START) if told and token is None else page
        if told and isinstance(extent, Window):
            async for page in self._feed.pages(stream, extent, place(resume), seen):
                yield page

    async def _steps(
        self,
        stream: Stream,
        extent: Extent,
        part: Json,
        resume: Json | None,
        *,
        stamps: bool = False,
    ) -> AsyncGenerator[tuple[Step[Any], Json | None], None]:
        """Walk the lists of a part one after the other; each step with its resume token."""
        lists = list(_lists(stream, extent, part, resume))
        for index, name in enumerate(lists):
            walk = Walk(
                self._fetch(stream, extent, name, stamps=stamps),
                place=_place(part, resume if index == 0 else None),
                upto=part.get("upto"),
                size=self._settings.page_size,
            )
            following = lists[index + 1] if index + 1 < len(lists) else None
            async for step in walk:
                yield step, _token(step, name, following)

    def _fetch(self, stream: Stream, extent: Extent, name: str, *, stamps: bool) -> Fetch[Any]:
        fixed = (stamps_only if stamps else query)(stream, extent=extent, name=name)
        row = WireStamp if stamps else ROWS[stream]

        async def fetch(offset: int, size: int) -> Any:
            asked = fixed | {"offset": offset, "per_page": size}
            return await self._api.list(PATHS[stream], asked, row)

        return fetch

    async def _page(
        self, stream: Stream, extent: Extent, step: Step[Any], resume: Json | None
    ) -> Page:
        records, failed = await self._loader.load(stream, step.rows)
        return Page(
            records=tuple(records),
            resume=resume,
            outside=_outside(stream, extent, records),
            total=step.total,
            failed=(*((str(row), reason) for row, reason in step.failed), *failed),
        )

    async def deleted(self, stream: Stream, since: datetime) -> frozenset[str]:
        """What the add-on's feed calls deleted; without it nobody says."""
        return await self._feed.deleted(stream, since)

    async def page_paths(self, stream: Stream, ids: Sequence[str]) -> dict[str, str] | None:
        """Products' own addresses; those of categories the REST API does not tell."""
        return await product_paths(self._api, ids) if stream is Stream.PRODUCTS else None

    async def cms_pages(self, most: int) -> CmsPages:
        """Pages and posts of the WordPress below, as far as it tells them to anybody."""
        return await cms_pages(self._api, most)

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records; what no list shows is asked for one by one before it counts as gone."""
        return await self._single.get(stream, ids)

    async def metadata(
        self, stream: Stream, ids: Sequence[str], wanted: Collection[str]
    ) -> dict[str, dict[str, str]]:
        """Meta data by record and key, those of plugins included. Raises `StoreError`."""
        return await self._single.metadata(stream, ids, wanted)


def _lists(stream: Stream, extent: Extent, part: Json, resume: Json | None) -> Sequence[str]:
    """The lists that are still to be read."""
    lists = (part["list"],) if "list" in part else names(stream, extent)
    return lists[lists.index(resume["list"]) :] if resume else lists


def _place(part: Json, resume: Json | None) -> Place:
    if resume:
        return Place(resume["last_id"], resume["offset"])
    return Place(part.get("after", 0), part.get("offset", 0))


def _token(step: Step[Any], name: str, following: str | None) -> Json | None:
    if not step.done:
        return {"list": name, "last_id": step.place.last_id, "offset": step.place.offset}
    return None if following is None else {"list": following, "last_id": 0, "offset": 0}


def _outside(stream: Stream, extent: Extent, records: Sequence[Record]) -> int:
    """Records that the filter should have kept back. Its bound counts whole seconds."""
    if not is_filtered(stream, extent) or not isinstance(extent, Window):
        return 0
    since = extent.since.replace(microsecond=0)
    return sum(record.stamp is not None and record.stamp < since for record in records)
