"""What a run takes up again although the source has not changed it: what is due in quarantine,
records whose lost references have arrived, those that were changed on the target where the source's
values rule, and conflicts for which the source's value was chosen.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from connectors.records import Stream
from workers.engine import conflicts, drift, lost_references, quarantine
from workers.engine.leases import Held


class Batch(NamedTuple):
    """Some records to take up, in order: all of them, the codes of those in quarantine, and those
    whose conflicts were settled.
    """

    ids: list[str]
    codes: dict[str, str]
    settled: frozenset[str]


async def compare_with_links(connection: AsyncConnection, migration: UUID, stream: Stream) -> None:
    """Find what waits for records that are there by now, whatever way they came."""
    await quarantine.wake_linked(connection, migration, stream)
    await lost_references.mark_linked(connection, migration, stream)


async def any_due(connection: AsyncConnection, migration: UUID, stream: Stream) -> bool:
    """Whether anything of a stream is to be taken up between passes. Conflicts are not asked for
    here: they are settled by people, and wait for the next pass.
    """
    await compare_with_links(connection, migration, stream)
    return (
        await quarantine.any_due(connection, migration, stream)
        or bool(await lost_references.mendable(connection, migration, stream, limit=1))
        or bool(await drift.marked(connection, migration, stream, after="", limit=1))
    )


async def any_for(
    connection: AsyncConnection, held: Held, stream: Stream, part: dict[str, Any]
) -> bool:
    """Whether a slice of this part would find anything to take up."""
    await compare_with_links(connection, held.migration_id, stream)
    return bool((await batch(connection, held, stream, part, limit=1)).ids)


async def batch(
    connection: AsyncConnection,
    held: Held,
    stream: Stream,
    part: dict[str, Any],
    *,
    after: str = "",
    limit: int,
) -> Batch:
    """The next records behind `after` that a slice of this part is to take up, for the job of the
    slice in hand.
    """
    only = part.get("only")
    codes = await quarantine.due(
        connection,
        held.migration_id,
        stream,
        job=held.job_id,
        eager=bool(part.get("eager")),
        after=after,
        limit=limit,
        only=only,
    )
    settled: list[str] = []
    if part.get("conflicts"):
        settled = await conflicts.waiting(
            connection, held.migration_id, stream, after=after, limit=limit
        )
    mendable: list[str] = []
    if only is None:
        mendable = await lost_references.mendable(
            connection, held.migration_id, stream, after=after, limit=limit
        )
    drifted: list[str] = []
    if part.get("restores") and not held.stragglers:
        drifted = await drift.marked(
            connection, held.migration_id, stream, after=after, limit=limit
        )
    ids = sorted({*codes, *settled, *mendable, *drifted})[:limit]
    chosen = {each: code for each, code in codes.items() if each in ids}
    return Batch(ids, chosen, frozenset(settled))
