"""Walking a list that changes under our feet, over an API that only knows offsets.

The list is sorted by id, which never changes. A walk remembers the last id it has seen and how
far into the list that was, and asks for the next page from one row before that place: the
anchor. If the first row of a page is not beyond the last id, then every row beyond it is still
to the right of where the page begins, so nothing can be missed, whatever came or went before.
If it is beyond, rows have left the list and the walk steps back until it finds its anchor again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from connectors.errors import BadAnswer, TryLater
from connectors.woocommerce.api import Listing

_REPEATS = 3
_SECOND_LOOKS = 3
_STEPS_BACK = 50
_FRUITLESS = 2000


class Row(Protocol):
    """Anything with an id that grows along the list."""

    @property
    def id(self) -> int:
        """The record's number in its store."""
        ...


R = TypeVar("R", bound=Row)
Fetch = Callable[[int, int], Awaitable[Listing[R]]]
"""Gives the page of a list at (offset, size)."""


class Place(Struct, frozen=True):
    """Everything up to `last_id` has been seen; it stood among the first `offset` rows."""

    last_id: int = 0
    offset: int = 0


class Step(Struct, Generic[R]):
    """New rows of a walk, in order of their ids, and the place behind them."""

    rows: list[R]
    failed: list[tuple[int, str]]
    place: Place
    total: int | None
    done: bool


class _Anchor(Struct, frozen=True):
    """What the last anchored page showed: whether rows were hidden in it, and the store's count."""

    hides: bool
    total: int | None


class Walk(Generic[R]):
    """One walk over a list from a place up to an id (inclusive), or to the end.

    Raises `StoreError`: `BadAnswer` where the store ignores the order or the offset, `TryLater`
    where the list changes faster than it can be read.
    """

    def __init__(
        self, fetch: Fetch[R], *, place: Place, upto: int | None = None, size: int = 100
    ) -> None:
        self._fetch = fetch
        self._last = place.last_id
        self._start = max(0, place.offset - 1)
        self._upto = upto
        self._size = max(2, size)
        self._anchor: _Anchor | None = None
        self._doubts: dict[tuple[int, int | None], int | None] = {}
        self._before: tuple[int, list[int]] | None = None
        self._repeats = 0

    async def __aiter__(self) -> AsyncIterator[Step[R]]:
        fruitless = 0
        while fruitless < _FRUITLESS:
            page = await self._second_look(await self._anchored_page())
            step = self._step(page, done=await self._is_last(page))
            if step.rows or step.failed or step.done:
                fruitless = 0
                yield step
            if step.done:
                return
            fruitless += 1
        raise TryLater("the list changes faster than it can be read", after=5.0)

    async def _anchored_page(self) -> Listing[R]:
        """The page at the present place, after stepping back as far as the list has shrunk."""
        back = max(1, self._size // 2)
        for _ in range(_STEPS_BACK):
            page = await self._fetch(self._start, self._size)
            ids = _ids(page)
            self._refuse_repetition(ids)
            first = ids[0] if ids else None
            if self._start == 0 or (first is not None and first <= self._last):
                self._anchor = _Anchor(self._lacks(page), page.total)
                return page
            if self._only_hidden_rows_between(first, page.total):
                return page
            self._doubts[self._start, first] = page.total
            self._start = max(0, self._start - back)
            back *= 2
        raise TryLater("the list changes faster than it can be read", after=5.0)

    def _only_hidden_rows_between(self, first: int | None, total: int | None) -> bool:
        """Whether a page that begins beyond the last id follows the anchored page nevertheless.

        That is so where the anchored page lacked rows that nobody may read, and this page showed
        the same before and after it, with the same count of all rows each time. A store that
        gives no counts cannot prove it: such a list is put off rather than read with a gap.
        """
        anchor = self._anchor
        if anchor is None or not anchor.hides or total is None or anchor.total != total:
            return False
        return self._doubts.get((self._start, first)) == total

    def _refuse_repetition(self, ids: list[int]) -> None:
        if any(left >= right for left, right in pairwise(ids)):
            raise BadAnswer("the store does not sort by id", code="store_ignores_order")
        before = self._before
        self._before = (self._start, ids)
        # Further back, a list that shrinks may well show the same rows.
        forward = before is not None and before[0] < self._start
        if before is None or not ids or not forward or before[1] != ids:
            self._repeats = 0
            return
        self._repeats += 1
        if self._repeats >= _REPEATS:
            raise BadAnswer("the store repeats one page", code="store_repeats_page")

    def _lacks(self, page: Listing[R]) -> bool:
        """Whether rows are missing from a page that the store counts."""
        if page.total is None:
            return False
        return _count(page) < min(self._size, page.total - self._start)

    async def _second_look(self, page: Listing[R]) -> Listing[R]:
        """The last page, asked for again where rows are missing from it: those that nobody may
        read are missing again.
        """
        for _ in range(_SECOND_LOOKS):
            if not self._lacks(page) or not await self._is_last(page):
                return page
            again = await self._fetch(self._start, self._size)
            if _count(again) > _count(page):
                page = again
        return page

    async def _is_last(self, page: Listing[R]) -> bool:
        """By the store's count. A short page alone proves nothing, nor does a count that the
        page itself contradicts, nor a page that was there already. Without a count, by a short
        page with nothing behind it.
        """
        if self._repeats:
            return False
        end = self._start + self._size
        if page.total is not None:
            return end >= page.total and _count(page) <= max(0, page.total - self._start)
        return _count(page) < self._size and not _ids(await self._fetch(end, self._size))

    def _step(self, page: Listing[R], *, done: bool) -> Step[R]:
        end = self._start + self._size
        rows = [row for row in page.rows if row.id > self._last]
        failed = [each for each in page.failed if each[0] > self._last]
        if self._upto is not None:
            upto = self._upto
            done = done or max(_ids(page), default=0) >= upto
            rows = [row for row in rows if row.id <= upto]
            failed = [each for each in failed if each[0] <= upto]
        self._last = max([self._last, *(row.id for row in rows), *(each[0] for each in failed)])
        if rows or failed:
            self._doubts.clear()
            # This page was the anchor of an earlier last id.
            self._anchor = None
        self._start = end - 1
        return Step(rows, failed, Place(self._last, end), page.total, done)


def _count(page: Listing[Any]) -> int:
    return len(page.rows) + len(page.failed)


def _ids(page: Listing[Any]) -> list[int]:
    if not page.failed:
        return [row.id for row in page.rows]
    # Failed rows are kept apart: put them back where their ids belong.
    return sorted([*(row.id for row in page.rows), *(each[0] for each in page.failed)])


async def everything(fetch: Fetch[R], size: int = 100) -> list[R]:
    """All rows of a short list. A row that cannot be understood raises `BadAnswer`."""
    rows: list[R] = []
    async for step in Walk(fetch, place=Place(), size=size):
        if step.failed:
            raise BadAnswer(f"a record has an unknown form: {step.failed[0][1]}")
        rows += step.rows
    return rows
