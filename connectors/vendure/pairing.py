"""Which part of a record here is which part of one there. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Operation
from connectors.records import Order, Product
from connectors.variants import told_apart
from connectors.vendure.mapping_payments import FEE, SHIPPING, part_ids
from connectors.vendure.parts import custom
from connectors.vendure.wire import WireVariant
from connectors.vendure.wire_orders import WireOrder


def pair_variants(operation: Operation, rows: Sequence[WireVariant]) -> dict[str, str]:
    """Variants of the target by the source's ids: as known, by SKU, by their options."""
    content = operation.content
    if not isinstance(content, Product):
        return {}
    there = {each.id for each in rows if each.options}
    by_sku = {each.sku.casefold(): each.id for each in rows if each.sku and each.options}
    by_options = {
        frozenset((o.group.name.casefold(), o.name.casefold()) for o in each.options if o.group): (
            each.id
        )
        for each in rows
        if each.options
    }
    pairs: dict[str, str] = {}
    for variant in told_apart(content).variants:
        options = frozenset((e.name.casefold(), e.value.casefold()) for e in variant.options)
        known = operation.children.get(variant.id)
        target = (
            (known if known in there else None)
            or by_sku.get(variant.sku.casefold() or " ")
            or by_options.get(options)
        )
        if target and target not in pairs.values():
            pairs[variant.id] = target
    return pairs


def pair_order(content: Order, row: WireOrder) -> dict[str, str]:
    """Parts of the target's order by their names in `children`."""
    ours = part_ids(row)
    names = [each.id for each in content.lines]
    names += [f"{SHIPPING}{each.id}" for each in content.shipping_lines]
    names += [f"{FEE}{each.id}" for each in content.fees]
    pairs = {each: ours[each] for each in names if each in ours}
    refunds = {
        custom(each.custom_fields, "importedId"): each.id
        for payment in row.payments or []
        for each in payment.refunds
    }
    return pairs | {
        f"refund:{each.id}": refunds[each.id] for each in content.refunds if each.id in refunds
    }
