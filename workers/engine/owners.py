"""Whose record on the target it is that was found by something else than our key.

Two records of the source can have the same SKU, or swap it. What belongs to one of them must not be
written over with the other. What was taken off the target because the source lost it is free: goods
are often made anew there with the SKU of what was deleted.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text

from app.database import autocommit
from connectors.base import Match
from connectors.records import Stream
from workers.engine.run import Run

_OWNERS = text(
    """
    SELECT target_id, source_id FROM links
    WHERE migration_id = :migration AND stream = :stream AND state = 'applied'
      AND target_id = ANY(CAST(:ids AS text[]))
    """
)


_KNOWN = text(
    "SELECT target_id FROM links WHERE migration_id = :migration AND stream = :stream"
    " AND target_id = ANY(CAST(:ids AS text[]))"
)


async def ours(run: Run, stream: Stream, found: Mapping[str, Match]) -> frozenset[str]:
    """Which of these records on the target we have brought there once, by the ledger."""
    natural = sorted({each.target_id for each in found.values() if each.by != "key"})
    if not natural:
        return frozenset()
    values = {"migration": run.scope.migration, "stream": str(stream), "ids": natural}
    async with autocommit(run.engine) as connection:
        return frozenset((await connection.execute(_KNOWN, values)).scalars())


async def without_others(run: Run, stream: Stream, found: Mapping[str, Match]) -> dict[str, Match]:
    """Matches by source id, without those that are another source record's, by the ledger or
    because one that comes before them was found there. It is then created; a target that keeps
    doubles out refuses it.

    An email belongs to one account, whichever of the source's brings it: there all stay.
    """
    natural = sorted({each.target_id for each in found.values() if each.by != "key"})
    if not natural or stream is Stream.CUSTOMERS:
        return dict(found)
    async with autocommit(run.engine) as connection:
        rows = await connection.execute(
            _OWNERS, {"migration": run.scope.migration, "stream": str(stream), "ids": natural}
        )
        owners = {row.target_id: row.source_id for row in rows}
    owners |= {match.target_id: each for each, match in found.items() if match.by == "key"}
    return {
        each: match
        for each, match in found.items()
        if owners.setdefault(match.target_id, each) == each
    }
