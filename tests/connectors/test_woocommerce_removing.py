"""Taking records off a WooCommerce store, and bringing them back."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.base import Action, Applied, Operation, Refused, Withdrawal
from connectors.errors import StoreError, TryLater
from connectors.records import Stream
from connectors.testing.contents import contents
from connectors.woocommerce.api import RefusedRequest
from tests.connectors.practice import Instead, Practice

_PATHS = {
    Stream.CATEGORIES: "products/categories",
    Stream.PRODUCTS: "products",
    Stream.CUSTOMERS: "customers",
    Stream.ORDERS: "orders",
}
NO_ROUTE = {"code": "rest_no_route", "message": "No route.", "data": {"status": 404}}


def key(stream: Stream, number: int) -> str:
    return f"rs-test:{stream}:{number}"


async def made(shop: Practice, stream: Stream, count: int = 1) -> list[Withdrawal]:
    operations = [
        Operation(source_id=str(number), key=key(stream, number), content=content)
        for number, content in enumerate(contents(stream, count), 1)
    ]
    async with shop.target() as target:
        outcomes = await target.write(stream, operations)
    assert all(isinstance(each, Applied) for each in outcomes)
    return [
        Withdrawal(
            source_id=each.source_id,
            target_id=each.target_id,
            key=key(stream, int(each.source_id)),
        )
        for each in outcomes
        if isinstance(each, Applied)
    ]


async def remove(shop: Practice, stream: Stream, given: list[Withdrawal], action: Action) -> Any:
    async with shop.target() as target:
        return await target.remove(stream, given, action)


async def status(shop: Practice, stream: Stream, each: Withdrawal) -> str | None:
    try:
        row = await shop.admin("GET", f"{_PATHS[stream]}/{each.target_id}")
    except RefusedRequest:
        return None
    return str(row.get("status", "there"))


@pytest.mark.parametrize(("stream", "then"), [(Stream.PRODUCTS, "draft"), (Stream.ORDERS, "trash")])
async def test_what_is_archived_comes_back_as_it_stood(
    new_shop: Practice, stream: Stream, then: str
) -> None:
    given = await made(new_shop, stream, 2)
    before = await status(new_shop, stream, given[0])
    async with new_shop.target() as target:
        standing = await target.standing(stream, given)
        for _ in range(2):
            answers = await target.remove(stream, given[:1], Action.ARCHIVE)
            assert [type(each) for each in answers] == [Applied]
    assert await status(new_shop, stream, given[0]) == then
    assert await status(new_shop, stream, given[1]) == before
    back = [
        Withdrawal(
            source_id=each.source_id,
            target_id=each.target_id,
            key=each.key,
            before=standing[each.source_id],
        )
        for each in given[:1]
    ]
    async with new_shop.target() as target:
        for _ in range(2):
            answers = await target.restore(stream, back)
            assert [type(each) for each in answers] == [Applied]
    assert await status(new_shop, stream, given[0]) == before


@pytest.mark.parametrize("stream", list(_PATHS))
async def test_what_is_deleted_is_gone_and_may_be_deleted_twice(
    new_shop: Practice, stream: Stream
) -> None:
    given = await made(new_shop, stream, 2)
    for _ in range(2):
        answers = await remove(new_shop, stream, given[:1], Action.DELETE)
        assert [type(each) for each in answers] == [Applied]
    assert await status(new_shop, stream, given[0]) is None
    assert await status(new_shop, stream, given[1]) is not None
    async with new_shop.target() as target:
        assert set(await target.standing(stream, given)) == {"2"}


@pytest.mark.parametrize("stream", [Stream.PRODUCTS, Stream.CUSTOMERS, Stream.ORDERS])
async def test_a_record_without_our_key_is_not_deleted(new_shop: Practice, stream: Stream) -> None:
    [given] = await made(new_shop, stream)
    other = Withdrawal(source_id="1", target_id=given.target_id, key="rs-other:x:1")
    [answer] = await remove(new_shop, stream, [other], Action.DELETE)
    assert isinstance(answer, Refused)
    assert answer.code == "not_ours"
    assert await status(new_shop, stream, given) is not None


async def test_a_record_with_the_key_of_another_is_not_even_archived(new_shop: Practice) -> None:
    [given] = await made(new_shop, Stream.PRODUCTS)
    other = Withdrawal(source_id="1", target_id=given.target_id, key=key(Stream.PRODUCTS, 77))
    [answer] = await remove(new_shop, Stream.PRODUCTS, [other], Action.ARCHIVE)
    assert isinstance(answer, Refused)
    assert await status(new_shop, Stream.PRODUCTS, given) == "publish"


async def test_a_product_that_the_team_has_hidden_stays_as_they_left_it(
    new_shop: Practice,
) -> None:
    [given] = await made(new_shop, Stream.PRODUCTS)
    await new_shop.admin("PUT", f"products/{given.target_id}", {"status": "private"})
    await remove(new_shop, Stream.PRODUCTS, [given], Action.ARCHIVE)
    assert await status(new_shop, Stream.PRODUCTS, given) == "private"


async def test_bringing_back_what_is_gone_says_so(new_shop: Practice) -> None:
    [given] = await made(new_shop, Stream.PRODUCTS)
    await new_shop.edit(op="hard_delete", kind="product", id=int(given.target_id))
    back = Withdrawal(
        source_id="1", target_id=given.target_id, key=given.key, before={"status": "publish"}
    )
    async with new_shop.target() as target:
        [answer] = await target.restore(Stream.PRODUCTS, [back])
    assert isinstance(answer, Refused)
    assert (answer.code, answer.gone) == ("gone", True)


async def test_removing_raises_where_nobody_knows_what_became_of_it(new_shop: Practice) -> None:
    given = await made(new_shop, Stream.PRODUCTS)
    await new_shop.faults(rate_limit_day={"times": 1})
    with pytest.raises(TryLater):
        await remove(new_shop, Stream.PRODUCTS, given, Action.ARCHIVE)


async def test_a_shop_that_has_turned_woocommerce_off_has_lost_nothing(shop: Practice) -> None:
    """Its addresses answer 404, as a record does that is gone."""
    ids = (await shop.load(product=[{"name": "Mug"}, {"name": "Cup"}]))["product"]
    await shop.edit(op="hard_delete", kind="product", id=ids[0])
    async with shop.source() as source:
        assert set(await source.get(Stream.PRODUCTS, [str(each) for each in ids])) == {str(ids[1])}
        shop.instead.append(Instead("GET", f"/products/{ids[0]}", 404, NO_ROUTE))
        with pytest.raises(StoreError):
            await source.get(Stream.PRODUCTS, [str(ids[0])])


async def test_deleting_where_woocommerce_is_turned_off_is_no_deletion(
    new_shop: Practice,
) -> None:
    given = await made(new_shop, Stream.PRODUCTS)
    path = f"/products/{given[0].target_id}"
    new_shop.instead.append(Instead("DELETE", path, 404, NO_ROUTE))
    [answer] = await remove(new_shop, Stream.PRODUCTS, given, Action.DELETE)
    assert isinstance(answer, Refused)
    assert await status(new_shop, Stream.PRODUCTS, given[0]) == "publish"
