from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, false, text
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now


class JobKind(StrEnum):
    """The kinds of job that can be run."""

    FULL = "full"
    RECENT = "recent"
    DEMO = "demo"
    ADOPT = "adopt"
    VERIFY = "verify"

    @property
    def writes(self) -> bool:
        """Whether such a job writes to the target."""
        return self in {JobKind.FULL, JobKind.RECENT, JobKind.DEMO}


class JobStatus(StrEnum):
    """`completed_with_errors`: it ran to its end, and something in scope is still not right."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    COMPLETED_WITH_ERRORS = "completed_with_errors"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self not in {JobStatus.QUEUED, JobStatus.RUNNING}


class Job(SQLModel, table=True):
    """One run of a migration.

    `params` is the request: `streams`, `since`, `cutover`, `options`. `plan` is the list of
    stages, `stage` the index of the current one; each stage is a pass over one stream, or
    preparing, or finishing. `passes` keeps per stream: mode, cursor before and after. `error`
    is a problem (`code`, `message`) of the job as a whole. `ending` is the status that the job
    will have once its last stage has tidied up. `mapping_version` is of the mapping rules that it
    goes by, 0 for none, and unknown until it has prepared.
    """

    __tablename__ = "jobs"
    __table_args__: ClassVar[Any] = (
        # Two jobs never write one migration at the same time.
        Index(
            "jobs_one_running",
            "migration_id",
            unique=True,
            postgresql_where=text("status = 'running'"),
        ),
        Index("jobs_newest", "created_at", "id"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    migration_id: UUID = Field(foreign_key="migrations.id", index=True)
    kind: str
    status: str = JobStatus.QUEUED
    params: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    plan: list[dict[str, Any]] = Field(default_factory=list, sa_column=document())
    stage: int = 0
    passes: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    ending: str | None = None
    error: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    cancel_requested_at: datetime | None = Field(default=None, sa_column=moment())
    created_at: datetime = Field(default_factory=now, sa_column=created())
    started_at: datetime | None = Field(default=None, sa_column=moment())
    finished_at: datetime | None = Field(default=None, sa_column=moment())
    retry_of: UUID | None = Field(default=None, foreign_key="jobs.id", ondelete="SET NULL")
    mapping_version: int | None = None


class SliceKind(StrEnum):
    """What a worker does with a slice."""

    PREPARE = "prepare"
    PLAN = "plan"
    READ = "read"
    RETRY = "retry"
    AUDIT = "audit"
    CHECK = "check"
    REMOVE = "remove"
    RESTORE = "restore"
    GATHER = "gather"
    PAIR = "pair"
    SAMPLE = "sample"
    DEMO = "demo"
    FINISH = "finish"


class Slice(SQLModel, table=True):
    """The part of a stage that one worker holds; it can resume where it stopped.

    A slice is held while `lease_until` lies ahead; `fence` grows by one with every holder, and
    every transaction of a holder checks it, so that a worker that was thought dead cannot
    commit. `sent_at` is when the queue was last told. `counters` are this slice's share of the
    job's: read, created, updated, unchanged, conflicts, quarantined, deleted, requests,
    throttled. `total` is the store's count of records in this part, for progress. `resumed` says
    that a holder took it over from one who had not put it down. `handed_at` is when the last
    holder put it down, or when its lease lapsed: it has sent nothing to a store after that.
    """

    __tablename__ = "slices"
    __table_args__: ClassVar[Any] = (
        Index("slices_open", "due_at", postgresql_where=text("NOT done")),
        Index("slices_of_job", "job_id", "stage"),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    job_id: UUID = Field(foreign_key="jobs.id", ondelete="CASCADE")
    stage: int
    kind: str
    stream: str | None = None
    part: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    resume: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    done: bool = False
    due_at: datetime = Field(default_factory=now, sa_column=created())
    sent_at: datetime | None = Field(default=None, sa_column=moment())
    wakes: int = 0
    holder: str | None = None
    lease_until: datetime | None = Field(default=None, sa_column=moment())
    handed_at: datetime | None = Field(default=None, sa_column=moment())
    fence: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    failures: int = 0
    waiting: str | None = None
    counters: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    total: int | None = None
    resumed: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )


class JobEvent(SQLModel, table=True):
    """Something that happened to a job, for people and for `/events`. Holds no personal data."""

    __tablename__ = "job_events"

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    job_id: UUID = Field(foreign_key="jobs.id", ondelete="CASCADE", index=True)
    at: datetime = Field(default_factory=now, sa_column=created())
    type: str
    data: dict[str, Any] = Field(default_factory=dict, sa_column=document())
