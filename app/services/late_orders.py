"""Late orders: what the old shop still sold or changed after the cutover, and what became of it.

The ledger knows which they are; what is in them is read from the old shop through its connector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import col, or_, select

from app.models import Link, LinkState, Migration, Store
from app.resources import Resources
from app.schemas.late_order import LateOrder, LateOrderList
from app.schemas.paging import Keyset
from app.services.jobs import last_cutover
from app.services.migrations import get_migration
from app.services.opening import open_source
from app.services.sold import CUTOVER, order_summary, since_moment
from app.services.transaction import Work, transaction
from connectors.records import Order, Stream


async def late_orders(
    resources: Resources, name: str, page: Keyset, *, since: str, changed: bool, details: bool
) -> LateOrderList:
    """Orders first brought over since a moment; `changed`: those that were there and were written
    again. `since` is `cutover` (its end), `launch` or a moment.

    Raises `MigrationNotFound`, `CutoverRequired`, `InvalidSince`, `StoreCannot`, `StoreFailed`,
    `StoreTooSlow`.
    """
    async with transaction(resources) as work:
        migration = await get_migration(work.session, name)
        began = await _began(work, migration, since)
        found = await _links(work, migration, page, began, changed=changed)
        store = await work.session.get_one(Store, migration.source_id)
    at = "applied_at" if changed else "linked_at"
    kept, following = page.cut(found, lambda link: [getattr(link, at), link.source_id])
    orders = await _orders(resources, store, kept) if details and kept else {}
    items = [_shown(each, orders.get(each.source_id)) for each in kept]
    return LateOrderList(items=items, next=following, since=began)


async def _began(work: Work, migration: Migration, since: str) -> datetime:
    if since != CUTOVER:
        return since_moment(since, migration)
    job = await last_cutover(work.session, migration)
    return job.finished_at or job.created_at


async def _links(
    work: Work, migration: Migration, page: Keyset, began: datetime, *, changed: bool
) -> list[Link]:
    query = select(Link).where(
        Link.migration_id == migration.id,
        Link.stream == str(Stream.ORDERS),
        Link.state == LinkState.APPLIED,
    )
    first, written = col(Link.linked_at), col(Link.applied_at)
    if changed:
        # What was linked before links said when was there long ago.
        query = query.where(written >= began, or_(first.is_(None), first < began))
    else:
        query = query.where(first >= began, written.is_not(None))
    ordered = written if changed else first
    return list(await work.session.exec(page.apply(query, ordered, col(Link.source_id))))


async def _orders(resources: Resources, store: Store, links: Sequence[Link]) -> Mapping[str, Order]:
    """What the old shop has of them, by its ids."""
    async with open_source(store, resources) as source:
        found = await source.get(Stream.ORDERS, [each.source_id for each in links])
    return {
        number: each.content for number, each in found.items() if isinstance(each.content, Order)
    }


def _shown(link: Link, order: Order | None) -> LateOrder:
    told = order_summary(order) if order is not None else {"lines": []}
    known = {
        "source_id": link.source_id,
        "target_id": link.target_id,
        "imported_at": link.linked_at,
        "applied_at": link.applied_at,
    }
    nothing = dict.fromkeys(LateOrder.model_fields)
    return LateOrder.model_validate(nothing | known | told)
