"""Column shapes that the tables share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, DateTime, func
from sqlalchemy.dialects.postgresql import JSONB


def now() -> datetime:
    """The clock of this machine, aware and in UTC. Leases use the database's clock instead."""
    return datetime.now(UTC)


def moment(*, null: bool = True, index: bool = False, key: bool = False) -> Any:
    """A `timestamptz` column."""
    return Column(DateTime(timezone=True), nullable=null, index=index, primary_key=key)


def created(*, null: bool = False) -> Any:
    """A `timestamptz` that the database fills in."""
    return Column(DateTime(timezone=True), nullable=null, server_default=func.now())


def document(*, null: bool = False) -> Any:
    """A `jsonb` column; SQL NULL, never JSON null, where there is nothing."""
    return Column(JSONB(none_as_null=True), nullable=null)
