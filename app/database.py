"""The connection to PostgreSQL and its migrations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

if TYPE_CHECKING:
    from alembic.config import Config

_PACKAGED = Path(__file__).parent / "_migrations"
_CHECKOUT = Path(__file__).parent.parent / "alembic"


def migrations_folder() -> Path:
    """Where the Alembic scripts are: inside the installed package, or in the checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def async_url(url: str) -> str:
    """The URL with the driver that the service uses, whatever common form it was given in."""
    for prefix in ("postgresql+asyncpg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+asyncpg://" + url.removeprefix(prefix)
    raise ValueError("the database URL has to begin with postgresql://")


def create_engine(url: str, *, pool: int = 10, abandoned: float = 120.0) -> AsyncEngine:
    """An engine whose connections are checked before use: a restarted server is no surprise.

    The server ends a transaction in which nothing happens for `abandoned` seconds: so long a
    process that stands still in the middle of one keeps its locks.
    """
    return create_async_engine(
        async_url(url),
        pool_size=pool,
        max_overflow=pool,
        pool_pre_ping=True,
        # What a failing statement was given may be personal data; errors end up in logs.
        hide_parameters=True,
        connect_args={
            "server_settings": {
                "application_name": "recent-sync",
                "jit": "off",
                "idle_in_transaction_session_timeout": str(round(abandoned * 1000)),
            }
        },
    )


@asynccontextmanager
async def autocommit(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection on which each statement is a transaction of its own.

    For a single statement, and for reads that share no moment anyway (READ COMMITTED): BEGIN and
    its end would be two round trips more.
    """
    async with engine.connect() as connection:
        yield await connection.execution_options(isolation_level="AUTOCOMMIT")


def alembic_config(url: str) -> Config:
    """Alembic's configuration; there is no alembic.ini, because the URL is a secret."""
    from alembic.config import Config  # noqa: PLC0415  a worker never needs it

    config = Config()
    # A percent sign in a folder's name is no interpolation.
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["url"] = async_url(url)
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the tables to a revision. Blocks; safe to run from several processes at once."""
    from alembic import command  # noqa: PLC0415  a worker never needs it

    command.upgrade(alembic_config(url), revision)
