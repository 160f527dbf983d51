"""References that records were written without, and what becomes of them when they arrive.

An order whose customer is on neither store is written as a guest's, where the policy allows it.
When the customer is there later, nothing of the order has changed at the source: its link says
what it lacks. Works on the caller's connection, like the ledger.

Rows that a page holds are passed over: whoever waited for them could be waited for. Comparing with
the links, before anything is taken up, finds them later.
"""

from __future__ import annotations

# ruff: noqa: S608 - the texts put into others are constants; values travel as parameters
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.records import Stream
from workers.engine.ledger import ON_TARGET
from workers.engine.quarantine import NOT_REFUSED

# What the source has perhaps lost cannot be read again; a sweep that sees it takes that back.
_LACKING = (
    "cardinality(l.lost_references) > 0 AND l.state = 'applied' AND l.missed = 0 AND NOT l.exempt"
)
_OF_STREAM = f"{_LACKING} AND l.migration_id = :migration AND l.stream = :stream"

# One look into the index of lost references for each (`OFFSET 0` keeps it apart), then the rows by
# their places: of a table that was filled a moment ago the planner believes that a migration has
# one link, and would read all of them for each reference.
_MARK_LACKING = f"""
    UPDATE links SET mendable = true WHERE ctid = ANY(ARRAY(
        SELECT l.ctid FROM links AS l
        WHERE l.ctid = ANY(ARRAY(
            SELECT found.place FROM arrived, LATERAL (
                SELECT l.ctid AS place, l.migration_id FROM links AS l
                WHERE l.lost_references @> ARRAY[arrived.reference] OFFSET 0
            ) AS found
            WHERE found.migration_id = :migration
        )) AND {_LACKING} AND NOT l.mendable
        FOR UPDATE SKIP LOCKED
    ))
"""
_MARK = text(
    f"""
    WITH arrived AS MATERIALIZED (
        SELECT reference FROM unnest(CAST(:arrived AS text[])) AS one (reference)
    )
    {_MARK_LACKING}
    """
)


async def mark(connection: AsyncConnection, migration: UUID, arrived: Sequence[str]) -> None:
    """Have the records written again that lack one of these references, given as texts."""
    if arrived:
        await connection.execute(_MARK, {"migration": migration, "arrived": arrived})


# Many records lack few others: each of these is looked up once.
_MARK_LINKED = text(
    f"""
    WITH lost AS MATERIALIZED (
        SELECT DISTINCT unnest(l.lost_references) AS reference FROM links AS l
        WHERE {_OF_STREAM} AND NOT l.mendable
    ), arrived AS MATERIALIZED (
        SELECT lost.reference FROM lost, LATERAL (SELECT CAST(lost.reference AS jsonb)) AS r (part)
        WHERE CASE WHEN {ON_TARGET} THEN true END
    )
    {_MARK_LACKING}
    """
)


async def mark_linked(connection: AsyncConnection, migration: UUID, stream: Stream) -> None:
    """Have the records of a stream written again whose references are on the target by now."""
    await connection.execute(_MARK_LINKED, {"migration": migration, "stream": str(stream)})


# A refused one is tried when its quarantine says so.
_MENDABLE = text(
    f"""
    SELECT l.source_id FROM links AS l
    WHERE {_OF_STREAM} AND l.mendable AND l.source_id > :after
      AND {NOT_REFUSED}
    ORDER BY l.source_id LIMIT :limit
    """
)


async def mendable(
    connection: AsyncConnection, migration: UUID, stream: Stream, *, after: str = "", limit: int
) -> list[str]:
    """Source ids of records that are to be written again, in order, behind `after`."""
    values = {"migration": migration, "stream": str(stream), "after": after, "limit": limit}
    return list((await connection.execute(_MENDABLE, values)).scalars())
