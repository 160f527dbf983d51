"""A shop that speaks like WooCommerce out of pre-serialised bytes: it costs next to nothing.

`python -m benchmarks.source --orders 100000` prints one line of JSON with its address once it is
ready. Nothing is encoded during a request: a page is the join of its orders' bytes. Signatures
are not checked. `POST /_bench/touch?count=N` changes N orders, spread evenly over all of them.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import uvicorn

from benchmarks.orders import serialised

_API = "/wp-json/wc/v3/"
_MAX_PER_PAGE = 100

Answer = tuple[int, bytes, dict[str, str]]
"""Status, body, headers."""


def _generate(bounds: tuple[int, int]) -> list[bytes]:
    return [serialised(number) for number in range(*bounds)]


class Shop:
    """Orders 1 to `count`, in the order of their ids, with their times of change beside them."""

    def __init__(self, bodies: list[bytes]) -> None:
        self._bodies = bodies
        self._stamps = [_stamp(body) for body in bodies]
        self._filtered: dict[tuple[str, str], list[int]] = {}

    @classmethod
    def of(cls, count: int) -> Shop:
        """A shop with so many orders, made by two processes."""
        step = max(1, count // 8)
        parts = [(begin, min(begin + step, count + 1)) for begin in range(1, count + 1, step)]
        with ProcessPoolExecutor(2) as pool:
            return cls([body for part in pool.map(_generate, parts) for body in part])

    def touch(self, count: int) -> int:
        """Change up to `count` orders now; the number of those changed."""
        now = datetime.now(UTC).replace(microsecond=0)
        step = max(1, len(self._bodies) // max(1, count))
        chosen = range(0, len(self._bodies), step)[:count]
        for index in chosen:
            self._bodies[index] = serialised(index + 1, modified=now)
            self._stamps[index] = _stamp(self._bodies[index])
        self._filtered.clear()
        return len(chosen)

    def page(self, query: dict[str, str]) -> Answer:
        """A page of the list, whole or with the `_fields` id and date_modified_gmt."""
        indexes = self._select(query)
        size = int(query.get("per_page", "10"))
        if not 1 <= size <= _MAX_PER_PAGE:
            return _problem(400, "rest_invalid_param")
        default = (int(query.get("page", "1")) - 1) * size
        offset = int(query.get("offset", default))
        rows = indexes[offset : offset + size]
        total = len(indexes) if rows else 0  # past the end WooCommerce says 0 of 0
        headers = {"X-WP-Total": str(total), "X-WP-TotalPages": str(-(-total // size))}
        return 200, b"[" + b",".join(self._shapes(rows, query)) + b"]", headers

    def one(self, number: str) -> Answer:
        """A single order."""
        if number.isdigit() and 1 <= int(number) <= len(self._bodies):
            return 200, self._bodies[int(number) - 1], {}
        return _problem(404, "woocommerce_rest_shop_order_invalid_id")

    def _select(self, query: dict[str, str]) -> Sequence[int]:
        if query.get("status") in {"trash", "auto-draft", "checkout-draft"}:
            return []
        chosen = self._within(query.get("modified_after", ""), query.get("modified_before", ""))
        if "include" in query:
            wanted = {int(each) - 1 for each in query["include"].split(",") if each}
            chosen = [index for index in sorted(wanted) if index in chosen]
        if "exclude" in query:
            barred = {int(each) - 1 for each in query["exclude"].split(",") if each}
            chosen = [index for index in chosen if index not in barred]
        return chosen if query.get("order") == "asc" else chosen[::-1]

    def _within(self, after: str, before: str) -> Sequence[int]:
        if not after and not before:
            return range(len(self._bodies))
        if (after, before) not in self._filtered:
            upper = before or "9999"
            self._filtered[after, before] = [
                index for index, stamp in enumerate(self._stamps) if after < stamp < upper
            ]
        return self._filtered[after, before]

    def _shapes(self, rows: Sequence[int], query: dict[str, str]) -> list[bytes]:
        fields = set(query.get("_fields", "").split(","))
        if fields <= {"id", "date_modified_gmt"} and "id" in fields:
            return [
                b'{"id":%d,"date_modified_gmt":"%s"}' % (index + 1, self._stamps[index].encode())
                for index in rows
            ]
        return [self._bodies[index] for index in rows]


def _stamp(body: bytes) -> str:
    begin = body.index(b'"date_modified_gmt":"') + 21
    return body[begin : begin + 19].decode()


def _problem(status: int, code: str) -> Answer:
    body = {"code": code, "message": code, "data": {"status": status}}
    return status, msgspec.json.encode(body), {}


_INDEX = msgspec.json.encode(
    {
        "name": "Benchmark shop",
        "description": "",
        "url": "http://127.0.0.1",
        "home": "http://127.0.0.1",
        "gmt_offset": "-5",
        "timezone_string": "America/New_York",
        "namespaces": ["wp/v2", "wc/v3"],
        "authentication": {},
        "routes": {},
    }
)
_STATUS = msgspec.json.encode(
    {
        "environment": {"version": "10.0.2", "wp_version": "6.8.8"},
        "settings": {"currency": "USD", "currency_symbol": "$", "number_of_decimals": 2},
    }
)
_CURRENCY = msgspec.json.encode({"id": "woocommerce_currency", "value": "USD"})


def answer(shop: Shop, method: str, path: str, query: dict[str, str]) -> Answer:
    """One request. Streams other than orders are empty."""
    if path == "/_bench/touch" and method == "POST":
        return 200, b'{"changed":%d}' % shop.touch(int(query["count"])), {}
    if method not in {"GET", "HEAD"}:
        return _problem(405, "rest_no_route")
    if path.rstrip("/") == "/wp-json":
        return 200, _INDEX, {}
    return _resource(shop, path.removeprefix(_API).rstrip("/"), query)


def _resource(shop: Shop, route: str, query: dict[str, str]) -> Answer:
    match route.split("/"):
        case ["orders"]:
            return shop.page(query)
        case ["orders", number]:
            return shop.one(number)
        case ["system_status"]:
            return 200, _STATUS, {}
        case ["settings", "general", _]:
            return 200, _CURRENCY, {}
        case _:
            return 200, b"[]", _EMPTY


_EMPTY = {"X-WP-Total": "0", "X-WP-TotalPages": "0"}

Send = Callable[[dict[str, Any]], Awaitable[None]]


def application(shop: Shop) -> Callable[..., Awaitable[None]]:
    """The shop as an ASGI application, without a framework in between."""

    async def serve(scope: dict[str, Any], _receive: object, send: Send) -> None:
        query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
        status, body, headers = answer(shop, scope["method"], scope["path"], query)
        head = {
            "content-type": "application/json; charset=UTF-8",
            "content-length": str(len(body)),
            "date": format_datetime(datetime.now(UTC), usegmt=True),
            **headers,
        }
        lines = [(name.lower().encode(), value.encode()) for name, value in head.items()]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        shown = b"" if scope["method"] == "HEAD" else body
        await send({"type": "http.response.body", "body": shown})

    return serve


async def serve(orders: int) -> None:
    """Serve until the process is told to end."""
    app = application(Shop.of(orders))
    config = uvicorn.Config(
        app, lifespan="off", access_log=False, log_level="warning", date_header=False
    )
    listener = socket.create_server(("127.0.0.1", 0))
    print(f'{{"url": "http://127.0.0.1:{listener.getsockname()[1]}"}}', flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def main() -> None:
    """Command line of the shop alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    asyncio.run(serve(parser.parse_args().orders))


if __name__ == "__main__":
    main()
