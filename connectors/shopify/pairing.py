"""Which part of a record here is which part of one there. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.base import Operation
from connectors.records import Order, Product, Refund
from connectors.shopify.mapping_lines import part_of
from connectors.shopify.parts import NO_GOODS, number, shop_amount, utc
from connectors.shopify.wire import WireVariant
from connectors.shopify.wire_orders import WireOrder, WireRefund
from connectors.variants import told_apart


def pair_variants(operation: Operation, rows: Sequence[WireVariant]) -> dict[str, str]:
    """Variants of the target by the source's ids: as known, by SKU, by their options."""
    content = operation.content
    if not isinstance(content, Product):
        return {}
    content = told_apart(content)
    there = {number(each.id) for each in rows}
    by_sku = {each.sku.casefold(): number(each.id) for each in rows if each.sku}
    by_options = {
        frozenset((e.name.casefold(), e.value.casefold()) for e in each.selected_options): number(
            each.id
        )
        for each in rows
    }
    pairs: dict[str, str] = {}
    for variant in content.variants:
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
    """Parts of the target's order by their names in `children`: lines and fees by the property
    that they carry, shipping by its place, refunds by amount and date.
    """
    pairs: dict[str, str] = {}
    for each in row.line_items.nodes:
        if (part := part_of(each)) not in ("", NO_GOODS):
            # Of two lines that stand for one the first names both.
            pairs.setdefault(part, number(each.id))
    shipped = [each for each in row.shipping_lines.nodes if each.id and not each.is_removed]
    if len(shipped) == len(content.shipping_lines):
        for ours, theirs in zip(content.shipping_lines, shipped, strict=True):
            pairs[f"shipping:{ours.id}"] = number(theirs.id or "")
    return pairs | pair_refunds(content, row)


def pair_refunds(content: Order, row: WireOrder) -> dict[str, str]:
    """Refunds of the target by their names: the same amount at the same second, each one once."""
    free = {each.id: each for each in row.refunds}
    pairs: dict[str, str] = {}
    for refund in content.refunds:
        for theirs in list(free.values()):
            if _same(refund, theirs, content.currency):
                pairs[f"refund:{refund.id}"] = number(theirs.id)
                del free[theirs.id]
                break
    return pairs


def _same(refund: Refund, theirs: WireRefund, currency: str) -> bool:
    if shop_amount(theirs.total_refunded_set, currency) != refund.amount:
        return False
    at = utc(theirs.processed_at)
    return refund.created_at is None or at == refund.created_at.replace(microsecond=0)
