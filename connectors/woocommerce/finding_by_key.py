"""Finding records by our key, many in one request of the store's add-on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connectors.base import Match, Operation
from connectors.records import Product, Stream
from connectors.woocommerce.addon import Addon, KnownOrder
from connectors.woocommerce.bodies_products import variation_key
from connectors.woocommerce.pairing import refund_name

KEYED = frozenset({Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS, Stream.ORDERS})


async def find_by_key(
    addon: Addon, stream: Stream, operations: Sequence[Operation]
) -> dict[str, Match]:
    """Matches by source id, for a stream of `KEYED`. Raises `StoreError`."""
    if stream is Stream.ORDERS:
        orders = await addon.orders([each.key for each in operations])
        return {
            each.source_id: _order(orders[each.key]) for each in operations if each.key in orders
        }
    keys = [key for each in operations for key in (each.key, *_variation_keys(each).values())]
    ids = await addon.ids(stream, keys)
    return {each.source_id: _match(each, ids) for each in operations if each.key in ids}


def _order(found: KnownOrder) -> Match:
    refunds = {refund_name(name): str(number) for name, number in found.refunds.items()}
    parts = {name: str(number) for name, number in found.parts.items()}
    return Match(target_id=str(found.id), by="key", children=parts | refunds)


def _match(operation: Operation, ids: Mapping[str, int]) -> Match:
    children = {
        variant: str(ids[key]) for variant, key in _variation_keys(operation).items() if key in ids
    }
    return Match(target_id=str(ids[operation.key]), by="key", children=children)


def _variation_keys(operation: Operation) -> dict[str, str]:
    """Our keys of a product's variants, by their source ids."""
    content = operation.content
    if not isinstance(content, Product):
        return {}
    return {each.id: variation_key(operation, each) for each in content.variants}
