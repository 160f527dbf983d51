from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Column, Text
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now


class ConflictPolicy(StrEnum):
    """Who wins where a field changed on both sides; `manual` asks, and keeps the target's value
    until somebody has answered.
    """

    SOURCE = "source"
    TARGET = "target"
    MANUAL = "manual"


class Migration(SQLModel, table=True):
    """A source and a target store, what is in scope, and how. Addressed by `slug`.

    `key_prefix` begins the external keys of our records on the target. `policies` may hold
    `overlap` and `settle` (seconds), `on_missing_reference` (`free` or `quarantine`),
    `conflicts`: a `ConflictPolicy` by stream and field, `*` for all other fields of a stream, and
    `deletions` (`brake`, a share, and `actions` by stream).
    """

    __tablename__ = "migrations"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    slug: str = Field(unique=True)
    key_prefix: str = Field(unique=True)
    source_id: UUID = Field(foreign_key="stores.id", index=True)
    target_id: UUID = Field(foreign_key="stores.id", index=True)
    streams: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    policies: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    launch_at: datetime | None = Field(default=None, sa_column=moment())
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_column=created())
    updated_at: datetime = Field(default_factory=now, sa_column=created())


class Cursor(SQLModel, table=True):
    """The watermark up to which everything visible of a stream has been applied."""

    __tablename__ = "cursors"

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    stream: str = Field(primary_key=True)
    watermark: datetime = Field(sa_column=moment(null=False))
    job_id: UUID | None = Field(default=None, foreign_key="jobs.id", ondelete="SET NULL")
    updated_at: datetime = Field(default_factory=now, sa_column=created())
