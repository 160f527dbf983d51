"""Order numbers of a migration's stores, asked of both and judged by `app.planning`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import autocommit
from app.errors import StoreCannot
from app.models import Migration, Store
from app.planning.order_numbers import Collision, Numbers, survey
from app.resources import Resources
from app.schemas.order_numbers import OrderNumbersOut
from app.services import verification
from app.services.migrations import get_migration
from app.services.opening import open_source, open_target
from app.services.transaction import transaction
from connectors.base import Source
from connectors.concurrency import together
from connectors.desk import Desk, HasDesk, NotTold, NumberedOrder
from connectors.records import Stream

if TYPE_CHECKING:
    from app.mapping.numbers import MappedNumbers

NEWEST = 1000
"""Orders of each store that are looked at, the newest ones."""

LOOKED_UP = 50
"""Numbers of the target's own orders that are looked up among older orders of the source."""

_NO_DESK = "The {}'s platform does not tell which numbers its orders have."
_LINKS = text(
    """
    SELECT target_id, source_id FROM links
    WHERE target_id = ANY(CAST(:ids AS text[])) AND migration_id = :migration
      AND stream = :stream AND state <> 'intent'
    """
)


async def order_numbers(resources: Resources, name: str) -> OrderNumbersOut:
    """Survey the numbers of both stores. No transaction is held while they are asked.

    Raises `MigrationNotFound`, `StoreCannot`, `StoreFailed`, `StoreTooSlow`.
    """
    async with transaction(resources) as work:
        migration = await get_migration(work.session, name)
        source = await work.session.get_one(Store, migration.source_id)
        target = await work.session.get_one(Store, migration.target_id)
        rules = await verification.mapping_rules(await work.connection(), migration.id)
    async with (
        open_source(source, resources) as reader,
        open_target(target, resources) as writer,
    ):
        here, there = _desk(reader, "source"), _desk(writer, "target")
        mapped = _mapped(here, reader, rules)
        now = await reader.server_time()
        try:
            found = await ask(resources.engine, migration, here, there, now=now, mapped=mapped)
        except NotTold as answer:
            raise StoreCannot(str(answer)) from None
    return OrderNumbersOut.of(found, there.numbering, NEWEST)


async def ask(
    engine: AsyncEngine,
    migration: Migration,
    source: Desk,
    target: Desk,
    *,
    now: datetime,
    most: int = NEWEST,
    mapped: MappedNumbers | None = None,
) -> Numbers:
    """Survey the newest orders of both stores, `most` of each.

    Numbers of the target's own orders that are older than what was read of the source are looked
    up there, a few of them. `mapped`: the source's orders get other numbers by mapping rules, and
    those are compared. Raises `StoreError`, `NotTold`.
    """
    here, there = await together([(mapped or source).newest(most), target.newest(most)])
    ours = await _links(engine, migration.id, (order.id for order in there))
    found = survey(
        here,
        there,
        ours,
        now=now,
        launch=migration.launch_at,
        numbers_are_ids=target.numbering.by_id,
    )
    looked_up = found.unseen[:LOOKED_UP]
    older = await together([_older(mapped or source, each) for each in looked_up])
    if mapped is not None:
        # What a rule has given a number cannot be asked of the source; on the target it has it.
        namesakes = [_namesake(engine, migration.id, target, each) for each in looked_up]
        brought = await together(namesakes)
        older = [left or right for left, right in zip(older, brought, strict=True)]
    taken = [
        Collision(kind="taken", number=order.number, targets=(order.id,), source=known)
        for order, known in zip(looked_up, older, strict=True)
        if known is not None
    ]
    return replace(found, collisions=(*found.collisions, *taken))


async def _older(source: Desk | MappedNumbers, order: NumberedOrder) -> str | None:
    """An older order of the source that has the number of one of the target's own."""
    known = await source.orders_numbered(order.number)
    return known[0].id if known else None


async def _namesake(
    engine: AsyncEngine, migration: UUID, target: Desk, order: NumberedOrder
) -> str | None:
    """The source's id of an order that was brought over and has this one's number."""
    found = await target.orders_numbered(order.number)
    known = await _links(engine, migration, (each.id for each in found if each.id != order.id))
    return next(iter(known.values()), None)


async def _links(engine: AsyncEngine, migration: UUID, ids: Iterable[str]) -> dict[str, str]:
    """The source's ids of orders that were brought over, by the target's."""
    asked = {"ids": list(ids), "migration": migration, "stream": str(Stream.ORDERS)}
    async with autocommit(engine) as connection:
        rows = await connection.execute(_LINKS, asked)
        return {row.target_id: row.source_id for row in rows}


def _mapped(
    desk: Desk, source: Source, rules: tuple[int | None, str | None]
) -> MappedNumbers | None:
    # Few ask, and it is large.
    from app.mapping.mapped import MappingUnusable, mapper  # noqa: PLC0415
    from app.mapping.numbers import mapped_numbers  # noqa: PLC0415

    try:
        return mapped_numbers(desk, source, mapper(*rules))
    except MappingUnusable as error:
        raise StoreCannot(f"Numbers cannot be compared: {error}.") from None


def _desk(store: object, side: str) -> Desk:
    if not isinstance(store, HasDesk):
        raise StoreCannot(_NO_DESK.format(side))
    return store.desk
