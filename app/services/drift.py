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
