"""What is kept of a migration's old paths: read by the API and by checks, written by the API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.redirects.chart import Own, PageLink
from app.redirects.paths import key
from connectors.records import Stream
from connectors.redirects import Redirect, Redirected


class Push(NamedTuple):
    """What the target shop said of a path's redirect, and where that was to lead."""

    state: str
    code: str | None
    target: str
    at: datetime


class Kept(NamedTuple):
    """Records' pages, redirects that people added, visits by old path, and what was pushed, by
    `key`. `seen_at`: when pages were looked up, the longest ago.
    """

    links: list[PageLink]
    own: list[Own]
    visits: dict[str, int]
    pushes: dict[str, Push]
    seen_at: datetime | None


_LINKS = text(
    "SELECT stream, source_id, target_id, old_path, new_path, seen_at FROM page_addresses"
    " WHERE migration_id = :migration"
)
_PATHS = text(
    "SELECT key, path, visits, target, pushed, push_code, pushed_target, pushed_at FROM old_paths"
    " WHERE migration_id = :migration"
)


async def kept_paths(connection: AsyncConnection, migration: UUID) -> Kept:
    """All of it: some ten thousand rows for a big shop."""
    of = {"migration": migration}
    rows = (await connection.execute(_LINKS, of)).all()
    paths = (await connection.execute(_PATHS, of)).all()
    return Kept(
        links=[
            PageLink(Stream(row.stream), row.source_id, row.target_id, row.old_path, row.new_path)
            for row in rows
        ],
        own=[Own(row.path, row.target) for row in paths if row.target is not None],
        visits={row.path: row.visits for row in paths if row.visits},
        pushes={
            row.key: Push(row.pushed, row.push_code, row.pushed_target, row.pushed_at)
            for row in paths
            if row.pushed is not None
        },
        seen_at=min((row.seen_at for row in rows), default=None),
    )


class Linked(NamedTuple):
    """A record that is on both shops."""

    stream: Stream
    source_id: str
    target_id: str


_RECORDS = text(
    """
    SELECT stream, source_id, target_id FROM links
    WHERE migration_id = :migration AND state = 'applied' AND target_id IS NOT NULL
      AND stream = ANY(:streams) AND (stream, source_id) > (:stream, :source_id)
    ORDER BY stream, source_id LIMIT :limit
    """
)


async def linked_records(
    connection: AsyncConnection,
    migration: UUID,
    streams: Sequence[str],
    after: tuple[str, str],
    limit: int,
) -> list[Linked]:
    """Records behind one, by stream and id of the source."""
    asked = {"migration": migration, "streams": list(streams), "limit": limit}
    asked |= {"stream": after[0], "source_id": after[1]}
    rows = await connection.execute(_RECORDS, asked)
    return [Linked(Stream(row.stream), row.source_id, row.target_id) for row in rows]


_FORGET = text(
    """
    DELETE FROM page_addresses AS p WHERE p.migration_id = :migration AND NOT EXISTS (
        SELECT 1 FROM links AS l
        WHERE l.migration_id = p.migration_id AND l.stream = p.stream
          AND l.source_id = p.source_id AND l.state = 'applied'
    )
    """
)


async def forget_unlinked(connection: AsyncConnection, migration: UUID) -> None:
    """Leave out records that are not on the target any more."""
    await connection.execute(_FORGET, {"migration": migration})


_REMOVE = text(
    "DELETE FROM page_addresses WHERE migration_id = :migration AND stream = :stream"
    " AND source_id = ANY(:ids)"
)
_PUT = text(
    """
    INSERT INTO page_addresses
        (migration_id, stream, source_id, target_id, old_path, old_key, new_path, seen_at)
    SELECT :migration, :stream, n.source_id, n.target_id, n.old_path, n.old_key, n.new_path, now()
    FROM unnest(CAST(:ids AS text[]), CAST(:targets AS text[]), CAST(:old AS text[]),
                CAST(:keys AS text[]), CAST(:new AS text[]))
        AS n (source_id, target_id, old_path, old_key, new_path)
    ON CONFLICT (migration_id, stream, source_id) DO UPDATE SET
        target_id = excluded.target_id, old_path = excluded.old_path, old_key = excluded.old_key,
        new_path = excluded.new_path, seen_at = excluded.seen_at
    """
)


async def keep_pages(
    connection: AsyncConnection,
    migration: UUID,
    stream: Stream,
    ids: Iterable[str],
    pages: Sequence[PageLink],
) -> None:
    """What was found of these records; those without a page on the source have none."""
    found = {each.source_id for each in pages}
    gone = [each for each in ids if each not in found]
    of: dict[str, Any] = {"migration": migration, "stream": str(stream)}
    await connection.execute(_REMOVE, {**of, "ids": gone})
    await connection.execute(
        _PUT,
        {
            **of,
            "ids": [each.source_id for each in pages],
            "targets": [each.target_id for each in pages],
            "old": [each.old for each in pages],
            "keys": [key(each.old) for each in pages],
            "new": [each.new for each in pages],
        },
    )


_NO_VISITS = text("UPDATE old_paths SET visits = 0 WHERE migration_id = :migration")
_VISITS = text(
    """
    INSERT INTO old_paths (migration_id, key, path, visits)
    SELECT :migration, n.key, n.path, n.visits
    FROM unnest(CAST(:keys AS text[]), CAST(:paths AS text[]), CAST(:visits AS bigint[]))
        AS n (key, path, visits)
    ON CONFLICT (migration_id, key) DO UPDATE SET visits = excluded.visits
    """
)
_NO_OWN = text("UPDATE old_paths SET target = NULL WHERE migration_id = :migration")
_OWN = text(
    """
    INSERT INTO old_paths (migration_id, key, path, target)
    SELECT :migration, n.key, n.path, n.target
    FROM unnest(CAST(:keys AS text[]), CAST(:paths AS text[]), CAST(:targets AS text[]))
        AS n (key, path, target)
    ON CONFLICT (migration_id, key) DO UPDATE
        SET target = excluded.target, path = excluded.path
    """
)
_TIDY = text(
    "DELETE FROM old_paths WHERE migration_id = :migration AND visits = 0 AND target IS NULL"
    " AND pushed IS NULL"
)


async def put_visits(
    connection: AsyncConnection, migration: UUID, visits: Mapping[str, int]
) -> None:
    """Visits by old path, in the place of all that were known before."""
    sums: dict[str, tuple[str, int]] = {}
    for path, count in visits.items():
        first, before = sums.get(key(path), (path, 0))
        sums[key(path)] = first, before + count
    await connection.execute(_NO_VISITS, {"migration": migration})
    await connection.execute(
        _VISITS,
        {
            "migration": migration,
            "keys": list(sums),
            "paths": [path for path, _ in sums.values()],
            "visits": [count for _, count in sums.values()],
        },
    )
    await connection.execute(_TIDY, {"migration": migration})


async def put_own(connection: AsyncConnection, migration: UUID, own: Iterable[Own]) -> None:
    """Redirects that people add, in the place of all that were there before. One for each path."""
    rows = {key(each.path): each for each in own}
    await connection.execute(_NO_OWN, {"migration": migration})
    await connection.execute(
        _OWN,
        {
            "migration": migration,
            "keys": list(rows),
            "paths": [each.path for each in rows.values()],
            "targets": [each.target for each in rows.values()],
        },
    )
    await connection.execute(_TIDY, {"migration": migration})


_PUSHED = text(
    """
    INSERT INTO old_paths
        (migration_id, key, path, pushed, push_code, pushed_target, pushed_at)
    SELECT :migration, n.key, n.path, n.state, nullif(n.code, ''), n.target, now()
    FROM unnest(CAST(:keys AS text[]), CAST(:paths AS text[]), CAST(:states AS text[]),
                CAST(:codes AS text[]), CAST(:targets AS text[]))
        AS n (key, path, state, code, target)
    ON CONFLICT (migration_id, key) DO UPDATE SET
        pushed = excluded.pushed, push_code = excluded.push_code,
        pushed_target = excluded.pushed_target, pushed_at = excluded.pushed_at
    """
)


async def keep_pushes(
    connection: AsyncConnection, migration: UUID, pushed: Sequence[tuple[Redirect, Redirected]]
) -> None:
    """What the target said of each redirect."""
    await connection.execute(
        _PUSHED,
        {
            "migration": migration,
            "keys": [key(asked.path) for asked, _ in pushed],
            "paths": [asked.path for asked, _ in pushed],
            "targets": [asked.target for asked, _ in pushed],
            "states": [str(said.state) for _, said in pushed],
            "codes": [said.code for _, said in pushed],
        },
    )
