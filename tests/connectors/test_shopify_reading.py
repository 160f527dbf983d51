"""Reading a Shopify store that does what its documentation and people's reports say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from threading import Event
from typing import Any

import pytest

from connectors.base import Sweep, TaxBasis, Window
from connectors.errors import SignInAgain, StoreError
from connectors.probing import LOSES, NOT_KEPT, UNSORTED
from connectors.records import InventoryLevel, Product, Stream
from connectors.shopify import bulk
from connectors.shopify.probing import findings
from connectors.shopify.shop import READ_SCOPES
from connectors.shopify.wire import Nodes, WireMark
from connectors.testing.sweeps import ids_of, read
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts

BULK = [Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS, Stream.INVENTORY]
PART = {"bulk": "RecentSync_0123456789abcdef"}


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


async def seed(shop: ShopifyShop, **counts: int) -> dict[str, list[int]]:
    made: dict[str, list[int]] = await shop.control("POST", "seed", counts)
    return made


def started(shop: ShopifyShop) -> int:
    return len(shop.store.tables["BulkOperation"])


# --- parts of records -------------------------------------------------------------------------


async def test_lists_of_parts_are_read_to_their_end(shop: ShopifyShop):
    await seed(shop, products=2, variants=32)
    async with shop.source() as source:
        records = await read(source, Stream.PRODUCTS, Sweep())
        levels = await read(source, Stream.INVENTORY, Sweep())
    contents = [each.content for each in records]
    assert [len(each.variants) for each in contents if isinstance(each, Product)] == [32, 32]
    assert len(levels) == 64


async def test_stock_is_summed_over_locations_or_taken_from_those_that_were_chosen(
    shop: ShopifyShop,
):
    await shop.edit(op="location", name="Shed")
    first, second = (each["id"] for each in shop.store.tables["Location"].values())
    stock = [
        {"locationId": first, "name": "available", "quantity": 3},
        {"locationId": second, "name": "available", "quantity": 4},
    ]
    options = [{"name": "Title", "values": [{"name": "Default Title"}]}]
    variant = {
        "optionValues": [{"optionName": "Title", "name": "Default Title"}],
        "inventoryItem": {"tracked": True},
        "inventoryQuantities": stock,
    }
    await shop.load(product=[{"title": "Mug", "productOptions": options, "variants": [variant]}])
    found = {}
    for locations in ("", second):
        async with shop.source(locations=locations) as source:
            [level] = await read(source, Stream.INVENTORY, Sweep())
        assert isinstance(level.content, InventoryLevel)
        found[locations] = level.content.quantity
    assert found == {"": Decimal(7), second: Decimal(4)}


async def test_products_of_every_status_are_read(shop: ShopifyShop):
    statuses = ["ACTIVE", "DRAFT", "ARCHIVED", "UNLISTED"]
    await shop.load(product=[{"title": each, "status": each} for each in statuses])
    async with shop.source() as source:
        contents = [each.content for each in await read(source, Stream.PRODUCTS, Sweep())]
    shown = [(e.status, e.visibility) for e in contents if isinstance(e, Product)]
    assert shown == [
        ("published", "visible"),
        ("draft", "visible"),
        ("archived", "visible"),
        ("published", "hidden"),
    ]


async def test_a_customer_without_an_email_is_told_and_not_passed_over(shop: ShopifyShop):
    [number] = (await shop.load(customer=[{"lastName": "Walker", "phone": "+12125550123"}]))[
        "customer"
    ]
    async with shop.source() as source:
        pages = [page async for page in source.read(Stream.CUSTOMERS, Sweep(), {}, None)]
    assert [each for page in pages for each in page.failed] == [
        (str(number), "the customer has no email")
    ]


async def test_customers_are_asked_for_by_days_and_given_by_the_second(shop: ShopifyShop):
    """The store matches whole days of its own zone."""
    old = (await shop.load(customer=[{"email": "a@example.test"}]))["customer"]
    shop.now[0] += 3 * 86_400
    await shop.load(customer=[{"email": "b@example.test"}])
    shop.now[0] += 3600
    new = (await shop.load(customer=[{"email": "c@example.test"}]))["customer"]
    async with shop.source() as source:
        now = datetime.fromtimestamp(shop.now[0], UTC)
        window = Window(now - timedelta(seconds=5), now)
        pages = [page async for page in source.read(Stream.CUSTOMERS, window, {}, None)]
    seen = {record.id for page in pages for record in page.records}
    assert seen == {str(each) for each in new}
    assert sum(page.outside for page in pages) == 0
    assert not seen & {str(each) for each in old}


# --- what goes wrong ---------------------------------------------------------------------------


async def test_a_page_that_is_too_costly_is_asked_for_in_smaller_ones(shop: ShopifyShop):
    await seed(shop, products=30, variants=2)
    async with shop.source(page_size=250) as source:
        assert len(await read(source, Stream.PRODUCTS, Sweep())) == 30
    sizes = [
        each["variables"]["first"] for each in shop.requests if "ProductPage(" in each["query"]
    ]
    assert sizes[0] == 250
    assert 1 < sizes[-1] < 250
    assert len(set(sizes[1:])) == 1, "what was learned is kept"


@pytest.mark.parametrize(
    ("fault", "code"),
    [("other_version", "store_api_version"), ("partial_data", "store_server_error")],
)
async def test_an_answer_that_is_not_what_was_asked_for_is_no_page(
    shop: ShopifyShop, fault: str, code: str
):
    await seed(shop, collections=3)
    await shop.faults(**{fault: {"times": 100}})
    async with shop.source() as source:
        with pytest.raises(StoreError) as caught:
            await read(source, Stream.CATEGORIES, Sweep())
    assert caught.value.code == code


async def test_a_missing_scope_is_named_before_anything_is_read():
    scopes = ("read_customers", "read_orders", "read_products")
    async with shopify_shop(scopes=scopes) as shop, shop.source() as source:
        with pytest.raises(SignInAgain) as caught:
            await source.check()
    assert caught.value.code == "store_lacks_scopes"
    assert "read_inventory" in caught.value.message


async def test_orders_that_nobody_may_see_are_told_of():
    scopes = tuple(READ_SCOPES)
    async with shopify_shop(scopes=scopes) as shop, shop.source() as source:
        report = await source.check()
    assert [code for code, _ in report.findings] == ["old_orders_hidden"]


@pytest.mark.parametrize(("included", "basis"), [(True, TaxBasis.GROSS), (False, TaxBasis.NET)])
async def test_a_check_tells_whether_prices_hold_the_tax(*, included: bool, basis: TaxBasis):
    async with shopify_shop(taxes_included=included) as shop, shop.source() as source:
        assert (await source.check()).tax_basis is basis


async def test_a_probe_finds_nothing_where_the_search_is_kept(shop: ShopifyShop):
    await seed(shop, products=3, collections=3, customers=3, orders=3)
    async with shop.source() as source:
        for stream in Stream:
            assert await source.probe(stream) == ()


async def test_a_probe_minds_an_index_that_loses_and_not_one_that_is_late(shop: ShopifyShop):
    made = (await shop.control("POST", "seed", {"products": 3}))["product"]
    shop.now[0] += 7200
    await shop.faults(search_lag={"seconds": 3600})
    for number in made:
        await shop.edit(op="bump", kind="product", id=number)
    async with shop.source() as source:
        for waited in (0, 10):
            shop.now[0] += waited
            assert await source.probe(Stream.PRODUCTS) == ()
        shop.now[0] += 60
        assert await source.probe(Stream.PRODUCTS) == (LOSES,)


def test_a_probe_tells_what_a_store_that_lies_shows():
    now = datetime(2026, 11, 20, tzinfo=UTC)
    latest = [WireMark("gid://shopify/Product/7", "2026-11-20T00:00:00Z")]
    older = WireMark("gid://shopify/Product/9", "2026-11-01T00:00:00Z")
    shown: Nodes[Any] = Nodes(nodes=[older, WireMark("gid://shopify/Product/8", None)])
    assert findings(latest, shown, since=now, now=now) == (NOT_KEPT, LOSES, UNSORTED)


# --- bulk operations ---------------------------------------------------------------------------


@pytest.mark.parametrize("stream", BULK)
async def test_a_bulk_operation_shows_what_pages_show(shop: ShopifyShop, stream: Stream):
    await seed(shop, products=12, variants=14, collections=5, customers=9)
    async with shop.source() as source:
        by_page = await read(source, stream, Sweep())
        assert await read(source, stream, Sweep(), PART) == by_page
    assert started(shop) == 1


async def test_a_large_sweep_is_one_bulk_operation_and_a_small_one_is_not(shop: ShopifyShop):
    await seed(shop, products=20, customers=3)
    async with shop.source(bulk_from=20) as source:
        [part] = await source.split(Stream.PRODUCTS, Sweep(), 4)
        other = await source.split(Stream.PRODUCTS, Sweep(), 4)
        assert part["bulk"] != other[0]["bulk"]
        assert await source.split(Stream.CUSTOMERS, Sweep(), 4) == [{}]
        now = await source.server_time()
        window = Window(now - timedelta(days=1), now)
        assert "bulk" not in (await source.split(Stream.PRODUCTS, window, 4))[0]


async def test_an_operation_whose_id_was_lost_is_found_again(shop: ShopifyShop):
    """The process died after it had started the operation and before anybody noted its id."""
    await seed(shop, products=8)
    async with shop.source() as source:
        pages = source.read(Stream.PRODUCTS, Sweep(), PART, None)
        await anext(pages)
        await pages.aclose()
    async with shop.source() as source:
        assert len(await read(source, Stream.PRODUCTS, Sweep(), PART)) == 8
    assert started(shop) == 1


async def test_an_operation_is_found_again_among_many_older_ones(shop: ShopifyShop):
    await seed(shop, products=3)
    async with shop.source() as source:
        for number in range(25):
            await read(source, Stream.PRODUCTS, Sweep(), {"bulk": f"RecentSync_old{number}"})
        for _ in range(2):
            assert len(await read(source, Stream.PRODUCTS, Sweep(), PART)) == 3
    assert started(shop) == 26


async def test_reading_goes_on_in_the_same_operation_after_any_page(shop: ShopifyShop):
    await seed(shop, products=11)
    async with shop.source(page_size=4) as source:
        pages = [page async for page in source.read(Stream.PRODUCTS, Sweep(), PART, None)]
        for index, page in enumerate(pages[:-1]):
            rest = [
                record.id
                async for later in source.read(Stream.PRODUCTS, Sweep(), PART, page.resume)
                for record in later.records
            ]
            assert rest == [r.id for later in pages[index + 1 :] for r in later.records]
    assert started(shop) == 1


async def test_while_an_operation_runs_its_id_is_handed_out():
    async with shopify_shop(bulk_rows_a_second=1.0) as shop:
        await seed(shop, products=30)
        async with shop.source() as source:
            pages = [page async for page in source.read(Stream.PRODUCTS, Sweep(), PART, None)]
    waiting = [page for page in pages if not page.records]
    assert len(waiting) > 1
    assert all(page.resume and page.resume["bulk"] for page in waiting)
    assert sum(len(page.records) for page in pages) == 30


@pytest.mark.parametrize(
    "fault",
    [
        {"bulk_fails": {"after": 5}},
        {"bulk_truncates": {"at": 2}},
    ],
    ids=["fails", "truncates"],
)
async def test_what_an_operation_does_not_give_whole_is_read_by_pages(
    shop: ShopifyShop, fault: dict[str, Any]
):
    await seed(shop, products=9, variants=4)
    async with shop.source() as source:
        by_page = await read(source, Stream.PRODUCTS, Sweep())
        await shop.faults(**fault)
        assert await read(source, Stream.PRODUCTS, Sweep(), PART) == by_page


async def test_a_file_that_breaks_off_is_fetched_again(shop: ShopifyShop):
    await seed(shop, products=9)
    await shop.faults(file_cut_off={})
    async with shop.source() as source:
        assert len(await read(source, Stream.PRODUCTS, Sweep(), PART)) == 9
    assert started(shop) == 1


async def test_a_reader_that_stops_between_pages_gives_its_file_back(
    shop: ShopifyShop, monkeypatch: pytest.MonkeyPatch
):
    files: list[BytesIO] = []

    def made() -> BytesIO:
        files.append(BytesIO())
        return files[-1]

    monkeypatch.setattr(f"{bulk.__name__}.tempfile.TemporaryFile", made)
    await seed(shop, products=9)
    async with shop.source(page_size=2) as source:
        pages = source.read(Stream.PRODUCTS, Sweep(), PART, None)
        async for page in pages:
            if page.records:
                break
        assert [each.closed for each in files] == [False]
        await pages.aclose()
        assert [each.closed for each in files] == [True]


async def test_a_reader_that_is_stopped_in_the_middle_of_a_file_gives_it_back(
    shop: ShopifyShop, monkeypatch: pytest.MonkeyPatch
):
    writing, stopped = Event(), Event()

    class Slow(BytesIO):
        def write(self, chunk: Any) -> int:
            writing.set()
            assert stopped.wait(10)
            return super().write(chunk)

    file = Slow()
    monkeypatch.setattr(f"{bulk.__name__}.tempfile.TemporaryFile", lambda: file)
    await seed(shop, products=3)
    async with shop.source() as source:
        reading = asyncio.create_task(read(source, Stream.PRODUCTS, Sweep(), PART))
        try:
            assert await asyncio.to_thread(writing.wait, 10)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            assert reading.cancelled()
            assert file.closed
        finally:
            stopped.set()


async def test_an_operation_that_takes_too_long_is_cancelled_and_no_other_is():
    async with shopify_shop(bulk_rows_a_second=0.01) as shop:
        await seed(shop, products=30)
        async with shop.source() as source:
            foreign = source.read(Stream.PRODUCTS, Sweep(), {"bulk": "RecentSync_other"}, None)
            await anext(foreign)
            await foreign.aclose()
        async with shop.source(bulk_patience=20) as source:
            found = await read(source, Stream.PRODUCTS, Sweep(), PART)
        statuses = [each["status"] for each in shop.store.tables["BulkOperation"].values()]
    assert len(ids_of(found)) == 30
    assert statuses == ["RUNNING", "CANCELED"]
