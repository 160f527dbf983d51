"""Which handler answers which path below `/wp-json/`."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from sandbox import addon, batch, listing, settings, totals
from sandbox.resources import Resource
from sandbox.store import Store, missing
from sandbox.wire import Answer, ApiError, Request, json_answer

Match = re.Match[str]
Handler = Callable[[Request, Match], Awaitable[Answer]]
_V3 = "/wp-json/wc/v3"


class Routes:
    """The REST API of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._table: list[tuple[re.Pattern[str], dict[str, Handler], str]] = []
        for path, kind in _FLAT.items():
            self._resource(path, kind)
        for path, kind in _NESTED.items():
            self._resource(path, kind)
        self._lists()
        self._settings()
        if store.config.addon:
            for path, handlers in addon.routes(store).items():
                self._add(path, **handlers)

    def find(self, request: Request) -> tuple[Handler, Match, str]:
        """The handler of a request, its path's parts and its route; 404 `rest_no_route`."""
        path = request.path.rstrip("/")
        for pattern, handlers, name in self._table:
            match = pattern.match(path)
            if match and request.method in handlers:
                return handlers[request.method], match, name
        message = "No route was found matching the URL and request method."
        raise ApiError(404, "rest_no_route", message)

    def _add(self, path: str, **handlers: Handler) -> None:
        """Answer a path; `{parent}` and `{id}` are numbers, other names in braces are words."""
        pattern = re.sub(r"\{(parent|id)\}", r"(?P<\1>\\d+)", path)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>\\w+)", pattern)
        name = path.removeprefix("/wp-json/").removeprefix("wc/v3/")
        self._table.append((re.compile(f"^{pattern}$"), handlers, name))

    def _page(self, path: str, make: Callable[[Match], Any]) -> None:
        """Answer GETs of a path with the JSON of a value."""

        async def read(_: Request, match: Match) -> Answer:
            return json_answer(make(match))

        self._add(path, GET=read)

    # -- kinds of records

    def _resource(self, path: str, kind: str) -> None:
        """List, create, get, update, delete and batch of a kind, if need be below a parent."""
        store, base = self._store, f"{_V3}/{path}"

        def writer(match: Match) -> Resource:
            return Resource(store, kind, int(match.groupdict().get("parent") or 0))

        async def collection(request: Request, match: Match) -> Answer:
            parent = self._parent(path, match)
            return listing.answer(store, kind, request, parent=parent)

        async def read(request: Request, match: Match) -> Answer:
            return _one(store, kind, request, match)

        async def create(request: Request, match: Match) -> Answer:
            return Answer(201, await writer(match).create(request.json(), checked=True))

        async def update(request: Request, match: Match) -> Answer:
            payload = request.json()
            return Answer(200, writer(match).update(int(match["id"]), payload, checked=True))

        async def delete(request: Request, match: Match) -> Answer:
            return Answer(200, writer(match).delete(int(match["id"]), force=_force(request)))

        async def many(request: Request, match: Match) -> Answer:
            return await batch.run(writer(match), request.json())

        self._add(base, GET=collection, POST=create)
        changes: dict[str, Handler] = {"GET": read, "DELETE": delete}
        if kind not in _NEVER_CHANGED:
            self._add(f"{base}/batch", POST=many, PUT=many)
            changes |= {"PUT": update, "POST": update}
        self._add(f"{base}/{{id}}", **changes)

    def _parent(self, path: str, match: Match) -> int | None:
        """The id of the parent a path names; 404 when it is not there."""
        if "{parent}" not in path:
            return None
        kind, parent = path.split("/", 1)[0].removesuffix("s"), int(match["parent"])
        if self._store.storage.get(kind, parent) is None:
            raise missing(kind)
        return parent

    def _lists(self) -> None:
        """Lists across parents, and the read-only tables."""
        store = self._store

        async def all_refunds(request: Request, _: Match) -> Answer:
            return listing.answer(store, "refund", request)

        async def all_variations(request: Request, _: Match) -> Answer:
            return listing.answer(store, "variation", request)

        async def taxes(_: Request, __: Match) -> Answer:
            rates = [totals.rate_doc(store)] if totals.tax_rate(store) else []
            count = str(len(rates))
            return json_answer(rates, 200, [("X-WP-Total", count), ("X-WP-TotalPages", count)])

        self._add(f"{_V3}/refunds", GET=all_refunds)
        self._add("/wp-json/wc-analytics/variations", GET=all_variations)
        self._add(f"{_V3}/taxes", GET=taxes)
        self._page(f"{_V3}/orders/statuses", lambda _: settings.statuses())

    def _settings(self) -> None:
        store = self._store

        async def change(request: Request, match: Match) -> Answer:
            payload = request.json()
            return json_answer(settings.change(store, match["group"], match["name"], payload))

        async def change_many(request: Request, match: Match) -> Answer:
            wanted = request.json().get("update") or []
            done = [settings.change(store, match["group"], item["id"], item) for item in wanted]
            return json_answer({"update": done})

        self._page(_V3, lambda _: {"namespace": "wc/v3", "routes": {}})
        self._page(f"{_V3}/system_status", lambda _: settings.system_status(store))
        self._page(f"{_V3}/settings", lambda _: settings.groups(store))
        self._page(f"{_V3}/settings/{{group}}", lambda m: settings.group(store, m["group"]))
        one = f"{_V3}/settings/{{group}}/{{name}}"
        self._add(f"{_V3}/settings/{{group}}/batch", POST=change_many)
        self._page(one, lambda match: settings.one(store, match["group"], match["name"]))
        self._add(one, PUT=change, POST=change)


_FLAT = {
    "products": "product",
    "products/categories": "category",
    "customers": "customer",
    "orders": "order",
    "coupons": "coupon",
    "webhooks": "webhook",
}
_NESTED = {
    "products/{parent}/variations": "variation",
    "orders/{parent}/refunds": "refund",
    "orders/{parent}/notes": "note",
}
_NEVER_CHANGED = ("refund", "note")


def _one(store: Store, kind: str, request: Request, match: Match) -> Answer:
    record_id, parent = int(match["id"]), match.groupdict().get("parent")
    body = store.shown(kind, record_id)
    if body is None or store.faults.unreadable(record_id):
        raise missing(kind)
    if parent is not None and (store.read(kind, record_id) or {}).get("parent_id") != int(parent):
        raise missing(kind)
    return Answer(200, listing.fields(listing.reckoned(store, kind, body), request.query))


def _force(request: Request) -> bool:
    if "force" in request.query:
        return request.query.flag("force")
    return request.json().get("force") in (True, "true", 1)
