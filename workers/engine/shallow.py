"""Sweeping by ids and stamps: only records that are new or stamped anew are read as a whole.

It finds what windows have lost, at a fraction of a sweep's cost; it cannot find a change that
moved no stamp.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from connectors.base import Json, Mark, Marks, Page, Sweep
from connectors.records import Stream
from workers.engine.run import Run
from workers.engine.singles import fetch


async def differing_pages(
    run: Run, stream: Stream, extent: Sweep, part: Json
) -> AsyncGenerator[Page, None]:
    """Pages of a part from where the slice stopped; what the ledger agrees with stays unread."""
    enumerated = run.source.enumerate(stream, extent, part, run.lease.held.resume)
    async with aclosing(enumerated) as found:
        async for marks in found:
            yield await _page(run, stream, marks)


async def _page(run: Run, stream: Stream, marks: Marks) -> Page:
    async with autocommit(run.engine) as connection:
        known = await _stamps(connection, run.scope.migration, stream, marks.marks)
    wanted = {each.id for each in marks.marks if not _agrees(each, known)}
    found = await fetch(run, stream, sorted(wanted))
    return Page(
        records=tuple(found.records.values()),
        resume=marks.resume,
        total=marks.total,
        failed=tuple(found.failed),
        unmapped=tuple(found.unmapped),
        unread=tuple(each.id for each in marks.marks if each.id not in wanted),
    )


def _agrees(mark: Mark, known: dict[str, datetime]) -> bool:
    return mark.stamp is not None and known.get(mark.id) == mark.stamp


_STAMPS = text(
    "SELECT source_id, stamp FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND state = 'applied' AND digest IS NOT NULL AND stamp IS NOT NULL"
    " AND source_id = ANY(CAST(:ids AS text[]))"
)


async def _stamps(
    connection: AsyncConnection, migration: UUID, stream: Stream, marks: Iterable[Mark]
) -> dict[str, datetime]:
    """When the source said that records changed last, of those that are right on the target."""
    ids = [each.id for each in marks]
    found = await connection.execute(
        _STAMPS, {"migration": migration, "stream": str(stream), "ids": ids}
    )
    return {row.source_id: row.stamp for row in found}
