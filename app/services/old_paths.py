"""What is kept of a migration's old paths, read by the API and by checks."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.redirects.chart import Own, PageLink
from connectors.records import Stream


class Kept(NamedTuple):
    """Records' pages, redirects that people added, and visits by old path."""

    links: list[PageLink]
    own: list[Own]
    visits: dict[str, int]


_LINKS = text(
    "SELECT stream, source_id, target_id, old_path, new_path FROM page_addresses"
    " WHERE migration_id = :migration"
)
_PATHS = text(
    "SELECT path, visits, target FROM old_paths"
    " WHERE migration_id = :migration AND (visits > 0 OR target IS NOT NULL)"
)


async def kept_paths(connection: AsyncConnection, migration: UUID) -> Kept:
    """All of it: some ten thousand rows for a big shop."""
    of = {"migration": migration}
    links = [
        PageLink(Stream(row.stream), row.source_id, row.target_id, row.old_path, row.new_path)
        for row in await connection.execute(_LINKS, of)
    ]
    paths = (await connection.execute(_PATHS, of)).all()
    return Kept(
        links,
        [Own(row.path, row.target) for row in paths if row.target is not None],
        {row.path: row.visits for row in paths if row.visits},
    )
