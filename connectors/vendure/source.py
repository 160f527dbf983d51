"""Reading a Vendure store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from msgspec import Raw
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
from connectors.concurrency import read_ahead, together
from connectors.grants import Lack, Work
from connectors.records import Content, Order, Record, Stream
from connectors.session import Session
from connectors.vendure.api import Api, decoder, open_api
from connectors.vendure.desk import VendureDesk
from connectors.vendure.documents import (
    CHANGED_VARIANTS,
    CLOCK,
    KINDS,
    listing,
    marks,
    selection,
)
from connectors.vendure.lacking import findings, lacks
from connectors.vendure.loading import Loader
from connectors.vendure.mapping_orders import is_open
from connectors.vendure.parts import utc
from connectors.vendure.probing import probe
from connectors.vendure.searches import MOMENT, changed, has_window, options
from connectors.vendure.settings import VendureSettings
from connectors.vendure.shop import Shops
from connectors.vendure.single import SingleRecords
from connectors.vendure.walking import Position, Question, Step, Walker
from connectors.vendure.wire import Wire, WireId, WireMark

_MARKS = 900


class _Clock(Wire):
    active_channel: WireId


class _ChangedVariant(Wire):
    id: str
    product: WireMark


class VendureSource(Session):
    """One store, to read from.

    Parts are `{after, seen, upto}`: from behind an id, that so many records lie up to, up to
    another. Resume tokens are `{after, seen}`, with `variants` where a window over products goes on
    with those whose variants changed.
    """

    def __init__(self, access: StoreAccess, api: Api | None = None) -> None:
        if not isinstance(access.settings, VendureSettings):
            raise TypeError("settings of another platform")
        self._settings = access.settings
        self._api = api or open_api(access)
        super().__init__(self._api.http)
        self._shops = Shops(self._api, self._settings)
        self._walker = Walker(self._api)
        self._loader = Loader(self._api, self._shops, self._walker)
        self._single = SingleRecords(self._loader)
        self.desk = VendureDesk(self._api, self._loader)

    async def check(self) -> StoreReport:
        """Prove that the store answers and lets us in."""
        report = await self._shops.examine(writing=False)
        told = await findings(self._api, self._shops, writing=False)
        return replace(report, findings=(*report.findings, *told))

    async def lacks(self, work: Work) -> tuple[Lack, ...]:
        """The permissions that it needs and the administrator does not have."""
        return await lacks(self._api, self._shops, work, writing=False)

    async def server_time(self) -> datetime:
        """The `Date` header of a request made now: whole seconds, never ahead of the store."""
        await self._api.ask(CLOCK, _Clock)
        return self.last_date()

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        """The store's own count; None for windows over products, which are read in two lists."""
        if stream is Stream.PRODUCTS and isinstance(extent, Window):
            return None
        _, total = await self._walker.page(_marks(stream, extent), take=1)
        return total

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        """Ranges of ids of the same size."""
        total = await self.count(stream, extent)
        wanted = min(parts, (total or 0) // (2 * self._settings.page_size))
        if total is None or wanted < 2:  # noqa: PLR2004
            return [{}]
        cuts = [total * index // wanted for index in range(1, wanted)]
        bounds = await together([self._id_at(stream, extent, each) for each in cuts])
        starts: list[Json] = [{"after": "", "seen": 0}]
        starts += [
            {"after": bound, "seen": cut} for bound, cut in zip(bounds, cuts, strict=True) if bound
        ]
        ends: list[Json] = [{"upto": each["after"]} for each in starts[1:]]
        return [{**start, **end} for start, end in zip(starts, [*ends, {}], strict=True)]

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
        """Ids and dates of change alone."""
        steps = self._walker.walk(
            _marks(stream, extent), _MARKS, _position(part, resume), part.get("upto")
        )
        decode = decoder(WireMark).decode
        async for step in steps:
            rows: list[WireMark] = [decode(each) for each in step.rows]
            found = tuple(Mark(each.id, utc(each.updated_at)) for each in rows)
            yield Marks(marks=found, resume=_token(step), total=step.total)

    async def probe(self, stream: Stream) -> tuple[Finding, ...]:
        """Two requests; nothing is asked where lists are not read by date."""
        return await probe(self._api, self._walker, stream) if has_window(stream) else ()

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records."""
        return await self._single.get(stream, ids)

    async def _id_at(self, stream: Stream, extent: Extent, place: int) -> str:
        """The id of the last one of so many records; nothing where there are fewer now."""
        rows, _ = await self._walker.page(
            _marks(stream, extent), sort={"id": "ASC"}, skip=place - 1, take=1
        )
        if not rows:
            return ""
        row: WireId = decoder(WireId).decode(rows[0])
        return row.id

    async def _pages(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        also = stream is Stream.PRODUCTS and isinstance(extent, Window)
        if not (resume and resume.get("variants")):
            async for step in self._steps(stream, extent, part, resume):
                page = await self._page(stream, extent, step.rows, step)
                if also and not step.more:
                    page = replace(page, resume=_variants_token(Position()))
                yield page
        if also and isinstance(extent, Window):
            behind = resume if resume and resume.get("variants") else None
            async for page in self._by_variants(extent, behind):
                yield page

    async def _steps(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncIterator[Step]:
        kind = KINDS[stream]
        document = listing(kind, selection(stream, await self._loader.shop()))
        question = Question(document, kind.list, options(stream, extent))
        async for step in self._walker.walk(
            question, self._settings.page_size, _position(part, resume), part.get("upto")
        ):
            yield step

    async def _by_variants(self, window: Window, resume: Json | None) -> AsyncIterator[Page]:
        """Products of which only a variant changed: that does not move the product's date."""
        question = Question(
            CHANGED_VARIANTS, KINDS[Stream.INVENTORY].list, {"filter": changed(window.since)}
        )
        steps = self._walker.walk(question, self._settings.page_size, _position({}, resume))
        decode = decoder(_ChangedVariant).decode
        async for step in steps:
            rows: list[_ChangedVariant] = [decode(each) for each in step.rows]
            ids = {
                each.product.id
                for each in rows
                if (stamp := utc(each.product.updated_at)) is None or stamp < window.since
            }
            products = await self._loader.by_ids(Stream.PRODUCTS, sorted(ids))
            page = await self._page(Stream.PRODUCTS, Sweep(), products, step)
            yield replace(page, resume=_variants_token(step.position) if step.more else None)

    async def _page(self, stream: Stream, extent: Extent, rows: Sequence[Raw], step: Step) -> Page:
        records, failed = await self._loader.load(stream, rows)
        return Page(
            records=tuple(records),
            resume=_token(step),
            outside=_outside(stream, extent, records),
            total=step.total,
            failed=tuple(failed),
        )


def _marks(stream: Stream, extent: Extent) -> Question:
    return Question(marks(stream), KINDS[stream].list, options(stream, extent))


def _position(part: Json, resume: Json | None) -> Position:
    token: dict[str, Any] = resume or part
    return Position(token.get("after", ""), token.get("seen", 0))


def _token(step: Step) -> Json | None:
    return _place(step.position) if step.more else None


def _place(position: Position) -> Json:
    return {"after": position.after, "seen": position.seen}


def _variants_token(position: Position) -> Json:
    return {**_place(position), "variants": True}


def _outside(stream: Stream, extent: Extent, records: Sequence[Record]) -> int:
    """How many records the store should have kept back."""
    if not isinstance(extent, Window) or not has_window(stream):
        return 0
    bound = extent.since - MOMENT
    return sum(
        each.stamp is not None and each.stamp < bound and not _is_asked_for(each.content, bound)
        for each in records
    )


def _is_asked_for(content: Content, bound: datetime) -> bool:
    """Whether an order is in a window without having changed: placed since, or open."""
    if not isinstance(content, Order):
        return False
    placed = content.created_at
    return is_open(content) or (placed is not None and placed >= bound)
