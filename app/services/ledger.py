"""What is known of a migration's records: cursors, links, quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import (
    InvalidWatermark,
    NothingToRetry,
    QuarantineNotFound,
    QuarantineNotOpen,
    StreamNotInScope,
)
from app.models import Cursor, JobKind, Link, Migration, Quarantine, QuarantineStatus
from app.models.columns import now
from app.schemas.job import JobOut
from app.schemas.ledger import RetryIn
from app.schemas.paging import Keyset
from app.services.api_keys import Caller
from app.services.jobs import add_job
from app.services.migrations import get_migration, refuse_while_running
from app.services.transaction import Work
from connectors.records import Stream


async def list_cursors(session: AsyncSession, name: str) -> list[Cursor]:
    """In the order in which streams are applied. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    found = await session.exec(select(Cursor).where(Cursor.migration_id == migration.id))
    order = list(Stream)
    return sorted(found, key=lambda cursor: order.index(Stream(cursor.stream)))


async def set_cursor(
    session: AsyncSession, name: str, stream: Stream, watermark: datetime
) -> Cursor:
    """Raises `MigrationNotFound`, `StreamNotInScope`, `InvalidWatermark`, `JobRunning`."""
    migration = await get_migration(session, name, lock=True)
    if stream not in migration.streams:
        raise StreamNotInScope
    if watermark > now():
        raise InvalidWatermark.at("/watermark", "This moment lies in the future.")
    await refuse_while_running(session, migration)
    values = {"watermark": watermark, "job_id": None, "updated_at": now()}
    statement = insert(Cursor).values(migration_id=migration.id, stream=str(stream), **values)
    statement = statement.on_conflict_do_update(
        index_elements=["migration_id", "stream"], set_=values
    )
    await (await session.connection()).execute(statement)
    key = (migration.id, str(stream))
    return await session.get_one(Cursor, key, populate_existing=True)


async def find_links(
    session: AsyncSession,
    name: str,
    page: Keyset,
    *,
    stream: Stream | None,
    source_id: str | None,
    target_id: str | None,
) -> list[Link]:
    """Links by stream and source id, one more than the page holds. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    # All streams are named where none is asked for: the indexes begin with the stream.
    streams = [str(each) for each in ([stream] if stream else Stream)]
    query = select(Link).where(Link.migration_id == migration.id, col(Link.stream).in_(streams))
    if source_id is not None:
        query = query.where(Link.source_id == source_id)
    if target_id is not None:
        query = query.where(Link.target_id == target_id)
    return list(await session.exec(page.apply(query, col(Link.stream), col(Link.source_id))))


async def list_quarantine(
    session: AsyncSession,
    name: str,
    page: Keyset,
    *,
    streams: Sequence[Stream],
    status: Sequence[QuarantineStatus],
    code: str | None,
) -> list[Quarantine]:
    """Oldest first, one more than the page holds. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    query = select(Quarantine).where(Quarantine.migration_id == migration.id)
    if streams:
        query = query.where(col(Quarantine.stream).in_([str(each) for each in streams]))
    if status:
        query = query.where(col(Quarantine.status).in_(status))
    if code is not None:
        query = query.where(Quarantine.code == code)
    query = page.apply(query, col(Quarantine.first_at), col(Quarantine.id))
    return list(await session.exec(query))


async def get_quarantine(
    session: AsyncSession, name: str, item: UUID, *, lock: bool = False
) -> Quarantine:
    """Raises `MigrationNotFound`, `QuarantineNotFound`."""
    migration = await get_migration(session, name)
    query = select(Quarantine).where(Quarantine.id == item, Quarantine.migration_id == migration.id)
    if lock:
        query = query.with_for_update()
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise QuarantineNotFound
    return found


async def waive(
    session: AsyncSession, name: str, item: UUID, caller: Caller, reason: str
) -> Quarantine:
    """Leave a record alone as it is. Raises also `QuarantineNotOpen`."""
    found = await get_quarantine(session, name, item, lock=True)
    if found.status != QuarantineStatus.OPEN:
        raise QuarantineNotOpen
    found.status = QuarantineStatus.WAIVED
    found.next_at = None
    found.waived_by = f"{caller.name} ({caller.prefix})"
    found.waived_reason = reason
    found.waived_at = now()
    await session.flush()
    return found


async def retry_one(work: Work, name: str, item: UUID) -> JobOut:
    """A job that tries one record again. Raises also `QuarantineNotOpen`."""
    migration = await get_migration(work.session, name, lock=True)
    found = await get_quarantine(work.session, name, item)
    if found.status != QuarantineStatus.OPEN:
        raise QuarantineNotOpen
    return await _retry(work, migration, [found.stream], ids=[str(found.id)])


async def retry_open(work: Work, name: str, asked: RetryIn) -> JobOut:
    """A job that tries all open records again, or those of some streams.

    Raises `MigrationNotFound`, `StreamNotInScope`, `NothingToRetry`.
    """
    migration = await get_migration(work.session, name, lock=True)
    chosen = [str(each) for each in asked.streams or migration.streams]
    if not set(chosen) <= set(migration.streams):
        raise StreamNotInScope.at("/streams", f"In scope are: {', '.join(migration.streams)}.")
    query = select(Quarantine.stream).distinct()
    query = query.where(Quarantine.migration_id == migration.id)
    query = query.where(Quarantine.status == QuarantineStatus.OPEN)
    there = set(await work.session.exec(query.where(col(Quarantine.stream).in_(chosen))))
    if not there:
        raise NothingToRetry
    return await _retry(work, migration, [each for each in Stream if each in there])


async def _retry(
    work: Work, migration: Migration, streams: Sequence[str], ids: list[str] | None = None
) -> JobOut:
    options = {"only": "quarantine"} | ({"ids": ids} if ids else {})
    params = {"streams": [str(each) for each in streams], "cutover": False, "options": options}
    return await add_job(work, migration, JobKind.RECENT, params)
