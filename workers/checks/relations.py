"""Whether order lines are of the same products on both sides. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from connectors.records import Order, OrderLine


class Line(NamedTuple):
    """A line of an order that is of another product on the target; `shown` says how."""

    source_id: str
    shown: str


def differing_goods(ours: Order, theirs: Order, children: Mapping[str, str]) -> Iterator[Line]:
    """Lines that name another product or variant than ours, which name the target's ids, or none.

    Lines are paired as the ledger knows them, else by their place where both orders show the same
    lines in the same order. What has no twin differs in more than its product.
    """
    for line, twin in _twins(ours, theirs, children):
        if line.product is None or line.product == twin.product:
            if line.product and line.variant and line.variant != twin.variant:
                yield Line(line.id, f"variant {line.variant} / {twin.variant or 'none'}")
        else:
            yield Line(line.id, f"product {line.product} / {twin.product or 'none'}")


def _twins(
    ours: Order, theirs: Order, children: Mapping[str, str]
) -> Iterator[tuple[OrderLine, OrderLine]]:
    there = {each.id: each for each in theirs.lines}
    in_place = [each.name for each in ours.lines] == [each.name for each in theirs.lines]
    for place, line in enumerate(ours.lines):
        twin = there.get(children.get(line.id, ""))
        if twin is None and in_place:
            twin = theirs.lines[place]
        if twin is not None:
            yield line, twin
