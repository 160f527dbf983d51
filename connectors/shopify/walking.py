"""Walking a list by the ids of its records.

Every page asks for what lies beyond the last id seen, so that nothing that changes meanwhile can
move a record out of sight, and a walk goes on anywhere with one number. An answer that shows ids
which were not asked for comes from a store that ignores the search: it is refused.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from msgspec import Raw

from connectors.base import Extent, Mark, Marks
from connectors.errors import BadAnswer
from connectors.records import Stream
from connectors.shopify.api import Api, Document, TooCostlyError, decoder
from connectors.shopify.documents import KINDS, marks, page
from connectors.shopify.loading import ROWS, decoded, smaller
from connectors.shopify.parts import number, utc
from connectors.shopify.searches import search
from connectors.shopify.wire import Nodes, WireId, WireMark

_MARKS = 250
"""Records in one page of ids and dates; Shopify gives no more."""


class Step(NamedTuple):
    """Rows of one page in order of their ids, those that could not be understood, the last id
    seen, and whether there is more.
    """

    rows: list[Any]
    failed: list[tuple[str, str]]
    last: int
    more: bool


class Walker:
    """Reads lists of one store; learns how many records a page may hold."""

    def __init__(self, api: Api, page_size: int) -> None:
        self._api = api
        self._sizes = dict.fromkeys(Stream, page_size)

    async def walk(
        self, stream: Stream, extent: Extent, after: int, upto: int | None
    ) -> AsyncIterator[Step]:
        """Pages from behind an id up to another, or to the end. Raises `StoreError`."""
        more = True
        while more:
            asked = search(stream, extent, after=after, upto=upto)
            nodes = await self._page(stream, asked)
            ids = _ids(nodes.nodes)
            refuse_foreign(ids, after, upto, more=nodes.page_info.has_next_page)
            rows, failed = decoded(ROWS[stream], nodes.nodes)
            after = ids[-1] if ids else after
            more = nodes.page_info.has_next_page
            yield Step(rows, failed, after, more)

    async def marks(
        self, stream: Stream, extent: Extent, after: int, upto: int | None
    ) -> AsyncIterator[Marks]:
        """Ids and dates of change alone."""
        more = True
        while more:
            asked = search(stream, extent, after=after, upto=upto)
            variables = {"first": _MARKS, "search": asked}
            nodes = await self._list(marks(stream), KINDS[stream].list, WireMark, variables)
            ids = [int(number(each.id)) for each in nodes.nodes]
            more = nodes.page_info.has_next_page
            refuse_foreign(ids, after, upto, more=more)
            after = ids[-1] if ids else after
            found = tuple(
                Mark(str(row_id), utc(each.updated_at))
                for row_id, each in zip(ids, nodes.nodes, strict=True)
            )
            yield Marks(marks=found, resume={"after": after} if more else None)

    async def _page(self, stream: Stream, asked: str) -> Nodes[Raw]:
        """One page, of fewer records where the store finds as many too costly."""
        while True:
            size = self._sizes[stream]
            try:
                return await self._list(
                    page(stream), KINDS[stream].list, Raw, {"first": size, "search": asked}
                )
            except TooCostlyError as error:
                self._sizes[stream] = min(self._sizes[stream], smaller(size, error))

    async def _list(
        self, document: Document, name: str, kind: type[Any], variables: dict[str, Any]
    ) -> Nodes[Any]:
        answer = await self._api.ask(document, dict[str, Nodes[kind]], variables)  # type: ignore[valid-type]
        found: Nodes[Any] = answer[name]
        return found


def _ids(nodes: Sequence[Raw]) -> list[int]:
    return [int(number(decoder(WireId).decode(each).id)) for each in nodes]


def refuse_foreign(ids: Sequence[int], after: int, upto: int | None, *, more: bool) -> None:
    """Raise `BadAnswer` for a page that is not what was asked for."""
    if any(left >= right for left, right in pairwise(ids)):
        raise BadAnswer("the store does not sort by id", code="store_ignores_order")
    if ids and (ids[0] <= after or (upto is not None and ids[-1] > upto)):
        raise BadAnswer(
            "the store shows records that were not asked for", code="store_ignores_filter"
        )
    if more and not ids:
        raise BadAnswer("the store shows an empty page and says that there is more")
