"""Orders in bulk: what the file of an operation cannot hold is fetched, and nothing is believed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Sweep
from connectors.records import Fulfilment, RefundLine, Stream
from connectors.testing.contents import gbp, line, order, refund
from connectors.testing.operations import applied, operations
from connectors.testing.sweeps import ids_of, read
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts

PART = {"bulk": "RecentSync_0123456789abcdef"}


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    """A store with orders of every kind: sent, in part, given back, cancelled, unpaid."""
    async with shopify_shop() as opened:
        await opened.control("POST", "seed", {"products": 3, "customers": 2, "orders": 6})
        async with opened.target() as target:
            applied(await target.write(Stream.ORDERS, operations(Stream.ORDERS, contents())))
        opened.requests.clear()
        yield opened


def contents() -> list[Any]:
    back = RefundLine(line="21", quantity=1, total=gbp("2.55"), tax=gbp("0"))
    ways = tuple(
        Fulfilment(id=each, status="success", tracking=each, lines=(("31", 1),)) for each in "AB"
    )
    many = tuple(line(600 + each, quantity=1) for each in range(20))
    total = gbp(str(gbp("2.55").amount * 20 + gbp("6.70").amount))
    return [
        order(1),
        order(2, refunds=(refund(5, "2.55", back),)),
        order(3, status="processing", completed_at=None, fulfilments=ways),
        order(4, status="cancelled"),
        order(5, status="pending", paid_at=None, completed_at=None),
        replace(order(6), lines=many, total=total),
    ]


async def both(shop: ShopifyShop) -> tuple[list[Any], list[Any]]:
    """All orders by pages, and by a bulk operation."""
    async with shop.source() as source:
        by_page = await read(source, Stream.ORDERS, Sweep())
        shop.requests.clear()
        return by_page, await read(source, Stream.ORDERS, Sweep(), PART)


def asked(shop: ShopifyShop, name: str) -> list[list[str]]:
    """Ids of the requests of a document."""
    texts = [each for each in shop.requests if each["query"].startswith(f"query {name}(")]
    return [each["variables"]["ids"] for each in texts]


async def test_a_bulk_operation_shows_what_pages_show(shop: ShopifyShop):
    by_page, by_bulk = await both(shop)
    assert len(by_page) == 12
    assert by_bulk == by_page
    found = [each.content for each in by_bulk]
    assert sum(len(each.refunds) for each in found) == 1
    assert any(len(each.lines) == 20 for each in found)


async def test_only_orders_that_hold_more_are_asked_for_and_only_for_that(shop: ShopifyShop):
    await both(shop)
    sent = {"Order/" + each.split("/")[-1] for ids in asked(shop, "OrderNested") for each in ids}
    held = shop.store.tables["Order"].values()
    expected = {f"Order/{each['_n']}" for each in held if each["_refunds"] or each["_fulfillments"]}
    assert sent == expected
    assert len(expected) == 4
    [sample] = asked(shop, "OrderSingle")
    assert len(sample) == 5


@pytest.mark.parametrize("at", [1, 5])
async def test_orders_whose_lines_the_file_does_not_hold_are_read_anew(shop: ShopifyShop, at: int):
    await shop.faults(bulk_truncates={"at": at})
    by_page, by_bulk = await both(shop)
    assert [each.content.lines for each in by_bulk] == [each.content.lines for each in by_page]
    assert [each.content.total for each in by_bulk] == [each.content.total for each in by_page]
    assert len(asked(shop, "OrderSingle")) > 1, "more than the sample"


async def test_an_edited_order_that_does_not_add_up_is_read_anew_and_kept(shop: ShopifyShop):
    """The sums of an order say what was first sold; nothing is lost where its lines say more."""
    [number, *_] = shop.store.tables["Order"]
    [first, *_] = shop.store.tables["Order"][number]["_lines"]
    shop.store.tables["LineItem"][first]["quantity"] += 1
    by_page, by_bulk = await both(shop)
    assert by_bulk == by_page


@pytest.mark.parametrize("op", ["update", "delete"])
async def test_an_order_that_changes_while_its_file_is_read_is_not_half_of_each(
    shop: ShopifyShop, monkeypatch: pytest.MonkeyPatch, op: str
):
    """The file says one thing, and what is fetched a moment later another."""
    async with shop.source() as source:
        by_page = await read(source, Stream.ORDERS, Sweep())
        changed = next(each.id for each in by_page if each.content.refunds)
        fetch = source._loader.nested_of_orders

        async def late(gids: list[str]) -> Any:
            shop.now[0] += 60
            await shop.edit(op=op, kind="order", id=int(changed), values={"note": "changed"})
            return await fetch(gids)

        monkeypatch.setattr(source._loader, "nested_of_orders", late)
        by_bulk = await read(source, Stream.ORDERS, Sweep(), PART)
        expected = await read(source, Stream.ORDERS, Sweep())
    assert by_bulk == expected
    assert (changed in ids_of(by_bulk)) is (op == "update")


async def test_reading_goes_on_in_the_same_operation_after_any_page(shop: ShopifyShop):
    async with shop.source(page_size=5) as source:
        pages = [page async for page in source.read(Stream.ORDERS, Sweep(), PART, None)]
        for index, page in enumerate(pages[:-1]):
            rest = [e.records async for e in source.read(Stream.ORDERS, Sweep(), PART, page.resume)]
            left = [each.id for some in pages[index + 1 :] for each in some.records]
            assert [each.id for some in rest for each in some] == left
    assert len(shop.store.tables["BulkOperation"]) == 1


async def test_a_large_sweep_of_orders_is_one_bulk_operation(shop: ShopifyShop):
    async with shop.source(bulk_from=12) as source:
        [part] = await source.split(Stream.ORDERS, Sweep(), 4)
    assert "bulk" in part
