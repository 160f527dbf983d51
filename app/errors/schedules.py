"""Schedules."""

from __future__ import annotations

from app.errors.problem import Problem
from app.errors.requests import InvalidRequest, NotFound


class ScheduleNotFound(NotFound):
    code = "schedule_not_found"
    title = "There is no such schedule"


class ScheduleExists(Problem):
    status = 409
    code = "schedule_exists"
    title = "The migration has a schedule of this name"


class InvalidSchedule(InvalidRequest):
    code = "invalid_schedule"
    title = "This schedule cannot be kept"
