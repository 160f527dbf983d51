"""Carrying out the checks of a job of kind `verify`, one after the other.

Each result is committed by itself, so that whoever takes the slice over goes on with the next
check. A check that cannot be carried out is `unknown`: it never ends the job.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalogue import State
from app.database import autocommit
from app.models.columns import now
from app.resources import Resources
from app.services import verification
from app.services.counting import steady_count
from app.services.lifecycle import record_event
from app.verdict import Rules, Verdict, judge, summary
from connectors.errors import StoreError, TryLater
from workers.checks.base import Check, Ground, Outcome
from workers.checks.comparing import compare_named
from workers.checks.registry import chosen
from workers.checks.sampling import SAMPLE, Options
from workers.engine import drift, ledger, progress, silence
from workers.engine.errors import Ending, SliceStopped
from workers.engine.progress import JobRow
from workers.engine.run import Run
from workers.engine.stores import Stores

log = structlog.get_logger(__name__)

_LONGEST = 900.0
"""Seconds that one check may take."""

_PATIENCE = 3
"""How often a store that is busy or away is waited for. After that every check whose store does
not answer is `unknown` at once.
"""


_DEFECTS = (ProgrammingError, DataError, IntegrityError)
"""What our database answers to a wrong statement; everything else means that it is away."""


async def check_slice(
    run: Run, stores: Stores, resources: Resources, *, out_of_time: Callable[[], bool]
) -> bool:
    """Carry out the job's checks that have no result yet. True when all are through."""
    job = await _begin(run, await _counts(run))
    ground = _ground(run, stores, resources, job)
    checks = chosen(_options(job).get("checks") or ())
    async with autocommit(run.engine) as connection:
        done = {each.check_id for each in await verification.results(connection, job.id)}
    for position, check in enumerate(checks):
        if check.id in done:
            continue
        if out_of_time():
            return False
        run.lease.check()
        await _carry_out(run, ground, check, position)
    await _close(run, job)
    return True


async def _counts(run: Run) -> dict[str, int]:
    """How many records the source holds, by stream, of streams that it counts; nothing where the
    job has begun already.
    """
    async with autocommit(run.engine) as connection:
        if await verification.has_begun(connection, run.lease.held.job_id):
            return {}
    found: dict[str, int] = {}
    for stream in run.scope.streams:
        try:
            number = await steady_count(run.source, stream) if stream in run.reads else None
        except TryLater:
            if run.lease.held.failures < _PATIENCE:
                raise
        except StoreError:
            continue  # what the store does not answer, its checks are going to say
        else:
            if number is not None:
                found[str(stream)] = number
    return found


async def _begin(run: Run, counts: Mapping[str, int]) -> JobRow:
    """The job; what it is true for is noted once."""
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        job = await progress.lock_job(connection, run.lease.held.job_id)
        whole = not (_options(job).get("checks") or job.params.get("streams"))
        await verification.begin(connection, job.migration_id, job.id, whole=whole, counts=counts)
    return job


def _options(job: JobRow) -> Mapping[str, Any]:
    return job.params.get("options") or {}


def _ground(run: Run, stores: Stores, resources: Resources, job: JobRow) -> Ground:
    given, order = _options(job), job.order(run.scope.streams)

    @asynccontextmanager
    async def silenced() -> AsyncIterator[None]:
        await run.outwait()
        async with silence.silenced(run.lease, stores.target_store, run.target):
            yield

    sample = given.get("sample")
    return Ground(
        engine=run.engine,
        stores=stores,
        source=run.source,
        target=run.target,
        streams=order.streams,
        job=job.id,
        options=Options(
            seed=str(given.get("seed") or job.id.hex[:8]),
            sample=SAMPLE if sample is None else int(sample),
            since=order.since,
        ),
        budgets=resources.budgets,
        silenced=silenced if order.canary else None,
    )


async def _carry_out(run: Run, ground: Ground, check: Check, position: int) -> None:
    """Carry out one check and commit what it found."""
    began = time.monotonic()
    outcome = await _outcome(run, ground, check)
    kept = {
        "check_id": check.id,
        "position": position,
        "state": str(outcome.state),
        "severity": str(check.about.severity),
        "summary": outcome.summary,
        "examined": outcome.examined,
        "total": outcome.total,
        "sample": outcome.sample,
        "found": outcome.found,
        "seconds": round(time.monotonic() - began, 3),
    }
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await progress.lock_job(connection, held.job_id)
        evidence = msgspec.to_builtins(outcome.evidence)
        await verification.keep(connection, held.job_id, kept, evidence)
        await _tell(connection, run, check, outcome)
        await _mark_drift(connection, run, ground)
    ground.drift.clear()
    if transaction.ending:
        raise Ending


async def _tell(connection: AsyncConnection, run: Run, check: Check, outcome: Outcome) -> None:
    told = {"check": check.id, "state": str(outcome.state), "found": outcome.found}
    await record_event(connection, run.lease.held.job_id, "check.finished", told)
    await ledger.tally(connection, run.lease.held.id, run.tally())


async def _mark_drift(connection: AsyncConnection, run: Run, ground: Ground) -> None:
    """Let the next run put back what was changed on the target where the source's values rule."""
    for stream, found in ground.drift.items():
        count = await drift.mark(connection, run.scope.migration, stream, found)
        if count:
            told = {"stream": stream, "count": count}
            await record_event(connection, run.lease.held.job_id, "drift.found", told)


async def _outcome(run: Run, ground: Ground, check: Check) -> Outcome:
    try:
        async with asyncio.timeout(_LONGEST):
            outcome = await check.run(ground)
            with suppress(StoreError):
                await compare_named(ground, outcome.evidence)
            return outcome
    except SliceStopped:
        raise
    except TryLater as error:
        if run.lease.held.failures < _PATIENCE:
            raise
        return _unknown(error.message)
    except StoreError as error:
        return _unknown(error.message)
    except TimeoutError:
        return _unknown(f"It was given up after {_LONGEST / 60:.0f} minutes")
    except OSError:
        raise
    except Exception as error:  # a defect of one check must not hide what the others find
        if isinstance(error, DBAPIError) and not isinstance(error, _DEFECTS):
            raise  # our own database is away
        log.exception("check.crashed", check=check.id, error=type(error).__name__)
        return _unknown("An unexpected error; the log has the details")


def _unknown(why: str) -> Outcome:
    sentence = f"{why[:1].upper()}{why[1:].rstrip('.')}."
    return Outcome(state=State.UNKNOWN, summary=f"It could not be carried out. {sentence}")


async def _close(run: Run, job: JobRow) -> None:
    """Note that all checks are through, and what stands in the way."""
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        await progress.lock_job(connection, job.id)
        results = await verification.results(connection, job.id)
        policies = (await verification.configuration(connection, job.migration_id))["policies"]
        waivers = await verification.waivers(connection, job.migration_id)
        judged = judge(results, waivers, Rules.of(policies), now())
        await verification.finish(connection, job.id)
        blocked = any(each.stands_in_way for each in judged)
        if blocked:
            await progress.set_error(connection, job.id, "not_ready", summary(judged))
        verdict = Verdict.NOT_READY if blocked else Verdict.READY
        await verification.announce(connection, job.migration_id, job.id, verdict)
