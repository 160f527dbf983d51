"""Conflicts: found, settled, and carried out by a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, not_
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from app.errors import ConflictApplied, ConflictNotFound, NothingToApply, StreamNotInScope
from app.models import Conflict, ConflictStatus, Decision, JobKind
from app.models.columns import now
from app.schemas.conflict import (
    ApplyIn,
    ConflictCounts,
    ConflictOut,
    ConflictValues,
    SettleIn,
    SettleManyIn,
    Take,
)
from app.schemas.job import JobOut
from app.schemas.paging import Keyset
from app.security import Vault, VaultError
from app.services.api_keys import Caller
from app.services.jobs import add_job
from app.services.migrations import get_migration
from app.services.transaction import Work
from connectors.records import Stream

_BY_POLICY = "policy"
_SEES_VALUES = "run"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which conflicts: empty or None is any."""

    streams: Sequence[Stream] = ()
    status: Sequence[ConflictStatus] = ()
    field: str | None = None
    source_id: str | None = None

    def conditions(self) -> list[Any]:
        """As conditions of a query."""
        found: list[Any] = []
        if self.streams:
            found.append(col(Conflict.stream).in_([str(each) for each in self.streams]))
        if self.status:
            found.append(col(Conflict.status).in_([str(each) for each in self.status]))
        if self.field is not None:
            found.append(Conflict.field == self.field)
        if self.source_id is not None:
            found.append(Conflict.source_id == self.source_id)
        return found


async def list_conflicts(
    session: AsyncSession, name: str, page: Keyset, chosen: Filter
) -> list[Conflict]:
    """Oldest first, one more than the page holds. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    query: SelectOfScalar[Conflict] = select(Conflict)
    query = query.where(Conflict.migration_id == migration.id, *chosen.conditions())
    return list(await session.exec(page.apply(query, col(Conflict.first_at), col(Conflict.id))))


async def count_conflicts(session: AsyncSession, name: str, chosen: Filter) -> ConflictCounts:
    """Those that fit, by what is decided about them. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    policy = col(Conflict.settled_by) == _BY_POLICY
    query = select(Conflict.status, func.count(), func.count().filter(policy))
    query = query.where(Conflict.migration_id == migration.id, *chosen.conditions())
    found = {
        status: (count, by_policy)
        for status, count, by_policy in await session.exec(query.group_by(Conflict.status))
    }
    counts = {str(status): found.get(status, (0, 0))[0] for status in ConflictStatus}
    return ConflictCounts(**counts, by_policy=found.get(ConflictStatus.SETTLED, (0, 0))[1])


async def get_conflict(
    session: AsyncSession, name: str, item: UUID, *, lock: bool = False
) -> Conflict:
    """Raises `MigrationNotFound`, `ConflictNotFound`."""
    migration = await get_migration(session, name)
    query = select(Conflict).where(Conflict.id == item, Conflict.migration_id == migration.id)
    if lock:
        query = query.with_for_update()
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise ConflictNotFound
    return found


def shown(conflict: Conflict, caller: Caller, vault: Vault) -> ConflictOut:
    """What is told of a conflict; the values only to whoever may run jobs."""
    values = _values(conflict, vault) if _SEES_VALUES in caller.scopes else None
    members = {
        name: getattr(conflict, name) for name in ConflictOut.model_fields if name != "values"
    }
    return ConflictOut(**members, values=values)


def _values(conflict: Conflict, vault: Vault) -> ConflictValues | None:
    try:
        return ConflictValues(**vault.open(conflict.sealed))
    except VaultError:
        # Its key was taken away. What was decided, and about which field, can be told all the same.
        return None


async def settle(
    session: AsyncSession, name: str, item: UUID, caller: Caller, asked: SettleIn
) -> Conflict:
    """Decide about one. Raises `MigrationNotFound`, `ConflictNotFound`, `ConflictApplied`."""
    found = await get_conflict(session, name, item, lock=True)
    if found.decision == Decision.SOURCE and found.applied_at is not None:
        if asked.take is Take.SOURCE:
            return found
        raise ConflictApplied
    for member, value in _settled(asked, caller).items():
        setattr(found, member, value)
    await session.flush()
    return found


async def settle_many(session: AsyncSession, name: str, caller: Caller, asked: SettleManyIn) -> int:
    """Decide about all that fit, except where the source's value is on the target already.

    Answers how many there were. Raises `MigrationNotFound`.
    """
    migration = await get_migration(session, name)
    chosen = Filter(asked.streams or (), asked.status, asked.field, asked.source_id)
    done = and_(
        col(Conflict.decision).is_not_distinct_from(str(Decision.SOURCE)),
        col(Conflict.applied_at).is_not(None),
    )
    statement = (
        update(Conflict)
        .where(col(Conflict.migration_id) == migration.id, *chosen.conditions(), not_(done))
        .values(**_settled(asked, caller))
    )
    return int((await session.exec(statement)).rowcount)


def _settled(asked: SettleIn, caller: Caller) -> dict[str, Any]:
    moment = now()
    decisions = {Take.SOURCE: Decision.SOURCE, Take.TARGET: Decision.TARGET, Take.LATER: None}
    later = asked.take is Take.LATER
    return {
        "status": ConflictStatus.LATER if later else ConflictStatus.SETTLED,
        "decision": decisions[asked.take],
        "settled_by": f"{caller.name} ({caller.prefix})",
        "settled_at": moment,
        "reason": asked.reason,
        # The target holds its own value already; the source's has yet to be written.
        "applied_at": moment if asked.take is Take.TARGET else None,
    }


async def apply(work: Work, name: str, asked: ApplyIn) -> JobOut:
    """A job that writes the source's values that were chosen, and reads nothing else.

    Raises `MigrationNotFound`, `StreamNotInScope`, `NothingToApply`.
    """
    migration = await get_migration(work.session, name, lock=True)
    wanted = [str(each) for each in asked.streams or migration.streams]
    if not set(wanted) <= set(migration.streams):
        raise StreamNotInScope.at("/streams", f"In scope are: {', '.join(migration.streams)}.")
    query = select(Conflict.stream).distinct()
    query = query.where(Conflict.migration_id == migration.id)
    query = query.where(Conflict.decision == Decision.SOURCE, col(Conflict.applied_at).is_(None))
    there = set(await work.session.exec(query.where(col(Conflict.stream).in_(wanted))))
    if not there:
        raise NothingToApply
    streams = [str(each) for each in Stream if each in there]
    params = {"streams": streams, "cutover": False, "options": {"only": "conflicts"}}
    return await add_job(work, migration, JobKind.RECENT, params)
