"""Connections: keyset pages with cursors, as `products(first: 250, after: …)` wants them."""

import base64
import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

from tests.shopify_store.fields import Ask, Doc

Key = Callable[[Doc], Any]
MAX_PAGE = 250
MAX_DEPTH = 25_000


def by_id(doc: Doc) -> int:
    """The order in which records were made."""
    number: int = doc["_n"]
    return number


def page(ask: Ask, docs: Sequence[Doc], arguments: Doc, key: Key = by_id) -> Doc:
    """A connection over records, in the order of `key` (a number or a text) and then of their ids.

    Raises `GraphQLError` for `first` and `last` that Shopify does not take, and beyond 25,000
    records. A cursor names a place in the order, so that what comes or goes before it moves
    nothing; a record that moves itself may be seen twice or never.
    """
    size, backwards = _size(arguments, bulk=ask.bulk)
    ordered = sorted(docs, key=lambda doc: (key(doc), doc["_n"]))
    if arguments.get("reverse"):
        ordered.reverse()
    start, end = _bounds(ordered, key, arguments)
    if start >= MAX_DEPTH and not ask.bulk:
        raise GraphQLError("Pagination is limited to 25,000 objects.")
    first = max(start, end - size) if backwards else start
    last = end if backwards else min(end, start + size)
    return _connection(ordered, first, last, key)


def _connection(ordered: list[Doc], first: int, last: int, key: Key) -> Doc:
    nodes = ordered[first:last]
    edges = [{"node": node, "cursor": cursor(node, key)} for node in nodes]
    return {
        "nodes": nodes,
        "edges": edges,
        "pageInfo": {
            "hasNextPage": last < len(ordered),
            "hasPreviousPage": first > 0,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
    }


def _size(arguments: Doc, *, bulk: bool) -> tuple[int, bool]:
    first, last = arguments.get("first"), arguments.get("last")
    if bulk:  # a bulk operation reads everything, whatever the document says
        return 2**40, False
    if (first is None) == (last is None):
        given = "both" if first is not None else "neither"
        raise GraphQLError(f"you must provide one of first or last, not {given}")
    size = first if first is not None else last
    assert isinstance(size, int)
    if not 0 <= size <= MAX_PAGE:
        raise GraphQLError(f"limit must be between 0 and {MAX_PAGE}, {size} was given")
    return size, first is None


def _bounds(ordered: list[Doc], key: Key, arguments: Doc) -> tuple[int, int]:
    """Where the part between the cursors begins and ends."""
    after, before = arguments.get("after"), arguments.get("before")
    places = [(key(doc), doc["_n"]) for doc in ordered] if after or before else []
    if arguments.get("reverse"):
        start = _place_backwards(places, after) if after else 0
        end = _place_backwards(places, before, inside=True) if before else len(ordered)
        return start, end
    start = bisect_right(places, _read(after)) if after else 0
    end = bisect_right(places, _before(before)) if before else len(ordered)
    return start, end


def _place_backwards(places: list[Any], text: str, *, inside: bool = False) -> int:
    """How many of the falling places come before a cursor (with it itself unless `inside`)."""
    wanted = _read(text)
    return sum(1 for place in places if place > wanted or (place == wanted and not inside))


def _before(text: str) -> tuple[Any, int]:
    value, number = _read(text)
    return value, number - 1


def cursor(doc: Doc, key: Key) -> str:
    """The cursor of a record, which only the store can read."""
    body = json.dumps({"last_id": doc["_n"], "last_value": key(doc)}, separators=(",", ":"))
    return base64.b64encode(body.encode()).decode()


def _read(text: str) -> tuple[Any, int]:
    try:
        body = json.loads(base64.b64decode(text, validate=True))
        return body["last_value"], int(body["last_id"])
    except (ValueError, KeyError, TypeError):
        raise GraphQLError(f"Invalid cursor for current pagination sort: {text}.") from None
