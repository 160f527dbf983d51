"""PostgreSQL shows what every target must show."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import asyncpg
import pytest
from msgspec.structs import replace

from connectors.postgres import CONNECTOR
from connectors.postgres.target import PostgresTarget
from connectors.records import Content, Order, Stream, money
from connectors.testing.contents import contents
from connectors.testing.contract import DescriptionContract, TargetContract
from tests.postgres_target.proxy import Relay, relay
from tests.postgres_target.reader import TableReader

_MOMENT = 0.05
_TIMEOUT = 0.6  # for a statement; half of it for a lock


class PostgresBench:
    """A schema behind a relay, and somebody who can hold its tables."""

    def __init__(
        self, access, namespace: str, dsn: str, passing: Relay, holder: asyncpg.Connection
    ) -> None:
        self._access = access
        self._namespace = namespace
        self._dsn = dsn
        self._relay = passing
        self._holder = holder
        self._release: asyncio.Task | None = None

    def target(self) -> PostgresTarget:
        return PostgresTarget(self._access(port=self._relay.port, timeout=_TIMEOUT))

    def locked_out(self) -> PostgresTarget:
        return PostgresTarget(self._access(password="wrong"))

    def reader(self) -> TableReader:
        return TableReader(self._dsn, self._namespace)

    def contents(self, stream: Stream, count: int) -> list[Content]:
        return contents(stream, count)

    def impossible(self, stream: Stream) -> Content | None:
        [content] = contents(stream, 1)
        if isinstance(content, Order):
            return replace(content, tax_total=money("1", "USD"))
        field = "email" if stream is Stream.CUSTOMERS else "name"
        return replace(content, **{field: "half a character: \ud83d"})

    async def foreign(self, stream: Stream) -> str:
        table = f'"{self._namespace}".{stream}'
        await self._holder.execute(f"INSERT INTO {table} (id) VALUES ('theirs')")  # noqa: S608
        return "theirs"

    async def is_shown(self, stream: Stream, target_id: str) -> bool:
        table = f'"{self._namespace}".{stream}'
        found = await self._holder.fetchval(
            f"SELECT removed_at IS NULL FROM {table} WHERE id = $1",  # noqa: S608
            target_id,
        )
        return bool(found)

    async def fail_next(self, how: str) -> None:
        if how == "lost_answer":
            self._relay.break_at = b"COMMIT"
            return
        await self._holder.execute("BEGIN")
        for stream in Stream:
            await self._holder.execute(f'LOCK TABLE "{self._namespace}".{stream}')
        if how == "throttled":
            self._release = asyncio.create_task(self._let_go())

    async def _let_go(self) -> None:
        await asyncio.sleep(_MOMENT)
        await self._holder.execute("COMMIT")

    async def side_effects(self) -> dict[str, int]:
        return {}


@pytest.fixture
async def bench(access, namespace, dsn, database) -> AsyncIterator[PostgresBench]:
    async with AsyncExitStack() as stack:
        holder = await asyncpg.connect(dsn)
        stack.push_async_callback(holder.close)
        passing = await stack.enter_async_context(relay(urlsplit(dsn).port))
        async with PostgresTarget(access()) as target:
            for stream in Stream:
                await target.find(stream, [])
        yield PostgresBench(access, namespace, dsn, passing, holder)


class TestPostgres(DescriptionContract):
    connector = CONNECTOR


class TestPostgresTarget(TargetContract):
    connector = CONNECTOR
