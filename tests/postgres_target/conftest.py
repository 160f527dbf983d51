import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from connectors.base import StoreAccess
from connectors.postgres.settings import PostgresCredentials, PostgresSettings
from connectors.postgres.target import PostgresTarget


@pytest.fixture
def namespace() -> str:
    """A schema of the test's own."""
    return f"shop_{uuid.uuid4().hex[:12]}"


@pytest.fixture
def dsn(servers) -> str:
    return servers.database_url.replace("postgresql+asyncpg://", "postgresql://")


@pytest.fixture
def access(dsn, namespace):
    """Builds a store's access; settings may be changed by keyword."""

    def build(**changes) -> StoreAccess:
        parts = urlsplit(dsn)
        values = {
            "host": parts.hostname,
            "port": parts.port,
            "database": parts.path[1:],
            "user": parts.username,
            "schema": namespace,
            "sslmode": "disable",
        }
        password = changes.pop("password", parts.password or "")
        return StoreAccess(
            PostgresSettings.model_validate(values | changes),
            PostgresCredentials(password=password),
        )

    return build


@pytest.fixture
async def target(access) -> AsyncIterator[PostgresTarget]:
    async with PostgresTarget(access()) as opened:
        yield opened


@pytest.fixture
async def database(dsn, namespace) -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody else; the schema goes at the end."""
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
        await connection.execute(f'DROP SCHEMA IF EXISTS "{namespace}" CASCADE')
    finally:
        await connection.close()


@pytest.fixture
async def shop(database, namespace, target) -> asyncpg.Connection:
    """As `database`, with the schema searched first, so that tests can name tables plainly."""
    await database.execute(f'SET search_path TO "{namespace}"')
    return database
