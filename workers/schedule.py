"""The reaper: finds what is due and in nobody's hands, and wakes workers for it.

Every worker runs one, on PostgreSQL alone, so that lost wakes, a flushed Redis and killed workers
cost seconds. It also starts jobs whose turn has come, those of schedules too, and drops old
events.
"""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.queue import Wake
from app.resources import Resources
from app.services.lifecycle import start_next
from workers.engine.failpoints import Place, reach
from workers.ticks import tick

log = structlog.get_logger(__name__)

_RESEND_ROUNDS = 2
"""Rounds in which a wake has to be answered before it is sent again."""

_CLEAN_EVERY = 600

_DUE = text(
    """
    UPDATE slices SET wakes = wakes + 1, sent_at = clock_timestamp()
    WHERE id IN (
        SELECT s.id FROM slices AS s
        WHERE NOT s.done AND s.due_at <= clock_timestamp()
          AND (s.lease_until IS NULL OR s.lease_until < clock_timestamp())
          AND (s.sent_at IS NULL
               OR s.sent_at < clock_timestamp() - make_interval(secs => :resend)
               OR s.lease_until > s.sent_at)
        ORDER BY s.due_at LIMIT 200 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, wakes
    """
)
_WAITING = text(
    """
    SELECT DISTINCT migration_id FROM jobs AS waiting
    WHERE status = 'queued' AND NOT EXISTS (
        SELECT 1 FROM jobs AS running
        WHERE running.migration_id = waiting.migration_id AND running.status = 'running'
    )
    """
)


async def reap(resources: Resources) -> int:
    """One round. Answers with the number of wakes sent."""
    resend = resources.settings.reaper_seconds * _RESEND_ROUNDS
    async with resources.engine.begin() as connection:
        due = await connection.execute(_DUE, {"resend": resend})
        wakes = [Wake(row.id, row.wakes) for row in due]
        wakes += await _start_waiting(connection)
    if wakes:
        reach(Place.REAPER)
        log.info("reaper.woke", slices=len(wakes))
        await resources.queue.send(wakes)
    return len(wakes)


async def _start_waiting(connection: AsyncConnection) -> list[Wake]:
    started: list[Wake] = []
    for migration in (await connection.execute(_WAITING)).scalars().all():
        started += await start_next(connection, migration)
    return started


async def _clean(resources: Resources) -> None:
    days = resources.settings.events_keep_days
    async with resources.engine.begin() as connection:
        await connection.execute(
            text("DELETE FROM job_events WHERE at < now() - make_interval(days => :days)"),
            {"days": days},
        )
        await connection.execute(
            text("DELETE FROM idempotency_records WHERE created_at < now() - interval '2 days'")
        )
        await connection.execute(
            text(
                "DELETE FROM webhook_events AS e WHERE at < now() - make_interval(days => :days)"
                " AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS d"
                " WHERE d.event_id = e.id AND d.status = 'pending')"
            ),
            {"days": days},
        )
        await connection.execute(
            text("DELETE FROM schedule_runs WHERE at < now() - make_interval(days => :days)"),
            {"days": days},
        )


async def reap_forever(resources: Resources) -> None:
    """Reap until cancelled. A database that is away is tried again at the next round."""
    rounds = 0
    while True:
        try:
            await reap(resources)
            await tick(resources)
            if rounds % _CLEAN_EVERY == 0:
                await _clean(resources)
        except (DBAPIError, OSError, TimeoutError) as error:
            log.warning("reaper.database_away", error=type(error).__name__)
        rounds += 1
        await asyncio.sleep(resources.settings.reaper_seconds)
