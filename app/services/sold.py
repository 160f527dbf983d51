"""What the new shop sold by itself: orders on the target that no order of the source became.

They are what has to be carried over by hand if the launch is taken back. The target is read through
its connector, a bounded part at a time; where the list goes on, a sealed cursor says where.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import text

from app.errors import BadCursor, InvalidSince, StoreCannot
from app.models import LinkState, Migration, Store
from app.models.columns import now
from app.moments import resolve
from app.resources import Resources
from app.schemas.sold import SoldLine, SoldList, SoldOrder
from app.security import VaultError
from app.services.jobs import last_cutover
from app.services.migrations import get_migration, refuse_while_running
from app.services.opening import open_source, platform_of
from app.services.transaction import transaction
from connectors.base import Extent, Json, ReadCapability, Sweep, Trust, Window
from connectors.minor_units import rounded
from connectors.records import Money, Order, Record, Stream

CUTOVER = "cutover"
SECONDS = 20.0
"""So long one answer reads on; a page that has begun is finished."""

_LONGEST_PAGE = 60.0


class _Place(Struct, frozen=True):
    """Where a list goes on; sealed, because a connector believes its own resume tokens. `until` is
    the shop's time when it was first asked.
    """

    migration: UUID
    since: datetime
    until: datetime | None = None
    resume: Json = {}


async def sold_meanwhile(
    resources: Resources, name: str, *, since: str, limit: int, cursor: str | None
) -> SoldList:
    """At least `limit` orders, or what could be found in `SECONDS`; `next` reads on.

    `since` is `cutover`, `launch` or a moment. Raises `MigrationNotFound`, `CutoverRequired`,
    `InvalidSince`, `BadCursor`, `JobRunning`, `StoreCannot`, `StoreFailed`, `StoreTooSlow`.
    """
    async with transaction(resources) as work:
        migration = await get_migration(work.session, name)
        # A job that runs adds orders which are not in the ledger yet.
        await refuse_while_running(work.session, migration)
        if since == CUTOVER:
            started = (await last_cutover(work.session, migration)).started_at
        else:
            started = since_moment(since, migration)
        store = await work.session.get_one(Store, migration.target_id)
    if cursor is None:
        place = _Place(migration.id, started or now())
    else:
        place = _place(cursor, resources, migration.id)
    return await _read(resources, store, limit, place)


def since_moment(since: str, migration: Migration) -> datetime:
    """A moment, or one that is relative to the launch. Raises `InvalidSince`."""
    try:
        found = resolve(since, migration.launch_at)
    except ValueError:
        found = None
    if found is None:
        raise InvalidSince(
            errors=[
                {
                    "in": "query",
                    "parameter": "since",
                    "detail": "`cutover`, a moment, or `launch` where the migration has one.",
                }
            ]
        )
    return found


async def _read(resources: Resources, target: Store, limit: int, place: _Place) -> SoldList:
    deadline = time.monotonic() + SECONDS
    found: list[SoldOrder] = []
    async with open_source(target, resources, patience=SECONDS + _LONGEST_PAGE) as source:
        platform = platform_of(target)
        if Stream.ORDERS not in platform.reads:
            raise StoreCannot(f"Orders of {platform.title} cannot be read.")
        until = place.until or await source.server_time()
        extent = _extent(platform.reads[Stream.ORDERS], place.since, until)
        resume: Json | None = place.resume or None
        async with aclosing(source.read(Stream.ORDERS, extent, {}, resume)) as pages:
            async for page in pages:
                resume = page.resume
                found += await _unlinked(resources, place.migration, page.records, place.since)
                if resume is None or len(found) >= limit or time.monotonic() >= deadline:
                    break
            else:
                resume = None
    following = replace(place, until=until, resume=resume or {})
    return SoldList(
        items=found,
        next=None if resume is None else _sealed(following, resources),
        since=place.since,
        undecided=await _undecided(resources, place.migration),
    )


def _extent(capability: ReadCapability, since: datetime, until: datetime) -> Extent:
    return Sweep() if capability.trust is Trust.SWEEP else Window(since, until)


async def _unlinked(
    resources: Resources, migration: UUID, records: Sequence[Record], since: datetime
) -> list[SoldOrder]:
    ids = [each.id for each in records]
    async with resources.engine.connect() as connection:
        linked = await connection.execute(
            text(
                "SELECT target_id FROM links WHERE migration_id = :migration"
                " AND stream = 'orders' AND target_id = ANY(CAST(:ids AS text[]))"
            ),
            {"migration": migration, "ids": ids},
        )
        ours = set(linked.scalars())
    return [
        SoldOrder(id=each.id, **order_summary(each.content))
        for each in records
        if isinstance(each.content, Order)
        and each.id not in ours
        and (each.content.created_at is None or each.content.created_at >= since)
    ]


async def _undecided(resources: Resources, migration: UUID) -> int:
    async with resources.engine.connect() as connection:
        count = await connection.execute(
            text(
                "SELECT count(*) FROM links WHERE migration_id = :migration"
                " AND stream = 'orders' AND state = :intent"
            ),
            {"migration": migration, "intent": LinkState.INTENT},
        )
        return int(count.scalar_one())


def order_summary(order: Order) -> dict[str, Any]:
    """What is told of an order: nothing about people."""
    return {
        "number": order.number,
        "status": order.status,
        "created_at": order.created_at,
        "currency": order.currency,
        "total": _said(order.total),
        "lines": [
            SoldLine(
                sku=each.sku,
                name=each.name,
                quantity=each.quantity,
                total=_said(each.total),
            )
            for each in order.lines
        ],
    }


def _said(money: Money) -> str:
    """An amount in whole minor units; one that has finer parts as it is."""
    whole = rounded(money.amount, money.currency)
    return str(whole if whole == money.amount else money.amount)


def _sealed(place: _Place, resources: Resources) -> str:
    return resources.vault.seal(msgspec.to_builtins(place)).decode()


def _place(cursor: str, resources: Resources, migration: UUID) -> _Place:
    try:
        place = msgspec.convert(resources.vault.open(cursor.encode("ascii")), _Place)
    except (VaultError, ValueError, msgspec.ValidationError):
        place = None
    if place is None or place.migration != migration:
        raise BadCursor(errors=[{"in": "query", "parameter": "cursor", "detail": "Not a cursor."}])
    return place
