from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from app.models import Overlap
from app.moments import DURATION_PATTERN, duration, resolve
from app.schemas.job import AskedJob, Kind
from app.schemas.paging import Page
from app.schemas.values import Flag, Input, Output, Slug

_SHORTEST = timedelta(minutes=1)
_LAUNCH = datetime(2026, 1, 1).astimezone()
_ID = "3b8f2a60-9f44-4a9b-8a55-6f0c1f5d7e21"


def _long_enough(text: str) -> str:
    if duration(text) < _SHORTEST:
        raise ValueError("the shortest interval is one minute")
    return text


def _resolvable(text: str) -> str:
    resolve(text, _LAUNCH)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone such as Europe/Berlin") from None
    return name


Every = Annotated[str, Field(pattern=DURATION_PATTERN), AfterValidator(_long_enough)]
When = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        description="A moment with its zone, or relative to the migration's launch: `launch`, "
        "`launch-20m`, `launch+3d`.",
    ),
    AfterValidator(_resolvable),
]
Zone = Annotated[
    str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$"), AfterValidator(_zone)
]


class ScheduledJob(AskedJob):
    """What to run: as in `POST /v1/jobs`."""

    kind: Kind = "recent"


class _Times(Input):
    """The members that say when, in a new schedule and in a change."""

    cron: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Minute, hour, day of month, month, day of week; or `every`."
    )
    timezone: Zone = Field("UTC", description="In which `cron` is read.")
    every: Every | None = Field(None, description="Such as `15m`; or `cron`.")
    starts_at: When | None = None
    until: When | None = None
    final_at: When | None = Field(
        None, description="When the last job runs: a `recent` with `cutover`."
    )


class ScheduleIn(_Times):
    """When jobs of a migration begin by themselves."""

    migration: Slug = Field(description="Slug or id of the migration.")
    name: Slug
    job: ScheduledJob = Field(default_factory=ScheduledJob)
    overlap: Overlap = Field(
        Overlap.SKIP,
        description="What a tick does while a job of the migration has not ended. `queue`: its "
        "job waits, at most one of the schedule's. The final tick always waits.",
    )

    @model_validator(mode="after")
    def _one_rhythm(self) -> Self:
        if (self.cron is None) == (self.every is None):
            raise ValueError("give either cron or every")
        return self

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "migration": "spring-launch",
                    "name": "launch-day",
                    "every": "15m",
                    "until": "launch",
                    "final_at": "launch-20m",
                }
            ]
        },
    )


class SchedulePatch(Input):
    """What to change. Null removes a moment."""

    name: Slug | None = None
    job: ScheduledJob | None = None
    cron: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    timezone: Zone | None = None
    every: Every | None = None
    starts_at: When | None = None
    until: When | None = None
    final_at: When | None = None
    overlap: Overlap | None = None
    paused: Flag | None = Field(
        None, description="Ticks that pass while it is paused are not caught up."
    )

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"paused": True}]})


class NextTick(Output):
    at: datetime
    final: bool


class ScheduleRunOut(Output):
    """What became of a tick."""

    tick_at: datetime
    final: bool
    missed: int = Field(description="Ticks before it that were passed over; counted up to 1000.")
    outcome: str = Field(
        description="`started`, `queued`, `skipped` or `refused`; the last two made no job."
    )
    job_id: UUID | None
    reason: str | None = Field(description="Why no job was made, as a stable code.")
    message: str | None
    at: datetime = Field(description="When it was dealt with.")

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "tick_at": "2026-11-27T16:00:00Z",
                    "final": False,
                    "missed": 0,
                    "outcome": "skipped",
                    "job_id": None,
                    "reason": "job_running",
                    "message": "A job of the migration had not ended.",
                    "at": "2026-11-27T16:00:02Z",
                }
            ]
        },
    )


class ScheduleRunPage(Page[ScheduleRunOut]):
    pass


_EXAMPLE: dict[str, Any] = {
    "id": _ID,
    "migration": "spring-launch",
    "name": "launch-day",
    "job": {"kind": "recent"},
    "cron": None,
    "timezone": "UTC",
    "every": "15m",
    "starts_at": None,
    "until": "launch",
    "final_at": "launch-20m",
    "overlap": "skip",
    "state": "active",
    "paused_at": None,
    "next": [
        {"at": "2026-11-27T17:30:00Z", "final": False},
        {"at": "2026-11-27T17:40:00Z", "final": True},
    ],
    "last": None,
    "created_at": "2026-11-27T12:00:00Z",
    "updated_at": "2026-11-27T12:00:00Z",
}


class ScheduleOut(Output):
    """A schedule, and what comes next."""

    id: UUID
    migration: str = Field(description="The migration's slug.")
    name: str
    job: dict[str, Any]
    cron: str | None
    timezone: str
    every: str | None
    starts_at: str | None
    until: str | None
    final_at: str | None
    overlap: Overlap
    state: str = Field(
        description="`active`, `paused`, `ended`, or `waiting_for_launch`: it names the launch, "
        "and the migration has no launch time."
    )
    paused_at: datetime | None
    next: list[NextTick] = Field(description="The next ticks, at most five.")
    last: ScheduleRunOut | None = Field(description="What became of the latest tick.")
    created_at: datetime
    updated_at: datetime

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]})


class SchedulePage(Page[ScheduleOut]):
    pass
