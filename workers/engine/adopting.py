"""Pairing what was gathered of a stream, and linking the pairs, page by page.

A source record that may or may not be on the target goes to quarantine: until somebody has said
which one it is, no run brings it over a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from app.services import adopted_links
from app.services.adopted_links import AMBIGUOUS
from connectors.base import Refused
from connectors.records import Stream
from workers.engine import ledger, progress, quarantine
from workers.engine.errors import Ending
from workers.engine.failpoints import Place, reach
from workers.engine.matching import match, measure
from workers.engine.quarantine import Refusal
from workers.engine.run import Run

_PAGE = 500
_MESSAGE = "it may be on the target already, and nothing tells which record it is"
UNREAD = "target_not_understood"


async def pair_slice(run: Run, stream: Stream, *, out_of_time: Callable[[], bool]) -> bool:
    """Pair and link a stream. As `read_slice`: it goes on behind the last page that was linked."""
    held = run.lease.held
    if held.resume is None:
        await _match(run, stream)
    lossy = await _lossy(run, stream)
    while await _link_page(run, stream, lossy):
        if out_of_time():
            return False
    await _hold_back(run, stream)
    return True


async def _lossy(run: Run, stream: Stream) -> frozenset[str]:
    """Fields that the target cannot keep; with our add-on it keeps more."""
    capability = run.writes[stream]
    addon = False
    if any(each.addon for each in capability.losses):
        async with run.read_target() as target:
            addon = bool((await target.check()).addon)
    return frozenset(each.field for each in capability.losses_in(addon=addon))


async def _match(run: Run, stream: Stream) -> None:
    held = run.lease.held
    async with autocommit(run.engine) as connection:
        await measure(connection)
    async with run.lease.fenced_at_the_end() as connection:
        await match(connection, run.scope.migration, stream, held.job_id)
        await ledger.progress(connection, held.id, resume={"after": ""}, counters=run.tally())
    held.resume = {"after": ""}
    reach(Place.AFTER_COMMIT)


async def _link_page(run: Run, stream: Stream, lossy: frozenset[str]) -> bool:
    """Link the next pairs. False where none are left."""
    held, migration = run.lease.held, run.scope.migration
    run.lease.check()
    after = (held.resume or {}).get("after", "")
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        pairs = await adopted_links.next_pairs(
            connection, migration, stream, after=after, limit=_PAGE
        )
        if not pairs:
            return False
        made = await adopted_links.link(connection, migration, stream, pairs, lossy)
        run.counters["adopted"] += made
        run.counters["unchanged"] += len(pairs) - made
        resume = {"after": pairs[-1].source_id}
        await ledger.progress(connection, held.id, resume=resume, counters=run.tally())
    held.resume = resume
    reach(Place.AFTER_COMMIT)
    if transaction.ending:
        raise Ending
    return True


_UNSETTLED = text(
    "SELECT record_id FROM adoption_records WHERE migration_id = :migration AND stream = :stream"
    " AND side = 'source' AND state = 'ambiguous'"
)
_UNREAD_THERE = text(
    "SELECT record_id FROM adoption_records WHERE migration_id = :migration AND stream = :stream"
    " AND side = 'target' AND state = 'ambiguous' AND form IS NULL"
)
_SETTLED = text(
    "SELECT source_id FROM quarantine AS q WHERE migration_id = :migration AND stream = :stream"
    " AND code = :code AND status = 'open' AND NOT EXISTS ("
    " SELECT 1 FROM adoption_records AS r WHERE r.migration_id = q.migration_id"
    " AND r.stream = q.stream AND r.side = 'source' AND r.record_id = q.source_id"
    " AND r.state = 'ambiguous')"
)


async def _hold_back(run: Run, stream: Stream) -> None:
    """Quarantine what is ambiguous, and let go what an earlier adoption found so."""
    migration = run.scope.migration
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        unsettled = await _ids(connection, _UNSETTLED, migration, stream)
        refused = [
            Refusal(Refused(source_id=each, code=AMBIGUOUS, message=_MESSAGE)) for each in unsettled
        ]
        await quarantine.keep(connection, migration, stream, run.lease.held.job_id, refused)
        told = await _ids(connection, _SETTLED, migration, stream, code=AMBIGUOUS)
        await quarantine.resolve(connection, migration, stream, told)
        run.counters["quarantined"] += len(unsettled)
        unread = await _ids(connection, _UNREAD_THERE, migration, stream)
        if unread:
            text_ = (
                f"{len(unread)} records of the target in the stream {stream} cannot be read: what"
                " seems to be on the source alone may be among them"
            )
            await progress.lock_job(connection, run.lease.held.job_id)
            await progress.set_error(connection, run.lease.held.job_id, UNREAD, text_)
    if transaction.ending:
        raise Ending


async def _ids(
    connection: AsyncConnection, statement: TextClause, migration: UUID, stream: Stream, **more: str
) -> list[str]:
    values = {"migration": migration, "stream": str(stream), **more}
    return list((await connection.execute(statement, values)).scalars())
