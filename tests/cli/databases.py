"""Databases of one test module, and a look into them."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.database import async_url


def execute(url, statement, **values):
    """Run one statement and return its rows."""

    async def work():
        engine = create_async_engine(
            async_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        async with engine.connect() as connection:
            found = await connection.execute(text(statement), values)
            rows = found.all() if found.returns_rows else []
        await engine.dispose()
        return rows

    return asyncio.run(work())
