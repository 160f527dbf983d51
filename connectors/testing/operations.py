"""What a test sends to a target, and how it reads the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from connectors.base import Applied, Operation, Outcome, Refused, Target, Withdrawal
from connectors.records import Address, Category, Content, Customer, Order, Product, Stream

WRITTEN = (Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS, Stream.ORDERS)
"""Streams whose records are created; levels of stock are set where a product is there."""


def key(stream: Stream, source_id: str) -> str:
    """Our external key, in the form that migrations give it."""
    return f"m1:{stream}:{source_id}"


def operations(
    stream: Stream, contents: Sequence[Content], start: int = 1, **values: Any
) -> list[Operation]:
    """One operation for each content; source ids count from `start`."""
    return [
        Operation(source_id=f"{index}", key=key(stream, f"{index}"), content=content, **values)
        for index, content in enumerate(contents, start)
    ]


def applied(outcomes: Sequence[Outcome]) -> dict[str, Applied]:
    """The outcomes by source id, every one of which has to be `Applied`."""
    for each in outcomes:
        assert isinstance(each, Applied), each
    return {each.source_id: each for each in outcomes if isinstance(each, Applied)}


def refused(outcomes: Sequence[Outcome]) -> dict[str, Refused]:
    """The outcomes by source id, every one of which has to be `Refused`."""
    for each in outcomes:
        assert isinstance(each, Refused), each
    return {each.source_id: each for each in outcomes if isinstance(each, Refused)}


async def create(target: Target, stream: Stream, contents: Sequence[Content]) -> list[Withdrawal]:
    """Write some records; each as what takes it away again."""
    made = applied(await target.write(stream, operations(stream, contents)))
    return [
        Withdrawal(source_id=each, target_id=made[each].target_id, key=key(stream, each))
        for each in sorted(made, key=int)
    ]


def retold(content: Content, words: str) -> tuple[Content, str]:
    """The content with that text changed which `TargetBench.edit` changes; the field's name."""
    match content:
        case Customer():
            return replace(content, last_name=words), "last_name"
        case Order():
            return replace(content, note=words), "note"
        case Category() | Product():
            return replace(content, description=words), "description"
        case _:
            raise TypeError("levels of stock hold no text")


def renamed(content: Content, word: str, lost: frozenset[str] = frozenset()) -> tuple[Content, str]:
    """The content with another of its fields changed, and that field's name. `lost` are those that
    the target declares it cannot keep.
    """
    match content:
        case Customer():
            return replace(content, first_name=word), "first_name"
        case Order() if "billing" in lost:
            where = replace(content.shipping or Address(), city=word)
            return replace(content, shipping=where), "shipping"
        case Order():
            return replace(content, billing=replace(content.billing or Address(), city=word)), (
                "billing"
            )
        case Category() | Product():
            return replace(content, name=word), "name"
        case _:
            raise TypeError("levels of stock hold no text")
