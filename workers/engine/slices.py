"""Working on one slice: claim it, do what its kind says, and put it down in good order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from app.database import autocommit
from app.models import JobKind, SliceKind
from app.queue import Wake
from app.resources import Resources
from connectors.errors import BadAnswer, Rejected, StoreError, TryLater
from connectors.permit import permitted_by
from connectors.records import Stream
from workers.engine import intents, ledger, progress, silence
from workers.engine.adopting import pair_slice
from workers.engine.audit import audit_slice, cut_audit
from workers.engine.cutting import cut_pass
from workers.engine.deletions import remove_slice, restore_slice
from workers.engine.demo.sampling import sample_slice
from workers.engine.demo.showing import demo_slice
from workers.engine.ending import end_job, end_unfinished, in_scope
from workers.engine.errors import Ending, GiveBack, JobFailed, LeaseLost
from workers.engine.failpoints import Place, reach
from workers.engine.gathering import cut_gathering, gather_slice
from workers.engine.leases import Lease, claim
from workers.engine.passes import read_slice, retry_slice
from workers.engine.plan import LOOKING, Order, StageKind, stages
from workers.engine.policy import TARGET_STAYS
from workers.engine.run import Run, Scope
from workers.engine.stores import Stores, load_stores

log = structlog.get_logger(__name__)

_LONG_WAIT = 200
_PATIENCE: dict[type[StoreError], int] = {TryLater: _LONG_WAIT, BadAnswer: 6, Rejected: 3}
"""How often in a row a slice may fail before its job does; a page that succeeds starts anew."""

_CRASHES = 6
_LONGEST_PAUSE = 300.0
_LONGEST_LIMIT = 86_400.0
"""Seconds that a slice pauses at most. A store that limits us is asked no sooner than it says."""

_LAST_WORD = 8
"""Failures of the last stage before the job ends without having restored the target's mails."""


class Duty(Protocol):
    """Carries out a kind of slice for a turn."""

    def __call__(
        self,
        run: Run,
        stores: Stores,
        resources: Resources,
        /,
        *,
        out_of_time: Callable[[], bool],
    ) -> Awaitable[bool]:
        """Whether the slice is done; if not, somebody goes on with it."""
        ...


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a turn is given besides the slice."""

    resources: Resources
    stopping: Callable[[], bool]
    duties: Mapping[SliceKind, Duty]

    def timer(self, lease: Lease) -> Callable[[], bool]:
        """Says when to put the slice down."""
        end = lease.clock() + self.resources.settings.slice_seconds
        return lambda: self.stopping() or lease.clock() >= end


async def work(
    resources: Resources,
    slice_id: UUID,
    *,
    holder: str,
    stopping: Callable[[], bool],
    duties: Mapping[SliceKind, Duty] = MappingProxyType({}),
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Work on a slice for one turn. Does nothing where it is not there to be taken.

    `stopping` says that this process is about to end: the turn ends with the page in hand.
    `duties` carry out the kinds of slice that the engine knows by name only.
    `clock` is what the lease and the turn are measured by, in seconds.
    """
    seconds = resources.settings.lease_seconds
    lease = await claim(resources.engine, slice_id, holder=holder, lease=seconds, clock=clock)
    if lease is None:
        return
    held = lease.held
    with structlog.contextvars.bound_contextvars(
        job_id=str(held.job_id),
        migration_id=str(held.migration_id),
        slice_id=str(held.id),
        stream=held.stream,
    ):
        try:
            async with lease.beat(resources.settings.heartbeat_seconds):
                wakes = await _turn(_Turn(resources, stopping, duties), lease)
        except asyncio.CancelledError:
            # The process ends: let another one begin at once, not when the lease has lapsed.
            await asyncio.shield(lease.release(failures=held.failures))
            raise
        except (DBAPIError, OSError) as error:
            # Our own database is away; the lease lapses by itself and somebody takes over.
            log.warning("slice.database_away", error=type(error).__name__)
            return
    await resources.queue.send(wakes)


async def _turn(turn: _Turn, lease: Lease) -> list[Wake]:
    """One turn, and whatever can go wrong in it. Answers with the wakes to send."""
    try:
        return await _dispatch(turn, lease)
    except LeaseLost:
        log.warning("slice.lease_lost")
        return []
    except (DBAPIError, OSError):
        raise
    except GiveBack as pause:
        return await _pause(lease, pause.reason, "it waited in vain", pause.after, _LONG_WAIT)
    except JobFailed as failure:
        return await _fail(lease, failure.code, failure.message)
    except StoreError as error:
        return await _store_failed(lease, error)
    except Exception as error:  # the one edge that catches everything
        log.exception("slice.crashed", error=type(error).__name__)
        text_ = "an unexpected error; the log has the details"
        return await _pause(lease, "internal_error", text_, 2.0**lease.held.failures, _CRASHES)


async def _store_failed(lease: Lease, error: StoreError) -> list[Wake]:
    log.warning("slice.store_error", code=error.code, failures=lease.held.failures)
    pause = error.after if isinstance(error, TryLater) else 2.0**lease.held.failures
    if lease.held.kind is SliceKind.FINISH:
        if lease.held.failures >= _LAST_WORD:
            return await _end_unrestored(lease, error)
        return await _pause(lease, error.code, error.message, pause, _LONG_WAIT)
    limit = next((n for kind, n in _PATIENCE.items() if isinstance(error, kind)), 0)
    return await _pause(lease, error.code, error.message, pause, limit)


async def _pause(lease: Lease, code: str, message: str, after: float, limit: int) -> list[Wake]:
    """Give the slice back for a while; after `limit` pauses without a page the job fails."""
    if lease.held.failures >= limit:
        return await _fail(lease, code, message)
    # Ending a job must not take a day for the target's mails alone.
    patient = code == "store_limits" and lease.held.kind is not SliceKind.FINISH
    longest = _LONGEST_LIMIT if patient else _LONGEST_PAUSE
    return await lease.release(
        after=min(after, longest), waiting=code, failures=lease.held.failures + 1
    )


async def _fail(lease: Lease, code: str, message: str) -> list[Wake]:
    log.error("job.failing", code=code)
    try:
        async with lease.fenced() as transaction:
            connection, held = transaction.connection, lease.held
            if held.kind is not SliceKind.FINISH:
                await progress.fail_job(connection, held.job_id, code, message)
                return await progress.finish_slice(connection, held.id, held.job_id, {})
            # It is the last stage: another one of its kind would fail as this one does.
            return await end_unfinished(connection, held, code, message)
    except LeaseLost:
        return []


async def _end_unrestored(lease: Lease, error: StoreError) -> list[Wake]:
    """The target does not let its mails be restored: say so, and end."""
    async with lease.fenced() as transaction:
        connection, held = transaction.connection, lease.held
        await progress.set_error(
            connection,
            held.job_id,
            "unmute_failed",
            f"the target's mails could not be turned on again: {error.message}",
        )
        return await end_job(connection, held.job_id, await in_scope(connection, held.migration_id))


async def _dispatch(turn: _Turn, lease: Lease) -> list[Wake]:
    resources, held = turn.resources, lease.held
    stores = await load_stores(
        resources.engine,
        resources.vault,
        held.migration_id,
        held.job_id,
        # Whatever is wrong with the rules, the target gets its voice back.
        with_rules=held.kind is not SliceKind.FINISH,
    )
    if held.ending and held.kind is not SliceKind.FINISH:
        async with lease.fenced() as transaction:
            return await progress.finish_slice(
                transaction.connection, lease.held.id, lease.held.job_id, stores.reads
            )
    with permitted_by(lease.check):
        return await _work_on(turn, lease, stores)


async def _work_on(turn: _Turn, lease: Lease, stores: Stores) -> list[Wake]:
    resources = turn.resources
    async with stores.open(resources.budgets) as (source, target):
        run = Run(
            engine=resources.engine,
            vault=resources.vault,
            lease=lease,
            scope=_scope(lease, stores),
            source=source,
            target=target,
            reads=stores.reads,
            writes=stores.writes,
            read_target=lambda: stores.read_target(resources.budgets),
        )
        if lease.held.stragglers:
            run.hush = _hush_once(run, stores)
        match lease.held.kind:
            case SliceKind.PREPARE:
                return await _prepare(run, stores)
            case SliceKind.PLAN:
                return await _plan(run, resources.settings.parallel_slices)
            case SliceKind.FINISH:
                return await _finish(run, stores)
            case kind if (duty := turn.duties.get(kind)) is not None:
                finished = duty(run, stores, resources, out_of_time=turn.timer(lease))
                return await _go_on(run, finished)
            case kind:
                if not (run.dry or kind in _QUIET):
                    await silence.prove(stores.unmuted, run.target)
                going_on = _GOING_ON[kind]
                stream = Stream(str(lease.held.stream))
                return await _go_on(run, going_on(run, stream, out_of_time=turn.timer(lease)))


def _scope(lease: Lease, stores: Stores) -> Scope:
    """The migration's scope. Once the target is selling, nobody's changes there are overwritten."""
    scope = stores.scope
    return replace(scope, policies=TARGET_STAYS) if lease.held.stragglers else scope


def _hush_once(run: Run, stores: Stores) -> Callable[[], Awaitable[None]]:
    """Silence a target that is selling only when something is written: its mails to its own
    customers go out as long as nothing is.
    """
    done = False

    async def hush() -> None:
        nonlocal done
        if not done:
            await silence.mute(run.lease, stores.target_store, run.target)
            done = True

    return hush


async def _prepare(run: Run, stores: Stores) -> list[Wake]:
    """Look at both stores, silence the target, and lay out the stages."""
    held = run.lease.held
    asked = await _order(run)
    if asked.kind is JobKind.VERIFY:
        return await _prepare_looking(run)
    began = await run.source.server_time()
    if asked.writes:
        await run.target.check()
        await run.outwait()
        if not held.stragglers:
            await silence.mute(run.lease, stores.target_store, run.target)
    elif asked.kind is JobKind.ADOPT:
        async with run.read_target() as target:
            await target.check()
    async with run.lease.fenced() as transaction:
        job = await progress.lock_job(transaction.connection, held.job_id)
        order = job.order(run.scope.streams)
        settle = max(
            (run.scope.lags.settle_of(run.reads[each]) for each in order.streams),
            default=timedelta(0),
        )
        plan = stages(order, now=began, settle=settle, reads=run.reads)
        await progress.store_plan(transaction.connection, job.id, plan, job.passes)
        await progress.note_mapping(transaction.connection, job.id, run.scope.mapper.version)
        return await progress.finish_slice(
            transaction.connection, held.id, held.job_id, dict(run.reads)
        )


async def _prepare_looking(run: Run) -> list[Wake]:
    """A job that writes nothing leaves the target as loud as it is, and needs neither store yet."""
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        job = await progress.lock_job(connection, held.job_id)
        await progress.store_plan(connection, job.id, list(LOOKING), job.passes)
        return await progress.finish_slice(connection, held.id, held.job_id, dict(run.reads))


async def _order(run: Run) -> Order:
    """What the job was asked for."""
    async with autocommit(run.engine) as connection:
        job = await progress.read_job(connection, run.lease.held.job_id)
    return job.order(run.scope.streams)


async def _outwait_writes(run: Run) -> None:
    """Let writes that nobody has answered end, before what they set off is heard of again."""
    held = run.lease.held
    async with autocommit(run.engine) as connection:
        age = await intents.unanswered_for(connection, held.migration_id, held.job_id)
    if age is not None:
        await run.sleep(max(0.0, run.write_settle - age))


async def _plan(run: Run, parallel: int) -> list[Wake]:
    """Cut the stage into slices."""
    held = run.lease.held
    async with autocommit(run.engine) as connection:
        job = await progress.read_job(connection, held.job_id)
    if job.stages[held.stage].kind is StageKind.AUDIT:
        return await cut_audit(run)
    if job.stages[held.stage].kind is StageKind.GATHER:
        return await cut_gathering(run, parallel)
    return await cut_pass(run, parallel)


_QUIET = frozenset((SliceKind.GATHER, SliceKind.PAIR))
"""Kinds of slice that write to neither store."""

_GOING_ON = {
    SliceKind.READ: read_slice,
    SliceKind.RETRY: retry_slice,
    SliceKind.AUDIT: audit_slice,
    SliceKind.REMOVE: remove_slice,
    SliceKind.RESTORE: restore_slice,
    SliceKind.GATHER: gather_slice,
    SliceKind.PAIR: pair_slice,
    SliceKind.SAMPLE: sample_slice,
    SliceKind.DEMO: demo_slice,
}


async def _go_on(run: Run, going_on: Awaitable[bool]) -> list[Wake]:
    """Go on for a turn; then either the slice is done, or somebody continues it."""
    held = run.lease.held
    try:
        finished = await going_on
    except Ending:
        finished = True
    if not finished:
        return await run.lease.release()
    async with run.lease.fenced() as transaction:
        await ledger.progress(
            transaction.connection, held.id, resume=held.resume, counters=run.tally()
        )
        return await progress.finish_slice(
            transaction.connection, held.id, held.job_id, dict(run.reads)
        )


async def _finish(run: Run, stores: Stores) -> list[Wake]:
    """Give the target its voice back and end the job."""
    held = run.lease.held
    if (await _order(run)).silences:
        await run.outwait()
        await _outwait_writes(run)
        await silence.unmute(run.engine, stores.target_store, held.job_id, run.target)
    async with run.lease.fenced() as transaction:
        await ledger.progress(transaction.connection, held.id, resume=None, counters=run.tally())
        wakes = await end_job(transaction.connection, held.job_id, run.scope.streams)
        reach(Place.FINISHING)
    return wakes
