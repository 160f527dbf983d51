"""The way back, from rows to records: what the target holds, as a test compares it."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Self

import asyncpg
import msgspec

from connectors.base import Page
from connectors.postgres.tables import TABLES, Column
from connectors.records import CONTENT_TYPES, Record, Stream

_PLAIN_NUMBERS = {"quantity"}


class TableReader:
    """As much of a source as the contract suite needs to look at a target."""

    def __init__(self, dsn: str, namespace: str) -> None:
        self._dsn = dsn
        self._namespace = namespace

    async def __aenter__(self) -> Self:
        self._connection = await asyncpg.connect(self._dsn)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._connection.close()

    async def read(self, stream: Stream, *_: object) -> AsyncIterator[Page]:
        """Everything in one page."""
        rows = await self._connection.fetch(f'SELECT * FROM "{self._namespace}".{stream}')  # noqa: S608
        yield Page(records=tuple(_record(stream, row) for row in rows), resume=None)

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single rows by primary key."""
        found = [record async for page in self.read(stream) for record in page.records]
        return {each.id: each for each in found if each.id in ids}


def _record(stream: Stream, row: asyncpg.Record) -> Record:
    fields = json.loads(row["data"])
    for column in TABLES[stream].columns:
        if len(column.fields) == 1:
            fields[column.fields[0]] = _value(column, row)
    return Record(row["id"], None, msgspec.convert(fields, CONTENT_TYPES[stream]))


def _value(column: Column, row: asyncpg.Record) -> object:
    value = row[column.name]
    if value is not None and column.type == "jsonb":
        return json.loads(value)
    if value is not None and column.type == "numeric" and column.name not in _PLAIN_NUMBERS:
        return {"amount": value, "currency": row["currency"]}
    return value
