"""What the workflow checks have in common: whom they are about, and looking things up in batches.

Emails and addresses stay here: what a check says names records by their ids.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import text

from app.database import autocommit
from app.mapping.mapped import unmapped
from app.models import ConflictPolicy
from connectors.comparable import Names
from connectors.concurrency import together
from connectors.desk import Desk, HasDesk
from connectors.digest import digest
from connectors.records import Content, Customer, Order, Record, Stream
from workers.checks.base import Ground
from workers.engine import ledger

T = TypeVar("T")
R = TypeVar("R")

LOOKED_UP = 100
"""Records that are looked up one by one, unless the migration sets another limit."""

_AT_ONCE = 8
_STREAMS: dict[type[Content], Stream] = {Customer: Stream.CUSTOMERS, Order: Stream.ORDERS}
_NO_NAMES = Names()


class Person(NamedTuple):
    """Somebody with an email; `customer` is the source's id of the account, None for a guest."""

    email: str
    customer: str | None = None


async def people(ground: Ground, most: int) -> tuple[list[Person], int]:
    """Customers of the sample, those that changed first, and guests of sampled orders, each email
    once. Answers also how many there were.
    """
    found: dict[str, Person] = {}
    if Stream.CUSTOMERS in ground.streams:
        pairs = (await ground.sample(Stream.CUSTOMERS)).pairs
        ids = [each.source_id for each in pairs]
        for source_id, record in (await ground.source_records(Stream.CUSTOMERS, ids)).items():
            if isinstance(record.content, Customer) and record.content.email:
                person = Person(record.content.email, source_id)
                found.setdefault(person.email.casefold(), person)
    pairs = (await ground.sample(Stream.ORDERS)).pairs
    ids = [each.source_id for each in pairs]
    for record in (await ground.source_records(Stream.ORDERS, ids)).values():
        content = record.content
        if isinstance(content, Order) and content.email and content.customer is None:
            found.setdefault(content.email.casefold(), Person(content.email))
    return list(found.values())[:most], len(found)


async def each(things: Sequence[T], look: Callable[[T], Awaitable[R]]) -> list[R]:
    """Look at all things, a few at a time, so that a stop does not wait for all of them."""

    async def one(thing: T) -> R:
        return await look(thing)

    found: list[R] = []
    for start in range(0, len(things), _AT_ONCE):
        found += await together([one(thing) for thing in things[start : start + _AT_ONCE]])
    return found


def target_desk(ground: Ground) -> Desk | None:
    """The target's look-ups; None where its platform has none."""
    return ground.target.desk if isinstance(ground.target, HasDesk) else None


def source_desk(ground: Ground) -> Desk | None:
    """The source's look-ups. They know no mapping rules: what is compared is read by id again."""
    source = unmapped(ground.source)
    return source.desk if isinstance(source, HasDesk) else None


async def target_ids(ground: Ground, stream: Stream, ids: Iterable[str]) -> dict[str, str]:
    """The target's ids of records that are on the target, by the source's."""
    async with autocommit(ground.engine) as connection:
        found = await ledger.targets(connection, ground.migration, stream, ids)
    return {source_id: target_id for source_id, (target_id, _) in found.items()}


_DIGESTS = text(
    "SELECT source_id, digest FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND source_id = ANY(CAST(:ids AS text[])) AND digest IS NOT NULL"
)


async def current(
    ground: Ground, stream: Stream, records: Mapping[str, Record]
) -> dict[str, Record]:
    """Those of the source's records that are what was applied. The others wait for the next run:
    the check of freshness tells of them. Of what was adopted nobody knows: it is among them.
    """
    asked = {"migration": ground.migration, "stream": str(stream), "ids": list(records)}
    async with autocommit(ground.engine) as connection:
        rows = await connection.execute(_DIGESTS, asked)
        applied = {row.source_id: row.digest for row in rows}
    return {
        each: record
        for each, record in records.items()
        if applied.get(each) in (None, digest(record.content).whole)
    }


_LINKED = text(
    "SELECT target_id, min(source_id) AS source_id FROM links"
    " WHERE migration_id = :migration AND stream = :stream AND state <> 'intent'"
    " AND target_id = ANY(CAST(:ids AS text[])) GROUP BY target_id"
)


async def source_ids(ground: Ground, stream: Stream, ids: Iterable[str]) -> dict[str, str]:
    """The source's ids of records of the target, by the target's. What has none is the target's
    own, or a double.
    """
    asked = {"migration": ground.migration, "stream": str(stream), "ids": list(ids)}
    async with autocommit(ground.engine) as connection:
        rows = await connection.execute(_LINKED, asked)
        return {row.target_id: row.source_id for row in rows}


_QUARANTINED = text(
    "SELECT source_id FROM quarantine WHERE migration_id = :migration AND stream = :stream"
    " AND status <> 'resolved' ORDER BY source_id"
)


async def quarantined(ground: Ground, stream: Stream) -> list[str]:
    """Ids of records that are held back, waived ones too; asked once."""
    name = f"quarantine of {stream}"
    if name not in ground.memo:
        asked = {"migration": ground.migration, "stream": str(stream)}
        async with autocommit(ground.engine) as connection:
            ground.memo[name] = list((await connection.execute(_QUARANTINED, asked)).scalars())
    found: list[str] = ground.memo[name]
    return found


async def numbered(ground: Ground, desk: Desk, number: str) -> tuple[Record, ...]:
    """The target's orders of a number, looked up once for all checks."""
    key = f"order number {number}"
    if key not in ground.memo:
        ground.memo[key] = await desk.orders_numbered(number)
    found: tuple[Record, ...] = ground.memo[key]
    return found


_LOSSES = text(
    "SELECT losses FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND source_id = :id"
)


async def differing(
    ground: Ground, record: Record, names: Sequence[str], ours: Content, theirs: Content
) -> list[str]:
    """Which of these fields of a source's record differ, but for what the target is known not to
    keep, or not to keep of this record, and what the migration leaves to the target.
    """
    stream = _STREAMS[type(ours)]
    asked = {"migration": ground.migration, "stream": str(stream), "id": record.id}
    async with autocommit(ground.engine) as connection:
        own = await connection.scalar(_LOSSES, asked)
    losses = await ground.losses(stream)
    found = losses.unexplained(ours, theirs, _NO_NAMES, own or ())
    return [
        name
        for name in names
        if name in found and ground.scope.policies.of(stream, name) is not ConflictPolicy.TARGET
    ]
