"""Old addresses of a migration: where records' pages are, and what else is known of old paths."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from app.models.columns import created, moment, now


class PageAddress(SQLModel, table=True):
    """A record's page on the source shop, and its page on the target, as they were last seen.

    Paths are whole, as browsers send them. `old_key` is `app.redirects.paths.key` of the old one.
    `new_path` is None where the target has no public page of the record.
    """

    __tablename__ = "page_addresses"
    __table_args__: ClassVar[Any] = (Index("page_addresses_by_path", "migration_id", "old_key"),)

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    stream: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    target_id: str | None = None
    old_path: str
    old_key: str
    new_path: str | None = None
    seen_at: datetime = Field(default_factory=now, sa_column=created())


class CmsAddress(SQLModel, table=True):
    """A page of the source shop that is no record, as it was last told (`CmsLink`): by the key of
    its path. `new_path` is where the target shop has it, `like_path` where one of its name is.
    """

    __tablename__ = "cms_addresses"

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    old_key: str = Field(primary_key=True)
    old_path: str
    kind: str
    title: str
    new_path: str | None = None
    like_path: str | None = None
    seen_at: datetime = Field(default_factory=now, sa_column=created())


class PageSights(SQLModel, table=True):
    """What the latest job that checks has seen of public pages, for the checks that come after the
    first: they may run in another process. Compressed MessagePack, without personal data.
    """

    __tablename__ = "page_sights"

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    job_id: UUID = Field(foreign_key="jobs.id", ondelete="CASCADE", index=True)
    seen: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class OldPath(SQLModel, table=True):
    """What else is known of an old path: its visits, a target that people chose for it, and what
    the target shop said when a redirect was pushed (`RedirectState`; `pushed_target` is where to).
    """

    __tablename__ = "old_paths"

    migration_id: UUID = Field(primary_key=True, foreign_key="migrations.id", ondelete="CASCADE")
    key: str = Field(primary_key=True)
    path: str
    visits: int = Field(
        default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0"))
    )
    target: str | None = None
    pushed: str | None = None
    pushed_target: str | None = None
    push_code: str | None = None
    pushed_at: datetime | None = Field(default=None, sa_column=moment())
