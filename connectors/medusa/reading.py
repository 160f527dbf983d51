"""Walking Medusa's lists, so that nothing which comes, changes or goes meanwhile hides a record.

Customers and orders are walked by id: each page asks for what lies beyond the last one. Products
and categories know no such filter, and pages by number lose records even of a store that stands
still: all their ids are asked for in one request, then their content by id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from connectors.concurrency import together
from connectors.errors import BadAnswer
from connectors.http import Query
from connectors.medusa.api import Api, Asked, Listing
from connectors.medusa.fields import ALL, FIELDS, IDS, PATHS, ROWS
from connectors.medusa.wire import WireStamp
from connectors.records import Stream

_AT_ONCE = 150
"""Ids in one request: an address of more than 16 KB is refused."""


class Step(NamedTuple):
    """Rows of a walk, and the id behind which it goes on. `total`: the store's count, at first."""

    rows: list[Any]
    failed: list[tuple[str, str]]
    last: str
    total: int | None
    done: bool


async def walk(
    api: Api, stream: Stream, query: Query, *, after: str, upto: str, size: int
) -> AsyncIterator[Step]:
    """Rows in order of their ids, behind `after` and up to `upto` (inclusive), where given.

    Raises `StoreError`: `BadAnswer` where the store ignores the bound.
    """
    before: set[str] = set()
    bound: Asked = {"id[$lte]": upto} if upto else {}
    while True:
        asked: Asked = {**query, **bound, "order": "id", "limit": size}
        if after:
            asked["id[$gt]"] = after
        page: Listing[Any] = await api.list(PATHS[stream], asked, ROWS[stream])
        if before & set(page.ids) or after in page.ids:
            raise BadAnswer("the store repeats one page", code="store_repeats_page")
        before = set(page.ids)
        after = page.ids[-1] if page.ids else after
        done = page.total <= len(page.ids)
        if not page.ids and not done:
            raise BadAnswer("the store counts rows that it does not show", code="store_lacks_rows")
        yield Step(page.rows, page.failed, after, page.total, done)
        if done:
            return


async def marks(api: Api, stream: Stream, query: Query | None = None) -> list[WireStamp]:
    """Ids and stamps of a whole list, in order of the ids. Raises `StoreError`."""
    asked = {**(query or {}), "fields": IDS, "limit": ALL}
    page = await api.list(PATHS[stream], asked, WireStamp)
    if len(page.ids) < page.total:
        raise BadAnswer("the store counts rows that it does not show", code="store_lacks_rows")
    return sorted(page.rows, key=lambda each: each.id)


async def rows_of(
    api: Api, stream: Stream, ids: Sequence[str], *, fields: str = ""
) -> Listing[Any]:
    """The rows of these ids that are there. Raises `StoreError`."""
    portions = [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]
    asked: list[Asked] = [
        {"id[]": list(some), "fields": fields or FIELDS[stream], "limit": len(some)}
        for some in portions
    ]
    pages: list[Listing[Any]] = await together(
        [api.list(PATHS[stream], each, ROWS[stream]) for each in asked]
    )
    found: Listing[Any] = Listing([], [], [], 0)
    for page in pages:
        found.rows += page.rows
        found.ids += page.ids
        found.failed += page.failed
    if not set(found.ids) <= set(ids):
        raise BadAnswer("the store shows records that were not asked for", code="filter_not_kept")
    return found
