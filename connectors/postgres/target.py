"""A PostgreSQL database as target: all of its input and output."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg

from connectors.base import (
    Action,
    Applied,
    Extent,
    Json,
    Match,
    Operation,
    Outcome,
    Page,
    Refused,
    StoreAccess,
    StoreReport,
    Traffic,
    Withdrawal,
)
from connectors.errors import Rejected, SignInAgain
from connectors.keys import is_anothers
from connectors.permit import require_permit
from connectors.postgres import failures
from connectors.postgres.batch import Batch
from connectors.postgres.desk import PostgresDesk, PostgresTraces
from connectors.postgres.reading import page, record
from connectors.postgres.settings import PostgresSettings, connection_arguments
from connectors.postgres.statements import Statements, statements
from connectors.postgres.tables import children
from connectors.records import Record, Stream

_ATTEMPTS = 4
_PAGE = 500
_OLDEST = 130_000
_FACTS = """
    SELECT current_setting('server_version') AS version,
           current_setting('server_version_num')::int AS number,
           current_setting('server_encoding') AS encoding,
           current_database()::text AS database,
           pg_is_in_recovery() AS standby,
           now() AS now,
           CASE WHEN to_regnamespace($1) IS NULL
                THEN has_database_privilege(current_database(), 'CREATE')
                ELSE has_schema_privilege($1, 'CREATE, USAGE') END AS may_create
"""
_MAY_WRITE = """
    SELECT has_schema_privilege($1, 'USAGE') AND has_table_privilege($2, 'SELECT')
       AND has_table_privilege($2, 'INSERT') AND has_table_privilege($2, 'UPDATE')
"""

_NOT_OURS = "The row has a key of its own, and not the one that was meant."
_GONE = "The row is not in the table any more."

Connection = Any  # asyncpg is not typed
Sleep = Callable[[float], Awaitable[None]]


class PostgresTarget:
    """Writes one schema. Connections are opened when they are needed."""

    def __init__(self, access: StoreAccess, *, sleep: Sleep = asyncio.sleep) -> None:
        assert isinstance(access.settings, PostgresSettings)  # noqa: S101 - validated before
        self._namespace = access.settings.namespace
        self._timeout = access.settings.timeout
        self._statements = statements(self._namespace)
        self.desk = PostgresDesk(self._statements, self._rows)
        self.traces = PostgresTraces()
        self._pool = asyncpg.create_pool(**connection_arguments(access))
        self._sleep = sleep
        self._ready: set[Stream] = set()
        self._making = asyncio.Lock()
        self._requests = 0
        self._throttled = 0

    async def __aenter__(self) -> Self:
        async with _classified():
            await self._pool
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            await asyncio.wait_for(self._pool.close(), timeout=5)
        except TimeoutError:
            self._pool.terminate()

    def traffic(self) -> Traffic:
        """Turns at a connection, and how many transactions had to be repeated."""
        return Traffic(self._requests, self._throttled)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        self._requests += 1
        async with _classified(), self._pool.acquire(timeout=self._timeout) as connection:
            yield connection

    # --- checking ---

    async def check(self) -> StoreReport:
        """Version, encoding, and what the user may do in the schema."""
        async with self._connection() as connection:
            facts = dict(await connection.fetchrow(_FACTS, self._namespace))
            _refuse_unfit(facts)
            for table in self._statements.values():
                await self._check_table(connection, table, may_create=facts["may_create"])
        return StoreReport(
            platform_version=facts["version"], name=facts["database"], server_time=facts["now"]
        )

    async def _check_table(
        self, connection: Connection, table: Statements, *, may_create: bool
    ) -> None:
        if not await _is_current(connection, table):
            if not may_create:
                raise SignInAgain(
                    f"The user may not create tables in the schema {self._namespace}.",
                    code="permission_missing",
                )
        elif not await connection.fetchval(_MAY_WRITE, self._namespace, table.name):
            raise SignInAgain(
                f"The user may not read and write the table {table.name}.",
                code="permission_missing",
            )

    async def _prepare(self, stream: Stream) -> None:
        """Make the stream's table, or bring it up to date; once for every instance."""
        if stream in self._ready:
            return
        async with self._making, self._connection() as connection:
            table = self._statements[stream]
            if not await _is_current(connection, table):
                await self._make(connection, table)
            self._ready.add(stream)

    async def _make(self, connection: Connection, table: Statements) -> None:
        async with connection.transaction():
            await connection.execute(table.lock)
            # Asked first, because CREATE SCHEMA IF NOT EXISTS needs a permission in any case.
            if await connection.fetchval("SELECT to_regnamespace($1) IS NULL", self._namespace):
                await connection.execute(f'CREATE SCHEMA "{self._namespace}"')
            for statement in table.migration:
                await connection.execute(statement)

    # --- finding ---

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """By our key; else by a natural key, where one row alone has it."""
        await self._prepare(stream)
        table = self._statements[stream]
        async with self._connection() as connection:
            rows = await connection.fetch(table.present, [each.key for each in operations])
            present = {found["id"] for found in rows}
            matches = {
                each.source_id: Match(target_id=each.key, by="key", children=children(each))
                for each in operations
                if each.key in present
            }
            for natural in table.table.naturals:
                wanted = {
                    each.source_id: value
                    for each in operations
                    if each.source_id not in matches and (value := natural.read(each.content))
                }
                rows = await connection.fetch(table.alike(natural), list(wanted.values()))
                known = {found["value"]: found["id"] for found in rows}
                matches |= {
                    source_id: Match(target_id=known[value], by=natural.by)
                    for source_id, value in wanted.items()
                    if value in known
                }
        return matches

    async def _rows(self, stream: Stream, sql: str, value: Any) -> list[Any]:
        await self._prepare(stream)
        async with self._connection() as connection:
            found: list[Any] = await connection.fetch(sql, value)
        return found

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Rows by primary key, as the records they hold."""
        await self._prepare(stream)
        async with self._connection() as connection:
            rows = await connection.fetch(self._statements[stream].whole, list(ids))
        return {row["id"]: record(stream, row) for row in rows}

    # --- reading whole ---

    async def count(self, stream: Stream, extent: Extent) -> int | None:
        """None: tables are not counted, they are read."""
        del stream, extent
        return None

    async def split(self, stream: Stream, extent: Extent, parts: int) -> list[Json]:
        """One part."""
        del stream, extent, parts
        return [{}]

    async def read(
        self, stream: Stream, extent: Extent, part: Json, resume: Json | None
    ) -> AsyncGenerator[Page, None]:
        """Rows by primary key, without archived ones. No table is made for it."""
        del extent, part
        table, after = self._statements[stream], (resume or {}).get("after", "")
        async with self._connection() as connection:
            more = await _is_current(connection, table)
        if not more:
            yield Page(records=(), resume=None)
        while more:
            async with self._connection() as connection:
                rows = await connection.fetch(table.behind, after, _PAGE)
            more = len(rows) == _PAGE
            after = rows[-1]["id"] if rows else after
            yield page(stream, rows, {"after": after} if more else None)

    # --- writing ---

    async def write(self, stream: Stream, operations: Sequence[Operation]) -> list[Outcome]:
        """All operations in one transaction. Sending them again changes nothing."""
        batch = Batch(self._statements[stream], operations)
        attempt = 1
        while True:
            await self._prepare(stream)
            try:
                return await self._transaction(batch)
            except failures.DATABASE as error:
                if attempt == _ATTEMPTS or not self._may_repeat(stream, error):
                    raise failures.store_error(error) from None
            self._throttled += 1
            await self._sleep(0.05 * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
            attempt += 1

    def _may_repeat(self, stream: Stream, error: BaseException) -> bool:
        if failures.is_missing_table(error):
            self._ready.discard(stream)
            return True
        return failures.is_worth_repeating(error)

    async def _transaction(self, batch: Batch) -> list[Outcome]:
        try:
            return await self._commit(batch, batch.apply)
        except asyncpg.PostgresError as error:
            if not failures.is_of_a_record(error):
                raise
        return await self._commit(batch, batch.apply_piecemeal)

    async def _commit(
        self, batch: Batch, apply: Callable[[Connection], Awaitable[None]]
    ) -> list[Outcome]:
        """Raises where nothing was applied for sure."""
        stage = "applying"
        self._requests += 1
        try:
            async with self._pool.acquire(timeout=self._timeout) as connection:
                async with connection.transaction():
                    await apply(connection)
                    require_permit()
                    stage = "committing"
                stage = "committed"
        except failures.DATABASE as error:
            if stage == "applying" or (stage == "committing" and failures.is_answer(error)):
                raise
        return batch.outcomes() if stage == "committed" else batch.uncertain()

    # --- removing ---

    async def standing(self, stream: Stream, withdrawals: Sequence[Withdrawal]) -> dict[str, Json]:
        """Whether the rows are archived already."""
        await self._prepare(stream)
        async with self._connection() as connection:
            rows = await connection.fetch(
                self._statements[stream].standing, [each.target_id for each in withdrawals]
            )
        found = {row["id"]: row["live"] for row in rows}
        return {
            each.source_id: {"live": found[each.target_id]}
            for each in withdrawals
            if each.target_id in found
        }

    async def remove(
        self, stream: Stream, withdrawals: Sequence[Withdrawal], action: Action
    ) -> list[Applied | Refused]:
        """Mark rows with `removed_at`, or delete them. Rows that others wrote are not deleted."""
        await self._prepare(stream)
        table = self._statements[stream]
        deletes = action is Action.DELETE
        ours = [
            each
            for each in withdrawals
            if each.target_id == each.key or not (deletes or is_anothers(each.target_id, each.key))
        ]
        async with self._connection() as connection, connection.transaction():
            await connection.execute(
                table.delete if deletes else table.archive, sorted(each.target_id for each in ours)
            )
            require_permit()
        return [
            Applied(source_id=each.source_id, target_id=each.target_id)
            if each in ours
            else Refused(source_id=each.source_id, code="not_ours", message=_NOT_OURS)
            for each in withdrawals
        ]

    async def restore(
        self, stream: Stream, withdrawals: Sequence[Withdrawal]
    ) -> list[Applied | Refused]:
        """Take `removed_at` away from rows that had none before."""
        await self._prepare(stream)
        live = [each.target_id for each in withdrawals if each.before.get("live", True)]
        table = self._statements[stream]
        async with self._connection() as connection, connection.transaction():
            restored = await connection.fetch(table.restore, sorted(live))
            rows = await connection.fetch(table.present, [each.target_id for each in withdrawals])
            require_permit()
        present = {row["id"] for row in (*restored, *rows)}
        return [
            Applied(source_id=each.source_id, target_id=each.target_id)
            if each.target_id in present
            else Refused(source_id=each.source_id, code="gone", message=_GONE, gone=True)
            for each in withdrawals
        ]

    # --- side effects ---

    async def loud(self) -> Json:
        """Nothing: tables send no mail."""
        return {}

    async def mute(self, before: Json) -> None:
        """Nothing to turn off."""

    async def unmute(self, before: Json) -> None:
        """Nothing to restore."""


@asynccontextmanager
async def _classified() -> AsyncIterator[None]:
    try:
        yield
    except failures.DATABASE as error:
        raise failures.store_error(error) from None


async def _is_current(connection: Connection, table: Statements) -> bool:
    """Whether the table is there in our version. Raises `Rejected` for a stranger's table."""
    found = await connection.fetchrow(table.comment, table.name)
    if found is None:
        return False
    version = table.version(found[0])
    if version is None:
        raise Rejected(
            f"There is a table {table.name} that this software did not make: use another schema.",
            code="foreign_table",
        )
    return version >= table.table.version


def _refuse_unfit(facts: dict[str, Any]) -> None:
    if facts["number"] < _OLDEST:
        raise Rejected("PostgreSQL 13 or newer is needed.", code="version_too_old")
    if facts["encoding"] != "UTF8":
        raise Rejected("The database's encoding is not UTF8.", code="encoding_not_utf8")
    if facts["standby"]:
        raise Rejected("The server is a standby and takes no writes.", code="read_only")
