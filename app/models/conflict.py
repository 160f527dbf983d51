from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from app.models.columns import created, moment, now


class ConflictStatus(StrEnum):
    """`later`: somebody looked, and wants to decide another time."""

    OPEN = "open"
    SETTLED = "settled"
    LATER = "later"


class Decision(StrEnum):
    """Whose value stays."""

    SOURCE = "source"
    TARGET = "target"


class Conflict(SQLModel, table=True):
    """A field that was changed on both sides since it was last applied.

    `field` is a path: `description`, `variants.12.regular_price`. The digests name the pair of
    values that the row is about: the same pair is not asked about twice. `sealed` is ciphertext
    of the values `base`, `source` and `target`, which may be personal data. `settled_by` is
    `policy`, or who decided. `applied_at`: since when nothing is left to do about it.
    """

    __tablename__ = "conflicts"
    __table_args__: ClassVar[Any] = (
        Index("conflicts_field", "migration_id", "stream", "source_id", "field", unique=True),
        Index("conflicts_oldest", "migration_id", "first_at", "id"),
        Index(
            "conflicts_waiting",
            "migration_id",
            "stream",
            "source_id",
            postgresql_where=text("decision = 'source' AND applied_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    migration_id: UUID = Field(foreign_key="migrations.id", ondelete="CASCADE")
    stream: str
    source_id: str
    target_id: str
    field: str
    status: str = ConflictStatus.OPEN
    decision: str | None = None
    settled_by: str | None = None
    settled_at: datetime | None = Field(default=None, sa_column=moment())
    reason: str | None = None
    base_known: bool = True
    source_digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    target_digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    job_id: UUID | None = Field(default=None, foreign_key="jobs.id", ondelete="SET NULL")
    first_at: datetime = Field(default_factory=now, sa_column=created())
    last_at: datetime = Field(default_factory=now, sa_column=created())
    applied_at: datetime | None = Field(default=None, sa_column=moment())


class AppliedContent(SQLModel, table=True):
    """What the source held when a record was last applied, so that a conflict can show it.

    `content` is ciphertext of compressed MessagePack: it may be personal data.
    """

    __tablename__ = "contents"

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    stream: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
