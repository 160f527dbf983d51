"""Products whose date lies in the target's future: WordPress hides those until their day comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import Applied, Operation
from connectors.records import Product, Stream
from connectors.testing.contents import product
from connectors.testing.operations import applied, operations
from tests.connectors.practice import Practice


def now(shop: Practice) -> datetime:
    return datetime.fromtimestamp(int(shop.store.clock.now()), UTC)


async def make(shop: Practice, sent: Product) -> Applied:
    async with shop.target() as target:
        return applied(await target.write(Stream.PRODUCTS, operations(Stream.PRODUCTS, [sent])))[
            "1"
        ]


async def shown(shop: Practice, made: Applied) -> Product:
    async with shop.source() as source:
        found = (await source.get(Stream.PRODUCTS, [made.target_id]))[made.target_id].content
    assert isinstance(found, Product)
    return found


async def test_a_product_that_is_newer_than_the_targets_clock_is_published_at_once(
    new_shop: Practice,
):
    # The source's clock is a minute ahead.
    sent = product(1, created_at=now(new_shop) + timedelta(minutes=1))
    made = await make(new_shop, sent)
    found = await shown(new_shop, made)
    assert (found.status, found.created_at) == ("published", now(new_shop))
    assert [loss.field for loss in made.losses] == ["created_at"]
    assert isinstance(made.content, Product)
    assert made.content.status == "published"


async def test_a_date_that_the_targets_clock_has_reached_is_kept(new_shop: Practice):
    sent = product(1, created_at=now(new_shop))
    made = await make(new_shop, sent)
    found = await shown(new_shop, made)
    assert (found.status, found.created_at) == ("published", sent.created_at)
    assert made.losses == ()


async def test_a_product_that_the_source_has_on_its_schedule_stays_there(new_shop: Practice):
    sent = product(1, status="future", created_at=now(new_shop) + timedelta(days=3))
    made = await make(new_shop, sent)
    found = await shown(new_shop, made)
    assert (found.status, found.created_at) == ("future", sent.created_at)
    assert made.losses == ()


@pytest.mark.parametrize(
    ("fields", "status"), [({"name"}, "future"), ({"name", "status"}, "published")]
)
async def test_what_the_team_put_on_the_targets_schedule_stays_there_until_the_status_changes(
    new_shop: Practice, fields: set[str], status: str
):
    made = await make(new_shop, product(1))
    later = now(new_shop) + timedelta(days=3)
    await new_shop.edit(
        op="patch",
        kind="product",
        id=int(made.target_id),
        fields={"status": "future", "date_created_gmt": later.strftime("%Y-%m-%dT%H:%M:%S")},
    )
    assert (await shown(new_shop, made)).status == "future"
    async with new_shop.target() as target:
        applied(
            await target.write(
                Stream.PRODUCTS,
                [
                    Operation(
                        source_id="1",
                        key="m1:products:1",
                        content=product(1, name="Newer"),
                        target_id=made.target_id,
                        changed=frozenset(fields),
                    )
                ],
            )
        )
    found = await shown(new_shop, made)
    assert (found.name, found.status) == ("Newer", status)
