"""Who is suspected to be gone from the source, and who bears witness that it still answers.

A clean sweep suspects what it has not seen. Where a stream was read by a window, a source that
tells of deletions names them itself. Either way the source is asked for each of them directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from connectors.abilities import TellsDeletions
from connectors.errors import BadAnswer, Rejected
from connectors.records import Record, Stream
from workers.engine import sightings
from workers.engine.run import Run
from workers.engine.sightings import SweptStream

WITNESSES = 3
"""Records that are asked for beside the suspects: a source that denies all of them answers nothing
at all, and proves nothing."""

_LOOK_BACK = timedelta(days=7)
"""How long before its window a record may have been deleted: a job may fail between its windows and
its removals. What is settled since is not asked for again."""


class Suspects(Protocol):
    """The suspects of a stream, in the order of their ids. Works on the caller's connection."""

    async def some(self, connection: AsyncConnection, *, after: str, limit: int) -> list[str]:
        """Source ids behind `after`."""
        ...

    async def witnesses(self, connection: AsyncConnection) -> list[str]:
        """Records that the source should have."""
        ...


class Missed(NamedTuple):
    """What a clean sweep has not seen."""

    swept: SweptStream

    async def some(self, connection: AsyncConnection, *, after: str, limit: int) -> list[str]:
        """As `Suspects.some`."""
        return await sightings.suspects(connection, self.swept, after=after, limit=limit)

    async def witnesses(self, connection: AsyncConnection) -> list[str]:
        """Some that it has seen."""
        return await sightings.witnesses(connection, self.swept, WITNESSES)


class Told(NamedTuple):
    """What the source itself calls deleted, of what is on the target."""

    migration: UUID
    stream: Stream
    ids: Sequence[str]

    async def some(self, connection: AsyncConnection, *, after: str, limit: int) -> list[str]:
        """As `Suspects.some`."""
        known = await sightings.undoubted(connection, self.migration, self.stream, self.ids)
        return sorted(each for each in known if each > after)[:limit]

    async def witnesses(self, connection: AsyncConnection) -> list[str]:
        """Some that were brought over last."""
        return await sightings.newest(
            connection, self.migration, self.stream, besides=self.ids, limit=WITNESSES
        )


async def told(run: Run, stream: Stream, since: datetime) -> Told | None:
    """What the source says was deleted before or in a window that begins at `since`, as far as it
    is on the target and nobody knows yet; None where it does not tell, or there is nothing. Raises
    `StoreError`.
    """
    if not isinstance(run.source, TellsDeletions):
        return None
    ids = await run.source.deleted(stream, since - _LOOK_BACK)
    if not ids:
        return None
    migration = run.lease.held.migration_id
    async with autocommit(run.engine) as connection:
        known = await sightings.undoubted(connection, migration, stream, sorted(ids))
    return Told(migration, stream, known) if known else None


# --- asking ------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What the source says of suspects. `unclear`: it does not say whether it has them."""

    there: list[Record]
    gone: list[str]
    unclear: list[str]


async def ask(
    run: Run, stream: Stream, suspects: Sequence[str], witnesses: Sequence[str]
) -> Answer | None:
    """One page of suspects; None where the source knows nothing of what it has just shown."""
    run.lease.check()
    answer = Answer([], [], [])
    try:
        found = await run.source.get(stream, [*suspects, *witnesses])
    except (Rejected, BadAnswer):
        # One record that cannot be told spoils the page: each of them alone, then.
        return await _ask_singly(run, stream, suspects, witnesses)
    if not found.keys() & set(witnesses):
        return None
    answer.there.extend(found[each] for each in suspects if each in found)
    answer.gone.extend(each for each in suspects if each not in found)
    return answer


async def _ask_singly(
    run: Run, stream: Stream, suspects: Sequence[str], witnesses: Sequence[str]
) -> Answer | None:
    answer = Answer([], [], [])
    for suspect in suspects:
        run.lease.check()
        try:
            found = await run.source.get(stream, [suspect, *witnesses])
        except (Rejected, BadAnswer):
            answer.unclear.append(suspect)
            continue
        if not found.keys() & set(witnesses):
            return None
        if suspect in found:
            answer.there.append(found[suspect])
        else:
            answer.gone.append(suspect)
    return answer
