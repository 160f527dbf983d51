"""Which handler answers which path below `/wp-json/`."""

import re
from collections.abc import Awaitable, Callable

from sandbox import batch, listing, resources, settings, totals
from sandbox.store import Store, missing
from sandbox.wire import Answer, ApiError, Request, json_answer

Handler = Callable[[Request, "re.Match[str]"], Awaitable[Answer]]
_V3 = r"^/wp-json/wc/v3"


class Routes:
    """The REST API of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._table: list[tuple[re.Pattern[str], dict[str, Handler], str]] = []
        self._flat("products", "product", resources.Products(store, "product"))
        self._flat("products/categories", "category", resources.Categories(store, "category"))
        self._flat("customers", "customer", resources.Customers(store, "customer"))
        self._flat("orders", "order", resources.Orders(store, "order"))
        self._flat("coupons", "coupon", resources.Coupons(store, "coupon"))
        self._flat("webhooks", "webhook", resources.Webhooks(store, "webhook"))
        self._nested("products", "variations", "variation", resources.Variations)
        self._nested("orders", "refunds", "refund", resources.Refunds)
        self._nested("orders", "notes", "note", resources.Notes)
        self._single_pages()

    def find(self, request: Request) -> tuple[Handler, "re.Match[str]", str]:
        """The handler of a request and the pattern of its route; 404 `rest_no_route`."""
        path = request.path.rstrip("/") or "/"
        for pattern, handlers, name in self._table:
            match = pattern.match(path)
            if match and request.method in handlers:
                return handlers[request.method], match, name
        message = "No route was found matching the URL and request method."
        raise ApiError(404, "rest_no_route", message)

    def _add(self, path: str, name: str, **handlers: Handler) -> None:
        self._table.append((re.compile(f"{_V3}/{path}$"), handlers, name))

    def _flat(self, path: str, kind: str, writer: resources.Resource) -> None:
        """List, create, get, update, delete and batch of a kind."""
        store = self._store

        async def collection(request: Request, _: "re.Match[str]") -> Answer:
            return listing.answer(store, kind, request)

        async def read(request: Request, match: "re.Match[str]") -> Answer:
            return _one(store, kind, int(match["id"]), request)

        async def create(request: Request, _: "re.Match[str]") -> Answer:
            return Answer(201, await writer.create(request.json(), checked=True))

        async def update(request: Request, match: "re.Match[str]") -> Answer:
            payload = request.json()
            return Answer(200, await writer.update(int(match["id"]), payload, checked=True))

        async def delete(request: Request, match: "re.Match[str]") -> Answer:
            return Answer(200, await writer.delete(int(match["id"]), force=_force(request)))

        async def many(request: Request, _: "re.Match[str]") -> Answer:
            return await batch.run(writer, request.json())

        self._add(path, path, GET=collection, POST=create)
        self._add(f"{path}/batch", f"{path}/batch", POST=many, PUT=many)
        self._add(
            rf"{path}/(?P<id>\d+)",
            f"{path}/{{id}}",
            GET=read,
            PUT=update,
            POST=update,
            DELETE=delete,
        )

    def _nested(self, above: str, path: str, kind: str, make: type[resources.Variations]) -> None:
        """The same below a parent; one that belongs to another parent is not found."""
        store = self._store

        def writer(match: "re.Match[str]") -> resources.Variations:
            return make(store, kind, int(match["parent"]))

        async def collection(request: Request, match: "re.Match[str]") -> Answer:
            parent = int(match["parent"])
            if store.read(above.removesuffix("s"), parent) is None:
                raise missing(above.removesuffix("s"))
            return listing.answer(store, kind, request, parent=parent)

        async def read(request: Request, match: "re.Match[str]") -> Answer:
            return _one(store, kind, int(match["id"]), request, parent=int(match["parent"]))

        async def create(request: Request, match: "re.Match[str]") -> Answer:
            return Answer(201, await writer(match).create(request.json(), checked=True))

        async def update(request: Request, match: "re.Match[str]") -> Answer:
            payload = request.json()
            return Answer(200, await writer(match).update(int(match["id"]), payload, checked=True))

        async def delete(request: Request, match: "re.Match[str]") -> Answer:
            found = await writer(match).delete(int(match["id"]), force=_force(request))
            return Answer(200, found)

        async def many(request: Request, match: "re.Match[str]") -> Answer:
            return await batch.run(writer(match), request.json())

        base, name = rf"{above}/(?P<parent>\d+)/{path}", f"{above}/{{id}}/{path}"
        self._add(base, name, GET=collection, POST=create)
        changes: dict[str, Handler] = {"GET": read, "DELETE": delete}
        if kind == "variation":
            self._add(f"{base}/batch", f"{name}/batch", POST=many, PUT=many)
            changes |= {"PUT": update, "POST": update}
        self._add(rf"{base}/(?P<id>\d+)", f"{name}/{{id}}", **changes)

    def _single_pages(self) -> None:
        store = self._store

        async def all_refunds(request: Request, _: "re.Match[str]") -> Answer:
            return listing.answer(store, "refund", request)

        async def all_variations(request: Request, _: "re.Match[str]") -> Answer:
            return listing.answer(store, "variation", request)

        async def groups(request: Request, _: "re.Match[str]") -> Answer:
            return json_answer(settings.groups(store))

        async def group(request: Request, match: "re.Match[str]") -> Answer:
            return json_answer(settings.group(store, match["group"]))

        async def setting(request: Request, match: "re.Match[str]") -> Answer:
            return json_answer(settings.one(store, match["group"], match["id"]))

        async def change(request: Request, match: "re.Match[str]") -> Answer:
            payload = request.json()
            return json_answer(settings.change(store, match["group"], match["id"], payload))

        async def change_many(request: Request, match: "re.Match[str]") -> Answer:
            wanted = request.json().get("update") or []
            done = [settings.change(store, match["group"], item["id"], item) for item in wanted]
            return json_answer({"update": done})

        async def taxes(request: Request, _: "re.Match[str]") -> Answer:
            rates = [totals.rate_doc(store)] if totals.tax_rate(store) else []
            count = str(len(rates))
            return json_answer(rates, 200, [("X-WP-Total", count), ("X-WP-TotalPages", count)])

        async def statuses(request: Request, _: "re.Match[str]") -> Answer:
            return json_answer(settings.statuses())

        async def status(request: Request, _: "re.Match[str]") -> Answer:
            return json_answer(settings.system_status(store))

        async def root(request: Request, _: "re.Match[str]") -> Answer:
            return json_answer({"namespace": "wc/v3", "routes": {}})

        self._add("refunds", "refunds", GET=all_refunds)
        self._add("settings", "settings", GET=groups)
        self._add("settings/(?P<group>[a-z_]+)", "settings/{group}", GET=group)
        self._add("settings/(?P<group>[a-z_]+)/batch", "settings/{group}/batch", POST=change_many)
        self._add(
            "settings/(?P<group>[a-z_]+)/(?P<id>[a-z_]+)",
            "settings/{group}/{id}",
            GET=setting,
            PUT=change,
            POST=change,
        )
        self._add("taxes", "taxes", GET=taxes)
        self._add("orders/statuses", "orders/statuses", GET=statuses)
        self._add("system_status", "system_status", GET=status)
        self._table.append((re.compile(f"{_V3}$"), {"GET": root}, "wc/v3"))
        self._table.append(
            (
                re.compile(r"^/wp-json/wc-analytics/variations$"),
                {"GET": all_variations},
                "wc-analytics/variations",
            )
        )


def _one(
    store: Store, kind: str, record_id: int, request: Request, *, parent: int | None = None
) -> Answer:
    body = store.shown(kind, record_id)
    if body is None or store.faults.unreadable(record_id):
        raise missing(kind)
    if parent is not None:
        doc = store.read(kind, record_id)
        if doc is None or doc["parent_id"] != parent:
            raise missing(kind)
    if kind == "category":
        body = listing.with_count(store, body)
    return Answer(200, listing.fields(body, request.query))


def _force(request: Request) -> bool:
    if "force" in request.query:
        return request.query.flag("force")
    return request.json().get("force") in (True, "true", 1)
