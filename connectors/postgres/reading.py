"""The way back, from a row to the record that it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.errors import BadAnswer
from connectors.postgres.tables import TABLES, Column
from connectors.records import CONTENT_TYPES, Record, Stream


def record(stream: Stream, row: Mapping[str, Any]) -> Record:
    """What a row of the stream's table holds. Raises `BadAnswer` where that is no record."""
    fields = json.loads(row["data"])
    for column in TABLES[stream].columns:
        if len(column.fields) == 1:
            fields[column.fields[0]] = _value(column, row)
    try:
        content = msgspec.convert(fields, CONTENT_TYPES[stream])
    except msgspec.ValidationError:
        raise BadAnswer("a row is no record any more", code="record_unmappable") from None
    return Record(row["id"], row["synced_at"], content)


def _value(column: Column, row: Mapping[str, Any]) -> Any:
    value = row[column.name]
    if value is None:
        return None
    if column.type == "jsonb":
        return json.loads(value)
    if column.is_amount:
        return {"amount": value, "currency": row["currency"]}
    return value
