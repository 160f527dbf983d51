"""Which other records a record names, and how their ids are exchanged for the target's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from connectors.records import Category, Content, InventoryLevel, Order, OrderLine, Product, Stream


class Reference(NamedTuple):
    """A record of another (or the same) stream; `child` is a variant of a product."""

    stream: Stream
    id: str
    child: str | None = None

    def to_text(self) -> str:
        """As a text to be kept and compared; ids may hold any character."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_text(cls, kept: str) -> Reference:
        """What `to_text` has made."""
        return msgspec.json.decode(kept, type=cls)


Lookup = Callable[[Reference], str | None]
"""Gives the target's id of a reference (of the child, where there is one), or None."""


def references(content: Content) -> Iterator[Reference]:
    """All references of a content, in the order they stand there, doubles included."""
    match content:
        case Category(parent=str(parent)):
            yield Reference(Stream.CATEGORIES, parent)
        case Product():
            for category in content.categories:
                yield Reference(Stream.CATEGORIES, category)
        case InventoryLevel():
            yield Reference(Stream.PRODUCTS, content.product, content.variant)
        case Order():
            yield from _order_references(content)
        case _:
            return


def _order_references(order: Order) -> Iterator[Reference]:
    if order.customer is not None:
        yield Reference(Stream.CUSTOMERS, order.customer)
    for line in order.lines:
        if line.product is not None:
            yield Reference(Stream.PRODUCTS, line.product, line.variant)


def with_target_ids(content: Content, lookup: Lookup) -> Content:
    """The content with every reference exchanged; what the look-up does not know becomes None
    (a guest's order, a free line) or is left out of a list.
    """
    match content:
        case Category(parent=str(parent)):
            return replace(content, parent=lookup(Reference(Stream.CATEGORIES, parent)))
        case Product():
            found = (lookup(Reference(Stream.CATEGORIES, each)) for each in content.categories)
            return replace(content, categories=tuple(each for each in found if each is not None))
        case InventoryLevel():
            return _level_with_target_ids(content, lookup)
        case Order():
            return _order_with_target_ids(content, lookup)
        case _:
            return content


def _level_with_target_ids(level: InventoryLevel, lookup: Lookup) -> InventoryLevel:
    product = lookup(Reference(Stream.PRODUCTS, level.product))
    variant = level.variant and lookup(Reference(Stream.PRODUCTS, level.product, level.variant))
    return replace(level, product=product or "", variant=variant)


def _order_with_target_ids(order: Order, lookup: Lookup) -> Order:
    customer = order.customer and lookup(Reference(Stream.CUSTOMERS, order.customer))
    lines = tuple(_line_with_target_ids(line, lookup) for line in order.lines)
    return replace(order, customer=customer, lines=lines)


def _line_with_target_ids(line: OrderLine, lookup: Lookup) -> OrderLine:
    if line.product is None:
        return line
    product = lookup(Reference(Stream.PRODUCTS, line.product))
    variant = line.variant and lookup(Reference(Stream.PRODUCTS, line.product, line.variant))
    return replace(line, product=product, variant=variant if product else None)
