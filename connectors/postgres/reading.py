"""The way back, from a row to the record that it holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from connectors.base import Json, Page
from connectors.errors import BadAnswer
from connectors.postgres.tables import TABLES, Column
from connectors.records import CONTENT_TYPES, Record, Stream


def record(stream: Stream, row: Mapping[str, Any]) -> Record:
    """What a row of the stream's table holds. Raises `BadAnswer` where that is no record."""
    fields = json.loads(row["data"])
    for column in TABLES[stream].columns:
        # Somebody else's row may leave columns empty, where a record has no null.
        if len(column.fields) == 1 and (value := _value(column, row)) is not None:
            fields[column.fields[0]] = value
    try:
        content = msgspec.convert(fields, CONTENT_TYPES[stream])
    except msgspec.ValidationError:
        raise BadAnswer("a row is no record any more", code="record_unmappable") from None
    return Record(row["id"], row["synced_at"], content)


def page(stream: Stream, rows: Iterable[Mapping[str, Any]], resume: Json | None) -> Page:
    """A page of rows; those that hold no record are told by their keys."""
    records: list[Record] = []
    failed: list[tuple[str, str]] = []
    for row in rows:
        try:
            records.append(record(stream, row))
        except BadAnswer as error:
            failed.append((row["id"], error.message))
    return Page(records=tuple(records), resume=resume, failed=tuple(failed))


def _value(column: Column, row: Mapping[str, Any]) -> Any:
    value = row[column.name]
    if value is None:
        return None
    if column.type == "jsonb":
        return json.loads(value)
    if column.is_amount:
        return {"amount": value, "currency": row["currency"]}
    return value
