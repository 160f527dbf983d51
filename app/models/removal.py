"""What became of records that are gone from the source."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Boolean, Column, Index, false, text
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now


class RemovalStatus(StrEnum):
    """`proven`: about to be done. `held`: the brake kept it from being done. `reported`: told of,
    and left alone. `returned`: the record is at the source again. `undone`: brought back on the
    target by a person.
    """

    PROVEN = "proven"
    HELD = "held"
    REPORTED = "reported"
    DONE = "done"
    FAILED = "failed"
    RETURNED = "returned"
    UNDONE = "undone"


OPEN_REMOVAL = (
    RemovalStatus.PROVEN,
    RemovalStatus.HELD,
    RemovalStatus.REPORTED,
    RemovalStatus.FAILED,
)
"""A record that is proven gone once more while one of these stands adds no second one."""


class RecordRemoval(SQLModel, table=True):
    """A record that is gone from the source, the proof, and what was done on the target.

    `before` is what undoing needs: no personal data. `evidence` holds `sweeps` (clean sweeps in a
    row that did not see it), `direct` (the source was asked for it by its id), `reused` (the id
    belongs to another record now) and `jobs` (ids). `undoable` says that the target can bring it
    back.
    """

    __tablename__ = "removals"
    __table_args__: ClassVar[Any] = (
        Index("removals_of_migration", "migration_id", "at", "id"),
        Index("removals_record", "migration_id", "stream", "source_id"),
        Index(
            "removals_open",
            "migration_id",
            "stream",
            "source_id",
            "target_id",
            unique=True,
            postgresql_where=text("status IN ('proven', 'held', 'reported', 'failed')"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    migration_id: UUID = Field(foreign_key="migrations.id", ondelete="CASCADE")
    stream: str
    source_id: str
    target_id: str
    target_key: str
    action: str
    status: str
    before: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    evidence: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    undoable: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    code: str | None = None
    message: str | None = None
    job_id: UUID | None = Field(default=None, foreign_key="jobs.id", ondelete="SET NULL")
    at: datetime = Field(default_factory=now, sa_column=created())
    undone_at: datetime | None = Field(default=None, sa_column=moment())
    undone_by: str | None = None


class Sighting(SQLModel, table=True):
    """A record that a sweep has seen. Kept until the job has ended."""

    __tablename__ = "sightings"

    job_id: UUID = Field(primary_key=True, foreign_key="jobs.id", ondelete="CASCADE")
    stage: int = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
