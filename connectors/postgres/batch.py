"""Applying a batch of rows within one transaction, and telling what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import asyncpg
from msgspec import Struct

from connectors.base import Applied, Loss, Operation, Outcome, Refused, Uncertain
from connectors.postgres import failures
from connectors.postgres.statements import Statements
from connectors.postgres.tables import MixedCurrenciesError, Row, children, row, row_without_nul

_CHUNK = 500  # rows in one statement: with more, the server spills the arrays to disk
_STRIPPED = "PostgreSQL stores no NUL characters: they were left out."

Connection = Any  # asyncpg is not typed


class _Group(Struct, frozen=True):
    """Rows for one statement, in the order of their ids, so that two writers cannot deadlock."""

    sql: str
    rows: list[Row]

    def chunks(self) -> Iterator[list[Row]]:
        for begin in range(0, len(self.rows), _CHUNK):
            yield self.rows[begin : begin + _CHUNK]


class Batch:
    """The operations of one call of `write`. An instance serves one transaction after another:
    each begins by forgetting what the last one found.
    """

    def __init__(self, statements: Statements, operations: Sequence[Operation]) -> None:
        self._statements = statements
        self._operations = operations
        self._unfit: dict[str, Refused] = {}
        self._refused: dict[str, tuple[str, str]] = {}
        self._missing: frozenset[str] = frozenset()
        self._rows = self._fit(operations)

    def _fit(self, operations: Sequence[Operation]) -> dict[str, Row]:
        """Rows by id. Of two operations on one record the later counts."""
        rows = {}
        for each in operations:
            try:
                found = row(self._statements.table, each)
                rows[found.id] = found
            except MixedCurrenciesError:
                text = "Amounts of one record are in several currencies."
                self._unfit[each.source_id] = _unfit(each, "mixed_currencies", text)
            except UnicodeEncodeError:
                text = "A text holds half of a character (a lone surrogate)."
                self._unfit[each.source_id] = _unfit(each, "text_not_unicode", text)
        return rows

    # --- applying ---

    async def apply(self, connection: Connection) -> None:
        """All rows; one that the database does not take fails them all."""
        for group in await self._groups(connection):
            for chunk in group.chunks():
                await _send(connection, group.sql, chunk)

    async def apply_piecemeal(self, connection: Connection) -> None:
        """All rows but those that the database does not take: halves, until they stand alone."""
        for group in await self._groups(connection):
            for chunk in group.chunks():
                await self._halve(connection, group.sql, chunk)

    async def _halve(self, connection: Connection, sql: str, rows: list[Row]) -> None:
        try:
            async with connection.transaction():  # a savepoint
                await _send(connection, sql, rows)
        except asyncpg.PostgresError as error:
            if not failures.is_of_a_record(error):
                raise
            if len(rows) == 1:
                await self._settle(connection, sql, rows[0], error)
                return
        else:
            return
        middle = len(rows) // 2
        await self._halve(connection, sql, rows[:middle])
        await self._halve(connection, sql, rows[middle:])

    async def _settle(
        self, connection: Connection, sql: str, given: Row, error: asyncpg.PostgresError
    ) -> None:
        """One row that the database refused: without its NUL characters, or not at all."""
        if failures.is_of_nul(error) and not given.stripped:
            cleaned = row_without_nul(self._statements.table, given.operation)
            if cleaned.stripped:
                self._rows[given.id] = cleaned
                await self._halve(connection, sql, [_ready(cleaned)])
                return
        self._refused[given.id] = failures.refusal(error)

    async def _groups(self, connection: Connection) -> list[_Group]:
        rows = sorted(self._rows.values(), key=lambda each: each.id)
        creates = [each for each in rows if each.operation.target_id is None]
        updates = [each for each in rows if each.operation.target_id is not None]
        self._refused = {}
        self._missing = await self._absent(connection, updates)
        updates = [each for each in updates if each.id not in self._missing]
        whole = [each for each in updates if each.operation.changed is None]
        partial = [_ready(each) for each in updates if each.operation.changed is not None]
        texts = self._statements
        groups = ((texts.create, creates), (texts.update, whole), (texts.update_changed, partial))
        return [_Group(sql, found) for sql, found in groups if found]

    async def _absent(self, connection: Connection, updates: Iterable[Row]) -> frozenset[str]:
        ids = frozenset(each.id for each in updates)
        if not ids:
            return ids
        held = await connection.fetch(self._statements.hold, list(ids))
        return ids.difference(found["id"] for found in held)

    # --- telling ---

    def outcomes(self) -> list[Outcome]:
        """After the transaction was committed."""
        return [self._outcome(each) for each in self._operations]

    def _outcome(self, operation: Operation) -> Outcome:
        source_id = operation.source_id
        target_id = operation.target_id or operation.key
        if source_id in self._unfit:
            return self._unfit[source_id]
        if target_id in self._missing:
            text = "The record to update is not in the table any more."
            return Refused(source_id=source_id, code="gone", message=text, gone=True)
        if target_id in self._refused:
            code, text = self._refused[target_id]
            return Refused(source_id=source_id, code=code, message=text)
        return Applied(
            source_id=source_id,
            target_id=target_id,
            children=children(operation),
            losses=tuple(Loss(field, _STRIPPED) for field in self._rows[target_id].stripped),
        )

    def uncertain(self) -> list[Outcome]:
        """After the connection was lost while the server may have been committing."""
        return [
            self._unfit.get(each.source_id)
            or Uncertain(source_id=each.source_id, reason="connection lost during commit")
            for each in self._operations
        ]


def _unfit(operation: Operation, code: str, message: str) -> Refused:
    return Refused(source_id=operation.source_id, code=code, message=message)


def _ready(given: Row) -> Row:
    """The row as its statement wants it: with the names of the changed fields, where only some
    changed, as a text that SQL reads as an array.
    """
    if given.operation.target_id is None or given.operation.changed is None:
        return given
    names = ",".join(sorted(given.operation.changed))
    return Row(given.operation, (*given.values, f"{{{names}}}"), given.stripped)


async def _send(connection: Connection, sql: str, rows: Sequence[Row]) -> None:
    await connection.execute(sql, *zip(*(each.values for each in rows), strict=True))
