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

_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _within_reach(value: datetime) -> datetime:
    if not _FIRST <= value < _LAST:
        raise ValueError("nothing can be reckoned for a moment before 2000 or after 2099")
    return value


NearMoment = Annotated[Moment, AfterValidator(_within_reach)]
"""A moment for which something is to be reckoned."""


def reckonable(moment: datetime) -> datetime:
    """A moment that is kept, or the nearest one for which something can be reckoned.

    The database's driver gives the first and the last days of all time without a zone.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(aware, _FIRST), _LAST)


Flag = Annotated[bool, Strict()]

StoreName = Annotated[
    str,
    Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$"),
]
Slug = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9](-?[a-z0-9])*$")]
Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
RecordId = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00]+$")]
