"""Every request the connector makes is one that the platform's published description allows."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Sweep
from connectors.records import Attribute, Category, Image, RefundLine, Stream
from connectors.testing.contents import (
    HOME,
    contents,
    customer,
    gbp,
    order,
    product,
    refund,
    variant,
)
from connectors.testing.operations import applied, operations
from connectors.testing.sweeps import read
from connectors.testing.windows import whole
from tests.connectors.practice import Asked, Practice, practice
from tests.contracts_location import require

pytestmark = pytest.mark.contracts

PREFIX = "/wp-json/wc/v3"

# What the store takes although its description does not say so, and why we send it.
UNDESCRIBED = (
    # WordPress itself knows `_fields`, on every list.
    r"unknown query _fields",
    # The phone of a shipping address is kept and shown since WooCommerce 5.6.
    r"unknown key \$\.shipping\.phone",
    # Lines of a refund are described as an answer only.
    r"\('line_items' was unexpected\)|unknown key \$\.line_items",
)
FORGIVEN = re.compile("|".join(f"(?:{each})" for each in UNDESCRIBED))


@pytest.fixture(scope="module")
def described() -> Any:
    """The platform's description, with its way to check requests."""
    source = require("openapi_contract.py")
    spec = importlib.util.spec_from_file_location("openapi_contract", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Contract.load(require("woocommerce") / "wc-10.0.2-openapi.json.gz")


def complaints(described: Any, asked: Asked) -> list[str]:
    """What the description has against a request."""
    query = {name: _typed(name, value) for name, value in asked.query.items()}
    path = asked.path.removeprefix(PREFIX)
    found = []
    for method, single, body in _singles(asked.method, path, asked.body):
        these = described.request(method.lower(), single, query=query, body=body)
        found += [f"{method} {single}: {each}" for each in these if not FORGIVEN.search(each)]
    return found


_LISTS = {"include", "status", "created_via", "include_status"}


def _typed(name: str, value: str) -> Any:
    """A comma list as the list it is."""
    return value.split(",") if name in _LISTS and "," in value else value


def _singles(method: str, path: str, body: Any) -> Iterator[tuple[str, str, Any]]:
    """A batch is many requests in one: each item is judged as the request it stands for."""
    plain = path.removesuffix("/batch")
    if plain == path:
        yield method, path, body
        return
    for item in body.get("create", []):
        yield "POST", plain, item
    for item in body.get("update", []):
        rest = {name: value for name, value in item.items() if name != "id"}
        yield "PUT", f"{plain}/{item['id']}", rest
    for number in body.get("delete", []):
        yield "DELETE", f"{plain}/{number}", None


async def everything_read(shop: Practice) -> None:
    async with shop.source(page_size=20) as source:
        await source.check()
        for stream in Stream:
            for extent in (Sweep(), await whole(source)):
                records = await read(source, stream, extent)
                await source.count(stream, extent)
                await source.split(stream, extent, 3)
            await source.get(stream, [records[0].id, "999999999"] if records else ["7"])


async def everything_written(shop: Practice) -> None:
    async with shop.target() as target:
        await target.check()
        before = await target.loud()
        await target.mute(before)
        await target.unmute(before)
        for stream in (Stream.CATEGORIES, Stream.CUSTOMERS):
            sent = operations(stream, contents(stream, 3))
            await target.find(stream, sent)
            made = applied(await target.write(stream, sent))
            again = [replace(each, target_id=made[each.source_id].target_id) for each in sent]
            await target.write(stream, again)
        await target.write(
            Stream.CUSTOMERS, operations(Stream.CUSTOMERS, [customer(8, shipping=HOME)])
        )
        below = Category(name="Below", parent="15", image=Image("https://a.test/b.jpg"))
        await target.write(Stream.CATEGORIES, operations(Stream.CATEGORIES, [below]))
        await products_written(target)
        await orders_written(target)


async def products_written(target: Any) -> None:
    shirt = product(
        4,
        kind="variable",
        sale_price=gbp("1.00"),
        images=(Image("https://a.test/b.jpg", "Shirt"),),
        attributes=(Attribute("Size", ("S", "M"), varies=True),),
        variants=(variant(4, "S"), variant(4, "M")),
        barcode="4006381333931",
        dimensions=("1", "2", "3"),
        extra={"meta": {"care": "by hand"}, "menu_order": 3},
    )
    sent = operations(Stream.PRODUCTS, [*contents(Stream.PRODUCTS, 3), shirt, product(5, sku="")])
    await target.find(Stream.PRODUCTS, sent)
    made = applied(await target.write(Stream.PRODUCTS, sent))
    again = [
        replace(
            each,
            target_id=made[each.source_id].target_id,
            children=made[each.source_id].children,
        )
        for each in sent
    ]
    fewer = replace(again[3], content=replace(shirt, variants=(variant(4, "S"), variant(4, "L"))))
    await target.write(Stream.PRODUCTS, [*again[:3], fewer])
    [level] = contents(Stream.INVENTORY, 1)
    levels = [
        replace(level, product=made["1"].target_id),
        replace(level, product=made["2"].target_id, counted=False, quantity=None),
        replace(
            level,
            product=made["4"].target_id,
            variant=made["4"].children[variant(4, "S").id],
        ),
    ]
    await target.write(Stream.INVENTORY, operations(Stream.INVENTORY, levels))


async def orders_written(target: Any) -> None:
    given = RefundLine(line="21", quantity=1, total=gbp("2.55"), tax=gbp("0.51"))
    some = [
        order(1, shipping=HOME, note="Ring twice"),
        order(2, total=gbp("44.76"), tax_total=gbp("7.46"), refunds=(refund(9, "3.06", given),)),
        order(3, status="refunded", refunds=(refund(8, "37.30"),), email=""),
        order(4, status="trashed"),
        order(5, refunds=(refund(7, "1.00"),)),
    ]
    sent = operations(Stream.ORDERS, some)
    await target.find(Stream.ORDERS, sent)
    made = applied(await target.write(Stream.ORDERS, sent))
    changed = replace(some[0], lines=some[0].lines[:1], shipping_lines=(), fees=())
    await target.write(
        Stream.ORDERS,
        [
            replace(
                sent[0],
                content=replace(changed, total=gbp("15.30")),
                target_id=made["1"].target_id,
                children=made["1"].children,
            ),
            replace(
                sent[1],
                content=replace(some[1], refunds=()),
                target_id=made["2"].target_id,
                changed=frozenset({"refunds", "status"}),
            ),
        ],
    )


async def test_requests_are_those_of_the_published_description(described: Any):
    async with practice(tax_rate="7.25") as shop:
        await everything_written(shop)
        await everything_read(shop)
        asked = [each for each in shop.asked if each.path.startswith(PREFIX)]
    made = {(each.method, re.sub(r"\d+", "N", each.path.removeprefix(PREFIX))) for each in asked}
    assert {
        ("POST", "/products/batch"),
        ("POST", "/products/N/variations/batch"),
        ("POST", "/orders/batch"),
        ("POST", "/orders/N/refunds"),
        ("DELETE", "/orders/N/refunds/N"),
        ("DELETE", "/orders/N"),
        ("POST", "/customers/batch"),
        ("GET", "/orders"),
        ("GET", "/products/N/variations"),
        ("GET", "/refunds"),
    } <= made
    found = sorted({each for one in asked for each in complaints(described, one)})
    assert found == [], "\n".join(found)


def test_a_request_that_is_wrong_would_be_noticed(described: Any):
    wrong = [
        Asked("GET", f"{PREFIX}/orders", {"per_page": "101"}, None),
        Asked("GET", f"{PREFIX}/orders", {"modified_since": "2026-01-01"}, None),
        Asked("POST", f"{PREFIX}/orders/batch", {}, {"create": [{"status": "nonsense"}]}),
        Asked("POST", f"{PREFIX}/orders/batch", {}, {"update": [{"id": 1, "no_such": 1}]}),
        Asked("POST", f"{PREFIX}/no/such/route", {}, {}),
    ]
    assert all(complaints(described, each) for each in wrong)
