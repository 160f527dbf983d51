"""Waiting for a job: by looking again and again, without holding a connection meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

from app.resources import Resources
from app.schemas.job import JobOut
from app.services.jobs import show_job
from app.services.progress import etag
from app.services.transaction import transaction

EVERY = 0.25


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
    while True:
        job = await look(resources, job_id)
        changed = known is not None and etag(job) != known
        left = end - time.monotonic()
        if changed or job.status.ended or left <= 0 or await gone():
            return job
        await asyncio.sleep(min(EVERY, left))
