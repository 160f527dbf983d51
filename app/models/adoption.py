from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Column, Float, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from app.models.columns import moment


class Side(StrEnum):
    """Which of a migration's stores."""

    SOURCE = "source"
    TARGET = "target"


class AdoptionState(StrEnum):
    """What an adoption found out about a record.

    `doubled`: one more copy, on the target, of a source record that has its counterpart already.
    """

    PAIRED = "paired"
    AMBIGUOUS = "ambiguous"
    SOURCE_ONLY = "source_only"
    TARGET_ONLY = "target_only"
    DOUBLED = "doubled"


class AdoptionDecision(StrEnum):
    """What a person decided. `leave`: it has no counterpart; a source record is brought over as a
    new one. `ignore`: nothing is done about it, now or later.
    """

    PAIR = "pair"
    LEAVE = "leave"
    IGNORE = "ignore"


def _texts() -> Any:
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))


def _bytes() -> Any:
    return Column(LargeBinary, nullable=True)


class AdoptionRecord(SQLModel, table=True):
    """A record of one of both stores, as the last adoption of its stream read it.

    Nothing personal is kept: `key_kinds` and `key_values` are evidence by which records are paired,
    as digests; `form` holds a digest of each field as both stores should show it, `parts` the
    record's parts (both as MessagePack), `fields` what a later merge takes as its base. `label` is
    for people; an email in it is masked.

    `other_id` is the counterpart's id on the other side, of a doubled record the original's;
    `matched_by` says by which evidence, `candidates` are ids that an ambiguous record may belong
    to. `differs` names the fields in which a pair differs, `declared` those of them that the
    target cannot keep.
    """

    __tablename__ = "adoption_records"
    __table_args__: ClassVar[Any] = (
        Index("adoption_records_id", "id", unique=True),
        Index("adoption_records_state", "migration_id", "state", "stream", "record_id"),
    )

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    stream: str = Field(primary_key=True)
    side: str = Field(primary_key=True)
    record_id: str = Field(primary_key=True)
    id: UUID = Field(default_factory=uuid4)
    job_id: UUID
    label: str = ""
    key_kinds: list[str] = Field(sa_column=_texts())
    key_values: list[bytes] = Field(
        sa_column=Column(ARRAY(LargeBinary), nullable=False, server_default=text("'{}'"))
    )
    form: bytes | None = Field(default=None, sa_column=_bytes())
    fields: bytes | None = Field(default=None, sa_column=_bytes())
    parts: bytes | None = Field(default=None, sa_column=_bytes())
    state: str
    other_id: str | None = None
    matched_by: str | None = None
    confidence: float | None = Field(default=None, sa_column=Column(Float, nullable=True))
    candidates: list[str] = Field(sa_column=_texts())
    differs: list[str] = Field(sa_column=_texts())
    declared: list[str] = Field(sa_column=_texts())
    decision: str | None = None
    settled_by: str | None = None
    settled_at: datetime | None = Field(default=None, sa_column=moment())
    reason: str | None = None
