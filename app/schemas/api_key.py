from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.schemas.paging import Page
from app.schemas.values import Input, Moment, Output, Words

_KEY: dict[str, Any] = {
    "id": "c1a7d0de-0b7e-4d0e-9e15-7a8f6b5c4d55",
    "name": "launch pipeline",
    "prefix": "4f1c09ab7e",
    "scopes": ["run"],
    "created_at": "2026-11-20T09:00:00Z",
    "expires_at": None,
    "revoked_at": None,
    "used_at": None,
}

Scope = Literal["read", "run", "admin"]


class ApiKeyIn(Input):
    """A key for somebody. `admin` includes `run`, and `run` includes `read`."""

    name: Annotated[Words, Field(max_length=100)]
    scopes: list[Scope] = Field(min_length=1, max_length=3)
    expires_at: Moment | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "launch pipeline", "scopes": ["run"]}]},
    )


class ApiKeyOut(Output):
    """A key without its text."""

    id: UUID
    name: str
    prefix: str = Field(description="The public part of the key's text: rs_<prefix>_<secret>.")
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None = Field(description="To the minute.")

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_KEY]})


class NewApiKeyOut(ApiKeyOut):
    """A new key. `key` is shown this once."""

    key: str

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={"examples": [_KEY | {"key": "rs_4f1c09ab7e_<secret>"}]},
    )


class ApiKeyPage(Page[ApiKeyOut]):
    pass
