"""What Shopify's history tells of deletions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors.abilities import TellsDeletions
from connectors.base import Sweep
from connectors.errors import BadAnswer, SignInAgain
from connectors.records import Stream
from connectors.shopify.documents import EVENT_PAGE
from connectors.shopify.feed import deleted
from connectors.testing.sweeps import ids_of, read
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts

KINDS = {
    Stream.CATEGORIES: "Collection",
    Stream.PRODUCTS: "Product",
    Stream.CUSTOMERS: "Customer",
    Stream.ORDERS: "Order",
}


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        await opened.control(
            "POST", "seed", {"products": 4, "collections": 4, "customers": 4, "orders": 4}
        )
        opened.now[0] += 3600
        yield opened


def now(shop: ShopifyShop) -> datetime:
    return datetime.fromtimestamp(shop.now[0], UTC)


@pytest.mark.parametrize("stream", KINDS)
async def test_what_was_deleted_since_a_moment_is_told(shop: ShopifyShop, stream: Stream):
    kind = KINDS[stream]
    early, late, *_ = shop.store.tables[kind]
    await shop.edit(op="delete", kind=kind, id=early)
    shop.now[0] += 60
    since = now(shop)
    await shop.edit(op="delete", kind=kind, id=late)
    async with shop.source() as source:
        assert isinstance(source, TellsDeletions)
        assert await source.deleted(stream, since) == {str(late)}
        everything = await source.deleted(stream, since - timedelta(days=7))
        assert everything == {str(early), str(late)}
        assert not everything & ids_of(await read(source, stream, Sweep()))


async def test_nothing_is_asked_about_stock(shop: ShopifyShop):
    async with shop.source() as source:
        shop.requests.clear()
        assert await source.deleted(Stream.INVENTORY, now(shop)) == frozenset()
    assert shop.requests == []


async def test_more_deletions_than_a_page_holds_are_all_told(shop: ShopifyShop):
    doc = next(iter(shop.store.tables["Product"].values()))
    numbers = range(1, 2 * EVENT_PAGE + 2)
    for each in numbers:
        shop.store.event({**doc, "id": f"gid://shopify/Product/{each}"}, "destroy")
    async with shop.source() as source:
        shop.requests.clear()
        found = await source.deleted(Stream.PRODUCTS, now(shop))
    assert found == {str(each) for each in numbers}
    assert len(shop.requests) == 3


class Fake:
    """Answers what it is told, whatever it is asked for."""

    def __init__(self, *nodes: dict[str, Any], more: bool = False) -> None:
        self.answer = {"nodes": list(nodes), "pageInfo": {"hasNextPage": more}}

    async def ask(self, _: Any, kind: type[Any], __: Any) -> Any:
        return msgspec.convert({"events": self.answer}, kind)


def event(number: int, action: str = "destroy", kind: str = "Product") -> dict[str, Any]:
    return {
        "id": f"gid://shopify/BasicEvent/{number}",
        "action": action,
        "subjectId": f"gid://shopify/{kind}/{number}",
        "subjectType": kind.upper(),
    }


class Denying:
    """Refuses, with a code."""

    def __init__(self, code: str) -> None:
        self.code = code

    async def ask(self, *_: Any) -> Any:
        raise SignInAgain("no", code=self.code)


async def test_a_history_that_the_app_may_not_read_tells_nothing():
    denying: Any = Denying("store_access_denied")
    assert await deleted(denying, Stream.ORDERS, datetime.now(UTC)) == frozenset()


async def test_a_token_that_was_withdrawn_is_no_empty_history():
    denying: Any = Denying("store_credentials")
    with pytest.raises(SignInAgain):
        await deleted(denying, Stream.ORDERS, datetime.now(UTC))


async def test_what_a_store_shows_beside_deletions_is_none():
    comment = {"id": "gid://shopify/CommentEvent/4", "action": "comment"}
    shown: Any = Fake(event(1), event(2, action="create"), event(3, kind="Order"), comment)
    assert await deleted(shown, Stream.PRODUCTS, datetime.now(UTC)) == {"1"}


async def test_a_history_that_begins_anew_at_every_page_is_refused():
    shown: Any = Fake(event(1), more=True)
    with pytest.raises(BadAnswer) as caught:
        await deleted(shown, Stream.PRODUCTS, datetime.now(UTC))
    assert caught.value.code == "store_ignores_filter"
