"""Walking a list by the ids of its records, in a store that can sort by id but not ask beyond one.

A page is asked for by how many records lie before it, and begins with the last record seen. Where
that one is not there any more, because records before it went, the walk goes back until it sees
one at or before it. So nothing that stays in the list is missed, whatever comes and goes meanwhile,
and a walk goes on anywhere with an id and a number.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from msgspec import Raw

from connectors.errors import BadAnswer
from connectors.vendure.api import Api, Document, decoder
from connectors.vendure.parts import is_id, place
from connectors.vendure.wire import Listed, WireId

_STALLS = 5
"""How many pages in a row may show nothing new although the store says that there is more."""


class Question(NamedTuple):
    """A list: the document that asks for it, its name in the answer, and its options."""

    document: Document
    name: str
    options: Mapping[str, Any] = MappingProxyType({})


class Position(NamedTuple):
    """Where a walk stands: the last id seen, and how many records lay up to and with it."""

    after: str = ""
    seen: int = 0


class Step(NamedTuple):
    """Rows of one page in order of their ids, where the walk stands then, whether there is more,
    and how long the store says that the list is.
    """

    rows: list[Raw]
    position: Position
    more: bool
    total: int


class Walker:
    """Reads lists of one store."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def walk(
        self, question: Question, size: int, position: Position, upto: str | None = None
    ) -> AsyncIterator[Step]:
        """Pages from behind a position up to an id, or to the end. Raises `StoreError`."""
        stalls = 0
        before: tuple[list[str], int] = ([], 0)
        more = True
        while more:
            start, rows, total = await self._page(question, size, position)
            ids = [_id(each) for each in rows]
            fresh = [
                row
                for row, row_id in zip(rows, ids, strict=True)
                if not position.after or place(row_id) > place(position.after)
            ]
            more = start + len(rows) < total
            if upto is not None:
                fresh = [each for each in fresh if place(_id(each)) <= place(upto)]
                more = more and not (ids and place(ids[-1]) >= place(upto))
            # What is new behind the position shifts pages: that is no page that comes again.
            stalls = stalls + 1 if (ids, total) == before and not fresh else 0
            before = (ids, total)
            if more and stalls > _STALLS:
                raise BadAnswer("a list has no end", code="store_repeats_page")
            last = _id(fresh[-1]) if fresh else position.after
            position = Position(last, start + len(rows))
            yield Step(fresh, position, more, total)

    async def page(self, question: Question, **more: Any) -> tuple[list[Raw], int]:
        """One page as it comes, and how long the list is. Raises `StoreError`."""
        options = {**question.options, **more}
        kind = dict[str, Listed[Raw]]
        answer = await self._api.ask(question.document, kind, {"options": options})
        return answer[question.name].items, answer[question.name].total_items

    async def _page(
        self, question: Question, size: int, position: Position
    ) -> tuple[int, list[Raw], int]:
        """A page that begins at or before the position: its place in the list, rows and total."""
        start = max(0, position.seen - 1)
        back = 1
        while True:
            rows, total = await self.page(question, sort={"id": "ASC"}, skip=start, take=size + 1)
            ids = [_id(each) for each in rows]
            _require_order(ids)
            joined = bool(ids) and place(ids[0]) <= place(position.after or ids[0])
            if start == 0 or joined:
                return start, rows, total
            start = max(0, start - back)
            back *= 2


def _id(row: Raw) -> str:
    found: WireId = decoder(WireId).decode(row)
    if not is_id(found.id):
        raise BadAnswer("the store's ids are neither numbers nor UUIDs", code="store_unknown_ids")
    return found.id


def _require_order(ids: Sequence[str]) -> None:
    if any(place(left) >= place(right) for left, right in pairwise(ids)):
        raise BadAnswer("the store does not sort by id", code="store_ignores_order")
