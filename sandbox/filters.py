"""What a list leaves out: the filters of each kind of record."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.customers import ROLES
from sandbox.schema import ORDER_STATUSES, PRODUCT_STATUSES, invalid
from sandbox.store import Store
from sandbox.wire import Query

_DATE = re.compile(
    r"^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}(?::?\d{2})?)?$"
)


@dataclass(slots=True)
class Filter:
    """A growing WHERE."""

    clauses: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)

    def add(self, clause: str, *params: Any) -> None:
        """Add a condition with its parameters."""
        self.clauses.append(clause)
        self.params.extend(params)

    def among(self, column: str, values: list[Any], *, negate: bool = False) -> None:
        """Ask that a column be one of some values, or none of them."""
        marks = ",".join("?" * len(values))
        self.add(f"{column} {'NOT ' if negate else ''}IN ({marks})", *values)

    def sql(self) -> str:
        """All conditions together."""
        return " AND ".join(self.clauses)


def build(store: Store, kind: str, query: Query, *, dates: bool) -> Filter:
    """The condition a query asks for; with `dates` the kind knows the date filters."""
    where = Filter()
    skus = [value.lower() for value in query.get("sku").split(",") if value.strip()]
    if kind == "product" and skus:
        where.add("kind IN ('product', 'variation')")
    else:
        where.add("kind = ?", kind)
    if skus:
        where.among("key", [value.strip() for value in skus])
    _ids(where, query)
    if dates:
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


def _cms(where: Filter, query: Query) -> None:
    """Nobody is signed in: only what is published."""
    if set(query.many("status")) - {"publish"}:
        raise invalid({"status": "Status is forbidden."})
    where.add("status = 'publish'")
    if query.get("slug"):
        where.add("slug = ?", query.get("slug").lower())


_KIND_FILTERS = {
    "product": _products,
    "variation": _variations,
    "order": _orders,
    "customer": _customers,
    "category": _categories,
    "coupon": _coupons,
    "page": _cms,
    "post": _cms,
}
