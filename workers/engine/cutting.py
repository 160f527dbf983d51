"""The beginning of a pass: what it reads, and into which slices it is cut."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import autocommit
from app.models import JobKind, SliceKind
from app.queue import Wake
from app.services.lifecycle import add_slice, record_event
from connectors.base import Extent, Finding, Json, Sweep, Trust, Window
from connectors.records import Stream
from workers.engine import cursors, ledger, progress, retries, suspects, trust
from workers.engine.errors import GiveBack
from workers.engine.failpoints import Place, reach
from workers.engine.plan import Order, Stage
from workers.engine.run import Run
from workers.engine.window import Reading, baseline, reading

_SHORTEST_WAIT = 0.2


class _Cut(NamedTuple):
    """A pass, decided: what to read, in which parts, the store's count of it, and what a probe
    of the source found. `shallow`: only what differs is read as a whole. `told`: the source calls
    records deleted that are on the target.
    """

    reading: Reading
    parts: list[Json]
    total: int | None
    findings: tuple[Finding, ...] = ()
    shallow: bool = False
    told: bool = False


async def cut_pass(run: Run, parallel: int) -> list[Wake]:
    """Decide what a pass reads, and cut it into slices; this one is done then.

    Raises `GiveBack` as long as the source has not settled.
    """
    held = run.lease.held
    stream = Stream(str(held.stream))
    async with autocommit(run.engine) as connection:
        job = await progress.read_job(connection, held.job_id)
        watermark = await cursors.watermark(connection, held.migration_id, stream)
    stage, order = job.stages[held.stage], job.order(run.scope.streams)
    cut = await _decide(run, stage, order, baseline(watermark, order.since), parallel)
    async with run.lease.fenced() as transaction:
        connection = transaction.connection
        job = await progress.lock_job(connection, held.job_id)
        job.passes[stream] = _pass_view(job.passes.get(stream), cut, watermark)
        await progress.store_plan(connection, job.id, job.stages, job.passes)
        await _tell_findings(connection, run, stream, cut.findings)
        wakes = await _add_slices(connection, run, stage, order, cut)
        await ledger.progress(connection, held.id, resume=None, counters=run.tally())
        await record_event(
            connection, held.job_id, "pass.started", {"stream": stream, "slices": len(cut.parts)}
        )
        wakes += await progress.finish_slice(connection, held.id, held.job_id, dict(run.reads))
        reach(Place.SPLITTING)
    return wakes


async def _decide(
    run: Run, stage: Stage, order: Order, start: datetime | None, parallel: int
) -> _Cut:
    stream = Stream(str(stage.stream))
    source_now = await run.source.server_time()
    if stage.settled is not None and source_now < stage.settled:
        wait = (stage.settled - source_now).total_seconds()
        raise GiveBack("source_settling", after=max(wait, _SHORTEST_WAIT))
    plan = _reading(run, stage, order, source_now, start)
    if stage.quarantine_only:
        return _Cut(plan, [], None)
    findings: tuple[Finding, ...] = ()
    if isinstance(plan.extent, Window) and not stage.closing:
        findings = await trust.probe(run.source, stream)
        if trust.probed(findings):
            plan = _reading(run, replace(stage, sweep=True), order, source_now, start)
    parts = await run.source.split(stream, plan.extent, parallel)
    total = await run.source.count(stream, plan.extent)
    shallow = _is_shallow(run, order, stream, plan, findings)
    told = (
        isinstance(plan.extent, Window)
        and not stage.closing
        and await suspects.told(run, stream, plan.extent.since) is not None
    )
    return _Cut(plan, parts, total, findings, shallow, told)


def _is_shallow(
    run: Run, order: Order, stream: Stream, plan: Reading, findings: tuple[Finding, ...]
) -> bool:
    """Whether stamps alone may say what has changed: only where they are believed."""
    capability = run.reads[stream]
    return (
        stream in run.scope.shallow
        and isinstance(plan.extent, Sweep)
        and order.kind is JobKind.RECENT
        and capability.shallow
        and capability.trust is not Trust.SWEEP
        and trust.probed(findings) is None
    )


async def _tell_findings(
    connection: AsyncConnection, run: Run, stream: Stream, findings: tuple[Finding, ...]
) -> None:
    job = run.lease.held.job_id
    for finding in findings:
        told = {"stream": stream, "code": finding.code, "message": finding.message}
        await record_event(connection, job, f"probe.{finding.severity}", told)
    why = trust.probed(findings)
    if why is not None:
        await trust.demote(connection, run.scope.migration, stream, job, why)


async def _add_slices(
    connection: AsyncConnection, run: Run, stage: Stage, order: Order, cut: _Cut
) -> list[Wake]:
    """One slice a part, and one for what is in quarantine from earlier jobs, if anything is.

    A closing look takes only up what has become due since.
    """
    held = run.lease.held
    extent = _extent_json(cut.reading.extent)
    wakes = [
        await add_slice(
            connection,
            held.job_id,
            stage=held.stage,
            kind=SliceKind.READ,
            stream=held.stream,
            part={
                "extent": extent,
                "part": part,
                "parts": len(cut.parts),
                "closing": stage.closing,
                "shallow": cut.shallow,
                "eager": order.eager,
            },
            total=cut.total // len(cut.parts) if cut.total is not None else None,
        )
        for part in cut.parts
    ]
    stream = Stream(str(held.stream))
    closing = bool(stage.closing)
    conflicts = order.quarantine_ids is None or order.conflicts_only
    part = {
        "only": order.quarantine_ids,
        "conflicts": conflicts and not closing,
        "eager": order.eager and not closing,
    }
    if await retries.any_for(connection, held, stream, part):
        wakes.append(
            await add_slice(
                connection,
                held.job_id,
                stage=held.stage,
                kind=SliceKind.RETRY,
                stream=held.stream,
                part=part,
            )
        )
    return wakes


def _reading(
    run: Run, stage: Stage, order: Order, source_now: datetime, start: datetime | None
) -> Reading:
    stream = Stream(str(stage.stream))
    capability = run.reads[stream]
    if stage.since is not None:
        settle = run.scope.lags.settle_of(capability)
        return Reading(Window(stage.since, source_now), source_now - settle)
    return reading(
        capability,
        source_now=source_now,
        cursor=start,
        lags=run.scope.lags,
        sweep=stage.sweep,
        # A full run leaves nothing out.
        horizon=run.horizon(stream) if order.kind is JobKind.RECENT else None,
    )


def _extent_json(extent: Extent) -> dict[str, str]:
    json: dict[str, str] = msgspec.to_builtins(extent)
    return json


def _pass_view(
    before: dict[str, str | None] | None, cut: _Cut, watermark: datetime | None
) -> dict[str, str | None]:
    """What `GET /v1/jobs` tells of a pass. A closing look keeps the first cursor."""
    first = {"cursor_before": watermark.isoformat() if watermark else None, **_mode(cut)}
    return {
        **(before or first),
        **({"told_deleted": "yes"} if cut.told else {}),
        "until": cut.reading.until.isoformat(),
        "cursor_after": None,
    }


def _mode(cut: _Cut) -> dict[str, str | None]:
    match cut.reading.extent:
        case Window(since=since):
            return {"mode": "window", "since": since.isoformat(), "depth": None, "horizon": None}
        case Sweep(since_created=oldest):
            return {
                "mode": "sweep",
                "since": None,
                "depth": "shallow" if cut.shallow else "deep",
                "horizon": oldest.isoformat() if oldest else None,
            }
