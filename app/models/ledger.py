from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    Text,
    false,
    text,
)
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now


class LinkState(StrEnum):
    """`intent`: a create was about to be sent, or was sent, and nobody has confirmed it yet.
    `removed`: the record is gone from the source, and was taken off the target.
    """

    INTENT = "intent"
    APPLIED = "applied"
    REMOVED = "removed"


def _number() -> Any:
    return Column(Integer, nullable=False, server_default=text("0"))


def _flag() -> Any:
    return Column(Boolean, nullable=False, server_default=false())


class Link(SQLModel, table=True):
    """The ledger's row for a source record: its target id and what was last applied.

    `digest` and `fields` are of the source content that the target confirmed. `children` maps
    ids of the record's parts (variants, lines, refunds) to the target's. `losses` names the
    fields that the target could not keep exactly. `target_fields` are digests of what the target
    held after our last write of each field, `parts` both sides' digests of each variant, `sent`
    digests of what an update that nobody has confirmed yet may have brought to the target (the
    last two as MessagePack). `intent_*` say which holder of which slice
    sent a write that nobody has confirmed yet, and when it began to. `linked_at` is when the record
    was first linked; links from before revision 0017 do not tell.

    `lost_references` are the records that this one names and was written without, because they
    were on neither store, as `Reference.to_text` writes them. `mendable`: one of them is on the
    target by now, so that this record is to be written again. `drifted` are the fields, by path,
    that somebody changed on the target although the source's values rule there, as the last
    verification found them: the next run puts them back.

    `missed` counts the clean sweeps in a row that did not see the record. `exempt`: its absence
    is known and settled, so it is not suspected again before it was seen once more. A removed
    link keeps its target id while the record is still there, archived. `generation` grows when the
    source gives the id to another record, and is a part of the external key from 1 on.
    """

    __tablename__ = "links"
    # Led by the target's id: led by the migration, it would look to the planner as good as the
    # primary key while the table is new, and pages would read through whole streams.
    __table_args__: ClassVar[Any] = (
        Index("links_by_target", "target_id", "migration_id", "stream"),
        Index(
            "links_lacking",
            "migration_id",
            "stream",
            "mendable",
            "source_id",
            postgresql_where=text("cardinality(lost_references) > 0"),
        ),
        # Without a list of pending entries, which every look-up would have to read through.
        Index(
            "links_lost_references",
            "lost_references",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            postgresql_where=text("lost_references IS NOT NULL"),
        ),
        Index(
            "links_drifted",
            "migration_id",
            "stream",
            "source_id",
            postgresql_where=text("drifted IS NOT NULL"),
        ),
    )

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    stream: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    target_id: str | None = None
    state: str
    digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    fields: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    target_fields: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    parts: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    sent: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    children: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    losses: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    lost_references: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    mendable: bool = Field(default=False, sa_column=_flag())
    drifted: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text)))
    matched_by: str | None = None
    stamp: datetime | None = Field(default=None, sa_column=moment())
    intent_slice: UUID | None = None
    intent_fence: int | None = Field(default=None, sa_column=Column(BigInteger))
    intent_at: datetime | None = Field(default=None, sa_column=moment())
    applied_at: datetime | None = Field(default=None, sa_column=moment())
    linked_at: datetime | None = Field(default=None, sa_column=created(null=True))
    missed: int = Field(default=0, sa_column=_number())
    exempt: bool = Field(default=False, sa_column=_flag())
    generation: int = Field(default=0, sa_column=_number())
    removed_at: datetime | None = Field(default=None, sa_column=moment())


class QuarantineStatus(StrEnum):
    """`waived` records are left alone, with a reason, as long as their content stays what it is;
    `resolved` ones were applied, or are gone from the source.
    """

    OPEN = "open"
    WAIVED = "waived"
    RESOLVED = "resolved"


class Quarantine(SQLModel, table=True):
    """A record that could not be applied, with the reason, kept until retried or waived.

    `digest` is of the content that was refused, None where it could not be read; `attempts` are
    those with this content. `next_at` is when it is tried again by itself, None for never.
    `waits_for` are the missing records, as `Reference.to_text` writes them: once the last of them
    has arrived, the record is due. What a waiver said stays when the record opens again.
    """

    __tablename__ = "quarantine"
    __table_args__: ClassVar[Any] = (
        Index("quarantine_record", "migration_id", "stream", "source_id", unique=True),
        Index(
            "quarantine_due",
            "migration_id",
            "stream",
            "next_at",
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "quarantine_waiting",
            "waits_for",
            postgresql_using="gin",
            postgresql_where=text("status = 'open'"),
        ),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    migration_id: UUID = Field(foreign_key="migrations.id", ondelete="CASCADE")
    stream: str
    source_id: str
    status: str = QuarantineStatus.OPEN
    code: str
    message: str
    request_id: str | None = None
    attempts: int = 1
    digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    next_at: datetime | None = Field(default=None, sa_column=moment())
    waits_for: list[str] = Field(
        default_factory=list,
        sa_column=Column(ARRAY(Text), nullable=False, server_default=text("'{}'")),
    )
    job_id: UUID | None = Field(default=None, foreign_key="jobs.id", ondelete="SET NULL")
    first_at: datetime = Field(default_factory=now, sa_column=created())
    last_at: datetime = Field(default_factory=now, sa_column=created())
    waived_by: str | None = None
    waived_reason: str | None = None
    waived_at: datetime | None = Field(default=None, sa_column=moment())
