"""What is for sale at the source can be bought on the target: it is on a sales channel there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Applied, Uncertain
from connectors.errors import Rejected
from connectors.records import Stream
from connectors.shopify import CONNECTOR
from connectors.testing.contents import category, product
from connectors.testing.operations import applied, operations
from tests.connectors.shopify_shop import ShopifyShop, shopify_shop

pytestmark = pytest.mark.contracts

_KINDS = {Stream.PRODUCTS: "Product", Stream.CATEGORIES: "Collection"}


@pytest.fixture
async def shop() -> AsyncIterator[ShopifyShop]:
    async with shopify_shop() as opened:
        yield opened


def channels(shop: ShopifyShop, stream: Stream, record_id: str) -> set[str]:
    """Names of the sales channels that a record of the store is on."""
    held = shop.store.tables[_KINDS[stream]][int(record_id)]["_published"]
    return {shop.store.tables["Publication"][number]["name"] for number in held}


async def write(
    shop: ShopifyShop, stream: Stream, content: Any, *, named: str = "", **values: Any
) -> Any:
    async with shop.target(channels=named) as target:
        [outcome] = await target.write(stream, operations(stream, [content], **values))
    return outcome


async def status(shop: ShopifyShop, record_id: str) -> str:
    async with shop.source() as source:
        content: Any = (await source.get(Stream.PRODUCTS, [record_id]))[record_id].content
    found: str = content.status
    return found


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("", {"Online Store"}),
        ("point of sale", {"Point of Sale"}),
        ("Online Store, pos", {"Online Store", "Point of Sale"}),
        ("None", set()),
    ],
)
@pytest.mark.parametrize("content", [product(1), category(1)], ids=["product", "collection"])
async def test_what_is_new_is_on_the_channels_that_the_settings_mean(
    shop: ShopifyShop, content: Any, named: str, expected: set[str]
):
    stream = Stream.PRODUCTS if hasattr(content, "sku") else Stream.CATEGORIES
    made = await write(shop, stream, content, named=named)
    assert isinstance(made, Applied)
    assert channels(shop, stream, made.target_id) == expected


async def test_a_channel_is_known_by_its_number(shop: ShopifyShop):
    [_, second] = shop.store.tables["Publication"]
    made = await write(shop, Stream.PRODUCTS, product(1), named=str(second))
    assert channels(shop, Stream.PRODUCTS, made.target_id) == {"Point of Sale"}


async def test_an_online_store_of_another_name_is_known_by_what_only_it_can_do(shop: ShopifyShop):
    shop.store.publication.update(name="Boutique", _handle=None)
    made = await write(shop, Stream.PRODUCTS, product(1))
    assert channels(shop, Stream.PRODUCTS, made.target_id) == {"Boutique"}


async def test_the_answer_to_a_write_shows_the_product_as_a_later_read_does(shop: ShopifyShop):
    made = await write(shop, Stream.PRODUCTS, product(1))
    assert made.content.status == "published"
    assert await status(shop, made.target_id) == "published"


@pytest.mark.parametrize("hidden", ["draft", "private", "pending", "archived"])
async def test_a_product_is_shown_and_hidden_as_its_source_does(shop: ShopifyShop, hidden: str):
    made = await write(shop, Stream.PRODUCTS, product(1, status=hidden))
    assert channels(shop, Stream.PRODUCTS, made.target_id) == set()
    known: dict[str, Any] = {"target_id": made.target_id, "changed": frozenset({"status"})}
    await write(shop, Stream.PRODUCTS, product(1), **known)
    assert channels(shop, Stream.PRODUCTS, made.target_id) == {"Online Store"}
    await shop.edit(
        op="channels",
        kind="product",
        id=int(made.target_id),
        names=["Online Store", "Point of Sale"],
    )
    await write(shop, Stream.PRODUCTS, product(1, status=hidden), **known)
    assert channels(shop, Stream.PRODUCTS, made.target_id) == {"Point of Sale"}
    assert await status(shop, made.target_id) != "published"


@pytest.mark.parametrize("stream", list(_KINDS))
async def test_channels_that_the_team_chose_stay_as_they_are(shop: ShopifyShop, stream: Stream):
    content: Any = product(1) if stream is Stream.PRODUCTS else category(1)
    made = await write(shop, stream, content)
    record = {"kind": _KINDS[stream], "id": int(made.target_id)}
    await shop.edit(op="channels", names=["Point of Sale"], **record)
    changed = frozenset({"name", "description"})
    renamed = replace(content, name="Another")
    await write(shop, stream, renamed, target_id=made.target_id, changed=changed)
    assert channels(shop, stream, made.target_id) == {"Point of Sale"}


@pytest.mark.parametrize("stream", list(_KINDS))
async def test_a_write_cut_off_before_the_channel_is_taken_up_again(
    shop: ShopifyShop, stream: Stream
):
    """The record is there and nobody can buy it: the look-up finds it, and the next write ends."""
    content: Any = product(1) if stream is Stream.PRODUCTS else category(1)
    [sent] = operations(stream, [content])
    async with shop.target() as target:
        await target.mute({})
        await target.check()
        await shop.faults(timeout_before={"times": 9, "only": "publishablePublish"})
        [outcome] = await target.write(stream, [sent])
        await shop.faults(timeout_before=None)
        assert isinstance(outcome, Uncertain)
        assert outcome.running
        found = await target.find(stream, [sent])
        again = replace(sent, target_id=found["1"].target_id, children=found["1"].children)
        made = applied(await target.write(stream, [again]))["1"]
    assert len(shop.store.tables[_KINDS[stream]]) == 1
    assert channels(shop, stream, made.target_id) == {"Online Store"}


@pytest.mark.parametrize("stream", list(_KINDS))
async def test_what_a_channel_refuses_is_there_and_told_as_lost(shop: ShopifyShop, stream: Stream):
    content: Any = product(1) if stream is Stream.PRODUCTS else category(1)
    async with shop.target() as target:
        await target.check()
        shop.store.remove(shop.store.publication)
        [made] = await target.write(stream, operations(stream, [content]))
    assert isinstance(made, Applied)
    [loss] = made.losses
    assert "sales channels" in loss.reason
    assert loss.field in {each.field for each in CONNECTOR.writes[stream].losses}
    if stream is Stream.PRODUCTS:
        assert made.content.status == "private"  # type: ignore[union-attr]


async def test_a_channel_that_is_not_there_is_told_of_before_anything_is_written(shop: ShopifyShop):
    async with shop.target(channels="Online Store, Shop app") as target:
        with pytest.raises(Rejected, match="Shop app") as caught:
            await target.check()
    assert caught.value.code == "store_lacks_channel"


async def test_a_store_without_an_online_store_is_told_of(shop: ShopifyShop):
    shop.store.remove(shop.store.publication)
    async with shop.target() as target:
        report = await target.check()
        assert "no_sales_channel" in [code for code, _ in report.findings]
    async with shop.target(channels="none") as target:
        report = await target.check()
    assert "no_sales_channel" not in [code for code, _ in report.findings]


async def test_an_active_product_on_no_channel_is_not_for_sale(shop: ShopifyShop):
    """A source shows it to nobody: a target must not sell it."""
    made = await shop.load(product=[{"title": "Mug"}])
    record = str(made["product"][0])
    assert await status(shop, record) == "published"
    await shop.edit(op="channels", kind="product", id=int(record), names=[])
    assert await status(shop, record) == "private"
