"""Order numbers as mapping rules make them: what orders of the source are called on the target."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from app.mapping.mapped import map_each
from app.mapping.mapper import Mapper
from connectors.base import Source
from connectors.concurrency import together
from connectors.desk import Desk, NumberedOrder
from connectors.records import Order, Record, Stream

_PORTION = 100


class MappedNumbers:
    """A desk's look-ups by number, of a source whose orders get other numbers. An order that the
    rules fail on has none: it is not brought over. Rules may look at any field, so that orders are
    read whole.
    """

    def __init__(self, desk: Desk, source: Source, rules: Mapper) -> None:
        self._desk = desk
        self._source = source
        self._rules = rules

    async def newest(self, most: int) -> tuple[NumberedOrder, ...]:
        """As the desk's, by the numbers that they are to have."""
        shown = await self._desk.newest(most)
        numbers = await self._numbers([each.id for each in shown])
        return tuple(replace(each, number=numbers[each.id]) for each in shown if each.id in numbers)

    async def orders_numbered(self, number: str) -> tuple[Record, ...]:
        """Orders that have a number at the source and are to keep it. Which of the others are to
        have it, no store can be asked.
        """
        found = self._mapped(await self._desk.orders_numbered(number))
        return tuple(each for each in found if _number(each) == number)

    async def _numbers(self, ids: Sequence[str]) -> dict[str, str]:
        portions = [ids[start : start + _PORTION] for start in range(0, len(ids), _PORTION)]
        asked = [self._source.get(Stream.ORDERS, each) for each in portions]
        found = [record for records in await together(asked) for record in records.values()]
        return {each.id: _number(each) for each in self._mapped(found)}

    def _mapped(self, records: Sequence[Record]) -> list[Record]:
        return map_each(self._rules, Stream.ORDERS, records)[0]


def mapped_numbers(desk: Desk, source: Source, rules: Mapper) -> MappedNumbers | None:
    """The numbers that the source's orders are to have, None where they keep their own. `desk` and
    `source` are the store's own.
    """
    if not rules.touches(Stream.ORDERS, "number"):
        return None
    return MappedNumbers(desk, source, rules)


def _number(record: Record) -> str:
    content = record.content
    return content.number if isinstance(content, Order) else ""
