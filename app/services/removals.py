"""Removals: listed, and undone by a job."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import RemovalNotFound, RemovalNotUndoable
from app.models import JobKind, RecordRemoval, RemovalStatus
from app.schemas.job import JobOut
from app.schemas.paging import Keyset
from app.services.api_keys import Caller
from app.services.jobs import add_job
from app.services.migrations import get_migration
from app.services.transaction import Work
from connectors.base import Action
from connectors.records import Stream


async def list_removals(
    session: AsyncSession,
    name: str,
    page: Keyset,
    *,
    streams: Sequence[Stream],
    status: Sequence[RemovalStatus],
    actions: Sequence[Action],
) -> list[RecordRemoval]:
    """Oldest first, one more than the page holds. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    query = select(RecordRemoval).where(RecordRemoval.migration_id == migration.id)
    if streams:
        query = query.where(col(RecordRemoval.stream).in_([str(each) for each in streams]))
    if status:
        query = query.where(col(RecordRemoval.status).in_(status))
    if actions:
        query = query.where(col(RecordRemoval.action).in_([str(each) for each in actions]))
    query = page.apply(query, col(RecordRemoval.at), col(RecordRemoval.id))
    return list(await session.exec(query))


async def get_removal(
    session: AsyncSession, name: str, item: UUID, *, lock: bool = False
) -> RecordRemoval:
    """Raises `MigrationNotFound`, `RemovalNotFound`."""
    migration = await get_migration(session, name, lock=lock)
    query = select(RecordRemoval).where(
        RecordRemoval.id == item, RecordRemoval.migration_id == migration.id
    )
    if lock:
        query = query.with_for_update()
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise RemovalNotFound
    return found


async def undo(work: Work, name: str, item: UUID, caller: Caller) -> JobOut:
    """A job that brings the record back on the target, mails turned off.

    Raises also `RemovalNotUndoable`.
    """
    migration = await get_migration(work.session, name, lock=True)
    found = await get_removal(work.session, name, item, lock=True)
    if found.status != RemovalStatus.DONE or not found.undoable:
        raise RemovalNotUndoable
    found.undone_by = f"{caller.name} ({caller.prefix})"
    options = {"only": "undo", "ids": [str(found.id)]}
    params = {"streams": [found.stream], "cutover": False, "options": options}
    return await add_job(work, migration, JobKind.RECENT, params)
