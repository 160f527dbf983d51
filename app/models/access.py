from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, moment, now


class ApiKey(SQLModel, table=True):
    """A bearer key. Only a hash of it is kept; `prefix` is the public part that names it."""

    __tablename__ = "api_keys"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str
    prefix: str = Field(unique=True)
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    created_at: datetime = Field(default_factory=now, sa_column=created())
    expires_at: datetime | None = Field(default=None, sa_column=moment())
    revoked_at: datetime | None = Field(default=None, sa_column=moment())
    used_at: datetime | None = Field(default=None, sa_column=moment())


class IdempotencyRecord(SQLModel, table=True):
    """The answer to a POST that carried an `Idempotency-Key`, kept for replays.

    `status` is None while the first request is still being answered.
    """

    __tablename__ = "idempotency_records"

    api_key_id: UUID = Field(primary_key=True, foreign_key="api_keys.id", ondelete="CASCADE")
    key: str = Field(primary_key=True, max_length=255)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int | None = None
    body: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    headers: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    created_at: datetime = Field(default_factory=now, sa_column=created())
