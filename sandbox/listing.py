"""Lists: filters, order and pages, with everything the platform gets wrong about them."""

from dataclasses import dataclass
from typing import Any

import msgspec

from sandbox import effects, filters, goods
from sandbox.schema import invalid
from sandbox.store import Store
from sandbox.wire import (
    Answer,
    ApiError,
    Doc,
    Query,
    Request,
    decode,
    encode,
    list_answer,
    raw_fields,
)

MAX_PAGE = 100
_SALT = 65_521  # a prime: page by page, equal stamps come in another order


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of record can be listed."""

    orderby: tuple[str, ...]
    default_orderby: str = "date"
    default_order: str = "desc"
    dates: bool = True  # whether it knows after/before and modified_after/modified_before
    vanishing_total: bool = False  # whether the totals are 0 past the last page
    of_wordpress: bool = False  # whether a page past the last one is an error, an offset counts 0


_POSTS = ("date", "id", "include", "title", "slug", "modified")
SHAPES = {
    "product": Shape((*_POSTS, "price", "popularity", "rating", "menu_order")),
    "variation": Shape((*_POSTS, "menu_order")),
    "order": Shape(_POSTS, vanishing_total=True),
    "refund": Shape(_POSTS, vanishing_total=True),
    "coupon": Shape(_POSTS),
    "customer": Shape(("id", "include", "name", "registered_date"), "name", "asc", dates=False),
    "category": Shape(
        ("id", "include", "name", "slug", "term_group", "description", "count"),
        "name",
        "asc",
        dates=False,
    ),
    "note": Shape(("id", "date"), dates=False),
    "webhook": Shape(("id", "date", "title"), dates=False),
    "page": Shape((*_POSTS, "parent", "menu_order"), of_wordpress=True),
    "post": Shape((*_POSTS, "parent"), of_wordpress=True),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the result is asked for."""

    number: int
    size: int
    offset: int


def answer(store: Store, kind: str, request: Request, *, parent: int | None = None) -> Answer:
    """The list of `kind` that a request asks for; 400 for parameters that make no sense."""
    query = request.query
    shape = SHAPES[kind]
    page = _page(query)
    order, by = _order(query, shape)
    where = filters.build(store, kind, query, dates=shape.dates)
    if parent is not None:
        where.add("parent = ?", parent)
    condition, params = _visible(store, query)
    where.add(condition, *params)
    total = int(
        store.storage.rows(f"SELECT count(*) FROM records WHERE {where.sql()}", where.params)[0][0]  # noqa: S608
    )
    page = _repeat_last(store, page, total)
    sorting = _sorting(kind, by, order, page, query)
    rows = store.storage.rows(
        f"SELECT rid, id FROM records WHERE {where.sql()} ORDER BY {sorting} LIMIT ? OFFSET ?",  # noqa: S608
        [*where.params, page.size, page.offset],
    )
    rids = [row[0] for row in rows if not store.faults.unreadable(row[1])]
    if rids and store.faults.roll("short_pages", request):
        rids.pop()
    items = [fields(body, query) for body in _bodies(store, kind, rids)]
    if not rows:
        total = _total_past_the_end(shape, page, total)
    return list_answer(items, _headers(request, page, total))


def _total_past_the_end(shape: Shape, page: Page, total: int) -> int:
    if shape.of_wordpress and page.number > 1 and total:
        message = "The page number requested is larger than the number of pages available."
        raise ApiError(400, "rest_post_invalid_page_number", message)
    vanishes = shape.of_wordpress or (shape.vanishing_total and page.number > 1)
    return 0 if vanishes else total


def _visible(store: Store, query: Query) -> tuple[str, list[Any]]:
    """Which versions a list reads. Look-ups by key miss a late write only in scope `everything`."""
    params = store.faults.active("visibility_delay")
    keyed = any(
        name in query for name in ("sku", "email", "created_via", "slug", "search", "include")
    )
    if keyed and (params is None or params["scope"] != "everything"):
        return "latest = 1", []
    return store.storage.visible()


# -- pages


def _page(query: Query) -> Page:
    number = _integer(query, "page", 1, 1, None)
    size = _integer(query, "per_page", 10, 1, MAX_PAGE)
    offset = _integer(query, "offset", (number - 1) * size, 0, None)
    return Page(number, size, offset)


def _integer(query: Query, name: str, default: int, low: int, high: int | None) -> int:
    text = query.get(name)
    if name not in query:
        return default
    if not text.lstrip("-").isdigit():
        raise invalid({name: f"{name} is not of type integer."})
    value = int(text)
    if value < low or (high is not None and value > high):
        limits = f"between {low} (inclusive) and {high} (inclusive)" if high else f"at least {low}"
        raise invalid({name: f"{name} must be {limits}"})
    return value


def _repeat_last(store: Store, page: Page, total: int) -> Page:
    """With a fault of other platforms, pages past the end repeat the last one."""
    if store.faults.active("repeated_last_page") is None or page.offset < total or not total:
        return page
    return Page(page.number, page.size, (total - 1) // page.size * page.size)


def _headers(request: Request, page: Page, total: int) -> list[tuple[str, str]]:
    pages = -(-total // page.size)
    headers = [("X-WP-Total", str(total)), ("X-WP-TotalPages", str(pages))]
    rest = "".join(
        f"&{name}={value}"
        for name, value in request.query.pairs()
        if name != "page" and not name.startswith("oauth_") and not name.startswith("consumer_")
    )
    base = f"http://{request.host}{request.path}"
    found = []
    if page.number < pages:
        found.append(f'<{base}?page={page.number + 1}{rest}>; rel="next"')
    if page.number > 1:
        found.insert(0, f'<{base}?page={min(page.number - 1, max(pages, 1))}{rest}>; rel="prev"')
    return [*headers, ("Link", ", ".join(found))] if found else headers


# -- order


def _order(query: Query, shape: Shape) -> tuple[str, str]:
    order = query.get("order", shape.default_order).lower()
    by = query.get("orderby", shape.default_orderby)
    if order not in ("asc", "desc"):
        raise invalid({"order": "order is not one of asc and desc."})
    if by not in shape.orderby:
        raise invalid({"orderby": f"orderby is not one of {', '.join(shape.orderby)}."})
    return order, by


def _sorting(kind: str, by: str, order: str, page: Page, query: Query) -> str:
    """ORDER BY. Where the platform names no tie-break, ties fall differently on every page."""
    tie = f"(id * 40503 + {page.offset * 7919 + page.size * 104729}) % {_SALT}"
    if by == "id":
        return f"id {order}"
    if by == "include":
        wanted = [int(value) for value in query.many("include") if value.isdigit()]
        cases = " ".join(f"WHEN {value} THEN {n}" for n, value in enumerate(wanted))
        return f"CASE id {cases} ELSE {len(wanted)} END" if wanted else "id"
    if by in ("date", "registered_date") and kind != "product":
        return f"created_local {order}, id {order}"
    column = _SORT_COLUMNS.get(by, "title")
    if column == "slug":
        return f"slug {order}, id"
    if kind in ("customer", "category"):
        return f"title {order}, id"
    return f"{column} {order}, {tie}"


_SORT_COLUMNS = {"modified": "modified", "date": "created_local", "slug": "slug"}


# -- documents


def _bodies(store: Store, kind: str, rids: list[int]) -> list[bytes]:
    return [reckoned(store, kind, body) for body in store.storage.bodies(rids)]


def reckoned(store: Store, kind: str, body: bytes) -> bytes:
    """A document's JSON with what the platform reckons as it answers."""
    if kind == "category":
        return with_count(store, body)
    return _with_shared_stock(store, body) if kind == "variation" else body


def _with_shared_stock(store: Store, body: bytes) -> bytes:
    doc = decode(body)
    above = store.read("product", int(doc["parent_id"]))
    if above is None or not effects.counts_for_variations(above):
        return body
    return encode(goods.with_shared_stock(doc, above))


def with_count(store: Store, body: bytes) -> bytes:
    """A category's JSON with the number of its products as it is now."""
    doc = decode(body)
    doc["count"] = store.category_counts().get(doc["id"], 0)
    return encode(doc)


def fields(body: bytes, query: Query) -> bytes:
    """A document cut to what `_fields` names; `a.b` cuts inside an object."""
    wanted = query.many("_fields")
    if not wanted:
        return body
    raw = raw_fields(body)
    found: dict[str, Any] = {}
    for name in wanted:
        head, _, tail = name.partition(".")
        if head not in raw:
            continue
        if not tail:
            found[head] = raw[head]
        elif not isinstance(found.get(head), msgspec.Raw):
            inner: Doc = found.setdefault(head, {})
            whole = decode(raw[head])
            if isinstance(whole, dict) and tail in whole:
                inner[tail] = whole[tail]
    return encode(found)
