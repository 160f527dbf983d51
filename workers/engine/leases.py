"""Holding a slice: the lease, its heartbeat, and the fence that every transaction checks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.database import autocommit
from app.models import SliceKind
from app.queue import Wake
from workers.engine.errors import LeaseLost
from workers.engine.failpoints import Place, reach

log = structlog.get_logger(__name__)

_CLAIM = text(
    """
    UPDATE slices AS s
    SET holder = :holder, fence = s.fence + 1, waiting = NULL,
        resumed = s.resumed OR s.lease_until IS NOT NULL,
        handed_at = coalesce(s.lease_until, s.handed_at),
        lease_until = clock_timestamp() + make_interval(secs => :lease)
    FROM jobs AS j
    WHERE s.id = :id AND j.id = s.job_id AND NOT s.done
      AND s.due_at <= clock_timestamp()
      AND (s.lease_until IS NULL OR s.lease_until < clock_timestamp())
    RETURNING s.id, s.job_id, j.migration_id, s.stage, s.kind, s.stream, s.part, s.resume,
              s.fence, s.failures, s.counters, s.total, s.resumed,
              j.cancel_requested_at IS NOT NULL OR j.ending IS NOT NULL AS ending,
              coalesce((j.params->'options'->>'stragglers')::boolean, false) AS stragglers
    """
)
_RENEW = text(
    "UPDATE slices SET lease_until = clock_timestamp() + make_interval(secs => :lease)"
    " WHERE id = :id AND fence = :fence AND NOT done"
)
_FENCE = text(
    """
    SELECT j.cancel_requested_at IS NOT NULL OR j.ending IS NOT NULL
    FROM slices AS s JOIN jobs AS j ON j.id = s.job_id
    WHERE s.id = :id AND s.fence = :fence AND NOT s.done
    FOR UPDATE OF s
    """
)
_RELEASE = text(
    """
    UPDATE slices SET lease_until = NULL, holder = NULL, waiting = :waiting, failures = :failures,
        handed_at = clock_timestamp(),
        due_at = clock_timestamp() + make_interval(secs => :after),
        sent_at = clock_timestamp() + make_interval(secs => :after), wakes = wakes + 1
    WHERE id = :id AND fence = :fence AND NOT done
    RETURNING wakes
    """
)


@dataclass(slots=True)
class Held:
    """A slice in this worker's hands, as it was when it was claimed.

    `resumed`: an earlier holder has not put it down, and may have left requests under way.
    `ending`: its job was to stop already. `stragglers`: its job brings late orders onto a target
    that is selling already.
    """

    id: UUID
    job_id: UUID
    migration_id: UUID
    stage: int
    kind: SliceKind
    stream: str | None
    part: dict[str, Any]
    resume: dict[str, Any] | None
    fence: int
    failures: int
    counters: dict[str, int]
    total: int | None
    resumed: bool
    ending: bool
    stragglers: bool = False


@dataclass(slots=True)
class Lease:
    """Ours until `deadline` (this machine's monotonic clock), renewed by `beat`.

    The deadline is counted from before a renewal was sent, so it lies before the one in the
    database: a worker that was stopped in between knows that it is too late.
    """

    engine: AsyncEngine
    held: Held
    seconds: float
    clock: Callable[[], float] = time.monotonic
    deadline: float = field(default=0.0)

    def check(self, *, ahead: float = 0.0) -> None:
        """Raise `LeaseLost` if the lease may lapse within `ahead` seconds."""
        if self.clock() + ahead >= self.deadline:
            raise LeaseLost

    async def renew(self) -> bool:
        """Renew once. False where the slice is no longer ours."""
        asked = self.clock()
        async with autocommit(self.engine) as connection:
            renewed = await connection.execute(
                _RENEW,
                {"id": self.held.id, "fence": self.held.fence, "lease": self.seconds},
            )
        if renewed.rowcount == 0:
            return False
        self.deadline = asked + self.seconds
        return True

    @asynccontextmanager
    async def beat(self, every: float) -> AsyncIterator[None]:
        """Renew in the background. When that fails for good, `check` raises in the foreground."""
        task = asyncio.create_task(self._beating(every))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _beating(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            try:
                reach(Place.HEARTBEAT)
                if not await self.renew():
                    self.deadline = 0.0
                    return
            except (DBAPIError, OSError, TimeoutError) as error:
                # The next beat may succeed; until then the deadline comes closer by itself.
                log.warning("lease.renewal_failed", error=type(error).__name__)

    @asynccontextmanager
    async def fenced(self) -> AsyncIterator[Fenced]:
        """A transaction that only the holder of the newest fence can commit."""
        async with self.engine.begin() as connection:
            yield Fenced(connection, ending=await self._fence(connection))

    @asynccontextmanager
    async def fenced_at_the_end(self) -> AsyncIterator[AsyncConnection]:
        """As `fenced`, for what may take longer than a lease: the slice is locked before the commit
        only, so that heartbeats are not held up.
        """
        async with self.engine.begin() as connection:
            yield connection
            await self._fence(connection)

    async def _fence(self, connection: AsyncConnection) -> bool:
        """Lock the slice. Answers whether its job is to stop; raises `LeaseLost`."""
        ours = {"id": self.held.id, "fence": self.held.fence}
        row = (await connection.execute(_FENCE, ours)).first()
        if row is None:
            raise LeaseLost
        return bool(row[0])

    async def release(
        self, *, after: float = 0.0, waiting: str | None = None, failures: int = 0
    ) -> list[Wake]:
        """Give the slice back, to be taken up by anybody after `after` seconds.

        Answers with the wake to send, none where the slice was no longer ours.
        """
        async with autocommit(self.engine) as connection:
            row = (
                await connection.execute(
                    _RELEASE,
                    {
                        "id": self.held.id,
                        "fence": self.held.fence,
                        "after": after,
                        "waiting": waiting,
                        "failures": failures,
                    },
                )
            ).first()
        return [Wake(self.held.id, row.wakes, after)] if row else []


@dataclass(frozen=True, slots=True)
class Fenced:
    """A fenced transaction's connection; `ending` says that the job is to stop."""

    connection: AsyncConnection
    ending: bool


async def claim(
    engine: AsyncEngine,
    slice_id: UUID,
    *,
    holder: str,
    lease: float,
    clock: Callable[[], float] = time.monotonic,
) -> Lease | None:
    """Take a slice that is due and held by nobody, None where there is nothing to take."""
    asked = clock()
    async with autocommit(engine) as connection:
        row = (
            await connection.execute(_CLAIM, {"id": slice_id, "holder": holder, "lease": lease})
        ).first()
    if row is None:
        return None
    values = dict(row._mapping)  # noqa: SLF001  the public name of a row's mapping
    values["kind"] = SliceKind(values["kind"])
    return Lease(engine, Held(**values), lease, clock=clock, deadline=asked + lease)
