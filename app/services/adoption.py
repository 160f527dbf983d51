"""Adoption: what was found, and what people decide about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.errors import AdoptionApplied, AdoptionNotFound, AdoptionTaken, InvalidRequest
from app.models import (
    AdoptionDecision,
    AdoptionRecord,
    AdoptionState,
    Job,
    JobKind,
    Link,
    Migration,
    Quarantine,
    QuarantineStatus,
    Side,
    Store,
)
from app.models.columns import now
from app.schemas.adoption import AdoptedStream, AdoptionOut, AdoptionSettleIn
from app.schemas.paging import Keyset
from app.services import adopted_links
from app.services.adopted_links import AMBIGUOUS, BY_HAND, IGNORED, MATCHED_BY
from app.services.api_keys import Caller
from app.services.migrations import get_migration, refuse_while_running
from app.services.opening import platform_of
from app.services.transaction import Work
from connectors.records import Stream

_COUNTS = text(
    """
    SELECT stream, state, matched_by, count(*) AS records,
           count(*) FILTER (WHERE decision IS NOT NULL) AS settled
    FROM adoption_records
    WHERE migration_id = :migration
      AND (side = 'source' OR state IN ('target_only', 'doubled'))
    GROUP BY stream, state, matched_by
    """
)


async def summary(session: AsyncSession, name: str) -> AdoptionOut:
    """What the last adoption found. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    job = await last_job(session, migration)
    rows = await (await session.connection()).execute(_COUNTS, {"migration": migration.id})
    streams = {Stream(each): AdoptedStream() for each in migration.streams} if job else {}
    for row in rows:
        found = streams.setdefault(Stream(row.stream), AdoptedStream())
        setattr(found, row.state, getattr(found, row.state) + row.records)
        found.settled += row.settled
        if row.state == AdoptionState.PAIRED:
            found.matched_by[row.matched_by] = found.matched_by.get(row.matched_by, 0) + row.records
    return AdoptionOut(
        job_id=job and job.id,
        status=job and job.status,
        since=job and job.params.get("since"),
        finished_at=job and job.finished_at,
        streams=streams,
    )


async def last_job(session: AsyncSession, migration: Migration) -> Job | None:
    """The migration's newest job of kind `adopt`."""
    query = select(Job).where(Job.migration_id == migration.id, Job.kind == JobKind.ADOPT)
    return (await session.exec(query.order_by(col(Job.created_at).desc()).limit(1))).first()


async def list_pairs(
    session: AsyncSession,
    name: str,
    page: Keyset,
    *,
    states: Sequence[AdoptionState],
    streams: Sequence[Stream],
) -> list[AdoptionRecord]:
    """Records by state, stream and id, one more than the page holds; a pair by its source record.

    Raises `MigrationNotFound`.
    """
    migration = await get_migration(session, name)
    query = select(AdoptionRecord).where(
        AdoptionRecord.migration_id == migration.id,
        or_(
            col(AdoptionRecord.side) == Side.SOURCE,
            col(AdoptionRecord.state) != AdoptionState.PAIRED,
        ),
    )
    if states:
        query = query.where(col(AdoptionRecord.state).in_([str(each) for each in states]))
    if streams:
        query = query.where(col(AdoptionRecord.stream).in_([str(each) for each in streams]))
    columns = (AdoptionRecord.state, AdoptionRecord.stream, AdoptionRecord.record_id)
    query = page.apply(query, *(col(each) for each in columns), col(AdoptionRecord.side))
    return list(await session.exec(query))


# --- settling ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settling:
    """A person settling what an adoption of a migration has left open."""

    session: AsyncSession
    migration: Migration
    caller: Caller

    @classmethod
    async def begin(cls, work: Work, name: str, caller: Caller) -> Settling:
        """No job may run meanwhile: it might create what is being paired.

        Raises `MigrationNotFound`, `JobRunning`.
        """
        migration = await get_migration(work.session, name, lock=True)
        await refuse_while_running(work.session, migration)
        return cls(work.session, migration, caller)

    async def by_id(self, item: UUID) -> AdoptionRecord:
        """Raises `AdoptionNotFound`."""
        query = select(AdoptionRecord).where(
            AdoptionRecord.id == item, AdoptionRecord.migration_id == self.migration.id
        )
        found = (await self.session.exec(query)).one_or_none()
        if found is None:
            raise AdoptionNotFound
        return found

    async def record(self, stream: Stream, side: Side, record_id: str) -> AdoptionRecord | None:
        """The row of a record, None where no adoption has read it."""
        key = (self.migration.id, str(stream), str(side), record_id)
        return await self.session.get(AdoptionRecord, key, populate_existing=True)

    async def settle(self, record: AdoptionRecord, asked: AdoptionSettleIn) -> bool:
        """Decide about a record. False: it was decided so before.

        Raises `InvalidRequest`, `AdoptionApplied`, `AdoptionTaken`, `StoreCannot`.
        """
        if asked.decision is AdoptionDecision.PAIR:
            if asked.other_id is None:
                raise InvalidRequest.at("/other_id", "Name the record on the other side.")
            return await self._pair(record, asked, asked.other_id)
        if asked.other_id is not None:
            raise InvalidRequest.at("/other_id", "Only `pair` takes this.")
        if record.decision == asked.decision and record.state != AdoptionState.PAIRED:
            return False
        await self._part(record)
        if record.state != AdoptionState.DOUBLED:
            record.state, record.candidates = AdoptionState(f"{record.side}_only"), []
        self._decided(record, asked)
        if record.side == Side.SOURCE:
            await self._release(record, ignored=asked.decision is AdoptionDecision.IGNORE)
        await self.session.flush()
        return True

    async def part_from_others(self, record: AdoptionRecord, asked: AdoptionSettleIn) -> None:
        """Take a record's pair apart, unless it is the one that is asked for: decisions that
        exchange counterparts can be carried out in any order then. Raises `AdoptionApplied`.
        """
        if asked.decision is not AdoptionDecision.PAIR or record.other_id != asked.other_id:
            await self._part(record)

    async def _pair(self, record: AdoptionRecord, asked: AdoptionSettleIn, other_id: str) -> bool:
        side = Side(record.side)
        opposite = Side.TARGET if side is Side.SOURCE else Side.SOURCE
        other = await self.record(Stream(record.stream), opposite, other_id)
        if other is None:
            raise InvalidRequest.at("/other_id", "No adoption has read this record.")
        source, target = (record, other) if side is Side.SOURCE else (other, record)
        if source.state == AdoptionState.PAIRED and source.other_id == target.record_id:
            return False
        await self._part(record)
        await self._refuse_taken(source, target)
        for each, there in ((source, target), (target, source)):
            each.state, each.other_id, each.candidates = AdoptionState.PAIRED, there.record_id, []
            each.matched_by, each.confidence = BY_HAND, 1.0
            self._decided(each, asked)
        await self.session.flush()
        await self._link(source)
        await self._release(source, ignored=False)
        return True

    async def _link(self, source: AdoptionRecord) -> None:
        connection = await self.session.connection()
        stream = Stream(source.stream)
        pair = await adopted_links.one_pair(connection, self.migration.id, stream, source.record_id)
        store = await self.session.get_one(Store, self.migration.target_id)
        capability = platform_of(store).writes.get(stream)
        lossy = frozenset(each.field for each in capability.losses) if capability else frozenset()
        pairs = [pair] if pair else []
        await adopted_links.link(connection, self.migration.id, stream, pairs, lossy)
        await self.session.refresh(source)

    async def _part(self, record: AdoptionRecord) -> None:
        """Take a pair apart that an adoption has made and no run has used. Raises
        `AdoptionApplied`.
        """
        if record.state != AdoptionState.PAIRED or record.other_id is None:
            return
        stream = Stream(record.stream)
        is_source = record.side == Side.SOURCE
        source_id = record.record_id if is_source else record.other_id
        link = await self.session.get(Link, (self.migration.id, str(stream), source_id))
        if link is not None:
            adopted = (link.matched_by or "").startswith(MATCHED_BY)
            if not adopted or link.digest is not None or link.applied_at is not None:
                raise AdoptionApplied
            await self.session.delete(link)
        opposite = Side.TARGET if is_source else Side.SOURCE
        other = await self.record(stream, opposite, record.other_id)
        for each in (record, other):
            if each is not None:
                each.state, each.other_id = AdoptionState(f"{each.side}_only"), None
                each.matched_by = each.confidence = each.decision = None
                each.differs, each.declared = [], []
        await self.session.flush()

    async def _refuse_taken(self, source: AdoptionRecord, target: AdoptionRecord) -> None:
        query = select(Link).where(
            Link.migration_id == self.migration.id,
            Link.stream == source.stream,
            or_(col(Link.source_id) == source.record_id, col(Link.target_id) == target.record_id),
        )
        if (await self.session.exec(query.limit(1))).first() is not None:
            raise AdoptionTaken

    def _decided(self, record: AdoptionRecord, asked: AdoptionSettleIn) -> None:
        record.decision = asked.decision
        record.settled_by = f"{self.caller.name} ({self.caller.prefix})"
        record.settled_at = now()
        record.reason = asked.reason

    async def _release(self, record: AdoptionRecord, *, ignored: bool) -> None:
        """Let a source record out of quarantine, or hold it there for good."""
        query = select(Quarantine).where(
            Quarantine.migration_id == self.migration.id,
            Quarantine.stream == record.stream,
            Quarantine.source_id == record.record_id,
        )
        held = (await self.session.exec(query)).one_or_none()
        if ignored:
            self.session.add(_waived(held, record))
        elif held is not None and held.code in (AMBIGUOUS, IGNORED):
            held.status, held.next_at = QuarantineStatus.RESOLVED, None
        await self.session.flush()


def _waived(held: Quarantine | None, record: AdoptionRecord) -> Quarantine:
    values: dict[str, Any] = {
        "status": QuarantineStatus.WAIVED,
        "code": IGNORED,
        "message": "somebody decided that it stays behind",
        "next_at": None,
        "digest": None,
        "waived_by": record.settled_by,
        "waived_at": record.settled_at,
        "waived_reason": record.reason,
    }
    if held is None:
        held = Quarantine(
            migration_id=record.migration_id,
            stream=record.stream,
            source_id=record.record_id,
            code=IGNORED,
            message="",
        )
    for name, value in values.items():
        setattr(held, name, value)
    return held
