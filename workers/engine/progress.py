"""How a job goes from stage to stage. Each function works in the caller's transaction.

Whoever finishes the last open slice of a stage takes the job on: moves the cursor and opens the
next stage. How the last one ends is told in `workers.engine.ending`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models import DEMO_SIZE, JobKind, JobStatus, SliceKind
from app.queue import Wake
from app.services.lifecycle import add_slice, end_pauses, record_event
from connectors.base import ReadCapability
from connectors.records import Stream
from workers.engine import cursors, intents, removals, retries, sightings
from workers.engine.plan import (
    CLOSING_ROUNDS,
    Order,
    Stage,
    StageKind,
    closing_round,
    from_json,
    swept_at,
    to_json,
)
from workers.engine.sightings import SweptStream

_SLICES = {
    StageKind.CHECK: SliceKind.CHECK,
    StageKind.RETRY: SliceKind.RETRY,
    StageKind.REMOVE: SliceKind.REMOVE,
    StageKind.RESTORE: SliceKind.RESTORE,
    StageKind.PAIR: SliceKind.PAIR,
    StageKind.SAMPLE: SliceKind.SAMPLE,
    StageKind.DEMO: SliceKind.DEMO,
    StageKind.FINISH: SliceKind.FINISH,
}
"""How a stage begins, where it is not cut into slices first."""


class JobRow(msgspec.Struct):
    """A job, locked until the transaction ends."""

    id: UUID
    migration_id: UUID
    kind: str
    params: dict[str, Any]
    plan: list[dict[str, Any]]
    stage: int
    passes: dict[str, Any]
    ending: str | None
    cancelling: bool
    error: dict[str, Any] | None

    def swept(self, stream: Stream) -> SweptStream | None:
        """The stream as this job has swept it, None where it has not, or not all of it."""
        number = swept_at(self.stages, stream)
        view = self.passes.get(stream, {})
        if number is None or view.get("mode") != "sweep" or view.get("horizon"):
            # What lies beyond a horizon was not looked for.
            return None
        return SweptStream(self.migration_id, stream, self.id, number)

    def window_since(self, stream: Stream) -> datetime | None:
        """Where the stream's window in this job begins, None where it was read otherwise."""
        since = self.passes.get(stream, {}).get("since")
        return datetime.fromisoformat(since) if since else None

    @property
    def stages(self) -> list[Stage]:
        """The plan."""
        return from_json(self.plan)

    def order(self, scope: tuple[Stream, ...]) -> Order:
        """What was asked for; without a choice, every stream in the migration's scope."""
        streams = self.params.get("streams") or scope
        since = self.params.get("since")
        options = self.params.get("options") or {}
        conflicts_only = options.get("only") == "conflicts"
        ids = () if conflicts_only else tuple(options.get("ids") or ()) or None
        return Order(
            kind=JobKind(self.kind),
            streams=tuple(Stream(each) for each in streams),
            since=datetime.fromisoformat(since) if since else None,
            cutover=bool(self.params.get("cutover")),
            quarantine_only=options.get("only") in ("quarantine", "conflicts"),
            conflicts_only=conflicts_only,
            quarantine_ids=ids,
            undo_ids=tuple(options["ids"]) if options.get("only") == "undo" else (),
            release_brake=bool(options.get("release_brake")),
            dry=bool(self.params.get("dry_run")),
            size=options.get("size") or DEMO_SIZE,
            seed=options.get("seed") or "",
            stragglers=bool(options.get("stragglers")),
            canary=bool(options.get("canary")),
        )


_JOB = """
    SELECT id, migration_id, kind, params, plan, stage, passes, ending,
           cancel_requested_at IS NOT NULL AS cancelling, error
    FROM jobs WHERE id = :id
"""
_READ_JOB = text(_JOB)
_LOCK_JOB = text(f"{_JOB} FOR UPDATE")


async def read_job(connection: AsyncConnection, job: UUID) -> JobRow:
    """The job's row, for whoever decides nothing by it that others decide too."""
    return JobRow(*(await connection.execute(_READ_JOB, {"id": job})).one())


async def lock_job(connection: AsyncConnection, job: UUID) -> JobRow:
    """The job's row, ours until the transaction ends."""
    return JobRow(*(await connection.execute(_LOCK_JOB, {"id": job})).one())


async def store_plan(
    connection: AsyncConnection, job: UUID, plan: list[Stage], passes: dict[str, Any]
) -> None:
    """Keep a plan, and what is known of the passes."""
    await connection.execute(
        text(
            "UPDATE jobs SET plan = CAST(:plan AS jsonb), passes = CAST(:passes AS jsonb)"
            " WHERE id = :id"
        ),
        {"id": job, "plan": _json(to_json(plan)), "passes": _json(passes)},
    )


async def note_mapping(connection: AsyncConnection, job: UUID, version: int) -> None:
    """Keep by which mapping rules a job goes; later versions do not change it."""
    await connection.execute(
        text("UPDATE jobs SET mapping_version = :version WHERE id = :id"),
        {"id": job, "version": version},
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


_PUT_DOWN = text(
    "UPDATE slices SET done = true, lease_until = NULL, handed_at = clock_timestamp()"
    " WHERE NOT done AND (id = :id OR job_id = :job)"
)


async def put_down(
    connection: AsyncConnection, *, slice_id: UUID | None = None, job: UUID | None = None
) -> None:
    """Mark a slice done, or all of a job: nobody holds them any more."""
    await connection.execute(_PUT_DOWN, {"id": slice_id, "job": job})


async def finish_slice(
    connection: AsyncConnection, slice_id: UUID, job_id: UUID, reads: dict[Stream, ReadCapability]
) -> list[Wake]:
    """Mark a slice done; if it was the last one of its stage, go on. Answers with wakes."""
    # The job is locked first: of two slices that end at once, the second sees the first's end.
    job = await lock_job(connection, job_id)
    await put_down(connection, slice_id=slice_id)
    open_ones = await connection.execute(
        text("SELECT count(*) FROM slices WHERE job_id = :job AND stage = :stage AND NOT done"),
        {"job": job.id, "stage": job.stage},
    )
    if open_ones.scalar_one():
        return []
    return await _advance(connection, job, reads)


async def _advance(
    connection: AsyncConnection, job: JobRow, reads: dict[Stream, ReadCapability]
) -> list[Wake]:
    plan = job.stages
    ending = job.ending or (JobStatus.CANCELLED if job.cancelling else None)
    if ending is None:
        await _close_stage(connection, job, plan[job.stage])
        plan = await _look_again(connection, job, plan, reads)
        following = await _next_stage(connection, job, plan)
    else:
        await connection.execute(
            text("UPDATE jobs SET ending = :ending WHERE id = :id"),
            {"id": job.id, "ending": ending},
        )
        following = len(plan) - 1
    await connection.execute(
        text("UPDATE jobs SET stage = :stage, plan = CAST(:plan AS jsonb) WHERE id = :id"),
        {"id": job.id, "stage": following, "plan": _json(to_json(plan))},
    )
    stage = plan[following]
    kind = _SLICES.get(stage.kind, SliceKind.PLAN)
    # A demo is asked for by somebody: whatever was refused before is tried again.
    part = {"dry": stage.dry, "eager": True} if JobKind(job.kind) is JobKind.DEMO else None
    if stage.kind is StageKind.RETRY:
        part = {"restores": True}
    return [
        await add_slice(
            connection,
            job.id,
            stage=following,
            kind=kind,
            stream=stage.stream,
            part=part,
            after=stage.pause,
        )
    ]


async def _next_stage(connection: AsyncConnection, job: JobRow, plan: list[Stage]) -> int:
    """The next stage that has something to do: most streams have lost nothing."""
    following = job.stage + 1
    while not await _has_work(connection, job, plan[following]):
        following += 1
    return following


async def _has_work(connection: AsyncConnection, job: JobRow, stage: Stage) -> bool:
    match stage:
        case Stage(kind=StageKind.REMOVE):
            return await _has_lost(connection, job, stage.stream)
        case Stage(kind=StageKind.RETRY, stream=Stream() as stream):
            return await retries.any_due(connection, job.migration_id, stream)
        case _:
            return True


async def _has_lost(connection: AsyncConnection, job: JobRow, stream: Stream | None) -> bool:
    """Whether records are missing that this job's sweep should have seen, were called deleted by
    the source when its window began, or were given up.
    """
    if stream is None:
        return False
    if await intents.any_open(connection, job.migration_id, stream):
        return True
    swept = job.swept(stream)
    if swept is not None:
        await sightings.welcome_back(connection, swept)
        if await sightings.any_missing(connection, swept):
            return True
    elif job.passes.get(stream, {}).get("told_deleted"):
        return True
    return await removals.any_left(connection, job.migration_id, stream)


async def _close_stage(connection: AsyncConnection, job: JobRow, stage: Stage) -> None:
    """A pass is complete: what was visible when it began has been applied."""
    if stage.kind is StageKind.PAIR and stage.stream is not None:
        await _set_baseline(connection, job, stage.stream)
        return
    if stage.kind is not StageKind.PASS or stage.stream is None or stage.quarantine_only:
        return
    done = job.passes.get(stage.stream, {})
    until = done.get("until")
    if until is None:
        return
    await cursors.move(
        connection, job.migration_id, stage.stream, datetime.fromisoformat(until), job.id
    )
    watermark = await cursors.watermark(connection, job.migration_id, stage.stream)
    done["cursor_after"] = watermark.isoformat() if watermark else None
    await connection.execute(
        text("UPDATE jobs SET passes = CAST(:passes AS jsonb) WHERE id = :id"),
        {"id": job.id, "passes": _json(job.passes)},
    )
    await record_event(
        connection, job.id, "pass.finished", {"stream": stage.stream, "until": until}
    )


async def _set_baseline(connection: AsyncConnection, job: JobRow, stream: Stream) -> None:
    """A stream is adopted: what changed since the time that was given has yet to be read."""
    before = await cursors.watermark(connection, job.migration_id, stream)
    since = datetime.fromisoformat(job.params["since"])
    await cursors.set_baseline(connection, job.migration_id, stream, since, job.id)
    after = await cursors.watermark(connection, job.migration_id, stream)
    job.passes[stream] = {
        "mode": "adopt",
        "since": since.isoformat(),
        "until": since.isoformat(),
        "cursor_before": before.isoformat() if before else None,
        "cursor_after": after.isoformat() if after else None,
    }
    await connection.execute(
        text("UPDATE jobs SET passes = CAST(:passes AS jsonb) WHERE id = :id"),
        {"id": job.id, "passes": _json(job.passes)},
    )
    told = {"stream": stream, "until": since.isoformat()}
    await record_event(connection, job.id, "pass.finished", told)


async def _look_again(
    connection: AsyncConnection,
    job: JobRow,
    plan: list[Stage],
    reads: dict[Stream, ReadCapability],
) -> list[Stage]:
    """After a closing round that found changes comes another one, up to a limit."""
    stage = plan[job.stage]
    if not stage.closing or plan[job.stage + 1].kind is not StageKind.FINISH:
        return plan
    numbers = [n for n, each in enumerate(plan) if each.closing == stage.closing]
    written = await connection.execute(
        text(
            "SELECT coalesce(sum(coalesce((counters->>'created')::int, 0)"
            " + coalesce((counters->>'updated')::int, 0)"
            " + coalesce((counters->>'fetched')::int, 0)), 0)"
            " FROM slices WHERE job_id = :job AND stage = ANY(CAST(:stages AS int[]))"
        ),
        {"job": job.id, "stages": numbers},
    )
    if not written.scalar_one():
        return plan
    since = next((plan[n].since for n in numbers if plan[n].since is not None), None)
    if stage.closing >= CLOSING_ROUNDS or since is None:
        await set_error(
            connection,
            job.id,
            "source_still_changing",
            "the source changed during the whole cutover: freeze it, then run the cutover again",
        )
        return plan
    again = closing_round(
        [each.stream for each in plan if each.stream is not None],
        since=since,
        pause=plan[numbers[0]].pause,
        number=stage.closing + 1,
        reads=reads,
    )
    return [*plan[:-1], *again, plan[-1]]


async def set_error(connection: AsyncConnection, job: UUID, code: str, message: str) -> None:
    """Note what is wrong with a job as a whole. The first problem stays."""
    await connection.execute(
        text("UPDATE jobs SET error = coalesce(error, CAST(:error AS jsonb)) WHERE id = :id"),
        {"id": job, "error": _json({"code": code, "message": message})},
    )


async def fail_job(connection: AsyncConnection, job_id: UUID, code: str, message: str) -> None:
    """Have a job end as failed; the slices that are being worked on notice at their next page."""
    await set_error(connection, job_id, code, message)
    await connection.execute(
        text("UPDATE jobs SET ending = coalesce(ending, 'failed') WHERE id = :id"), {"id": job_id}
    )
    await end_pauses(connection, job_id)
    await record_event(connection, job_id, "job.failing", {"code": code})
