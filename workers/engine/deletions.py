"""Removing from the target what is gone from the source: only with proof, and never too much.

A sweep that was clean names suspects, and after a window a source that tells of deletions. The
source is asked for each of them directly: what it has after all is applied, what it says it does
not have is proven gone. When all of them are known, the brake decides whether they may go, and only
then the target is asked for the first of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from app.services.lifecycle import record_event
from connectors.base import Action, Page, Sweep
from connectors.records import Stream
from workers.engine import ledger, progress, quarantine, removals, sightings, unfinished
from workers.engine.errors import Ending
from workers.engine.passes import apply_page
from workers.engine.plan import Order
from workers.engine.proof import brakes, unclean
from workers.engine.removals import Doomed
from workers.engine.run import Run
from workers.engine.sightings import SweptStream
from workers.engine.suspects import Answer, Missed, Suspects, ask, told

log = structlog.get_logger(__name__)

_PAGE = 50

OutOfTime = Callable[[], bool]


class _Task(NamedTuple):
    """What a slice is about. `swept` is None where the stream was not swept in this job; `since`
    is where its window begins, None where there was none.
    """

    order: Order
    swept: SweptStream | None
    since: datetime | None
    action: Action


async def remove_slice(run: Run, stream: Stream, *, out_of_time: OutOfTime) -> bool:
    """Find out what of a stream is gone, and remove it. True when all is done.

    False means that time is up: the slice continues in another turn, in the phase it was in.
    """
    task = await _task(run, stream)
    resume = run.lease.held.resume
    if resume is None or resume.get("phase") == unfinished.PHASE:
        if not await unfinished.settle(run, stream, task.action, out_of_time=out_of_time):
            return False
        await _begin(run, stream, task)
    if _phase(run) == "ask" and not await _ask_all(run, stream, task, out_of_time):
        return False
    if _phase(run) == "judge":
        await _judge(run, stream, task)
    return _phase(run) != "act" or await _act(run, stream, task.action, out_of_time)


def _phase(run: Run) -> str:
    return str((run.lease.held.resume or {}).get("phase"))


async def _task(run: Run, stream: Stream) -> _Task:
    async with autocommit(run.engine) as connection:
        job = await progress.read_job(connection, run.lease.held.job_id)
    return _Task(
        job.order(run.scope.streams),
        job.swept(stream),
        job.window_since(stream),
        run.removal_action(stream),
    )


async def _suspects(run: Run, stream: Stream, task: _Task) -> Suspects | None:
    if task.swept is not None:
        return Missed(task.swept)
    return None if task.since is None else await told(run, stream, task.since)


async def _go_to(connection: AsyncConnection, run: Run, **place: Any) -> None:
    """Commit, with the caller's transaction, how far the slice has come."""
    held = run.lease.held
    await ledger.progress(connection, held.id, resume=place, counters=run.tally())
    held.resume = place


async def _tell(connection: AsyncConnection, run: Run, kind: str, **data: Any) -> None:
    job = run.lease.held.job_id
    await progress.lock_job(connection, job)
    await record_event(connection, job, kind, data)


# --- suspecting --------------------------------------------------------------------------------


async def _begin(run: Run, stream: Stream, task: _Task) -> None:
    """Judge the sweep; if it was clean, everything that it missed is suspected. Without a sweep,
    what the source itself calls deleted is.
    """
    swept = task.swept
    missing = counted = None
    named = swept is None and await _suspects(run, stream, task) is not None
    if swept is not None:
        async with autocommit(run.engine) as connection:
            missing = await sightings.any_missing(connection, swept)
        counted = await run.source.count(stream, Sweep()) if missing else None
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        held = run.lease.held
        await removals.reopen(connection, held.migration_id, stream, held.job_id, task.action)
        suspected = named or (
            swept is not None and missing and await _suspect(connection, run, swept, counted)
        )
        await _go_to(connection, run, phase="ask" if suspected else "judge", after="")


async def _suspect(
    connection: AsyncConnection, run: Run, swept: SweptStream, counted: int | None
) -> bool:
    """Whether there is something to ask for."""
    evidence = await sightings.what_was_swept(connection, swept, counted)
    reason = unclean(evidence)
    if reason is not None:
        await _tell(
            connection,
            run,
            "sweep.unclean",
            stream=swept.stream,
            reason=reason,
            sighted=evidence.sighted,
            counted=counted,
        )
        return False
    await sightings.miss(connection, swept)
    if swept.stream is not Stream.INVENTORY:
        return True
    # Stock is never removed by itself, and a product in the trash shows none: only the link goes,
    # when two clean sweeps in a row have not seen it.
    await sightings.drop_missed_twice(connection, swept)
    return False


# --- asking ------------------------------------------------------------------------------------


async def _ask_all(run: Run, stream: Stream, task: _Task, out_of_time: OutOfTime) -> bool:
    """Ask for every suspect, or for as many as it takes to trip the brake."""
    suspects = await _suspects(run, stream, task)
    while suspects is not None:
        async with autocommit(run.engine) as connection:
            after = str((run.lease.held.resume or {}).get("after", ""))
            asked = await suspects.some(connection, after=after, limit=_PAGE)
            witnesses = await suspects.witnesses(connection)
        answer = await ask(run, stream, asked, witnesses) if asked else None
        if answer is None:
            await _stop_asking(run, stream, doubtful=bool(asked))
            return True
        await _take(run, stream, task.action, answer)
        await apply_page(
            run,
            stream,
            Page(records=tuple(answer.there), resume={"phase": "ask", "after": asked[-1]}),
        )
        if await _too_many(run, stream, task):
            await _stop_asking(run, stream, doubtful=False)
            return True
        if out_of_time():
            return False
    await _stop_asking(run, stream, doubtful=False)
    return True


async def _take(run: Run, stream: Stream, action: Action, answer: Answer) -> None:
    """Keep what is proven, and what was suspected wrongly."""
    migration = run.lease.held.migration_id
    there = [each.id for each in answer.there]
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await removals.prove(
            connection,
            migration,
            stream,
            answer.gone,
            job=run.lease.held.job_id,
            prefix=run.scope.key_prefix,
            action=action,
        )
        if there:
            await sightings.found(connection, migration, stream, there)
            await _tell(connection, run, "deletion.refuted", stream=stream, count=len(there))
        if answer.unclear:
            count = len(answer.unclear)
            await _tell(connection, run, "deletion.unclear", stream=stream, count=count)


async def _too_many(run: Run, stream: Stream, task: _Task) -> bool:
    if task.action is Action.REPORT or task.order.release_brake:
        return False
    async with autocommit(run.engine) as connection:
        gone, of = await _numbers(connection, run, stream)
    return brakes(gone, of, run.scope.deletions.brake)


async def _numbers(connection: AsyncConnection, run: Run, stream: Stream) -> tuple[int, int]:
    """How many records are proven gone, and of how many."""
    held = run.lease.held
    gone = await removals.count_proven(connection, held.migration_id, stream, held.job_id)
    return gone, await sightings.applied(connection, held.migration_id, stream)


async def _stop_asking(run: Run, stream: Stream, *, doubtful: bool) -> None:
    """On to the judgement. A source that answers nothing at all has proven nothing."""
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        if doubtful:
            await removals.discard(connection, held.migration_id, stream, held.job_id)
            await _tell(connection, run, "deletion.unproven", stream=stream)
        await _go_to(connection, run, phase="judge")


# --- judging -----------------------------------------------------------------------------------


async def _judge(run: Run, stream: Stream, task: _Task) -> None:
    """Decide about all that is proven: tell of it, hold it back, or have it done."""
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        if task.action is Action.REPORT:
            count = await removals.report(connection, held.migration_id, stream, held.job_id)
            if count:
                await _tell(connection, run, "deletion.reported", stream=stream, count=count)
            await _go_to(connection, run, phase="done")
            return
        gone, of = await _numbers(connection, run, stream)
        if not task.order.release_brake and brakes(gone, of, run.scope.deletions.brake):
            await _brake(connection, run, stream, gone, of)
            await _go_to(connection, run, phase="done")
            return
        await _go_to(connection, run, phase="act")


async def _brake(connection: AsyncConnection, run: Run, stream: Stream, gone: int, of: int) -> None:
    held = run.lease.held
    await removals.hold(connection, held.migration_id, stream, held.job_id)
    await _tell(connection, run, "deletion.braked", stream=stream, gone=gone, of=of)
    await progress.set_error(
        connection,
        held.job_id,
        "deletion_brake",
        f"{gone} or more of {of} {stream} are gone from the source, more than a share of"
        f" {run.scope.deletions.brake:g}: none of them was removed from the target",
    )


# --- acting ------------------------------------------------------------------------------------


async def _act(run: Run, stream: Stream, action: Action, out_of_time: OutOfTime) -> bool:
    """Have the target remove what may go, some at a time."""
    held = run.lease.held
    while True:
        async with autocommit(run.engine) as connection:
            doomed = await removals.proven(
                connection, held.migration_id, stream, held.job_id, _PAGE
            )
        if not doomed:
            return True
        await _remember(run, stream, doomed)
        run.lease.check(ahead=1.0)
        answers = await run.target.remove(stream, [each.withdrawal() for each in doomed], action)
        done, refused = removals.sort(doomed, answers)
        await _book(run, stream, action, done, refused)
        if out_of_time():
            return False


async def _remember(run: Run, stream: Stream, doomed: Sequence[Doomed]) -> None:
    """Commit how the records stand before the first of them is taken away."""
    unknown = [each for each in doomed if each.before is None]
    if not unknown:
        return
    run.lease.check()
    found = await run.target.standing(stream, [each.withdrawal() for each in unknown])
    standing: dict[UUID, dict[str, Any]] = {
        each.id: found[each.source_id] for each in unknown if each.source_id in found
    }
    async with run.lease.fenced() as transaction:
        await removals.remember(transaction.connection, standing)


async def _book(
    run: Run,
    stream: Stream,
    action: Action,
    done: Sequence[Doomed],
    refused: Sequence[tuple[Doomed, Any]],
) -> None:
    held = run.lease.held
    removal = run.writes[stream].removal(action)
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        ids = await removals.finish(
            connection,
            [each.id for each in done],
            kept=action is Action.ARCHIVE,
            undoable=removal is not None and removal.undo,
        )
        await removals.forget_stock(connection, held.migration_id, stream, ids)
        await quarantine.resolve(connection, held.migration_id, stream, ids)
        if done:
            await _tell(
                connection, run, "deletion.done", stream=stream, count=len(done), action=action
            )
        await _refuse(connection, run, refused, "removal_failed", "removed from the target")
        run.counters["deleted"] += len(done)
        await _go_to(connection, run, phase="act")
    if transaction.ending:
        raise Ending


async def _refuse(
    connection: AsyncConnection,
    run: Run,
    refused: Sequence[tuple[Doomed, Any]],
    code: str,
    what: str,
) -> None:
    if not refused:
        return
    await removals.fail(connection, [(each.id, answer) for each, answer in refused])
    await progress.set_error(
        connection,
        run.lease.held.job_id,
        code,
        f"{len(refused)} records could not be {what}: the list of removals says why",
    )


# --- undoing -----------------------------------------------------------------------------------


async def restore_slice(run: Run, stream: Stream, *, out_of_time: OutOfTime) -> bool:
    """Bring archived records back on the target, as a person has asked. Always done in one turn."""
    del out_of_time
    held = run.lease.held
    order = (await _task(run, stream)).order
    async with autocommit(run.engine) as connection:
        chosen = await removals.to_undo(connection, held.migration_id, stream, order.undo_ids)
    run.lease.check(ahead=1.0)
    answers = await run.target.restore(stream, [each.withdrawal() for each in chosen])
    done, refused = removals.sort(chosen, answers)
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await removals.undo(connection, [each.id for each in done])
        if done:
            await _tell(connection, run, "deletion.undone", stream=stream, count=len(done))
        await _refuse(connection, run, refused, "undo_failed", "brought back on the target")
        run.counters["updated"] += len(done)
    return True
