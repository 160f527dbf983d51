"""Schedules that are due. Every worker looks; PostgreSQL sees to it that no tick counts twice."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from app.models import Migration, Schedule
from app.resources import Resources
from app.services.rhythm import rhythm_of
from app.services.schedules import take_tick
from app.services.transaction import transaction

log = structlog.get_logger(__name__)


class _Look(NamedTuple):
    now: datetime
    due: list[UUID]


async def tick(resources: Resources, at: datetime | None = None) -> int:
    """Deal with whatever is due, by the database's clock unless a moment is given.

    Answers how many ticks were dealt with here. A schedule that cannot be understood any more,
    because a time zone was renamed for example, holds up no other.
    """
    taken = 0
    now, due = await _look(resources, at)
    for schedule_id in due:
        try:
            async with transaction(resources) as work:
                taken += await take_tick(work, schedule_id, now) is not None
        except (DBAPIError, OSError):
            raise
        except Exception:
            log.exception("schedule.failed", schedule_id=str(schedule_id))
    return taken


async def _look(resources: Resources, at: datetime | None) -> _Look:
    async with transaction(resources) as work:
        connection = await work.connection()
        now = at or (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        found = await work.session.exec(
            select(Schedule, Migration.launch_at)
            .join(Migration, col(Migration.id) == col(Schedule.migration_id))
            .where(col(Schedule.paused_at).is_(None))
        )
        return _Look(now, [each.id for each, launch in found if _is_due(each, launch, now)])


def _is_due(schedule: Schedule, launch: datetime | None, now: datetime) -> bool:
    try:
        rhythm = rhythm_of(schedule, launch)
        return rhythm is not None and rhythm.due(schedule.handled_until, now) is not None
    except (ValueError, LookupError) as error:  # LookupError: an unknown time zone
        log.warning("schedule.unreadable", schedule_id=str(schedule.id), why=type(error).__name__)
        return False
