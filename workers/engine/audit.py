"""The audit: a sweep so slow that it costs little, which goes on from run to run.

At every `recent` it reads a few pages without the filter and compares them with the ledger.
Within a set number of runs every record is verified, and every record that no window showed is
found. A difference counts once a second look, after the settle lag, still shows it: records are
seen half-written. Then the record is repaired, and the stream is swept from now on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from app.models import SliceKind
from app.queue import Wake
from app.services.lifecycle import add_slice
from connectors.base import Json, Page, Sweep
from connectors.records import Record, Stream
from workers.engine import ledger, progress, trust
from workers.engine.errors import Ending, GiveBack
from workers.engine.misses import Change, Miss, demotion, misses
from workers.engine.passes import apply_page
from workers.engine.run import Run
from workers.engine.singles import fetch
from workers.engine.unmapped import explained

_AT_ONCE = 100
"""Suspects asked for in one request. Once one of them is confirmed, the next run sweeps."""

_LONGEST_SETTLE = 300.0


class Task(Struct, frozen=True, kw_only=True):
    """What a slice is to audit, after a window from `since` to `until`.

    Records stamped `before` this moment must have been shown; with `complete` the ledger, which
    holds `known` records, ought to have every one. `settle` is in seconds.
    """

    extent: Sweep
    since: str
    until: str
    before: datetime
    complete: bool
    known: int
    runs: int
    settle: float
    begins: trust.Standing


class Position(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a slice has come: `read` records, up to the token `at`, of `total` in the stream.

    `suspects` are ids to look at again at `due` (seconds since 1970, by the database's clock, which
    whoever goes on with the slice shares). `ended`: the stream's last
    record has been read.
    """

    at: Json | None = None
    read: int = 0
    total: int = 0
    ended: bool = False
    suspects: tuple[str, ...] = ()
    due: float = 0.0

    def is_enough(self, task: Task) -> bool:
        """Whether this run has read its share of the stream. The last share goes on to the end:
        an end that is a run of its own, with nothing to read, would make a round one run longer.
        """
        if self.ended:
            return True
        before = 0 if task.begins.resume is None else task.begins.audited
        share = max(1, math.ceil(self.total / task.runs))
        return share <= self.read < self.total - before


async def cut_audit(run: Run) -> list[Wake]:
    """Add the slice that audits a stream, if this job has read the stream by window."""
    held = run.lease.held
    stream = Stream(str(held.stream))
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        job = await progress.lock_job(connection, held.job_id)
        window = job.passes.get(stream, {})
        wakes = []
        if window.get("mode") == "window":
            task = await _task(connection, run, stream, window)
            part = msgspec.to_builtins(task)
            wakes.append(
                await add_slice(
                    connection,
                    held.job_id,
                    stage=held.stage,
                    kind=SliceKind.AUDIT,
                    stream=stream,
                    part=part,
                )
            )
        return wakes + await progress.finish_slice(
            connection, held.id, held.job_id, dict(run.reads)
        )


async def _task(
    connection: AsyncConnection, run: Run, stream: Stream, window: Mapping[str, Any]
) -> Task:
    capability, migration = run.reads[stream], run.scope.migration
    until = datetime.fromisoformat(window["until"])
    horizon = run.horizon(stream)
    oldest = None if horizon is None else until - horizon
    return Task(
        extent=Sweep(since_created=oldest),
        since=window["since"],
        until=window["until"],
        # The next window begins an overlap behind this one's end.
        before=until - run.scope.lags.overlap_of(capability),
        complete=await trust.is_complete(connection, migration, stream, oldest),
        known=await trust.known_records(connection, migration, stream),
        runs=run.scope.audit_runs,
        settle=min(run.scope.lags.settle_of(capability).total_seconds(), _LONGEST_SETTLE),
        begins=await trust.standing(connection, migration, stream),
    )


async def audit_slice(run: Run, stream: Stream, *, out_of_time: Callable[[], bool]) -> bool:
    """Verify this run's share of a stream. As `read_slice`.

    Raises `GiveBack` until what looked wrong has settled.
    """
    held = run.lease.held
    task = msgspec.convert(held.part, Task)
    first = Position(at=task.begins.resume, total=task.known)
    position = msgspec.convert(held.resume, Position) if held.resume else first
    if not position.is_enough(task):
        position = await _read_on(run, stream, task, position, out_of_time)
        if not position.is_enough(task):
            return False
    if position.suspects:
        async with autocommit(run.engine) as connection:
            left = position.due - await _now(connection)
        if left > 0:
            raise GiveBack("audit_settling", after=left)
    found = await _confirmed(run, stream, task, position.suspects)
    if found:
        await _repair(run, stream, task, found)
    await _close(run, stream, task, position, clean=not found)
    return True


async def _read_on(
    run: Run, stream: Stream, task: Task, position: Position, out_of_time: Callable[[], bool]
) -> Position:
    async with aclosing(run.source.read(stream, task.extent, {}, position.at)) as pages:
        async for page in pages:
            run.lease.check()
            position = await _inspect(run, stream, task, position, page)
            if position.is_enough(task) or out_of_time():
                break
    return position


async def _inspect(
    run: Run, stream: Stream, task: Task, position: Position, page: Page
) -> Position:
    """Compare a page with the ledger, and commit how far the slice has come."""
    found = await _misses(run, stream, task, page.records)
    position = replace(
        position,
        at=page.resume,
        ended=page.resume is None,
        read=position.read + len(page.ids),
        total=max(position.total, page.total or 0),
    )
    run.counters["audited"] += len(page.records)
    held = run.lease.held
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        if found:
            suspects = (*position.suspects, *(each.record.id for each in found))
            due = await _now(connection) + task.settle
            position = replace(position, suspects=suspects, due=due)
        resume: Json = msgspec.to_builtins(position)
        await ledger.progress(connection, held.id, resume=resume, counters=run.tally())
    held.resume = resume
    if transaction.ending:
        raise Ending
    return position


async def _now(connection: AsyncConnection) -> float:
    sql = text("SELECT extract(epoch FROM clock_timestamp())::float8")
    return float((await connection.execute(sql)).scalar_one())


async def _misses(run: Run, stream: Stream, task: Task, records: Iterable[Record]) -> list[Miss]:
    migration, looked_at = run.scope.migration, list(records)
    ids = [record.id for record in looked_at]
    async with autocommit(run.engine) as connection:
        links = await ledger.load(connection, migration, stream, ids, slice_id=run.lease.held.id)
        held_back = await trust.held_back(connection, migration, stream, ids)
    found = misses(
        looked_at, links, before=task.before, complete=task.complete, held_back=held_back
    )
    silent = {
        each.record.id: links[each.record.id].digest
        for each in found
        if each.change is Change.SILENT
    }
    by_rules = await explained(run, stream, silent)
    return [each for each in found if each.record.id not in by_rules]


async def _confirmed(run: Run, stream: Stream, task: Task, suspects: Sequence[str]) -> list[Miss]:
    """Suspects that a second, direct look still finds wrong; the first handful that has some."""
    for start in range(0, len(suspects), _AT_ONCE):
        run.lease.check()
        again = await fetch(run, stream, suspects[start : start + _AT_ONCE])
        if found := await _misses(run, stream, task, again.records.values()):
            return found
    return []


async def _repair(run: Run, stream: Stream, task: Task, found: list[Miss]) -> None:
    """Demote the stream, then bring the records over. In this order: a crash in between leaves
    records that the sweep finds.
    """
    job = run.lease.held.job_id
    why = demotion(found, since=task.since, until=task.until)
    async with run.lease.fenced() as transaction:
        await progress.lock_job(transaction.connection, job)
        await trust.demote(transaction.connection, run.scope.migration, stream, job, why)
    run.counters["missed"] += len(found)
    await apply_page(run, stream, Page(records=tuple(each.record for each in found), resume=None))


async def _close(run: Run, stream: Stream, task: Task, position: Position, *, clean: bool) -> None:
    """Keep where the next run goes on; behind the last record it begins anew."""
    begins = task.begins
    before = 0 if begins.resume is None else begins.audited
    reached = trust.Standing(
        resume=position.at,
        audited=min(before + position.read, position.total),
        round=begins.round + position.ended,
    )
    async with run.lease.fenced() as transaction:
        await trust.advance(
            transaction.connection,
            run.scope.migration,
            stream,
            reached,
            total=position.total,
            clean=clean,
        )
