"""What a process needs for its whole life, built once, closed in reverse.

API, workers and command line share it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from app.budget import SharedBudgets
from app.database import create_engine
from app.queue import ArqQueue
from app.security import Vault
from app.settings import Settings
from connectors.budget import Budgets, local_budget


@dataclass(frozen=True, slots=True)
class Resources:
    """`engine` talks to PostgreSQL, `queue` wakes workers, `vault` opens store credentials,
    `budgets` says when a store may be asked.
    """

    settings: Settings
    engine: AsyncEngine
    queue: ArqQueue
    vault: Vault
    budgets: Budgets = local_budget


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Connect to what the settings name. Raises `MissingServerError` where a URL is absent."""
    database, redis = settings.database_url, settings.redis_url
    if database is None or redis is None:
        raise MissingServerError(
            "RECENT_SYNC_DATABASE_URL and RECENT_SYNC_REDIS_URL are needed here; "
            "`recent-sync up` starts servers of its own"
        )
    async with AsyncExitStack() as stack:
        engine = create_engine(
            database.get_secret_value(),
            pool=settings.database_pool,
            abandoned=settings.transaction_seconds,
        )
        stack.push_async_callback(engine.dispose)
        queue = ArqQueue(redis.get_secret_value())
        stack.push_async_callback(queue.close)
        budgets = SharedBudgets(redis.get_secret_value())
        stack.push_async_callback(budgets.close)
        yield Resources(settings, engine, queue, Vault.from_settings(settings), budgets)


class MissingServerError(RuntimeError):
    """No PostgreSQL or no Redis is configured."""
