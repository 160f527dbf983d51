from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now

AUDIT_RUNS = 100
"""Within how many `recent` runs every record is verified, unless the migration says otherwise."""


class StreamState(SQLModel, table=True):
    """What a migration has learned of a stream's timestamps. No row: nothing but the connector's
    word.

    With `demoted_at` the stream is swept whatever its connector says: `reason` is a stable code,
    `message` says it in a sentence, and `evidence` holds record ids, stamps and bounds of
    windows, never content.
    `proven_at` is when an audit last found nothing wrong. `audit_resume` is where the next audit
    goes on, None at the beginning of a round; `audited` of `audit_total` records were verified in
    the round `audit_round`.
    """

    __tablename__ = "stream_states"

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    stream: str = Field(primary_key=True)
    reason: str | None = None
    message: str | None = None
    evidence: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    demoted_at: datetime | None = Field(default=None, sa_column=moment())
    proven_at: datetime | None = Field(default=None, sa_column=moment())
    audit_resume: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    audited: int = 0
    audit_total: int = 0
    audit_round: int = 0
    updated_at: datetime = Field(default_factory=now, sa_column=created())
