"""The workers of a drill: how they are woken, what strikes them, and how a job comes to its end.

A strike happens at a numbered step of a job: a request of a worker to a store, before or after
the store has handled it, or the beginning of a transaction. A dead worker does nothing more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.queue import Wake
from app.resources import Resources
from app.services.lifecycle import start_next, to_json
from connectors.registry import offering
from drills.database import Database
from drills.shop import Shop
from workers.engine.failpoints import Crash
from workers.engine.slices import work
from workers.schedule import reap

_ROUNDS = 800
"""Rounds in which a job has to end."""

_AT_ONCE = 2
_LATENCY = (0.02, 0.4)
_LONGEST_WRITE = 12.0
"""A request that is on its way is done before `write_settle` is over, or never."""

_LOST, _DOUBLED = 0.03, 0.05
"""Shares of wakes that never arrive, and that arrive twice."""


class Blow(StrEnum):
    """What strikes. `kill` ends a worker, `stop` holds it until its lease has lapsed, `reset`
    breaks its connection to the database, `leave` asks its process to end, `act` strikes nobody:
    something happens in a shop.
    """

    KILL = "kill"
    STOP = "stop"
    RESET = "reset"
    LEAVE = "leave"
    ACT = "act"


@dataclass
class Strike:
    """A blow at the first step from number `at` on that fits it, counted within a job."""

    at: int
    blow: Blow
    act: Callable[[], object] = field(default=lambda: None)


@dataclass(eq=False)
class Worker:
    """One turn of a worker process. `until` is the time up to which it stands still."""

    name: str
    dead: bool = False
    leaving: bool = False
    until: float = 0.0


_worker: ContextVar[Worker | None] = ContextVar("worker", default=None)


class Wakes:
    """The queue: wakes with the time from which they count. Some are lost, some come twice, by
    chance; `fates` says how often each of the next ones comes.
    """

    def __init__(self, now: Callable[[], float], dice: Random) -> None:
        self._now = now
        self._dice = dice
        self._wakes: list[tuple[float, UUID]] = []
        self.fates: list[int] = []

    async def send(self, wakes: Iterable[Wake]) -> None:
        """Take wakes in."""
        for wake in wakes:
            copies = self.fates.pop(0) if self.fates else self._chance()
            self._wakes += [(self._now() + wake.after, wake.slice_id)] * copies

    def _chance(self) -> int:
        fate = self._dice.random()
        return 0 if fate < _LOST else 2 if fate > 1 - _DOUBLED else 1

    def due(self) -> list[UUID]:
        """The slices whose wakes have come; they are taken out."""
        found = [slice_id for at, slice_id in self._wakes if at <= self._now()]
        self._wakes = [wake for wake in self._wakes if wake[0] > self._now()]
        return found

    def put_back(self, slices: Iterable[UUID]) -> None:
        """Keep wakes for the next round."""
        self._wakes = [(self._now(), each) for each in slices] + self._wakes


class Crew:
    """Runs jobs. `steps` counts the steps of the job in hand, `strikes` are those still to come."""

    def __init__(
        self, resources: Resources, database: Database, platform: dict[str, Any], dice: Random
    ) -> None:
        self._resources = resources
        self._database = database
        self._platform = platform
        self._dice = dice
        self._names = 0
        self.steps = 0
        self.strikes: list[Strike] = []
        self.struck: list[str] = []
        self.course: list[str] = []
        database.at_begin = self._at_begin

    @property
    def wakes(self) -> Wakes:
        """The queue of this crew."""
        queue: Any = self._resources.queue
        found: Wakes = queue
        return found

    # --- steps ---------------------------------------------------------------------------------

    async def passing(self, shop: Shop, request: httpx.Request, handled: bool) -> None:  # noqa: FBT001
        """A request passes, on its way to a store or back."""
        worker = _worker.get()
        if worker is None:
            return
        await self._stand_still(worker)
        self._die_if_dead(worker)
        self.steps += 1
        self.course.append(f"{shop.name} {request.method} {request.url.path} {handled}")
        if not handled:
            await asyncio.sleep(self._dice.uniform(*_LATENCY))
        strike = self._strike(Blow.KILL, Blow.STOP, Blow.LEAVE, Blow.ACT)
        if strike is None:
            return
        if strike.blow is Blow.STOP and not self._database.busy:
            underway = request.method != "GET" and not handled
            seconds = _LONGEST_WRITE if underway else 4 * self._resources.settings.lease_seconds
            worker.until = self._database.loop.time() + seconds
            await self._stand_still(worker)
        self._carry_out(strike, worker)

    def _at_begin(self) -> None:
        worker = _worker.get()
        if worker is None:
            return
        self._die_if_dead(worker)
        if worker.until > self._database.loop.time():
            raise ConnectionResetError("a worker that stands still")
        self.steps += 1
        strike = self._strike(Blow.KILL, Blow.RESET, Blow.LEAVE, Blow.ACT)
        if strike is not None:
            self._carry_out(strike, worker)
            if strike.blow is Blow.RESET:
                raise ConnectionResetError("a drill broke the connection")

    def _strike(self, *fitting: Blow) -> Strike | None:
        for strike in self.strikes:
            if strike.at <= self.steps and strike.blow in fitting:
                self.strikes.remove(strike)
                self.struck.append(f"{strike.blow} at {self.steps}")
                return strike
        return None

    def _carry_out(self, strike: Strike, worker: Worker) -> None:
        strike.act()
        worker.leaving = worker.leaving or strike.blow is Blow.LEAVE
        worker.dead = worker.dead or strike.blow is Blow.KILL
        self._die_if_dead(worker)

    def _die_if_dead(self, worker: Worker) -> None:
        if worker.dead:
            raise Crash

    async def _stand_still(self, worker: Worker) -> None:
        left = worker.until - self._database.loop.time()
        if left > 0:
            await asyncio.sleep(left)

    # --- jobs ----------------------------------------------------------------------------------

    async def start(self, migration: UUID, kind: str, **params: Any) -> UUID:
        """Begin a job, as the API does."""
        job = uuid4()
        async with self._database.engine.begin() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO jobs (id, migration_id, kind, status, params, plan, stage, passes)"
                " VALUES ($1, $2, $3, 'queued', CAST($4 AS jsonb), '[]', 0, '{}')",
                (job, migration, kind, to_json(params)),
            )
            wakes = await start_next(connection, migration)
        await self.wakes.send(wakes)
        return job

    async def finish(self, job: UUID) -> dict[str, Any]:
        """Work until the job has ended; answers with its row. Strikes that did not happen by
        then do not happen any more. Raises `TimeoutError` for a job that does not end.
        """
        self.steps = 0
        self.struck = []
        for _ in range(_ROUNDS):
            slices = await self._slices(job)
            if not slices:
                # A job that has ended has no open slice.
                self.strikes.clear()
                [row] = await self._database.rows("SELECT * FROM jobs WHERE id = :id", id=job)
                return row
            await self._round(slices)
        raise TimeoutError(f"the job did not end within {_ROUNDS} rounds")

    async def _round(self, order: list[UUID]) -> None:
        """Wake workers for some of what is due, or let time pass."""
        woken = sorted((each for each in self.wakes.due() if each in order), key=order.index)
        if not woken:
            await asyncio.sleep(self._resources.settings.reaper_seconds)
            await reap(self._resources)
            return
        now, later = woken[:_AT_ONCE], woken[_AT_ONCE:]
        self.wakes.put_back(later)
        tasks = [asyncio.create_task(self._turn(each)) for each in now]
        # A dead worker's task ends with what killed it; a worker process outlives a database that
        # is away when it takes a slice up.
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, BaseException) and not isinstance(ended, Crash | OSError):
                raise ended

    async def _turn(self, slice_id: UUID) -> None:
        self._names += 1
        worker = Worker(f"worker-{self._names}")
        _worker.set(worker)
        with offering(self._platform):
            await work(
                self._resources,
                slice_id,
                holder=worker.name,
                stopping=lambda: worker.leaving,
                clock=self._database.loop.time,
            )

    async def _slices(self, job: UUID) -> list[UUID]:
        """Open slices in an order that their random ids have no part in."""
        rows = await self._database.rows(
            "SELECT id FROM slices WHERE job_id = :job AND NOT done"
            " ORDER BY stage, kind, stream, part::text",
            job=job,
        )
        return [row["id"] for row in rows]
