"""PostgreSQL for drills: its time is the virtual one, and one transaction follows the other.

Functions of our own stand before `now()` and `clock_timestamp()`, so that the engine's leases,
pauses and settle times count in virtual time. One connection serves all workers: they interleave
at transactions, in an order that does not depend on the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from app.database import async_url, autocommit, upgrade
from drills.clock import VirtualLoop

_VIRTUAL_TIME = """
CREATE FUNCTION public.{name}() RETURNS timestamptz LANGUAGE sql {volatility} AS
$$ SELECT pg_catalog.to_timestamp(pg_catalog.current_setting('drill.now')::float8) $$
"""
_FUNCTIONS = {"clock_timestamp": "VOLATILE", "now": "STABLE"}
_TELL_TIME = "SELECT pg_catalog.set_config('drill.now', $1, false)"
_FOR_EVER = 1e9


@asynccontextmanager
async def drill_database(server_url: str) -> AsyncIterator[str]:
    """The URL of a new database with all tables and virtual time, dropped again at the end."""
    server = async_url(server_url)
    name = f"drill_{uuid4().hex[:8]}"
    url = f"{server.rsplit('/', 1)[0]}/{name}"
    await _execute(server, f"CREATE DATABASE {name}")
    try:
        await _execute(server, f"ALTER DATABASE {name} SET search_path = public, pg_catalog")
        await _execute(server, f"ALTER DATABASE {name} SET synchronous_commit = off")
        await _execute(
            url,
            *(
                _VIRTUAL_TIME.format(name=name, volatility=volatility)
                for name, volatility in _FUNCTIONS.items()
            ),
        )
        await asyncio.to_thread(upgrade, url)
        yield url
    finally:
        await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def _execute(url: str, *statements: str) -> None:
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)
    await engine.dispose()


@dataclass
class Database:
    """The engine of one loop. `at_begin` is called before each transaction and may raise."""

    engine: AsyncEngine
    loop: VirtualLoop
    at_begin: Callable[[], None] = field(default=lambda: None)

    @property
    def busy(self) -> bool:
        """Whether somebody is in a transaction."""
        return _checked_out(self.engine) > 0

    async def close(self) -> None:
        """Give the connection back for good."""
        self.loop.outside = True
        await self.engine.dispose()
        self.loop.outside = False

    async def empty(self) -> None:
        """Forget everything."""
        async with self.engine.begin() as connection:
            for table in ("jobs", "migrations", "stores"):
                await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608

    async def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Rows of a SELECT."""
        async with autocommit(self.engine) as connection:
            found = await connection.execute(text(sql), values)
            return [dict(row) for row in found.mappings()]

    async def change(self, sql: str, **values: Any) -> None:
        """One statement that changes something."""
        async with self.engine.begin() as connection:
            await connection.execute(text(sql), values)


def _checked_out(engine: AsyncEngine) -> int:
    # Only the class that is used here counts what is out; the type of the attribute is wider.
    pool: Any = engine.sync_engine.pool
    return int(pool.checkedout())


def open_database(url: str, loop: VirtualLoop) -> Database:
    """Connections to a database of `drill_database`, to be used in this loop."""
    engine = create_async_engine(
        async_url(url),
        pool_size=1,
        max_overflow=0,
        # In virtual time, which may leap while somebody waits for a store within a transaction.
        pool_timeout=_FOR_EVER,
        connect_args={
            "timeout": _FOR_EVER,
            "server_settings": {"jit": "off", "plan_cache_mode": "force_generic_plan"},
            "connection_class": _Timed,
        },
    )
    database = Database(engine, loop)
    _stop_the_clock(engine, loop)

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        database.at_begin()
        driver: Any = connection.connection.driver_connection
        if connection.connection.autocommit and driver.told != loop.now():
            connection.exec_driver_sql(_TELL_TIME, (repr(loop.now()),))
            driver.told = loop.now()

    return database


class _Timed(asyncpg.Connection):  # type: ignore[misc]  # the library has no types
    """Tells the server the virtual time, in one message with the beginning of a transaction.

    `told` is the time that the server knows, as far as we know.
    """

    told: float | None = None

    async def execute(self, query: str, *args: Any, **named: Any) -> str:
        if query.startswith("BEGIN"):
            self.told = self._loop.now()
            query = f"SET drill.now = '{self.told!r}'; {query}"
        elif query.startswith("ROLLBACK"):
            # What was told with the transaction is forgotten with it.
            self.told = None
        status: str = await super().execute(query, *args, **named)
        return status


def _stop_the_clock(engine: AsyncEngine, loop: VirtualLoop) -> None:
    """Mark the loop while the server is at work: from a statement, or the end of a transaction,
    until its answer, or until the connection is given back.
    """

    def out(*_: Any, **__: Any) -> None:
        loop.outside = True

    def back(*_: Any, **__: Any) -> None:
        loop.outside = False

    sync = engine.sync_engine
    for name in ("before_cursor_execute", "commit", "rollback"):
        event.listen(sync, name, out)
    for name in ("after_cursor_execute", "handle_error"):
        event.listen(sync, name, back)
    event.listen(sync, "do_connect", out)
    for name in ("connect", "checkin"):
        event.listen(sync.pool, name, back)
