from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, Column, LargeBinary, Uuid, text
from sqlmodel import Field, SQLModel

from app.models.columns import created, document, now


class Store(SQLModel, table=True):
    """One shop on one platform. `credentials` is ciphertext of a JSON object.

    `unmuted` keeps the shop's mail settings while jobs have turned mails off, so that they are
    restored whatever happens to a worker; `muted_by` are those jobs: the last one restores.
    """

    __tablename__ = "stores"

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str = Field(unique=True)
    platform: str
    settings: dict[str, Any] = Field(sa_column=document())
    credentials: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    unmuted: dict[str, Any] | None = Field(default=None, sa_column=document(null=True))
    muted_by: list[UUID] = Field(
        default_factory=list,
        sa_column=Column(ARRAY(Uuid), nullable=False, server_default=text("'{}'")),
    )
    version: int = 1
    created_at: datetime = Field(default_factory=now, sa_column=created())
    updated_at: datetime = Field(default_factory=now, sa_column=created())
