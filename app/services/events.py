"""A job's events, as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from sqlmodel import col, select

from app.models import Job, JobEvent, JobStatus
from app.resources import Resources
from app.services.transaction import transaction

EVERY = 0.5
_AT_ONCE = 500


async def follow(resources: Resources, job_id: UUID, after: int) -> AsyncIterator[JobEvent]:
    """Events behind the one with the number `after`, until the job has ended."""
    while True:
        events, over = await read(resources, job_id, after)
        for event in events:
            yield event
        if events:
            after = events[-1].id or after
        elif over:
            return
        else:
            await asyncio.sleep(EVERY)


async def read(resources: Resources, job_id: UUID, after: int) -> tuple[list[JobEvent], bool]:
    """Some events, and whether the job had ended before they were read."""
    async with transaction(resources) as work:
        # In this order: what an ended job has to tell is all there.
        status = (await work.session.exec(select(Job.status).where(Job.id == job_id))).first()
        events = await work.session.exec(
            select(JobEvent)
            .where(JobEvent.job_id == job_id, col(JobEvent.id) > after)
            .order_by(col(JobEvent.id))
            .limit(_AT_ONCE)
        )
        return list(events), status is None or JobStatus(status).ended
