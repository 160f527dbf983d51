"""Waiting for a job: by looking again and again, without holding a connection meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from app.database import autocommit
from app.errors import JobNotFound
from app.models import JobStatus
from app.resources import Resources
from app.schemas.job import JobOut
from app.services.jobs import show_job
from app.services.progress import etag
from app.services.transaction import transaction

EVERY = 0.25

# The versions of all rows that what is told of a job is made of: one query, many waiters.
_GLANCE = text(
    """
    SELECT j.status, concat_ws(',', j.xmin,
        (SELECT string_agg(s.xmin::text, ',' ORDER BY s.id) FROM slices AS s WHERE s.job_id = j.id),
        (SELECT r.id FROM jobs AS r WHERE r.migration_id = j.migration_id AND r.status = 'running')
    ) FROM jobs AS j WHERE j.id = :id
    """
)


class _Glance(NamedTuple):
    status: str
    version: str


async def look(resources: Resources, job_id: UUID) -> JobOut:
    """The job as it is now. Raises `JobNotFound`."""
    async with transaction(resources) as work:
        return await show_job(work.session, job_id)


async def wait_for(
    resources: Resources,
    job_id: UUID,
    *,
    seconds: float,
    known: str | None,
    gone: Callable[[], Awaitable[bool]],
) -> JobOut:
    """The job once it has ended, or differs from the `known` ETag, or time is up.

    `gone` says that nobody waits for the answer any more. Raises `JobNotFound`.
    """
    end = time.monotonic() + seconds
    seen = ""
    while True:
        status, version = await _glance(resources, job_id)
        left = end - time.monotonic()
        over = JobStatus(status).ended or left <= 0 or await gone()
        if over or (known is not None and version != seen):
            job = await look(resources, job_id)
            if over or etag(job) != known:
                return job
        seen = version
        await asyncio.sleep(min(EVERY, left))


async def _glance(resources: Resources, job_id: UUID) -> _Glance:
    async with autocommit(resources.engine) as connection:
        row = (await connection.execute(_GLANCE, {"id": job_id})).first()
    if row is None:
        raise JobNotFound
    return _Glance(*row)
