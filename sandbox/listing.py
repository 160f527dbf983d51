"""Lists: filters, order and pages, with everything the platform gets wrong about them."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from sandbox.customers import ROLES
from sandbox.schema import ORDER_STATUSES, PRODUCT_STATUSES, invalid
from sandbox.store import Store
from sandbox.wire import Answer, Doc, Query, Request, decode, encode, list_answer, raw_fields

MAX_PAGE = 100
_DATE = re.compile(
    r"^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}(?::?\d{2})?)?$"
)
_SALT = 65_521  # a prime: page by page, equal stamps come in another order


@dataclass(frozen=True, slots=True)
class Shape:
    """How one kind of record can be listed."""

    orderby: tuple[str, ...]
    default_orderby: str = "date"
    default_order: str = "desc"
    dates: bool = True  # whether it knows after/before and modified_after/modified_before
    vanishing_total: bool = False  # whether the totals are 0 past the last page


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
}


@dataclass(slots=True)
class Filter:
    """A growing WHERE."""

    clauses: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)

    def add(self, clause: str, *params: Any) -> None:
        self.clauses.append(clause)
        self.params.extend(params)

    def among(self, column: str, values: list[Any], *, negate: bool = False) -> None:
        marks = ",".join("?" * len(values))
        self.add(f"{column} {'NOT ' if negate else ''}IN ({marks})", *values)

    def sql(self) -> str:
        return " AND ".join(self.clauses)


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
    where = _where(store, kind, query, shape)
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
    items = [fields(body, query) for body in _bodies(store, kind, rids, query)]
    if shape.vanishing_total and not rows and page.number > 1:
        total = 0
    return list_answer(items, _headers(request, page, total))


def _visible(store: Store, query: Query) -> tuple[str, list[Any]]:
    """Which versions a list reads. Look-ups by key miss a late write only in scope `everything`."""
    params = store.faults.active("visibility_delay")
    keyed = any(
        name in query for name in ("sku", "email", "created_via", "slug", "search", "include")
    )
    if keyed and (params is None or params["scope"] != "everything"):
        return "latest = 1", []
    return store.storage.visible()


# -- pages -----------------------------------------------------------------------------------------


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


# -- order -------------------------------------------------------------------------------------------


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


# -- filters -----------------------------------------------------------------------------------------


def _where(store: Store, kind: str, query: Query, shape: Shape) -> Filter:
    where = Filter()
    skus = [value.lower() for value in query.get("sku").split(",") if value.strip()]
    if kind == "product" and skus:
        where.add("kind IN ('product', 'variation')")
    else:
        where.add("kind = ?", kind)
    if skus:
        where.among("key", [value.strip() for value in skus])
    _ids(where, query)
    if shape.dates:
        _dates(store, where, query)
    if query.get("search") and kind != "webhook":
        where.add("title LIKE ?", f"%{query.get('search')}%")
    _KIND_FILTERS.get(kind, _no_filter)(where, query)
    return where


def _ids(where: Filter, query: Query) -> None:
    for name, negate in (("include", False), ("exclude", True)):
        values = [int(value) for value in query.many(name) if value.isdigit()]
        if values:
            where.among("id", values, negate=negate)
    parents = [int(value) for value in query.many("parent") if value.isdigit()]
    if parents:
        where.among("parent", parents)


def _dates(store: Store, where: Filter, query: Query) -> None:
    """The four date filters: exclusive on both sides, whole seconds.

    A value with a zone is turned into site time whatever it is then compared with; so a `Z`
    together with `dates_are_gmt` compares site time with the GMT column.
    """
    gmt = query.flag("dates_are_gmt")
    for name, column, sign in _DATE_FILTERS:
        if not query.get(name):
            if name in query:
                raise invalid({name: "Invalid date."})
            continue
        seconds = _site_seconds(store, name, query.get(name))
        where.add(f"{column if gmt else column + '_local'} {sign} ?", seconds)


_DATE_FILTERS = (
    ("after", "created", ">"),
    ("before", "created", "<"),
    ("modified_after", "modified", ">"),
    ("modified_before", "modified", "<"),
)


def _site_seconds(store: Store, name: str, text: str) -> int:
    match = _DATE.match(text)
    if match is None:
        raise invalid({name: "Invalid date."})
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}")
        if match[3]:
            zone = match[3].replace("Z", "+00:00")
            aware = datetime.fromisoformat(f"{match[1]}T{match[2]}{_full_zone(zone)}")
            moment = aware.astimezone(store.clock.zone).replace(tzinfo=None)
    except ValueError:
        raise invalid({name: "Invalid date."}) from None
    return int(moment.replace(tzinfo=UTC).timestamp())


def _full_zone(zone: str) -> str:
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _no_filter(where: Filter, query: Query) -> None:
    """For kinds without filters of their own."""


def _products(where: Filter, query: Query) -> None:
    status = query.get("status", "any")
    included = query.many("include_status")
    if status not in ("any", "trash", *PRODUCT_STATUSES):
        raise invalid({"status": "status is not one of any, future, trash, draft, pending…"})
    wanted = set(included or [status])
    if "any" in wanted:
        wanted = (wanted - {"any"}) | set(PRODUCT_STATUSES)
    where.among("status", sorted(wanted - set(query.many("exclude_status"))))
    if query.get("slug"):
        where.add("slug = ?", query.get("slug").lower())
    if query.get("type"):
        where.add("type = ?", query.get("type"))
    if query.get("category"):
        where.add(
            "rid IN (SELECT bodies.rid FROM bodies, json_each(CAST(body AS TEXT), '$.categories') c"
            " WHERE json_extract(c.value, '$.id') = ?)",
            int(query.get("category")) if query.get("category").isdigit() else 0,
        )
    if query.get("stock_status"):
        where.add(_IN_BODY.format("$.stock_status"), query.get("stock_status"))
    for name in ("on_sale", "featured"):
        if name in query:
            where.add(_IN_BODY.format(f"$.{name}"), int(query.flag(name)))


_IN_BODY = "rid IN (SELECT rid FROM bodies WHERE json_extract(CAST(body AS TEXT), '{}') = ?)"


def _variations(where: Filter, query: Query) -> None:
    status = query.get("status", "any")
    where.among("status", list(PRODUCT_STATUSES) if status == "any" else [status])


def _orders(where: Filter, query: Query) -> None:
    wanted = query.many("status") or ["any"]
    known = ("any", "trash", "auto-draft", *ORDER_STATUSES)
    for status in wanted:
        if status not in known:
            raise invalid({"status": f"status[0] is not one of {', '.join(known)}."})
    # `any` wins over everything beside it: `any,trash` shows no trash.
    where.among("status", list(ORDER_STATUSES) if "any" in wanted else wanted)
    ways = query.many("created_via")
    if ways:
        where.among("key", ways)
    if query.get("customer"):
        where.add(
            "owner = ?", int(query.get("customer")) if query.get("customer").isdigit() else -1
        )
    if query.get("product"):
        where.add(
            "rid IN (SELECT bodies.rid FROM bodies, json_each(CAST(body AS TEXT), '$.line_items') c"
            " WHERE json_extract(c.value, '$.product_id') = ?)",
            int(query.get("product")) if query.get("product").isdigit() else 0,
        )


def _customers(where: Filter, query: Query) -> None:
    role = query.get("role", "customer")
    if role not in ROLES:
        raise invalid({"role": f"role is not one of {', '.join(ROLES)}."})
    if role != "all":
        where.add("type = ?", role)
    if query.get("email"):
        where.add("key = ?", query.get("email").lower())


def _categories(where: Filter, query: Query) -> None:
    if query.get("slug"):
        where.add("slug = ?", query.get("slug").lower())


def _coupons(where: Filter, query: Query) -> None:
    where.add("status <> 'trash'")
    if query.get("code"):
        where.add("key = ?", query.get("code").lower())


_KIND_FILTERS = {
    "product": _products,
    "variation": _variations,
    "order": _orders,
    "customer": _customers,
    "category": _categories,
    "coupon": _coupons,
}


# -- documents -----------------------------------------------------------------------------------------


def _bodies(store: Store, kind: str, rids: list[int], query: Query) -> list[bytes]:
    bodies = store.storage.bodies(rids)
    if kind != "category":
        return bodies
    return [with_count(store, body) for body in bodies]


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
