"""Mapping rules of a migration, as the API takes and tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from app.mapping.rules import EXAMPLE, Rules
from app.schemas.paging import Page
from app.schemas.values import Input, Output


class MappingIn(Rules, Input):
    """Mapping rules by stream. They are applied in order; each sees what those before it made."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]}
    )


class MappingOut(Output):
    """A version of a migration's mapping rules."""

    version: int = Field(description="Grows with every change; 0 where there never were rules.")
    rules: dict[str, list[dict[str, Any]]] = Field(description="By stream.")
    author: str | None = Field(description="The API key that put it; null for version 0.")
    created_at: datetime | None

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "version": 3,
                    "rules": EXAMPLE,
                    "author": "launch-team",
                    "created_at": "2026-11-20T09:05:00Z",
                }
            ]
        },
    )


class MappingPage(Page[MappingOut]):
    pass
