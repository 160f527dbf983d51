"""Parts that a bulk operation leaves out although it counts what it gives: they are found."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from connectors.base import Sweep
from connectors.records import Stream
from connectors.shopify.verifying import BulkCheck
from connectors.shopify.wire import (
    Nodes,
    WireCount,
    WireId,
    WireLevel,
    WireOfProduct,
    WireStock,
    WireStockItem,
)
from connectors.testing.sweeps import read
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop
from tests.shopify_store import bulk, stock

pytestmark = pytest.mark.contracts

PART = {"bulk": "RecentSync_0123456789abcdef"}
LISTS = {
    Stream.CATEGORIES: "query CollectionPage(",
    Stream.PRODUCTS: "query ProductPage(",
    Stream.CUSTOMERS: "query CustomerPage(",
    Stream.ORDERS: "query OrderPage(",
    Stream.INVENTORY: "query ProductVariantPage(",
}
PLACES = ("North", "South")


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    """Twelve records of each kind; the one in the middle has three parts of each sort."""
    async with shopify_shop() as opened:
        counts = dict.fromkeys(("products", "collections", "customers", "orders"), 12)
        await opened.control("POST", "seed", counts)
        for kind in ("Product", "Collection", "Customer", "Order"):
            number = middle(opened, kind)
            for key in "abc":
                values = {"namespace": "n", "key": key, "type": "single_line_text_field"}
                await opened.edit(op="metafield", kind=kind, id=number, value="v", **values)
        tables = opened.store.tables
        for each in list(tables["Collection"].values())[:3]:
            each["_products"] = [middle(opened, "Product")]
        customer = tables["Customer"][middle(opened, "Customer")]
        person = {"addresses": [{"address1": f"{n} High Street", "city": "Leeds"} for n in "123"]}
        await opened.edit(op="update", kind="customer", id=customer["_n"], values=person)
        variant = tables["ProductVariant"][middle(opened, "ProductVariant")]
        item = tables["InventoryItem"][variant["_item"]]
        for place in PLACES:
            stock.level(opened.store, item, opened.store.add("Location", name=place, _active=True))
        yield opened


def middle(shop: ShopifyShop, kind: str) -> int:
    numbers: list[int] = list(shop.store.tables[kind])
    return numbers[len(numbers) // 2]


async def both(shop: ShopifyShop, stream: Stream) -> tuple[list[Any], list[Any]]:
    """All records by pages, and by a bulk operation."""
    async with shop.source() as source:
        by_page = await read(source, stream, Sweep())
        shop.requests.clear()
        return by_page, await read(source, stream, Sweep(), PART)


def asked(shop: ShopifyShop, begins: str) -> int:
    return sum(each["query"].startswith(begins) for each in shop.requests)


@pytest.mark.parametrize("stream", Stream)
async def test_a_whole_file_costs_one_look_more(shop: ShopifyShop, stream: Stream):
    by_page, by_bulk = await both(shop, stream)
    assert by_bulk == by_page
    assert asked(shop, LISTS[stream]) == 0
    assert asked(shop, LISTS[stream].replace("Page(", "Single(")) == 1


@pytest.mark.parametrize("stream", [each for each in Stream if each is not Stream.INVENTORY])
async def test_lists_that_an_operation_cuts_off_are_read_by_pages(
    shop: ShopifyShop, stream: Stream
):
    """The longest lists of what nobody counts: metafields, collections, addresses."""
    await shop.faults(bulk_truncates={"at": 1})
    by_page, by_bulk = await both(shop, stream)
    assert by_bulk == by_page
    assert asked(shop, LISTS[stream]) > 0


@pytest.mark.parametrize("only", [True, False])
async def test_places_of_stock_that_the_store_counts_are_read_anew(shop: ShopifyShop, only: bool):
    number = middle(shop, "ProductVariant")
    of = f"gid://shopify/ProductVariant/{number}" if only else None
    await shop.faults(bulk_truncates={"at": 1, "of": of})
    by_page, by_bulk = await both(shop, Stream.INVENTORY)
    assert by_bulk == by_page
    assert asked(shop, LISTS[Stream.INVENTORY]) == 0


@pytest.mark.parametrize("stream", [Stream.CUSTOMERS, Stream.INVENTORY])
async def test_a_record_that_lacks_parts_by_the_stores_own_word_is_read_anew(
    shop: ShopifyShop, stream: Stream
):
    kind = {Stream.CUSTOMERS: "Customer", Stream.INVENTORY: "ProductVariant"}[stream]
    number = list(shop.store.tables[kind])[-1]
    await shop.faults(bulk_truncates={"at": 0, "of": f"gid://shopify/{kind}/{number}"})
    by_page, by_bulk = await both(shop, stream)
    assert by_bulk == by_page
    assert asked(shop, LISTS[stream]) == 0
    assert asked(shop, LISTS[stream].replace("Page(", "Single(")) == 2


async def test_what_changed_since_the_file_was_written_is_no_reason_to_doubt_it(
    shop: ShopifyShop, monkeypatch: pytest.MonkeyPatch
):
    async with shop.source() as source:
        lines = source._bulk.lines

        async def late(*given: Any) -> Any:
            found = await lines(*given)
            shop.now[0] += 60
            more = {"addresses": [{"address1": n, "city": "Leeds"} for n in "12345"]}
            number = middle(shop, "Customer")
            await shop.edit(op="update", kind="customer", id=number, values=more)
            return found

        monkeypatch.setattr(source._bulk, "lines", late)
        shop.requests.clear()
        await read(source, Stream.CUSTOMERS, Sweep(), PART)
    assert asked(shop, LISTS[Stream.CUSTOMERS]) == 0


class Fake:
    """Shows every variant at one place, as often as it is asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def single(self, _: Stream, gids: Sequence[str]) -> Any:
        self.asked.append(list(gids))
        return [at_one_place(each) for each in gids], []

    async def completed(self, _: Stream, row: Any) -> Any:
        return row


def at_one_place(gid: str) -> WireStock:
    """One that is at one place, and says that it is at three."""
    return at_places(gid, 1)


def at_places(gid: str, many: int) -> WireStock:
    """One that is at so many places, and says that it is at three."""
    levels = [
        WireLevel(f"gid://shopify/InventoryLevel/{each}", WireId(f"gid://shopify/Location/{each}"))
        for each in range(many)
    ]
    item = WireStockItem(id=gid, locations_count=WireCount(3), inventory_levels=Nodes(levels))
    return WireStock(id=gid, product=WireOfProduct("gid://shopify/Product/1"), inventory_item=item)


async def test_a_number_that_no_look_confirms_is_not_asked_about_again():
    store: Any = Fake()
    check = BulkCheck(store, Stream.INVENTORY)
    for turn in range(3):
        rows = [at_one_place(f"gid://shopify/ProductVariant/{turn}{each}") for each in range(4)]
        assert await check.completed(rows) == (rows, [])
    assert [len(each) for each in store.asked] == [4]


class Changing(Fake):
    """Of the records that it is asked for first, it has none any more; of later ones it shows all
    three places.
    """

    async def single(self, _: Stream, gids: Sequence[str]) -> Any:
        self.asked.append(list(gids))
        return [] if len(self.asked) == 1 else [at_places(each, 3) for each in gids], []


async def test_a_record_that_was_deleted_meanwhile_is_no_reason_to_believe_the_file():
    store: Any = Changing()
    check = BulkCheck(store, Stream.INVENTORY)
    gone = at_places("gid://shopify/ProductVariant/1", 1)
    assert await check.completed([gone]) == ([], [])
    [row], failed = await check.completed([at_places("gid://shopify/ProductVariant/2", 1)])
    assert (len(row.inventory_item.inventory_levels.nodes), failed) == (3, [])


@pytest.mark.parametrize("stream", Stream)
@pytest.mark.parametrize("instead", [True, False], ids=["instead of another", "beside it"])
async def test_a_line_that_stands_in_the_file_twice_counts_once(
    shop: ShopifyShop, monkeypatch: pytest.MonkeyPatch, stream: Stream, instead: bool
):
    """Else there would be twice the stock, or one part twice and another one never."""
    for number, level in enumerate(shop.store.all("InventoryLevel")):
        level["_available"] = 5 + number
    get_on = bulk.advance

    def doubling(store: Any, operation: Any, most: int) -> None:
        get_on(store, operation, most)
        if operation["status"] == "COMPLETED" and not operation.get("_doubled"):
            operation["_doubled"] = True
            operation["_lines"] = doubled(operation["_lines"], instead=instead)

    monkeypatch.setattr(bulk, "advance", doubling)
    by_page, by_bulk = await both(shop, stream)
    assert by_bulk == by_page


def doubled(lines: list[bytes], *, instead: bool) -> list[bytes]:
    """The lines with a part of the record with most parts twice."""
    parts: defaultdict[str, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        if parent := json.loads(line).get("__parentId"):
            parts[parent].append(place)
    first, second, *_ = max(parts.values(), key=len)
    found = list(lines)
    if instead:
        found[second] = found[first]
    else:
        found.append(found[first])
    return found
