"""The queue port: Redis and arq only wake workers; losing them loses nothing.

What has to be done stands in PostgreSQL (`slices`). Whoever makes a slice due sends a `Wake`
after its transaction was committed; a reaper in the workers re-sends whatever is due and has no
live lease. A wake carries ids alone, and handling one twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec
import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

QUEUE_NAME = "recent-sync:queue"
RUN_SLICE = "run_slice"

serialize = msgspec.msgpack.encode
deserialize = msgspec.msgpack.decode


class Wake(NamedTuple):
    """A slice to be looked at, `after` seconds from now. `number` grows with every sending.

    arq refuses a job id while an earlier job of that id is queued, running, or was running in a
    worker that was killed less than a time-out ago: a number of its own makes every wake a job
    of its own.
    """

    slice_id: UUID
    number: int
    after: float = 0.0


class Queue(Protocol):
    """Sends wakes. `send` raises nothing: a wake that is lost is sent again by the reaper."""

    async def send(self, wakes: Iterable[Wake]) -> None:
        """Wake workers for these slices."""
        ...

    async def ping(self) -> bool:
        """Whether the queue can be reached."""
        ...


def redis_settings(url: str) -> RedisSettings:
    """Settings of arq for a URL: few, short retries, because the reaper tries again anyway."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_timeout = 2
    settings.conn_retries = 1
    settings.conn_retry_delay = 0
    settings.retry_on_timeout = True
    return settings


class ArqQueue:
    """Wakes by way of arq."""

    def __init__(self, url: str) -> None:
        self._settings = redis_settings(url)
        self._pool: ArqRedis | None = None

    async def send(self, wakes: Iterable[Wake]) -> None:
        """Send wakes. A Redis that is away costs a moment, never a job."""
        try:
            pool = await self._connected()
            for wake in wakes:
                await pool.enqueue_job(
                    RUN_SLICE,
                    str(wake.slice_id),
                    _job_id=f"{wake.slice_id}:{wake.number}",
                    _defer_by=wake.after or None,
                )
        except (OSError, TimeoutError, RedisError):
            log.warning("queue.unreachable")

    async def ping(self) -> bool:
        """Whether Redis answers."""
        try:
            return bool(await (await self._connected()).ping())
        except (OSError, TimeoutError, RedisError):
            return False

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None

    async def _connected(self) -> ArqRedis:
        if self._pool is None:
            self._pool = await create_pool(
                self._settings,
                job_serializer=serialize,
                job_deserializer=deserialize,
                default_queue_name=QUEUE_NAME,
            )
        return self._pool
