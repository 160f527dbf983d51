"""Two workers write to one Vendure store in the same moment: each knows nothing of the other."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from connectors.records import Attribute, Order, Product, Stream
from connectors.testing.contents import product
from connectors.testing.operations import applied, operations
from connectors.vendure.target import VendureTarget
from tests.live.vendure.store import VendureStore
from tests.live.vendure.writing import rich, write


async def test_words_that_both_need_are_the_same_ones(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """Vendure takes a second value of the same name: filters showed it twice, half full each."""
    made = Attribute("Material", tuple(f"Clay {number}" for number in range(12)))
    goods = [product(number, attributes=(made,), tags=("new",)) for number in (1, 2)]
    first, second = operations(Stream.PRODUCTS, goods)
    async with VendureTarget(vendure.access()) as other:
        both = (vendure_target, first), (other, second)
        writes = [target.write(Stream.PRODUCTS, [operation]) for target, operation in both]
        outcomes = await asyncio.gather(*writes)
    targets = [each.target_id for some in outcomes for each in applied(some).values()]
    used = await vendure.database.fetchval(
        'SELECT count(DISTINCT "facetValueId") FROM product_facet_values_facet_value'
    )
    assert used == 13
    for found in (await vendure_target.get(Stream.PRODUCTS, targets)).values():
        assert isinstance(found.content, Product)
        assert found.content.attributes == (made,)


async def test_the_first_orders_may_come_at_once(
    vendure: VendureStore, vendure_target: VendureTarget
) -> None:
    """Each needs what stands for goods and ways of sending that the store does not have."""
    whole = rich()
    sent = operations(Stream.ORDERS, [replace(whole, number=f"N{each}") for each in range(6)])
    found = applied(await vendure_target.write(Stream.ORDERS, sent))
    again = await write(vendure_target, Stream.ORDERS, replace(whole, number="N0"))
    for each in (*found.values(), *again):
        assert isinstance(each.content, Order)
        [line] = each.content.lines
        assert (line.name, line.product, each.content.total) == ("Mug 1", None, whole.total)
