"""The add-on of `addons/woocommerce`, played: the same routes with the same meaning."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from sandbox import exact_orders, lines, redirects, settings, storefront
from sandbox.feed import KINDS, MAX_PAGE
from sandbox.store import SILENT, Store
from sandbox.wire import Answer, ApiError, Doc, Request, encode, invalid, json_answer

ROOT = "/wp-json/recent-sync/v1"
VERSION = "1.1.0"
_MAX_ORDERS = 100
_MAX_KEYS = 500
_LOOKUPS = ("categories", "products", "customers", "orders")

Handler = Callable[[Request, Any], Awaitable[Answer]]


class _Carrier(msgspec.Struct, gc=False):
    id: int
    meta_data: list[Any] = []


_decode = msgspec.json.Decoder(_Carrier).decode


@contextmanager
def listening(store: Store, request: Request) -> Iterator[None]:
    """Within the block the request is silent, if it carries the mark."""
    is_api = request.path.startswith(("/wp-json/wc/v", ROOT))
    mark = request.headers.get("x-recent-sync") == "import"
    token = SILENT.set(store.config.addon and is_api and mark)
    try:
        yield
    finally:
        SILENT.reset(token)


def routes(store: Store) -> dict[str, dict[str, Handler]]:
    """Handlers by path and method."""

    async def status(_: Request, __: Any) -> Answer:
        return json_answer(
            {
                "version": VERSION,
                "api": 1,
                "woocommerce": settings.system_status(store)["environment"]["version"],
                "orders_table": True,
                "silent": SILENT.get(),
                "now": store.clock.stamps()[1],
                "feed_complete": store.feed.complete_from(),
                "redirects": True,
            }
        )

    async def lookup(request: Request, _: Any) -> Answer:
        return json_answer(_lookup(store, request.json()))

    async def save(request: Request, _: Any) -> Answer:
        return _save(store, request.json())

    async def changes(request: Request, _: Any) -> Answer:
        return json_answer(_changes(store, request))

    async def save_redirects(request: Request, _: Any) -> Answer:
        return json_answer(redirects.save(store, request, partial(storefront.is_page, store)))

    async def list_redirects(request: Request, _: Any) -> Answer:
        return json_answer(redirects.index(store, request))

    async def remove_redirects(request: Request, _: Any) -> Answer:
        return json_answer(redirects.remove(store, request))

    return {
        f"{ROOT}/status": {"GET": status},
        f"{ROOT}/lookup": {"POST": lookup},
        f"{ROOT}/orders": {"POST": save},
        f"{ROOT}/changes": {"GET": changes},
        f"{ROOT}/redirects": {
            "POST": save_redirects,
            "GET": list_redirects,
            "DELETE": remove_redirects,
        },
    }


# -- orders


def _save(store: Store, payload: Doc) -> Answer:
    if not SILENT.get():
        message = "Orders are imported by requests that carry the mark."
        raise ApiError(409, "recent_sync_not_silent", message)
    wanted = payload.get("orders")
    if not isinstance(wanted, list) or not 0 < len(wanted) <= _MAX_ORDERS:
        raise invalid("orders")
    answers = [_save_alone(store, each) for each in wanted]
    return Answer(200, b'{"orders":[' + b",".join(answers) + b"]}")


def _save_alone(store: Store, data: Doc) -> bytes:
    try:
        order_id, made = exact_orders.save(store, data)
    except ApiError as error:
        return encode({"error": error.body()})
    doc = store.read("order", order_id) or {}
    names = exact_orders.named_refunds(store, doc)
    return encode({"made": made, "order": doc, "refunds": names})


# -- look-up


def _lookup(store: Store, payload: Doc) -> Doc:
    found: Doc = {}
    for name in _LOOKUPS:
        keys = sorted(set(payload.get(name) or []))
        if len(keys) > _MAX_KEYS:
            raise ApiError(413, "recent_sync_too_many", "Too many keys at once.")
        found[name] = _FINDERS[name](store, keys) if keys else {}
    return found


def _orders(store: Store, keys: Sequence[str]) -> Doc:
    found: Doc = {}
    for key, order_id in exact_orders.ids_by_key(store, keys).items():
        doc = store.read("order", order_id)
        if doc is None:
            continue
        parts = [part for kind in lines.KINDS for part in doc[kind]]
        found[key] = {
            "id": order_id,
            "status": doc["status"],
            "parts": exact_orders.marked(parts, exact_orders.PART),
            "refunds": exact_orders.named_refunds(store, doc),
        }
    return found


def _categories(store: Store, keys: Sequence[str]) -> Doc:
    kept = store.storage.fact("category_keys", {})
    return {
        key: kept[key]
        for key in keys
        if key in kept and store.storage.get("category", kept[key]) is not None
    }


def _carriers(kinds: str, meta: str) -> Callable[[Store, Sequence[str]], Doc]:
    """Finds records by a meta field: of doubles the oldest, what is alive before the trash."""
    sql = (
        f"SELECT body FROM records JOIN bodies USING (rid) WHERE kind IN ({kinds})"  # noqa: S608
        " AND latest = 1 AND instr(CAST(body AS TEXT), ?) > 0"
        " ORDER BY status <> 'trash', id DESC"
    )

    def find(store: Store, keys: Sequence[str]) -> Doc:
        wanted = set(keys)
        found: Doc = {}
        for (body,) in store.storage.rows(sql, (f'"{meta}"',)):
            record = _decode(body)
            for entry in record.meta_data:
                if entry["key"] == meta and entry["value"] in wanted:
                    found[entry["value"]] = record.id
        return found

    return find


_FINDERS: dict[str, Callable[[Store, Sequence[str]], Doc]] = {
    "categories": _categories,
    "products": _carriers("'product', 'variation'", "_recent_sync_key"),
    "customers": _carriers("'customer'", "recent_sync_key"),
    "orders": _orders,
}


# -- the feed


def _changes(store: Store, request: Request) -> Doc:
    kind = request.query.get("kind")
    if kind not in KINDS:
        raise invalid("kind")
    try:
        since = datetime.fromisoformat(request.query.get("since")).replace(tzinfo=UTC)
        after = int(request.query.get("after") or 0)
        limit = int(request.query.get("limit") or MAX_PAGE)
    except ValueError:
        raise invalid("since, after, limit") from None
    if not 0 < limit <= MAX_PAGE:
        raise invalid("limit")
    return store.feed.page(kind, since=int(since.timestamp()), after=after, limit=limit)
