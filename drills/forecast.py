"""Forecasts against what came: the real shop is moved five times, at five times of its history.

Each time the shop is copied as it was, its orders then arrive at the hours they did, `recent` runs
follow, and a plan says how long the freeze is going to be. Then the runbook is followed: the last
`recent`, the stop, the cutover; or, in two of the five, the shop is stopped a day after the last
run, so that there is much to bring over. All of it runs in virtual time, over connectors and engine
as they are; a request takes as long as a shop on a common host takes to answer it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx
import structlog
from msgspec import Struct

from app.embedded import start
from app.schemas.planning import EstimateKind, PlanOut
from app.services import estimates, plans
from connectors.records import Stream
from connectors.registry import offering
from drills.clock import VirtualLoop, virtual_time
from drills.database import Database, drill_database, open_database
from drills.shop import Shop
from drills.world import Place, World
from sandbox import founding, seed
from sandbox.replay import Options, Replay

PLACE = Place(source_zone="Europe/London", target_zone="Europe/London", page_size=100)
SCALE = 0.1
"""Share of the shop's orders that is enough for a forecast to be right or wrong."""

DAYS = 3
"""Days of live traffic in each replay."""

RECENT_EVERY = timedelta(hours=8)

UNPREPARED = timedelta(hours=26)
"""How long before the freeze the last run began, where the runbook is not followed."""

REPLAYS = (
    # When the shop is copied (GMT), how many hours later it is frozen, and whether by the runbook.
    ("2011-05-09T00:00:00", 59, True),  # Wednesday before noon
    ("2011-08-15T00:00:00", 62, False),  # Wednesday afternoon, a day after the last run
    ("2011-09-26T00:00:00", 63, True),  # Wednesday afternoon
    ("2011-10-29T00:00:00", 66, False),  # Monday evening, after clocks fell back; the same
    ("2011-11-21T00:00:00", 61, True),  # Wednesday noon, before Christmas
)

_READ_SECONDS = (0.15, 0.012)
_WRITE_SECONDS = (0.2, 0.06)
"""What a shop takes for a request, and for each record that it lists or writes."""

_JITTER = 0.25


class Replayed(Struct, kw_only=True):
    """One replay. Seconds, by the virtual clock; `estimate_error` is a share of what was read."""

    as_of: str
    freeze_at: str
    orders: int
    records: int
    estimate_error: float
    median: float
    p95: float
    needed: float
    arrivals: float
    written: int

    @property
    def error(self) -> float:
        """How far the median was off, as a share of the freeze that was needed."""
        return abs(self.median - self.needed) / self.needed

    @property
    def covered(self) -> bool:
        """Whether the freeze lay within the forecast."""
        return self.needed <= self.p95


class SlowWorld(World):
    """Shops that take their time: longer for more records, and never the same twice."""

    def __init__(self, database: Database, dice: Random) -> None:
        super().__init__(database, PLACE, dice)
        self._dice = Random(dice.random())
        self.replay = Replay(self.source.store)

    async def _passing(self, shop: Shop, request: httpx.Request, handled: bool) -> None:  # noqa: FBT001
        if not handled:
            await asyncio.sleep(_seconds(request) * self._dice.lognormvariate(0, _JITTER))
        await super()._passing(shop, request, handled)

    async def prepare(self, as_of: str, scale: float) -> int:
        """Fill the source with the shop as it was; answers with the number of its orders."""
        await self.begin()
        founding.found_anew(self.source.store)
        founding.found_anew(self.target.store)
        orders: int = seed.fill(self.source.store, as_of=as_of, scale=scale)["orders"]
        return orders

    def sell(self, scale: float) -> None:
        """Begin with what the shop did next."""
        seconds = DAYS * 86_400
        self.replay.start(Options(seconds=seconds, scale=scale, days=DAYS, true_pace=True))


def _seconds(request: httpx.Request) -> float:
    if request.method == "GET":
        first, each = _READ_SECONDS
        return first + each * int(request.url.params.get("per_page", 1))
    first, each = _WRITE_SECONDS
    body = json.loads(request.content or b"{}")
    records = sum(len(body.get(name, ())) for name in ("create", "update", "delete"))
    return first + each * max(1, records)


async def replay(
    database: Database, as_of: str, hours: int, scale: float, *, prepared: bool
) -> Replayed:
    """One move of the shop, from the first copy to the cutover."""
    world = SlowWorld(database, Random(f"{as_of} {scale}"))
    try:
        orders = await world.prepare(as_of, scale)
        with offering(world.platform):
            return await _move(world, as_of, hours, scale, orders, prepared=prepared)
    finally:
        await world.replay.stop()
        await world.close()


async def _move(
    world: SlowWorld, as_of: str, hours: int, scale: float, orders: int, *, prepared: bool
) -> Replayed:
    estimate = await estimates.estimate(world.resources, "drill", EstimateKind.FULL, None)
    full = await _run(world, "full")
    read = await _counted(world, full, "read")
    world.sell(scale)
    freeze_at = datetime.fromisoformat(as_of).replace(tzinfo=UTC) + timedelta(hours=hours)
    last = freeze_at - (2 * RECENT_EVERY if prepared else UNPREPARED)
    while _clock(world.loop) + RECENT_EVERY < last:
        await asyncio.sleep(RECENT_EVERY.total_seconds())
        await _run(world, "recent")
    if not prepared:
        await _until(world, freeze_at - timedelta(minutes=1))
    plan = await plans.plan(
        world.resources, "drill", launch=freeze_at + timedelta(hours=2), freeze_at=freeze_at
    )
    if prepared:
        await _until(world, next(step.at for step in plan.runbook if step.key == "last_recent"))
        await _run(world, "recent")
    await _until(world, freeze_at)
    began = _clock(world.loop)
    await world.replay.freeze()
    cutover = await _run(world, "recent", cutover=True)
    needed = (cutover["finished_at"] - began).total_seconds()
    written = [await _counted(world, cutover, name) for name in ("created", "updated")]
    return Replayed(
        as_of=as_of,
        freeze_at=freeze_at.isoformat(),
        orders=orders,
        records=read,
        estimate_error=round(abs(estimate.records - read) / read, 5),
        needed=round(needed, 1),
        written=sum(written),
        **_said(plan),
    )


async def _until(world: SlowWorld, moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - _clock(world.loop)).total_seconds()))


def _said(plan: PlanOut) -> dict[str, float]:
    return {
        "median": plan.freeze.median,
        "p95": plan.freeze.p95,
        "arrivals": plan.freeze.arrivals,
    }


async def _run(world: SlowWorld, kind: str, **params: Any) -> dict[str, Any]:
    """A job to its end. Raises `RuntimeError` where it does not end well."""
    row = await world.run(kind, **params)
    if row["status"] != "succeeded":
        raise RuntimeError(f"a {kind} run ended as {row['status']}: {row['error']}")
    return row


async def _counted(world: SlowWorld, job: dict[str, Any], name: str) -> int:
    rows = await world.database.rows(
        "SELECT coalesce(sum((counters->>:name)::int), 0) AS number FROM slices"
        " WHERE job_id = :job AND stream = ANY(CAST(:streams AS text[]))",
        name=name,
        job=job["id"],
        streams=[str(each) for each in Stream],
    )
    return int(rows[0]["number"])


def _clock(loop: VirtualLoop) -> datetime:
    return datetime.fromtimestamp(loop.now(), UTC)


def replays(scale: float, *, told: Callable[[str], None]) -> list[Replayed]:
    """All replays, one after the other, on a PostgreSQL of their own; `told` of each as it ends."""
    # What each run logs would be most of what is printed.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    found = []
    with start(ephemeral=True) as servers, asyncio.Runner() as runner:
        database = drill_database(servers.database_url)
        url = runner.run(database.__aenter__())
        try:
            for as_of, hours, prepared in REPLAYS:
                found.append(_in_its_time(url, as_of, hours, scale, prepared=prepared))
                told(_line(found[-1]))
        finally:
            runner.run(database.__aexit__(None, None, None))
    return found


def _in_its_time(url: str, as_of: str, hours: int, scale: float, *, prepared: bool) -> Replayed:
    begin = datetime.fromisoformat(as_of).replace(tzinfo=UTC).timestamp()

    async def play() -> Replayed:
        loop: Any = asyncio.get_running_loop()
        database = open_database(url, loop)
        try:
            return await replay(database, as_of, hours, scale, prepared=prepared)
        finally:
            await database.close()

    playing: Coroutine[Any, Any, Replayed] = play()
    with virtual_time(begin) as runner:
        return runner.run(playing)


def _line(one: Replayed) -> str:
    return (
        f"  {one.freeze_at[:16]}  {one.orders:6,} orders  estimate off {one.estimate_error:6.2%}  "
        f"written {one.written:5,}  "
        f"freeze {one.needed:6.1f} s, forecast {one.median:6.1f} s, 95 % below {one.p95:6.1f} s  "
        f"off {one.error:4.0%}{'' if one.covered else '  NOT COVERED'}"
    )
