from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now


class Overlap(StrEnum):
    """What a tick does while a job of the migration has not ended."""

    SKIP = "skip"
    QUEUE = "queue"


class Schedule(SQLModel, table=True):
    """When jobs of a migration begin by themselves.

    Either `cron`, an expression of five fields read in `timezone`, or `every`, such as `15m`,
    counted from `starts_at` or from the row's creation. `starts_at`, `until` and `final_at` are
    ISO 8601 moments or relative to the migration's launch (`launch-20m`), so that they move with
    it. `job` is what to ask for: `kind`, `streams`, `cutover`, `options`. Ticks up to and including
    `handled_until` have been dealt with.
    """

    __tablename__ = "schedules"
    __table_args__: ClassVar[Any] = (Index("schedules_name", "migration_id", "name", unique=True),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    migration_id: UUID = Field(foreign_key="migrations.id", ondelete="CASCADE")
    name: str
    job: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    cron: str | None = None
    timezone: str = "UTC"
    every: str | None = None
    starts_at: str | None = None
    until: str | None = None
    final_at: str | None = None
    overlap: str = Overlap.SKIP
    paused_at: datetime | None = Field(default=None, sa_column=moment())
    handled_until: datetime = Field(sa_column=moment(null=False))
    created_at: datetime = Field(default_factory=now, sa_column=created())
    updated_at: datetime = Field(default_factory=now, sa_column=created())


class TickOutcome(StrEnum):
    """`started` and `queued` made a job; `skipped` and `refused` made none, and say why."""

    STARTED = "started"
    QUEUED = "queued"
    SKIPPED = "skipped"
    REFUSED = "refused"


class ScheduleRun(SQLModel, table=True):
    """What became of a tick. `missed` ticks before it were passed over while nobody looked.

    `reason` is a stable code, `message` a sentence. No tick has two rows.
    """

    __tablename__ = "schedule_runs"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("schedule_id", "tick_at", name="schedule_runs_tick"),
        Index("schedule_runs_newest", "schedule_id", "id"),
    )

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    schedule_id: UUID = Field(foreign_key="schedules.id", ondelete="CASCADE")
    tick_at: datetime = Field(sa_column=moment(null=False))
    final: bool = False
    missed: int = 0
    outcome: str
    job_id: UUID | None = Field(default=None, foreign_key="jobs.id", ondelete="SET NULL")
    reason: str | None = None
    message: str | None = None
    at: datetime = Field(default_factory=now, sa_column=created())
