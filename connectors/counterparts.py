"""Which part of a record in one store is which part of its counterpart in another. Pure.

For records that somebody else brought over: nothing names the parts, so that they are told by what
they say. What is kept to tell them are digests; no personal data.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from connectors.digest import value_digest
from connectors.minor_units import rounded
from connectors.records import Content, Money, Order, Product, Variant

_EXTRA = "adopted-"
"""Begins the name of an order's part that the source's order does not have."""

_REMOVABLE = {"line": "", "shipping": "shipping:", "fee": "fee:"}


class Part(Struct, frozen=True, array_like=True):
    """A variant, or a line, shipping line, fee or refund of an order, by its name in `children`.

    `keys` are digests of what tells it from its siblings, the most telling first; `found` are the
    digests of a variant's fields on the target.
    """

    kind: str
    id: str
    keys: tuple[bytes, ...]
    found: bytes = b""


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(list[Part]).decode


def parts_of(content: Content) -> list[Part]:
    """The parts of a record that have ids of their own."""
    match content:
        case Product():
            return [Part("variant", each.id, _keys(*_variant(each))) for each in content.variants]
        case Order():
            return list(_order_parts(content))
        case _:
            return []


def counterparts(ours: Sequence[Part], theirs: Sequence[Part]) -> dict[str, str]:
    """The target's ids by the source's names, as in `Operation.children`.

    Parts that say the same are paired in their order. Parts of an order that are on the target
    alone are there under names that the source does not have: what is gone from the source.
    """
    pairs: dict[str, str] = {}
    taken: set[tuple[str, str]] = set()
    for level in range(max((len(each.keys) for each in ours), default=0)):
        free = defaultdict(list)
        for each in theirs:
            if level < len(each.keys) and (each.kind, each.id) not in taken:
                free[each.kind, each.keys[level]].append(each)
        for part in ours:
            name = _name(part)
            there = free.get((part.kind, part.keys[level])) if level < len(part.keys) else None
            if name not in pairs and there:
                found = there.pop(0)
                pairs[name] = found.id
                taken.add((found.kind, found.id))
    for each in theirs:
        if each.kind in _REMOVABLE and (each.kind, each.id) not in taken:
            pairs[f"{_REMOVABLE[each.kind]}{_EXTRA}{each.id}"] = each.id
    return pairs


def _name(part: Part) -> str:
    return part.id if part.kind in ("variant", "line") else f"{part.kind}:{part.id}"


def _keys(*values: Any) -> tuple[bytes, ...]:
    """Digests of those values that say something."""
    return tuple(value_digest(each) for each in values if any(each))


def _variant(variant: Variant) -> Iterator[Any]:
    sku = variant.sku.strip().casefold()
    yield ("sku", sku) if sku else ()
    yield sorted((each.name.casefold(), each.value.casefold()) for each in variant.options)


def _order_parts(order: Order) -> Iterator[Part]:
    for line in order.lines:
        name = line.sku.strip().casefold() or line.name
        keys = _keys((name, line.quantity, _amount(line.total)), (name,), (line.name,))
        yield Part("line", line.id, keys)
    for shipping in order.shipping_lines:
        keys = _keys((shipping.title, _amount(shipping.total)), (_amount(shipping.total),))
        yield Part("shipping", shipping.id, keys)
    for fee in order.fees:
        yield Part("fee", fee.id, _keys((fee.name, _amount(fee.total)), (_amount(fee.total),)))
    for refund in order.refunds:
        amount = _amount(refund.amount)
        yield Part("refund", refund.id, _keys((amount, refund.reason), (amount,)))


def _amount(value: Money) -> str:
    return f"{rounded(value.amount, value.currency)} {value.currency}"
