"""What somebody changed on the target although the source's values rule there.

A run writes what the source changed, and here the source changed nothing. A verification compares,
so it is the one to notice; it marks the link with the fields, and the next run puts them back.
Works on the caller's connection, like the ledger.
"""

from __future__ import annotations

# ruff: noqa: S608 - the texts put into others are constants; values travel as parameters
from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import ConflictPolicy
from connectors.records import Stream
from workers.engine.policy import Policies
from workers.engine.quarantine import NOT_REFUSED
from workers.engine.sides import VARIANTS

GONE = "gone"
"""In place of a path: the whole record is not on the target any more. The next run looks, and puts
it in quarantine, where somebody decides.
"""

Found = Mapping[str, Collection[str]]
"""Paths of fields to be put back, by source id; none where a record is as it should be."""

# An array for each row, as JSON: the rows' arrays differ in length.
_MARK = text(
    """
    UPDATE links AS l
    SET drifted = CASE WHEN new.paths <> '[]'
        THEN ARRAY(SELECT jsonb_array_elements_text(CAST(new.paths AS jsonb))) END
    FROM unnest(CAST(:ids AS text[]), CAST(:paths AS text[])) AS new (id, paths)
    WHERE l.migration_id = :migration AND l.stream = :stream AND l.source_id = new.id
      AND l.state = 'applied' AND (l.drifted IS NOT NULL OR new.paths <> '[]')
    """
)


async def mark(connection: AsyncConnection, migration: UUID, stream: Stream, found: Found) -> int:
    """Note what was found of some records, in place of what was known. Answers how many of them are
    to be mended.
    """
    if found:
        paths = [msgspec.json.encode(sorted(each)).decode() for each in found.values()]
        values = {"migration": migration, "stream": str(stream)}
        await connection.execute(_MARK, {"ids": list(found), "paths": paths, **values})
    return sum(bool(each) for each in found.values())


# As with lost references: what the source has perhaps lost cannot be read again, and a refused
# record is tried when its quarantine says so.
_MARKED = text(
    f"""
    SELECT l.source_id FROM links AS l
    WHERE l.migration_id = :migration AND l.stream = :stream AND l.drifted IS NOT NULL
      AND l.state = 'applied' AND l.missed = 0 AND NOT l.exempt AND l.source_id > :after
      AND {NOT_REFUSED}
    ORDER BY l.source_id LIMIT :limit
    """
)


async def marked(
    connection: AsyncConnection, migration: UUID, stream: Stream, *, after: str, limit: int
) -> list[str]:
    """Source ids of records with fields to be put back, in order, behind `after`."""
    values = {"migration": migration, "stream": str(stream), "after": after, "limit": limit}
    return list((await connection.execute(_MARKED, values)).scalars())


def is_sources(policies: Policies, stream: Stream, path: str, *, merges: bool) -> bool:
    """Whether the source's value rules in a field, whoever changed it on the target.

    A target that does not merge a stream is the source's mirror. A variant that is not there any
    more is a matter of `variants`.
    """
    if path == GONE:
        return True
    if not merges:
        return True
    head, _, rest = path.partition(".")
    name = rest.rpartition(".")[2] if head == VARIANTS and "." in rest else head
    return policies.of(stream, name) is ConflictPolicy.SOURCE
