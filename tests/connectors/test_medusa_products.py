"""Products on their way into a Medusa server: how they are packed, and what is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from connectors.base import StoreAccess
from connectors.medusa import CONNECTOR
from connectors.medusa.api import open_api
from connectors.medusa.target import MedusaTarget
from connectors.records import Product, Stream, money
from connectors.testing.contents import product, variant
from connectors.testing.operations import applied, operations, refused

SMALL, LARGE = 100_000, 2_097_152
"""Bytes that a Medusa server takes: of a plain request, and of a batch."""

GBP = {"currency_code": "gbp", "is_default": True}
LISTS: dict[str, list[dict[str, Any]]] = {
    "stores": [{"id": "store_1", "supported_currencies": [GBP, {"currency_code": "usd"}]}],
    "shipping-profiles": [],
}


@dataclass
class Server:
    """Takes new products; a request that is too large is refused without a word of JSON, as by a
    proxy, and so is one that holds a `bad` product.
    """

    bad: str = "no such name"
    sent: list[tuple[str, list[str]]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/admin/")
        if request.method == "GET":
            rows = LISTS[path]
            body: dict[str, Any] = {path.replace("-", "_"): rows, "count": len(rows)}
            return httpx.Response(200, json=body)
        asked = json.loads(request.content)
        made = asked["create"] if path.endswith("/batch") else [asked]
        self.sent.append((path, [each["title"] for each in made]))
        most = LARGE if path.endswith("/batch") else SMALL
        if len(request.content) > most or any(each["title"] == self.bad for each in made):
            return httpx.Response(413, text="<h1>413 Request Entity Too Large</h1>")
        keys = ("title", "external_id")
        rows = [{"id": f"prod_{e['title']}"} | {key: e[key] for key in keys} for e in made]
        return httpx.Response(200, json={"created": rows, "updated": [], "deleted": {}})

    @asynccontextmanager
    async def target(self) -> AsyncIterator[MedusaTarget]:
        access = StoreAccess(
            CONNECTOR.settings(url="http://127.0.0.1:9"), CONNECTOR.credentials(api_key="sk_test")
        )
        api = open_api(access, transport=httpx.MockTransport(self.answer))
        async with MedusaTarget(access, api) as opened:
            yield opened


def shirt(number: int, sizes: int) -> Product:
    """About 350 bytes a size."""
    made = tuple(replace(variant(number, f"{size:03}"), id=str(size)) for size in range(sizes))
    return product(number, sku="", kind="variable", regular_price=None, variants=made)


async def test_one_product_of_hundreds_of_variants_is_taken() -> None:
    """A request of its own, outside a batch, may hold 100 KB."""
    server = Server()
    sent = operations(Stream.PRODUCTS, [shirt(1, 500)])
    async with server.target() as target:
        applied(await target.write(Stream.PRODUCTS, sent))
    assert server.sent == [("products/batch", ["Mug 1"])]


async def test_products_go_together_as_far_as_the_store_takes_them_in_one_request() -> None:
    server = Server()
    long = "x" * 700_000
    some = [product(number, description=long) for number in range(1, 6)]
    sent = operations(Stream.PRODUCTS, some)
    async with server.target() as target:
        assert len(applied(await target.write(Stream.PRODUCTS, sent))) == 5
    assert [titles for _, titles in server.sent] == [
        ["Mug 1", "Mug 2"],
        ["Mug 3", "Mug 4"],
        ["Mug 5"],
    ]


async def test_a_product_that_is_too_large_for_a_proxy_spoils_no_other() -> None:
    server = Server(bad="Mug 2")
    sent = operations(Stream.PRODUCTS, [product(number) for number in (1, 2, 3)])
    async with server.target() as target:
        outcomes = await target.write(Stream.PRODUCTS, sent)
    assert applied([each for each in outcomes if each.source_id != "2"]).keys() == {"1", "3"}
    assert refused([each for each in outcomes if each.source_id == "2"])["2"].code


@pytest.mark.parametrize("together", [1, 3])
async def test_a_price_in_another_currency_than_the_stores_is_refused(together: int) -> None:
    """Beside it the store's own price would stay in force, though the store knows dollars too."""
    foreign = replace(product(1), regular_price=money("10", "USD"))
    sent = operations(Stream.PRODUCTS, [foreign, product(2), product(3)][:together])
    server = Server()
    async with server.target() as target:
        outcomes = await target.write(Stream.PRODUCTS, sent)
    [first, *others] = sorted(outcomes, key=lambda each: each.source_id)
    assert refused([first])["1"].code == "other_currency"
    assert len(applied(others)) == together - 1
    assert all("Mug 1" not in titles for _, titles in server.sent)


async def test_a_price_of_a_variant_in_another_currency_is_refused_in_an_update_too() -> None:
    made = shirt(1, 2)
    dollars = replace(made.variants[1], regular_price=money("10", "USD"))
    [update] = operations(Stream.PRODUCTS, [replace(made, variants=(made.variants[0], dollars))])
    server = Server()
    async with server.target() as target:
        outcomes = await target.write(Stream.PRODUCTS, [replace(update, target_id="prod_1")])
    assert refused(outcomes)["1"].code == "other_currency"
    assert server.sent == []


@dataclass
class BusyServer(Server):
    """Another worker makes each tag in the moment before we do."""

    tags: list[dict[str, str]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/admin/product-tags":
            return super().answer(request)
        if request.method == "GET":
            body = {"product_tags": self.tags, "count": len(self.tags)}
            return httpx.Response(200, json=body)
        name = json.loads(request.content)["value"]
        self.tags.append({"id": f"ptag_{name}", "value": name})
        told = f"Product tag with value: {name}, already exists."
        return httpx.Response(400, json={"type": "invalid_data", "message": told})


@pytest.mark.parametrize("together", [1, 2])
async def test_a_tag_that_another_worker_makes_in_the_same_moment_is_taken(together: int) -> None:
    """It failed the whole page."""
    server = BusyServer()
    some = [product(number, tags=("new", "sale")) for number in (1, 2)][:together]
    async with server.target() as target:
        made = await target.write(Stream.PRODUCTS, operations(Stream.PRODUCTS, some))
    assert len(applied(made)) == together
    assert [each["value"] for each in server.tags] == ["new", "sale"]
