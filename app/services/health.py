"""Whether what the service needs is there."""

from __future__ import annotations

import asyncio
from functools import cache

import asyncpg
import structlog
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.database import migrations_folder
from app.resources import Resources

log = structlog.get_logger(__name__)
_PATIENCE = 5.0


async def readiness(resources: Resources) -> dict[str, bool]:
    """`database`, `tables_current` and `redis`, each there or not."""
    (database, tables), redis = await asyncio.gather(
        _database(resources), _in_time(resources.queue.ping())
    )
    return {"database": database, "tables_current": tables, "redis": redis}


async def _database(resources: Resources) -> tuple[bool, bool]:
    try:
        async with asyncio.timeout(_PATIENCE), resources.engine.connect() as connection:
            found = await connection.execute(
                text("SELECT to_regclass('alembic_version') IS NOT NULL")
            )
            if not found.scalar_one():
                return True, False
            revision = await connection.execute(text("SELECT version_num FROM alembic_version"))
            return True, set(revision.scalars()) == _heads()
    except (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        log.warning("database.unreachable", error=type(error).__name__)
        return False, False


async def _in_time(answer: asyncio.Future[bool] | object) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            return bool(await answer)  # type: ignore[misc]
    except TimeoutError:
        return False


@cache
def _heads() -> frozenset[str]:
    return frozenset(ScriptDirectory(str(migrations_folder())).get_heads())
