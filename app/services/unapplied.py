"""Which records of the source changed since they were last applied, as a window shows it.

The digest decides, as in a run: what was touched and is the same has not changed.
"""

from __future__ import annotations

from contextlib import aclosing
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import autocommit
from connectors.base import Extent, Page, Source
from connectors.digest import digest
from connectors.records import Record, Stream

# What is in quarantine with this very content is known to be missing, and not new.
_KNOWN = text(
    """
    SELECT l.source_id, l.digest, false AS held FROM links AS l
    WHERE l.migration_id = :migration AND l.stream = :stream AND l.state = 'applied'
      AND l.source_id = ANY(CAST(:ids AS text[]))
    UNION ALL
    SELECT q.source_id, q.digest, true FROM quarantine AS q
    WHERE q.migration_id = :migration AND q.stream = :stream AND q.status <> 'resolved'
      AND q.source_id = ANY(CAST(:ids AS text[]))
    """
)


async def unapplied(
    engine: AsyncEngine,
    source: Source,
    migration: UUID,
    stream: Stream,
    extent: Extent,
    *,
    enough: int | None = None,
) -> list[str]:
    """Read an extent and compare it with the ledger, until `enough` changes are found or all of it
    was read. Answers with the ids, each once. Raises `StoreError`.
    """
    found: dict[str, None] = {}
    async with aclosing(source.read(stream, extent, {}, None)) as pages:
        async for page in pages:
            found |= dict.fromkeys(await unapplied_of(engine, migration, stream, page))
            if enough is not None and len(found) >= enough:
                break
    return list(found)


async def unapplied_of(
    engine: AsyncEngine, migration: UUID, stream: Stream, page: Page
) -> list[str]:
    """Ids of a page's records whose content is not what was last applied, and of those that cannot
    be understood or mapped, unless quarantine knows of them.
    """
    if not page.ids:
        return []
    async with autocommit(engine) as connection:
        values = {"migration": migration, "stream": str(stream), "ids": page.ids}
        rows = (await connection.execute(_KNOWN, values)).all()
    known = {(row.source_id, row.digest) for row in rows}
    held = {row.source_id for row in rows if row.held}
    seen = [
        *((each.id, _digest(each)) for each in page.records),
        *((each.record.id, each.digest) for each in page.unmapped),
    ]
    differing = [each[0] for each in seen if each not in known]
    return differing + [each for each, _ in page.failed if each not in held]


def _digest(record: Record) -> bytes:
    return digest(record.content).whole
