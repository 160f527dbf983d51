"""Reading a Medusa store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from connectors.base import (
    Extent,
    Finding,
    Json,
    Marks,
    Page,
    StoreAccess,
    StoreReport,
    Sweep,
    Window,
)
from connectors.concurrency import read_ahead, together
from connectors.grants import Lack, Work
from connectors.medusa.api import Api, Asked, open_api
from connectors.medusa.desk import MedusaDesk
from connectors.medusa.fields import ALL, FIELDS, PATHS, WALKED
from connectors.medusa.lacking import lacks
from connectors.medusa.loading import Loader
from connectors.medusa.parts import iso
from connectors.medusa.probing import probe
from connectors.medusa.reading import Step, marks, rows_of, walk
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.shop import Shop
from connectors.medusa.wire import WireId, WireStore
from connectors.medusa.wire_orders import WirePaymentStamp
from connectors.records import Record, Stream
from connectors.session import Session

LIST = "all"
PAID = "paid"
"""Orders whose payments changed: a capture does not move the date of its order."""

_PAGES_A_PART = 2


class MedusaSource(Session):
    """One store, to read from. Parts are `{list, after, upto}`, resume tokens `{list, after}`."""

    def __init__(self, access: StoreAccess, api: Api | None = None) -> None:
        if not isinstance(access.settings, MedusaSettings):
            raise TypeError("settings of another platform")
        self._settings = access.settings
        self._api = api or open_api(access)
        super().__init__(self._api.http)
        self._shop = Shop(self._api, self._settings)
        self._loader = Loader(self._api, self._shop, self._settings)
        self.desk = MedusaDesk(self._api, self._loader)

    async def check(self) -> StoreReport:
        """Prove that a Medusa server answers and lets us read."""
        return await self._shop.report()

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """The lists of it that the store refuses the key."""
        return await lacks(self._api, work, writing=False)

    async def server_time(self) -> datetime:
        """The `Date` header of a request made now: whole seconds, never ahead of the store."""
        await self._api.list("stores", {"fields": "id", "limit": 1}, WireStore)
        return self.last_date()

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        """The store's own count. None for stock, which products have several of, and for changed
        orders, which two lists hold.
        """
        if stream is Stream.INVENTORY or _is_filtered(stream, extent):
            return None
        page = await self._api.list(PATHS[stream], {"fields": "id", "limit": 1}, WireId)
        return page.total

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        """Ranges of ids with about as many records each; the first and the last are open."""
        size = _PAGES_A_PART * self._settings.page_size
        if stream in WALKED:
            bounds = await self._bounds(stream, extent, parts, size)
        else:
            ids = [each.id for each in await marks(self._api, stream)]
            wanted = min(parts, len(ids) // size)
            bounds = [ids[len(ids) * index // wanted] for index in range(1, wanted)]
        edges = ["", *sorted(set(bounds), key=bounds.index), ""]
        ranges: list[Json] = [
            {"list": LIST, "after": after, "upto": upto} for after, upto in pairwise(edges)
        ]
        if _is_filtered(stream, extent):
            ranges.append({"list": PAID, "after": "", "upto": ""})
        return ranges if len(ranges) > 1 else [{}]

    async def _bounds(self, stream: Stream, extent: Extent, parts: int, size: int) -> list[str]:
        """Ids that cut a list, as the store sorts them."""
        fixed = {**_query(stream, extent), "fields": "id", "order": "id", "limit": 1}
        total = (await self._api.list(PATHS[stream], fixed, WireId)).total
        wanted = min(parts, total // size)
        pages = await together(
            [
                self._api.list(PATHS[stream], fixed | {"offset": total * index // wanted}, WireId)
                for index in range(1, wanted)
            ]
        )
        return [page.ids[0] for page in pages if page.ids]

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

    def enumerate(
        self, stream: Stream, extent: Sweep, part: Json, resume: Json | None
    ) -> AsyncGenerator[Marks, None]:
        """Not offered: dates tell of so few changes that ids and dates alone are of no use."""
        raise NotImplementedError

    async def probe(self, stream: Stream) -> tuple[Finding, ...]:
        """Two requests, for orders; the other streams are always read in full."""
        return await probe(self._api) if stream is Stream.ORDERS else ()

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records by id."""
        return await self._loader.get(stream, ids)

    # --- pages ----------------------------------------------------------------------------------

    async def _pages(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        lists = _lists(stream, extent, part, resume)
        for index, name in enumerate(lists):
            following = lists[index + 1] if index + 1 < len(lists) else None
            async for step in self._steps(
                stream, extent, name, part, resume if not index else None
            ):
                yield await self._page(stream, extent, name, step, following)

    def _steps(
        self, stream: Stream, extent: Extent, name: str, part: Json, resume: Json | None
    ) -> AsyncIterator[Step]:
        after, upto = _place(part, resume)
        if name == PAID and isinstance(extent, Window):
            return self._paid(extent, after)
        if stream not in WALKED:
            return self._listed(stream, after, upto)
        query = {**_query(stream, extent), "fields": FIELDS[stream]}
        size = self._settings.page_size
        return walk(self._api, stream, query, after=after, upto=upto, size=size)

    async def _listed(self, stream: Stream, after: str, upto: str) -> AsyncIterator[Step]:
        found = [each.id for each in await marks(self._api, stream)]
        total = len(found) if not after and not upto else None
        ids = [each for each in found if each > after and (not upto or each <= upto)]
        async for step in self._by_id(stream, ids, total):
            yield step

    async def _paid(self, extent: Window, after: str) -> AsyncIterator[Step]:
        """Orders of payments that changed, captures and refunds among them."""
        query: Asked = {
            "updated_at[$gte]": iso(extent.since) or "",
            "fields": "id,updated_at,payment_collection.order.id",
            "limit": ALL,
        }
        page = await self._api.list("payments", query, WirePaymentStamp)
        ids = {
            each.payment_collection.order.id
            for each in page.rows
            if each.payment_collection and each.payment_collection.order
        }
        rest = sorted(each for each in ids if each > after)
        async for step in self._by_id(Stream.ORDERS, rest, None):
            yield step

    async def _by_id(
        self, stream: Stream, ids: Sequence[str], total: int | None
    ) -> AsyncIterator[Step]:
        size = self._settings.page_size
        for start in range(0, max(1, len(ids)), size):
            some = ids[start : start + size]
            page = await rows_of(self._api, stream, some)
            rows = sorted(page.rows, key=lambda row: row.id)
            done = start + size >= len(ids)
            yield Step(rows, page.failed, some[-1] if some else "", total, done)

    async def _page(
        self, stream: Stream, extent: Extent, name: str, step: Step, following: str | None
    ) -> Page:
        records, failed = await self._loader.load(stream, step.rows)
        resume: Json | None = {"list": name, "after": step.last}
        if step.done:
            resume = {"list": following, "after": ""} if following else None
        return Page(
            records=tuple(records),
            resume=resume,
            outside=_outside(stream, extent, step.rows) if name == LIST else 0,
            total=step.total,
            failed=(*step.failed, *failed),
        )


def _is_filtered(stream: Stream, extent: Extent) -> bool:
    """Whether the store can keep unchanged records back. Everything else is read in full."""
    return stream is Stream.ORDERS and isinstance(extent, Window)


def _query(stream: Stream, extent: Extent) -> Asked:
    if isinstance(extent, Window) and _is_filtered(stream, extent):
        return {"updated_at[$gte]": iso(extent.since) or ""}
    return {}


def _lists(stream: Stream, extent: Extent, part: Json, resume: Json | None) -> list[str]:
    """The lists that are still to be read."""
    lists = [LIST, PAID] if _is_filtered(stream, extent) else [LIST]
    if "list" in part:
        lists = [part["list"]]
    return lists[lists.index(resume["list"]) :] if resume else lists


def _place(part: Json, resume: Json | None) -> tuple[str, str]:
    """Behind which id reading goes on, and up to which."""
    return (resume or part).get("after", ""), part.get("upto", "")


def _outside(stream: Stream, extent: Extent, rows: Sequence[Any]) -> int:
    """Rows that the filter should have kept back."""
    if not isinstance(extent, Window) or not _is_filtered(stream, extent):
        return 0
    # The bound is sent in whole milliseconds.
    since = extent.since.replace(microsecond=extent.since.microsecond // 1000 * 1000)
    return sum(row.updated_at is not None and row.updated_at < since for row in rows)
