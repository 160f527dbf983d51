"""What another tool left in a shop is read, and taken over without a double."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from connectors.base import Operation
from connectors.records import Stream
from connectors.testing.contents import order, refund
from connectors.testing.operations import applied, operations
from tests.connectors.practice import Practice, practice


@pytest.fixture(params=[False, True], ids=["plain", "addon"])
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Practice]:
    async with practice(addon=request.param) as opened:
        yield opened


async def test_a_refund_that_another_tool_made_is_not_made_again(shop: Practice):
    sent = order(1, refunds=(refund(1, "1.00"),))
    plain = order(1, refunds=())
    async with shop.target() as target:
        [made] = applied(
            await target.write(Stream.ORDERS, operations(Stream.ORDERS, [plain]))
        ).values()
        amount = f"{sent.refunds[0].amount.amount:f}"
        where = f"orders/{made.target_id}/refunds"
        theirs = await shop.admin("POST", where, {"amount": amount, "api_refund": False})
        update = Operation(
            source_id="1",
            key="m1:orders:1",
            content=sent,
            target_id=made.target_id,
            children={**made.children, f"refund:{sent.refunds[0].id}": str(theirs["id"])},
            changed=frozenset({"refunds"}),
        )
        for _ in range(2):
            [again] = applied(await target.write(Stream.ORDERS, [update])).values()
    found = await shop.admin("GET", where)
    assert [each["id"] for each in found] == [theirs["id"]]
    assert again.children[f"refund:{sent.refunds[0].id}"] == str(theirs["id"])


async def test_private_metadata_are_shown_to_whoever_asks_for_them(shop: Practice):
    metas = [
        {"key": "_legacy_id", "value": "71"},
        {"key": "legacy_id", "value": 72},
        {"key": "_secret", "value": "no"},
        {"key": "old_id", "value": {"not": "a text"}},
    ]
    made = await shop.load(
        product=[{"name": "Mug", "meta_data": metas}, {"name": "Cup"}],
        order=[{"status": "trash", "meta_data": metas}],
    )
    asked = ("_legacy_id", "legacy_id", "old_id")
    async with shop.source() as source:
        mug, cup = (str(each) for each in made["product"])
        found = await source.metadata(Stream.PRODUCTS, [mug, cup], asked)
        assert found == {mug: {"_legacy_id": "71", "legacy_id": "72"}, cup: {}}
        number = str(made["order"][0])
        trashed = await source.metadata(Stream.ORDERS, [number], asked)
        assert trashed[number]["_legacy_id"] == "71"
        assert await source.metadata(Stream.CATEGORIES, ["1"], asked) == {}
