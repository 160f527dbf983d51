"""What launch checks found, what a verification rests on, and what was waived."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Column, Index, Text, text
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now


class CheckResult(SQLModel, table=True):
    """How a check of a job of kind `verify` ended. Holds no personal data.

    `position` is its place among the job's checks. `evidence` names the first of `found`
    findings: `message`, and where known `stream`, `source_id`, `target_id`, `field`. `examined` of
    `total` things were looked at, `sample` says how they were chosen.
    """

    __tablename__ = "check_results"

    job_id: UUID = Field(primary_key=True, foreign_key="jobs.id", ondelete="CASCADE")
    check_id: str = Field(primary_key=True)
    position: int
    state: str
    severity: str
    summary: str
    examined: int = 0
    total: int | None = None
    sample: str = ""
    found: int = 0
    evidence: list[dict[str, Any]] = Field(default_factory=list, sa_column=document())
    seconds: float = 0.0
    at: datetime = Field(default_factory=now, sa_column=created())


class Verification(SQLModel, table=True):
    """What a job of kind `verify` is true for, once it has run to its end (`finished_at`).

    `whole`: it carried out every check over every stream, so that a verdict may rest on it.
    `watermarks` are the cursors by stream, `configuration` is what the migration, its stores and
    this software were like when it began, `counts` how many records the source held then, by
    stream, of streams that it counts.
    """

    __tablename__ = "verifications"
    __table_args__: ClassVar[Any] = (
        Index(
            "verifications_newest", "migration_id", "finished_at", postgresql_where=text("whole")
        ),
    )

    job_id: UUID = Field(primary_key=True, foreign_key="jobs.id", ondelete="CASCADE")
    migration_id: UUID = Field(foreign_key="migrations.id", ondelete="CASCADE")
    whole: bool
    watermarks: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    configuration: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    began_at: datetime = Field(default_factory=now, sa_column=created())
    finished_at: datetime | None = Field(default=None, sa_column=moment())


class Waiver(SQLModel, table=True):
    """Somebody answers for a check that fails, until a moment. With `records` only for findings
    about these (`18123` or `orders/18123`): one more finding, and it fails again.
    """

    __tablename__ = "waivers"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    migration_id: UUID = Field(foreign_key="migrations.id", ondelete="CASCADE", index=True)
    check_id: str
    reason: str
    author: str
    records: list[str] = Field(
        default_factory=list,
        sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")),
    )
    created_at: datetime = Field(default_factory=now, sa_column=created())
    expires_at: datetime = Field(sa_column=moment(null=False))
