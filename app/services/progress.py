"""How jobs go: what their slices have counted, put together for whoever asks."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models import Job, JobStatus, Migration
from app.models.columns import now
from app.schemas.job import (
    Counters,
    JobError,
    JobLinks,
    JobOut,
    JobParams,
    PassOut,
    Progress,
)
from connectors.records import Stream

_COUNTED = tuple(Counters.model_fields)

_COUNTERS = text(
    """
    SELECT s.job_id, s.stream, c.key, sum(c.value::bigint) AS number
    FROM slices AS s CROSS JOIN LATERAL jsonb_each_text(s.counters) AS c
    WHERE s.job_id = ANY(:jobs) GROUP BY s.job_id, s.stream, c.key
    """
)
_PLANNED = text(
    """
    SELECT job_id, stream, sum(total) AS total,
           sum(coalesce((counters->>'read')::bigint, 0)) AS read
    FROM slices WHERE job_id = ANY(:jobs) AND kind = 'read' GROUP BY job_id, stream
    """
)
_WAITING = text(
    """
    SELECT job_id, waiting, min(due_at) AS due_at FROM slices
    WHERE job_id = ANY(:jobs) AND NOT done AND waiting IS NOT NULL
    GROUP BY job_id, waiting ORDER BY job_id, waiting
    """
)
_LAST_TIME = text(
    """
    SELECT s.stream, sum(coalesce((s.counters->>'read')::bigint, 0)) AS read FROM slices AS s
    WHERE s.kind = 'read' AND s.job_id = (
        SELECT id FROM jobs
        WHERE migration_id = :migration AND kind = :kind AND finished_at IS NOT NULL
          AND status IN ('succeeded', 'completed_with_errors')
        ORDER BY finished_at DESC LIMIT 1
    ) GROUP BY s.stream
    """
)


@dataclass(slots=True)
class _Tally:
    """What the slices of one job say."""

    counted: dict[str | None, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    planned: dict[str, int | None] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, datetime] = field(default_factory=dict)

    def sum(self, name: str) -> int:
        return sum(counters.get(name, 0) for counters in self.counted.values())

    @property
    def total(self) -> int | None:
        known = [count for count in self.planned.values() if count is not None]
        return sum(known) if known else None


async def shown(session: AsyncSession, jobs: Sequence[Job]) -> list[JobOut]:
    """What is told of jobs, in their order."""
    tallies = await _tallies(session, [job.id for job in jobs])
    migrations = {job.migration_id for job in jobs}
    slugs = dict(
        (
            await session.exec(
                select(Migration.id, Migration.slug).where(col(Migration.id).in_(migrations))
            )
        ).all()
    )
    running = await _running(session, {j.migration_id for j in jobs if j.status == "queued"})
    return [
        _shown(
            job,
            slugs[job.migration_id],
            tallies[job.id],
            waiting_for=running.get(job.migration_id) if job.status == "queued" else None,
            expected=await _expected(session, job, tallies[job.id]),
        )
        for job in jobs
    ]


def etag(job: JobOut) -> str:
    """Changes when something happened, not merely because time passed: therefore weak."""
    stable = job.model_dump_json(exclude={"progress": {"rate", "seconds_left"}})
    return f'W/"{hashlib.sha256(stable.encode()).hexdigest()[:24]}"'


async def _tallies(session: AsyncSession, jobs: list[UUID]) -> dict[UUID, _Tally]:
    tallies: dict[UUID, _Tally] = defaultdict(_Tally)
    connection = await session.connection()
    for row in await connection.execute(_COUNTERS, {"jobs": jobs}):
        tallies[row.job_id].counted[row.stream][row.key] = int(row.number)
    for row in await connection.execute(_PLANNED, {"jobs": jobs}):
        tallies[row.job_id].planned[row.stream] = None if row.total is None else int(row.total)
        tallies[row.job_id].read[row.stream] = int(row.read)
    for row in await connection.execute(_WAITING, {"jobs": jobs}):
        tallies[row.job_id].waiting[row.waiting] = row.due_at
    return tallies


async def _running(session: AsyncSession, migrations: set[UUID]) -> dict[UUID, UUID]:
    if not migrations:
        return {}
    found = await session.exec(
        select(Job.migration_id, Job.id).where(
            col(Job.migration_id).in_(migrations), Job.status == JobStatus.RUNNING
        )
    )
    return dict(found.all())


async def _expected(session: AsyncSession, job: Job, tally: _Tally) -> int | None:
    """How many records are still to be read, None where there is no ground for an estimate.

    Streams whose turn has not come are taken to be as large as they were in the last job of
    this kind.
    """
    if job.status != JobStatus.RUNNING:
        return None
    ahead = {each["stream"] for each in job.plan if each.get("stream") and not each.get("closing")}
    ahead -= tally.planned.keys()
    before = await _last_time(session, job) if ahead else {}
    left = [before.get(stream) for stream in ahead]
    for stream, total in tally.planned.items():
        left.append(None if total is None else max(total - tally.read.get(stream, 0), 0))
    known = [count for count in left if count is not None]
    return sum(known) if left and len(known) == len(left) else None


async def _last_time(session: AsyncSession, job: Job) -> dict[str, int]:
    connection = await session.connection()
    found = await connection.execute(_LAST_TIME, {"migration": job.migration_id, "kind": job.kind})
    return {row.stream: int(row.read) for row in found}


def _shown(
    job: Job, slug: str, tally: _Tally, *, waiting_for: UUID | None, expected: int | None
) -> JobOut:
    return JobOut(
        id=job.id,
        kind=job.kind,
        migration=slug,
        status=JobStatus(job.status),
        params=JobParams.model_validate(job.params),
        progress=_progress(job, tally, expected),
        counters={
            str(stream): _counters(tally.counted[stream])
            for stream in Stream
            if stream in tally.counted
        },
        totals=Counters(**{name: tally.sum(name) for name in _COUNTED}),
        requests=tally.sum("requests"),
        throttled=tally.sum("throttled"),
        passes={str(each): _pass(job.passes[each]) for each in Stream if each in job.passes},
        waiting=list(tally.waiting),
        waiting_until=min(tally.waiting.values(), default=None),
        waiting_for=waiting_for,
        error=None if job.error is None else JobError(**job.error),
        retry_of=job.retry_of,
        cancel_requested_at=job.cancel_requested_at,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        mapping_version=job.mapping_version,
        links=_links(job.id, slug),
    )


def _counters(counted: dict[str, int]) -> Counters:
    return Counters(**{name: counted.get(name, 0) for name in _COUNTED})


def _pass(kept: dict[str, Any]) -> PassOut:
    return PassOut(**{name: kept.get(name) for name in PassOut.model_fields})


def _progress(job: Job, tally: _Tally, expected: int | None) -> Progress:
    ended = JobStatus(job.status).ended
    stage = job.plan[job.stage] if job.stage < len(job.plan) and not ended else {}
    read = tally.sum("read")
    rate = _rate(job.started_at, job.finished_at, read)
    return Progress(
        stage=len(job.plan) if job.status == JobStatus.SUCCEEDED else job.stage,
        stages=len(job.plan) or None,
        stream=stage.get("stream"),
        read=read,
        # Once nothing more comes, what came is the total, whatever a store counted before.
        total=read if ended else tally.total,
        rate=rate,
        seconds_left=round(expected / rate) if expected is not None and rate else None,
    )


def _rate(began: datetime | None, ended: datetime | None, read: int) -> float | None:
    if began is None:
        return None
    seconds = ((ended or now()) - began).total_seconds()
    return round(read / seconds, 1) if seconds > 0 else None


def _links(job: UUID, slug: str) -> JobLinks:
    self = f"/v1/jobs/{job}"
    return JobLinks(
        self=self,
        events=f"{self}/events",
        cancel=f"{self}/cancel",
        retry=f"{self}/retry",
        migration=f"/v1/migrations/{slug}",
    )
