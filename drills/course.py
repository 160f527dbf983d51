"""The course of a drill: a random schedule of edits, faults and blows, decided by a seed alone."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from drills.crew import Blow, Strike
from drills.database import Database
from drills.judge import Verdict, judge
from drills.world import Place, World, open_world, succeeded

MINUTES = 15.0
"""Virtual minutes that people go on selling, unless told otherwise."""

NIGHTS = (
    # Ordinary days, and nights in which clocks change, shortly before they do.
    "2026-03-10T11:00:00",
    "2026-07-01T23:50:00",
    "2026-03-08T06:40:00",  # New York springs forward at 07:00 GMT
    "2026-03-29T00:40:00",  # Berlin and London spring forward at 01:00 GMT
    "2026-10-25T00:40:00",  # and fall back at 01:00 GMT
    "2026-11-01T05:40:00",  # New York falls back at 06:00 GMT
    "2026-04-04T15:40:00",  # Sydney falls back at 16:00 GMT
)
ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "Europe/London",
    "Australia/Sydney",
    "Asia/Kolkata",
    "UTC",
)
STEPS = 330
"""About as many steps as a job of this size has."""

QUIET = 400.0
"""Seconds after which everything can be seen, and every late write is done."""


@dataclass
class Outcome:
    """What came of one seed. `course` is everything that happened, in order."""

    seed: int
    verdict: Verdict
    course: list[str] = field(default_factory=list)


def moment(gmt: str) -> float:
    """Seconds since 1970 of a GMT stamp."""
    return datetime.fromisoformat(gmt).replace(tzinfo=UTC).timestamp()


def night(seed: int) -> float:
    """When the drill of a seed begins, in seconds since 1970."""
    return moment(NIGHTS[seed % len(NIGHTS)])


def place_of(dice: Random) -> Place:
    """Somewhere."""
    return Place(dice.choice(ZONES), dice.choice(ZONES), dice.randrange(4, 12))


async def play(
    database: Database, seed: int, *, minutes: float = MINUTES, addon: bool = False
) -> Outcome:
    """Play the drill of a seed, in a loop that begins at its `night`, and judge it."""
    dice = Random(seed)
    # The engine draws the length of some pauses from the common dice.
    random.seed(seed)
    place = replace(place_of(dice), addon=addon)
    async with open_world(database, place, Random(dice.random())) as world:
        course = Course(world, dice)
        await course.play(minutes)
        verdict = await course.end()
        return Outcome(seed, verdict, world.crew.course)


class Course:
    """Chooses what happens next."""

    def __init__(self, world: World, dice: Random) -> None:
        self._world = world
        self._dice = dice

    async def play(self, minutes: float) -> None:
        """The first full run, then runs after which people go on, until time is up."""
        world, dice = self._world, self._dice
        world.people.fill()
        self._change_weather()
        self._aim()
        await self._run("full")
        end = world.loop.time() + minutes * 60
        while world.loop.time() < end:
            for _ in range(dice.randrange(1, 8)):
                world.people.do()
            if dice.random() < 0.6:  # noqa: PLR2004
                await self._let_the_team_work()
            await asyncio.sleep(dice.choice([5.0, 60.0, 300.0, 900.0]))
            self._change_weather()
            self._aim()
            await self._run(dice.choice(["recent", "recent", "recent", "full"]))

    async def _run(self, kind: str) -> None:
        """A run in bad weather may fail: what it has done, it has done."""
        await self._world.run(kind)

    async def _let_the_team_work(self) -> None:
        """The team edits while no job runs, and when what it writes can be seen at once."""
        world = self._world
        world.weather({}, {}, seed=0)
        await asyncio.sleep(QUIET)
        for _ in range(self._dice.randrange(1, 4)):
            world.team.edit()
        if self._dice.random() < 0.1:  # noqa: PLR2004
            world.team.delete()

    def _aim(self) -> None:
        """Choose what strikes the next job, and when."""
        dice, world = self._dice, self._world
        blows = [Blow.KILL, Blow.KILL, Blow.STOP, Blow.RESET, Blow.LEAVE, Blow.ACT, Blow.ACT]
        for _ in range(dice.randrange(6)):
            world.crew.strikes.append(
                Strike(dice.randrange(1, STEPS), dice.choice(blows), world.people.do)
            )

    def _change_weather(self) -> None:
        dice = self._dice
        self._world.weather(
            weather(dice, source=True), weather(dice, source=False), dice.randrange(10**6)
        )

    async def end(self) -> Verdict:
        """The freeze: no fault and no edit any more, the last runs, and the judge."""
        world = self._world
        world.weather({}, {}, seed=0)
        await asyncio.sleep(QUIET)
        return await close(world)


async def close(world: World) -> Verdict:
    """The cutover of a source that has come to rest, and the verdict. What only a second clean
    sweep can settle gets one.
    """
    world.crew.strikes.clear()
    await _cut_over(world)
    verdict = await judge(world)
    if not verdict.is_good:
        await _cut_over(world)
        verdict = await judge(world)
    before = world.target.writes_over_api()
    await world.run()
    again = world.target.writes_over_api() - before
    if again:
        verdict.say("wrong", f"a run that had nothing to do wrote {again} records")
    return verdict


async def _cut_over(world: World) -> None:
    row = await world.run(cutover=True, options={"release_brake": True})
    if not succeeded(row) and row["error"]:
        world.findings.append(f"the cutover ended {row['status']}: {row['error']['code']}")


def weather(dice: Random, *, source: bool) -> dict[str, Any]:
    """Some of a practice store's faults, by chance."""
    chance = dice.choice([0.01, 0.03])
    common: dict[str, Any] = {
        "rate_limit": {"probability": chance, "shape": dice.choice(["seconds", "date", "none"])},
        "error_before": {"probability": chance},
        "error_after": {"probability": chance},
        "timeout_before": {"probability": chance},
        "timeout_after": {"probability": 0.05},
        "late_commit": {"probability": 0.05, "seconds": dice.choice([1.0, 5.0, 15.0])},
        "visibility_delay": {
            "probability": 0.7,
            "seconds": dice.choice([2.0, 30.0, 180.0]) if source else 2.0,
        },
        "torn_reads": {"probability": 0.5, "seconds": 0.6},
        "html_page": {"probability": 0.01},
        "truncated_json": {"probability": 0.01},
    }
    of_source: dict[str, Any] = {
        "clock_skew": {"seconds": dice.choice([-60.0, 45.0, 60.0])},
        "spurious_bumps": {"probability": 0.05},
        "move_on_update": {"probability": 0.2},
        "silent_children": {"probability": 0.05},
    }
    known = common | of_source if source else common
    chosen = dice.sample(sorted(known), dice.randrange(5))
    return {name: known[name] for name in sorted(chosen)}
