"""All records of a stream on the target: which of ours are gone or edited, which are there twice.

Only where the target's platform can be read whole. A record is there twice when another one, that
is no record of ours, has its key, its number with the same total and email, its SKU, its email or,
a category, its name in the same place. Where orders get new numbers, those with the same email,
total and lines are the same. A platform that refuses an SKU for the second time leaves the copy of
a product without: a public product that has no SKU at all is the double of one with the same name.
What the source itself has twice is linked twice, and no double.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import text

from app.database import autocommit
from connectors.base import Source, Sweep
from connectors.comparable import external_source_id, lines_of
from connectors.goods import print_of
from connectors.records import Category, Customer, Order, Product, Record, Stream
from workers.checks.edited import Edited
from workers.checks.ground import Ground
from workers.checks.looking import source_ids

_LINKS_AT_ONCE = 5000
_NAME = "name"


class Double(NamedTuple):
    """Records of the target that are one of ours, by what. `ids` begin with the linked one."""

    by: str
    ids: tuple[str, ...]
    source_id: str


@dataclass(slots=True)
class Survey:
    """What the target holds. `gone` are linked pairs (source id, target id) whose record is not
    there any more. `edited` are the source's ids of records that show something else than we left
    there, where the source's values rule.
    """

    total: int = 0
    links: int = 0
    gone: list[tuple[str, str]] = field(default_factory=list)
    doubles: list[Double] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Seen:
    """Ids by what they are called; only those called alike are kept as lists. `named` are products
    with an SKU, or hidden from the public: their name alone makes them nobody's double. `numbered`:
    orders keep their numbers on the target.
    """

    numbered: bool = True
    ids: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    first: dict[bytes, str] = field(default_factory=dict)
    alike: dict[bytes, list[str]] = field(default_factory=dict)
    names: dict[bytes, str] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        if record.id in self.ids:
            return  # a record can come twice
        self.ids.add(record.id)
        if isinstance(record.content, Product) and not _is_known_by_name(record.content):
            self.named.add(record.id)
        for by, name in _names(record, numbered=self.numbered):
            key = print_of(f"{by}:{name}")
            before = self.first.setdefault(key, record.id)
            if before != record.id:
                self.alike.setdefault(key, [before]).append(record.id)
                self.names[key] = by


def _names(record: Record, *, numbered: bool) -> Iterator[tuple[str, str]]:
    """What tells a record from all others of its stream, and by what."""
    match record.content:
        case Category() as category:
            yield _NAME, f"{category.parent}/{category.name.casefold()}"
        case Product() as product:
            if name := " ".join(product.name.casefold().split()):
                yield _NAME, name
            for sku in _skus(product):
                yield "SKU", sku
        case Customer() as customer if customer.email:
            yield "email", customer.email.casefold()
        case Order() as order:
            ours = external_source_id(order, None)
            if ours is not None:
                yield "key", str(order.extra.get("external_key"))
            total = f"{order.total.amount} {order.total.currency}"
            email = order.email.casefold()
            if numbered:
                yield "number", f"{order.number}/{total}/{email}"
            elif email and order.lines:
                yield "email, total and lines", f"{email}/{total}/{sorted(lines_of(order))}"
        case _:
            return


def _skus(product: Product) -> set[str]:
    """In small letters, those of its variants too."""
    found = {product.sku, *(each.sku for each in product.variants)}
    return {each.casefold() for each in found if each}


def _is_known_by_name(product: Product) -> bool:
    return product.status == "published" and not _skus(product)


async def survey(ground: Ground, stream: Stream) -> Survey | None:
    """The stream, looked at once for all checks; None where it cannot be read whole.

    Raises `StoreError`.
    """
    name = f"target survey of {stream}"
    if name not in ground.memo:
        ground.memo[name] = await _survey(ground, stream)
    found: Survey | None = ground.memo[name]
    return found


async def _survey(ground: Ground, stream: Stream) -> Survey | None:
    async with ground.target_as_source() as reader:
        if reader is None or stream not in ground.stores.target_platform.reads:
            return None
        losses = await ground.losses(stream)
        seen, edited = _Seen(numbered="number" not in losses), Edited(ground, stream, losses)
        await _read(reader, stream, seen, edited)
    found = Survey(total=len(seen.ids), edited=list(dict.fromkeys(edited.ids)))
    await _look_for_gone(ground, stream, seen.ids, found)
    await _look_for_doubles(ground, stream, seen, found)
    return found


async def _read(reader: Source, stream: Stream, seen: _Seen, edited: Edited) -> None:
    pages = reader.read(stream, Sweep(), {}, None)
    async with aclosing(pages):
        async for page in pages:
            for record in page.records:
                seen.add(record)
            seen.ids.update(each for each, _ in page.failed)
            await edited.look(page.records)


_LINKS = text(
    "SELECT source_id, target_id FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND state = 'applied' AND source_id > :after ORDER BY source_id LIMIT :limit"
)


async def _look_for_gone(ground: Ground, stream: Stream, there: set[str], found: Survey) -> None:
    """Linked records that no list shows, and that are not there when asked for, either."""
    after = ""
    while True:
        async with autocommit(ground.engine) as connection:
            rows = await connection.execute(
                _LINKS,
                {
                    "migration": ground.migration,
                    "stream": str(stream),
                    "after": after,
                    "limit": _LINKS_AT_ONCE,
                },
            )
            links = [(row.source_id, row.target_id) for row in rows]
        if not links:
            return
        after = links[-1][0]
        found.links += len(links)
        unseen = [each for each in links if each[1] not in there]
        shown = await ground.target_records(stream, [target_id for _, target_id in unseen])
        found.gone += [
            each
            for each in unseen
            if each[1] not in shown and ground.unreadable(stream, each[1]) is None
        ]


_SHARED = text(
    "SELECT target_id, array_agg(source_id ORDER BY applied_at, source_id) AS sources FROM links"
    " WHERE migration_id = :migration AND stream = :stream AND state = 'applied'"
    " AND target_id IS NOT NULL GROUP BY target_id HAVING count(*) > 1 ORDER BY target_id"
)
_JOINED = (Stream.CUSTOMERS, Stream.INVENTORY)
"""Accounts of one email are one account. Levels of stock are as their products are."""


async def shared(ground: Ground, stream: Stream) -> dict[str, list[str]]:
    """Records of the target that several records of the source were written to, by the target's
    ids: those of the source, the one that was written last at the end.
    """
    if stream in _JOINED:
        return {}
    async with autocommit(ground.engine) as connection:
        rows = await connection.execute(
            _SHARED, {"migration": ground.migration, "stream": str(stream)}
        )
        return {row.target_id: list(row.sources) for row in rows}


async def _look_for_doubles(ground: Ground, stream: Stream, seen: _Seen, found: Survey) -> None:
    linked = await source_ids(ground, stream, {each for ids in seen.alike.values() for each in ids})
    told: set[tuple[str, ...]] = set()
    for key, alike in seen.alike.items():
        ours = [each for each in alike if each in linked]
        others = [each for each in alike if each not in linked]
        if seen.names[key] == _NAME:
            others = [each for each in others if each not in seen.named]
        ids = (*ours, *others)
        if ours and others and ids not in told:
            told.add(ids)
            found.doubles.append(Double(seen.names[key], ids, linked[ours[0]]))
