"""How far linked records are from their originals, by what jobs have found out."""

from __future__ import annotations

# ruff: noqa: S608 - the texts put into others are constants; values travel as parameters
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from app.schemas.adoption import DriftOut, StreamDrift
from app.services.adoption import last_job
from app.services.migrations import get_migration
from connectors.records import Stream

_LINKS = text(
    """
    SELECT l.stream, count(*) AS linked,
           count(*) FILTER (WHERE l.digest IS NULL AND l.applied_at IS NULL) AS unverified,
           count(*) FILTER (WHERE q.source_id IS NOT NULL) AS quarantined
    FROM links AS l
    LEFT JOIN quarantine AS q ON q.migration_id = l.migration_id AND q.stream = l.stream
      AND q.source_id = l.source_id AND q.status = 'open'
    WHERE l.migration_id = :migration AND l.state = 'applied' AND l.target_id IS NOT NULL
    GROUP BY l.stream
    """
)

# Once a run has met a record, what its adoption found is history.
_ADOPTED = """
    FROM adoption_records AS r
    JOIN links AS l ON l.migration_id = r.migration_id AND l.stream = r.stream
      AND l.source_id = r.record_id AND l.digest IS NULL AND l.applied_at IS NULL
    WHERE r.migration_id = :migration AND r.side = 'source' AND r.state = 'paired'
"""
_DIFFERING = text(
    f"SELECT r.stream, count(*) AS records {_ADOPTED} AND r.differs <> '{{}}' GROUP BY r.stream"
)

# Of a conflict in a variant the field's name counts, not which variant it is.
_PATH = r"regexp_replace(c.field, '^variants\.[^.]*\.', 'variants.')"
_CONFLICTS = (
    f"SELECT c.stream, '{{kind}}', {_PATH} FROM conflicts AS c WHERE c.migration_id = :migration"
)
_FIELDS = text(
    f"""
    SELECT stream, kind, field, count(*) AS records FROM (
        SELECT r.stream, 'fields' AS kind, unnest(r.differs) AS field {_ADOPTED}
        UNION ALL SELECT r.stream, 'declared', unnest(r.declared) {_ADOPTED}
        UNION ALL {_CONFLICTS.format(kind="kept")} AND c.decision = 'target'
        UNION ALL {_CONFLICTS.format(kind="unsettled")} AND c.decision IS NULL
    ) AS found GROUP BY stream, kind, field ORDER BY stream, kind, records DESC, field
"""Which records of the source changed since they were last applied, as a window shows it.

The digest decides, as in a run: what was touched and is the same has not changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import autocommit
from connectors.base import Extent, Source
from connectors.digest import digest
from connectors.records import Record, Stream

# What is in quarantine with this very content is known to be missing, and not new.
_KNOWN = text(
    """
    SELECT l.source_id, l.digest FROM links AS l
    WHERE l.migration_id = :migration AND l.stream = :stream AND l.state = 'applied'
      AND l.source_id = ANY(CAST(:ids AS text[]))
    UNION ALL
    SELECT q.source_id, q.digest FROM quarantine AS q
    WHERE q.migration_id = :migration AND q.stream = :stream AND q.status <> 'resolved'
      AND q.source_id = ANY(CAST(:ids AS text[]))
    """
)


async def drift(session: AsyncSession, name: str) -> DriftOut:
    """By stream and field. Raises `MigrationNotFound`."""
    migration = await get_migration(session, name)
    connection, ours = await session.connection(), {"migration": migration.id}
    job = await last_job(session, migration)
    streams = {Stream(each): StreamDrift() for each in migration.streams}
    for row in await connection.execute(_LINKS, ours):
        found = streams.setdefault(Stream(row.stream), StreamDrift())
        found.linked, found.unverified, found.quarantined = (
            row.linked,
            row.unverified,
            row.quarantined,
        )
    for row in await connection.execute(_DIFFERING, ours):
        streams[Stream(row.stream)].differing = row.records
    for row in await connection.execute(_FIELDS, ours):
        counts: dict[str, int] = getattr(
            streams.setdefault(Stream(row.stream), StreamDrift()), row.kind
        )
        counts[row.field] = row.records
    return DriftOut(as_of=job.finished_at if job else None, streams=streams)
@dataclass(slots=True)
class Drift:
    """What has not been applied yet: ids of `changed` records, and of those that cannot be read.
    `complete`: the extent was read to its end; else there may be more.
    """

    examined: int = 0
    changed: list[str] = field(default_factory=list)
    complete: bool = True


async def drift(
    engine: AsyncEngine,
    source: Source,
    migration: UUID,
    stream: Stream,
    extent: Extent,
    *,
    enough: int | None = None,
) -> Drift:
    """Read an extent and compare it with the ledger, until `enough` changes are found or all of it
    was read. Raises `StoreError`.
    """
    found = Drift()
    async with aclosing(source.read(stream, extent, {}, None)) as pages:
        async for page in pages:
            found.examined += len(page.records) + len(page.failed)
            found.changed += await changed(engine, migration, stream, page.records)
            found.changed += [each for each, _ in page.failed]
            if enough is not None and len(found.changed) >= enough:
                found.complete = page.resume is None
                break
    return found


async def changed(
    engine: AsyncEngine, migration: UUID, stream: Stream, records: Sequence[Record]
) -> list[str]:
    """Ids of the records whose content is not what was last applied."""
    if not records:
        return []
    ids = [each.id for each in records]
    async with autocommit(engine) as connection:
        rows = await connection.execute(
            _KNOWN, {"migration": migration, "stream": str(stream), "ids": ids}
        )
        known = {(row.source_id, row.digest) for row in rows}
    return [each.id for each in records if (each.id, digest(each.content).whole) not in known]
