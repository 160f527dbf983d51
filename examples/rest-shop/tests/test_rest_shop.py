"""The connector keeps what every connector promises, against a shop that answers over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime

import pytest
from rest_shop import CONNECTOR, Shop
from shop import TOKEN, OwnShop, served

from connectors.base import StoreAccess, Sweep
from connectors.records import Stream
from connectors.testing.contract import DescriptionContract, SourceContract
from connectors.testing.faults import FaultyProxy

ROWS = {
    Stream.PRODUCTS: {"sku": "MUG", "name": "Mug", "price": "2.55"},
    Stream.CUSTOMERS: {"email": "ann@shop.example", "first": "Ann", "last": "Archer"},
    Stream.ORDERS: {
        "placed_at": "2025-05-30T09:00:00+00:00",
        "status": "sent",
        "customer": 1,
        "note": "",
        "sum": "5.10",
        "lines": [{"id": 1, "product": 1, "name": "Mug", "quantity": 2, "sum": "5.10"}],
    },
}
CHANGES = {
    Stream.PRODUCTS: {"name": "Cup"},
    Stream.CUSTOMERS: {"last": "Baker"},
    Stream.ORDERS: {"note": "Ring twice"},
}


class Bench:
    """The shop, and a proxy before it that breaks requests."""

    def __init__(self, shop: OwnShop, proxy: FaultyProxy) -> None:
        self.shop = shop
        self._proxy = proxy

    def source(self, token: str = TOKEN) -> Shop:
        settings = CONNECTOR.settings(url=self._proxy.url, page_size=5)
        return Shop(StoreAccess(settings, CONNECTOR.credentials(token=token)))

    async def shut_out(self) -> Shop:
        return self.source(token="wrong")

    async def fill(self, stream: Stream, count: int) -> list[str]:
        return [str(self.shop.add(stream, **ROWS[stream])) for _ in range(count)]

    async def change(self, stream: Stream, ids: Sequence[str]) -> None:
        for each in ids:
            self.shop.change(stream, int(each), **CHANGES[stream])

    async def remove(self, stream: Stream, ids: Sequence[str]) -> None:
        for each in ids:
            del self.shop.rows[stream][int(each)]

    async def pass_time(self, seconds: float) -> None:
        self.shop.pass_time(seconds)

    async def now(self) -> datetime:
        return self.shop.now

    async def fail_next(self, how: str) -> None:
        self._proxy.fail_next(how)


@pytest.fixture(scope="module")
def served_shop() -> Iterator[tuple[OwnShop, str]]:
    shop = OwnShop()
    with served(shop) as url:
        yield shop, url


@pytest.fixture
async def bench(served_shop: tuple[OwnShop, str]) -> AsyncIterator[Bench]:
    shop, url = served_shop
    shop.clear()
    async with FaultyProxy(url) as proxy:
        yield Bench(shop, proxy)


class TestRestShop(DescriptionContract):
    connector = CONNECTOR


class TestRestShopSource(SourceContract):
    connector = CONNECTOR


async def test_a_row_of_an_unknown_form_spoils_no_other(bench: Bench) -> None:
    [good, bad] = await bench.fill(Stream.PRODUCTS, 2)
    bench.shop.change("products", int(bad), price="free")
    async with bench.source() as source:
        [page] = [each async for each in source.read(Stream.PRODUCTS, Sweep(), {}, None)]
    assert [each.id for each in page.records] == [good]
    assert [each for each, _ in page.failed] == [bad]
