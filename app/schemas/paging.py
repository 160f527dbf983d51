"""Lists are read page by page, by a cursor that callers hand back unread."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import ColumnElement, tuple_
from sqlmodel.sql.expression import SelectOfScalar

from app.errors import BadCursor
from app.schemas.values import Output

Item = TypeVar("Item")
Row = TypeVar("Row")
_NUMBERS = 2**31


class Page(Output, Generic[Item]):
    items: list[Item]
    next: str | None = Field(description="Hand this back as `cursor` to read on; null at the end.")


@dataclass(frozen=True, slots=True)
class Keyset:
    """Which page: `limit` rows behind the row with the sort key `after`."""

    limit: int
    after: tuple[Any, ...] | None = None
    newest_first: bool = False

    @classmethod
    def parse(
        cls, cursor: str | None, limit: int, *kinds: type, newest_first: bool = False
    ) -> Keyset:
        """The page behind a cursor whose parts are of these kinds. Raises `BadCursor`."""
        if cursor is None:
            return cls(limit, None, newest_first)
        try:
            parts = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
            after = tuple(_READ[kind](part) for kind, part in zip(kinds, parts, strict=True))
        except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
            raise BadCursor(
                errors=[{"in": "query", "parameter": "cursor", "detail": "Not a cursor."}]
            ) from None
        return cls(limit, after, newest_first)

    def apply(self, query: SelectOfScalar[Row], *columns: Any) -> SelectOfScalar[Row]:
        """The query in order of the columns, behind `after`, with one row more than a page."""
        if self.after is not None:
            key = tuple_(*columns)
            behind: ColumnElement[bool] = (
                key < self.after if self.newest_first else key > self.after
            )
            query = query.where(behind)
        order = [column.desc() if self.newest_first else column.asc() for column in columns]
        return query.order_by(*order).limit(self.limit + 1)

    def cut(
        self, rows: Sequence[Row], key: Callable[[Row], Sequence[Any]]
    ) -> tuple[list[Row], str | None]:
        """The rows of this page, and the cursor of the next one where there is one."""
        if len(rows) <= self.limit:
            return list(rows), None
        kept = list(rows[: self.limit])
        return kept, encode(key(kept[-1]))


def encode(parts: Sequence[Any]) -> str:
    """A cursor's text."""
    plain = [part.isoformat() if isinstance(part, datetime) else str(part) for part in parts]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()


def _text(part: Any) -> str:
    if not isinstance(part, str) or "\0" in part:
        raise ValueError("not a text")
    part.encode()  # a lone surrogate cannot be sent to the database
    return part


def _moment(part: Any) -> datetime:
    moment = datetime.fromisoformat(_text(part))
    if moment.utcoffset() is None:
        raise ValueError("not a moment")
    return moment


def _number(part: Any) -> int:
    found = int(_text(part))
    if not 0 <= found < _NUMBERS:
        raise ValueError("not a number of ours")
    return found


_READ: dict[type, Callable[[Any], Any]] = {
    str: _text,
    int: _number,
    datetime: _moment,
    UUID: lambda part: UUID(_text(part)),
}
