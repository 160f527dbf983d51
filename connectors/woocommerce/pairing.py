"""Which part of a record here is which part of one there. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from connectors.base import Operation
from connectors.records import Order, Product, Variant
from connectors.woocommerce.bodies_products import variation_key
from connectors.woocommerce.parts import (
    CUSTOMER_KEY_META,
    KEY_META,
    PART_META,
    REFUND_META,
    meta_value,
    text,
)
from connectors.woocommerce.wire import (
    Metas,
    WireFee,
    WireLine,
    WireOrder,
    WireRefund,
    WireShippingLine,
    WireVariation,
)


def pair_variations(operation: Operation, found: Sequence[WireVariation]) -> dict[str, str]:
    """Variations of the target by the source's ids: by our key, by SKU, by their options. Each goes
    to one of the source's alone.
    """
    content = operation.content
    if not isinstance(content, Product):
        return {}
    by_key: dict[str | None, list[int]] = {}
    by_sku: dict[str, list[int]] = {}
    by_options: dict[frozenset[tuple[str, str]], list[int]] = {}
    for row in found:
        by_key.setdefault(meta_value(row.meta_data, KEY_META), []).append(row.id)
        by_sku.setdefault((row.sku or "").casefold(), []).append(row.id)
        options = _options((each.name, text(each.option)) for each in row.attributes)
        by_options.setdefault(options, []).append(row.id)

    def by_option(variant: Variant) -> list[int]:
        options = _options((each.name, each.value) for each in variant.options)
        return by_options.get(options, []) if options else []

    ways: tuple[Callable[[Variant], list[int]], ...] = (
        lambda variant: by_key.get(variation_key(operation, variant), []),
        lambda variant: by_sku.get(variant.sku.casefold(), []) if variant.sku else [],
        by_option,
    )
    pairs: dict[str, str] = {}
    taken: set[int] = set()
    for way in ways:
        for variant in content.variants:
            free = [each for each in way(variant) if each not in taken]
            if free and variant.id not in pairs:
                pairs[variant.id] = str(free[0])
                taken.add(free[0])
    return pairs


def _options(pairs: Any) -> frozenset[tuple[str, str]]:
    return frozenset((name.casefold(), value.casefold()) for name, value in pairs)


def source_parts(content: Order) -> dict[str, Sequence[str]]:
    """The names under which an order's parts are kept in `children`, in their order."""
    return {
        "line_items": [each.id for each in content.lines],
        "shipping_lines": [f"shipping:{each.id}" for each in content.shipping_lines],
        "fee_lines": [f"fee:{each.id}" for each in content.fees],
    }


def all_parts(order: WireOrder) -> list[WireLine | WireShippingLine | WireFee]:
    """Everything an order's total is made of, beside taxes."""
    return [*order.line_items, *order.shipping_lines, *order.fee_lines]


def pair_parts(
    content: Order, found: WireOrder, known: Mapping[str, str] = MappingProxyType({})
) -> dict[str, str]:
    """Parts of the target's order by their names: by the meta they carry.

    Where not one part of a kind carries it, those that are not `known` by position, if their
    numbers agree: what another part of the source's was, the next one is not.
    """
    pairs: dict[str, str] = {}
    taken = set(known.values())
    rows_by_kind: dict[str, Sequence[Any]] = {
        "line_items": found.line_items,
        "shipping_lines": found.shipping_lines,
        "fee_lines": found.fee_lines,
    }
    for kind, names in source_parts(content).items():
        rows = rows_by_kind[kind]
        marked = {
            name: str(row.id)
            for row in rows
            if (name := meta_value(row.meta_data, PART_META)) is not None
        }
        if not marked:
            named = [name for name in names if name not in known]
            free = [str(row.id) for row in rows if str(row.id) not in taken]
            marked = dict(zip(named, free, strict=True)) if len(named) == len(free) else {}
        pairs |= marked
    return pairs


def refund_name(source_id: str) -> str:
    """The name under which a refund is kept in `children`."""
    return f"refund:{source_id}"


def pair_refunds(found: Sequence[WireRefund]) -> dict[str, str]:
    """Our refunds on the target, by their names."""
    return {
        refund_name(name): str(row.id)
        for row in found
        if (name := meta_value(row.meta_data, REFUND_META)) is not None
    }


def carried_key(metas: Metas) -> str | None:
    """Our key of a product, variation or customer."""
    return meta_value(metas, KEY_META) or meta_value(metas, CUSTOMER_KEY_META)
