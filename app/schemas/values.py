"""The values that requests and answers are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
)


class Input(BaseModel):
    """A request's body. What it does not know it refuses, rather than ignore a misspelt word."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Output(BaseModel):
    """An answer's body."""

    model_config = ConfigDict(from_attributes=True)


def _only_text(value: Any) -> Any:
    # pydantic would take numbers for seconds since 1970 and bare days for midnight.
    if not isinstance(value, str | datetime) or (isinstance(value, str) and "T" not in value):
        raise ValueError("a moment is text such as 2026-11-27T18:00:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this moment is too far away") from None


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_only_text),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment with its zone, kept in UTC."""

Flag = Annotated[bool, Strict()]

StoreName = Annotated[
    str,
    Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
]
Slug = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9](-?[a-z0-9])*$")]
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
RecordId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]
