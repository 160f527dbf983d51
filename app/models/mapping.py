from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Text
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, now

DEMO_SIZE = 25
"""Records of each stream that a demo chooses, unless it is told otherwise."""


class MappingVersion(SQLModel, table=True):
    """A migration's mapping rules as they were put: what counts is the highest version.

    `rules` are as `app.mapping.rules.Rules` writes them; `author` is the name of the API key.
    """

    __tablename__ = "mapping_versions"

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    version: int = Field(primary_key=True)
    rules: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    author: str
    created_at: datetime = Field(default_factory=now, sa_column=created())


class DemoRecord(SQLModel, table=True):
    """A record of a demo's sample. `reasons` say why it was chosen; with none it came because
    another one names it.

    `closed`: what it names is in the sample too. `finding` is what mapping made of it, field by
    field, None until it was mapped; it holds no personal data in the clear.
    """

    __tablename__ = "demo_records"

    job_id: UUID = Field(primary_key=True, foreign_key="jobs.id", ondelete="CASCADE")
    stream: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    reasons: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    closed: bool = False
    finding: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
