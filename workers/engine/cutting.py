"""The beginning of a pass: what it reads, and into which slices it is cut."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import SliceKind
from app.queue import Wake
from app.services.lifecycle import add_slice, record_event
from connectors.base import Json, Window
from connectors.records import Stream
from workers.engine import ledger, progress
from workers.engine.errors import GiveBack
from workers.engine.failpoints import Place, reach
from workers.engine.plan import Order, Stage
from workers.engine.run import Run
from workers.engine.window import Reading, baseline, reading

_SHORTEST_WAIT = 0.2


class _Cut(NamedTuple):
    """A pass, decided: what to read, in which parts, and the store's count of it."""

    reading: Reading
    parts: list[Json]
    total: int | None


async def cut_pass(run: Run, parallel: int) -> list[Wake]:
    """Decide what a pass reads, and cut it into slices; this one is done then.

    Raises `GiveBack` as long as the source has not settled.
    """
    held = run.lease.held
    stream = Stream(str(held.stream))
    async with run.engine.begin() as connection:
        job = await progress.lock_job(connection, held.job_id)
        watermark = await ledger.cursor(connection, held.migration_id, stream)
    stage, order = job.stages[held.stage], job.order(run.scope.streams)
    cut = await _decide(run, stage, stream, baseline(watermark, order.since), parallel)
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        job = await progress.lock_job(connection, held.job_id)
        job.passes[stream] = _pass_view(job.passes.get(stream), cut.reading, watermark)
        await progress.store_plan(connection, job.id, job.stages, job.passes)
        wakes = await _add_slices(connection, run, stage, order, cut)
        await ledger.progress(connection, held.id, resume=None, counters=run.tally())
        await record_event(
            connection, held.job_id, "pass.started", {"stream": stream, "slices": len(cut.parts)}
        )
        wakes += await progress.finish_slice(connection, held.id, held.job_id, dict(run.reads))
        reach(Place.SPLITTING)
    return wakes


async def _decide(
    run: Run, stage: Stage, stream: Stream, start: datetime | None, parallel: int
) -> _Cut:
    source_now = await run.source.server_time()
    if stage.settled is not None and source_now < stage.settled:
        wait = (stage.settled - source_now).total_seconds()
        raise GiveBack("source_settling", after=max(wait, _SHORTEST_WAIT))
    plan = _reading(run, stage, stream, source_now, start)
    if stage.quarantine_only:
        return _Cut(plan, [], None)
    parts = await run.source.split(stream, plan.extent, parallel)
    return _Cut(plan, parts, await run.source.count(stream, plan.extent))


async def _add_slices(
    connection: AsyncConnection, run: Run, stage: Stage, order: Order, cut: _Cut
) -> list[Wake]:
    """One slice a part, and one for what is in quarantine from earlier jobs."""
    held = run.lease.held
    extent = _extent_json(cut.reading)
    wakes = [
        await add_slice(
            connection,
            held.job_id,
            stage=held.stage,
            kind=SliceKind.READ,
            stream=held.stream,
            part={"extent": extent, "part": part, "closing": stage.closing},
            total=cut.total // len(cut.parts) if cut.total is not None else None,
        )
        for part in cut.parts
    ]
    if not stage.closing:
        wakes.append(
            await add_slice(
                connection,
                held.job_id,
                stage=held.stage,
                kind=SliceKind.RETRY,
                stream=held.stream,
                part={"only": order.quarantine_ids},
            )
        )
    return wakes


def _reading(
    run: Run, stage: Stage, stream: Stream, source_now: datetime, start: datetime | None
) -> Reading:
    capability = run.reads[stream]
    if stage.since is not None:
        settle = run.scope.lags.settle_of(capability)
        return Reading(Window(stage.since, source_now), source_now - settle)
    return reading(
        capability, source_now=source_now, cursor=start, lags=run.scope.lags, sweep=stage.sweep
    )


def _extent_json(plan: Reading) -> dict[str, str]:
    match plan.extent:
        case Window(since=since, until=until):
            return {"type": "window", "since": since.isoformat(), "until": until.isoformat()}
        case _:
            return {"type": "sweep"}


def _pass_view(
    before: dict[str, str | None] | None, plan: Reading, watermark: datetime | None
) -> dict[str, str | None]:
    """What `GET /v1/jobs` tells of a pass. A closing look keeps the first cursor."""
    extent = _extent_json(plan)
    cursor = watermark.isoformat() if watermark else None
    return {
        "mode": (before or {}).get("mode", extent["type"]),
        "since": (before or {}).get("since", extent.get("since")),
        "until": plan.until.isoformat(),
        "cursor_before": (before or {}).get("cursor_before", cursor),
        "cursor_after": None,
    }
