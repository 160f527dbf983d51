"""Look-ups in a schema: by the columns that people query."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from connectors.desk import SHOWN, NumberedOrder, Numbering
from connectors.errors import BadAnswer
from connectors.postgres.reading import record
from connectors.postgres.statements import Statements
from connectors.records import Customer, Record, Stream
from connectors.traces import Effect, Trace

Rows = Callable[[Stream, str, Any], Awaitable[list[Any]]]
"""Runs a statement over the table of a stream, with one argument."""

_NEWEST = "removed_at IS NULL ORDER BY created_at DESC NULLS LAST, id DESC"


class PostgresDesk:
    """One schema's look-ups. Archived rows are not shown."""

    numbering = Numbering(
        advice="Tables give no numbers: orders keep those that they came with, and whatever writes "
        "new orders numbers them."
    )

    def __init__(self, tables: dict[Stream, Statements], rows: Rows) -> None:
        self._tables = tables
        self._rows = rows

    async def orders_of(self, email: str) -> tuple[Record, ...]:
        """By the column `email`."""
        where = f"lower(email) = lower($1) AND {_NEWEST} LIMIT {SHOWN}"
        return await self._records(Stream.ORDERS, where, email)

    async def orders_numbered(self, number: str) -> tuple[Record, ...]:
        """By the column `number`."""
        return await self._records(Stream.ORDERS, "number = $1 AND removed_at IS NULL", number)

    async def accounts(self, email: str) -> tuple[Record, ...]:
        """By the column `email`."""
        where = "lower(email) = lower($1) AND removed_at IS NULL"
        sql = f"SELECT * FROM {self._tables[Stream.CUSTOMERS].name} WHERE {where}"  # noqa: S608
        rows = await self._rows(Stream.CUSTOMERS, sql, email)
        return tuple(
            _read(Stream.CUSTOMERS, row)
            # A row that others wrote may be no record of ours: an account it is all the same.
            or Record(row["id"], None, Customer(email=row["email"]))
            for row in rows
        )

    async def history(self, customer: str) -> int:
        """By the column `customer_id`, without archived rows."""
        table = self._tables[Stream.ORDERS].name
        sql = (
            f"SELECT count(*) AS orders FROM {table}"  # noqa: S608  a name of our own
            " WHERE customer_id = $1 AND removed_at IS NULL"
        )
        [row] = await self._rows(Stream.ORDERS, sql, customer)
        return int(row["orders"])

    async def newest(self, most: int) -> tuple[NumberedOrder, ...]:
        """By the column `created_at`."""
        table = self._tables[Stream.ORDERS].name
        sql = f"SELECT id, number, created_at FROM {table} WHERE {_NEWEST} LIMIT $1"  # noqa: S608
        return tuple(
            NumberedOrder(
                id=row["id"],
                number=row["number"] or "",
                created_at=row["created_at"],
                key=row["id"] if ":orders:" in row["id"] else "",
            )
            for row in await self._rows(Stream.ORDERS, sql, most)
        )

    async def _records(self, stream: Stream, where: str, value: str) -> tuple[Record, ...]:
        sql = f"SELECT * FROM {self._tables[stream].name} WHERE {where}"  # noqa: S608
        rows = await self._rows(stream, sql, value)
        return tuple(found for row in rows if (found := _read(stream, row)))


def _read(stream: Stream, row: Any) -> Record | None:
    """The record that a row holds; None where others wrote it, and it holds none."""
    try:
        return record(stream, row)
    except BadAnswer:
        return None


class PostgresTraces:
    """Rows cause nothing: no mail, no movement of stock, no webhook."""

    async def of_orders(self, _orders: object) -> tuple[Trace, ...]:
        """Nothing, ever."""
        return ()

    async def webhooks(self) -> tuple[Trace, ...]:
        """Nothing, ever. Triggers that others put on a table are not ours to know."""
        return ()

    async def gap(self, _effect: Effect) -> str:
        """There is none."""
        return ""
