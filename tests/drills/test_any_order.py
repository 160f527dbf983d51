"""Whatever happens to both shops and to the workers, in whatever order: in the end the target
holds what the source holds under the policies, each record once, and a replay writes nothing.

15 examples here; `make drill ARGS="--examples 10000"` searches for long.
"""

from __future__ import annotations

import asyncio
import os
import random
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from drills.clock import virtual_time
from drills.course import NIGHTS, QUIET, STEPS, ZONES, close, moment
from drills.crew import Blow, Strike
from drills.database import open_database
from drills.people import DEEDS
from drills.team import FIELDS
from drills.world import Place, World

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("RECENT_SYNC_TEST_EXAMPLES", "15"))
CALM = 0
FAULTS: list[dict[str, Any]] = [
    {},
    {"visibility_delay": {"seconds": 180.0, "probability": 0.7}},
    {"torn_reads": {"seconds": 0.6, "probability": 0.7}},
    {"timeout_after": {"probability": 0.1}, "error_before": {"probability": 0.02}},
    {"late_commit": {"probability": 0.1, "seconds": 15.0}},
    {"rate_limit": {"probability": 0.03, "shape": "mixed"}},
    {"html_page": {"probability": 0.02}, "truncated_json": {"probability": 0.02}},
    {"move_on_update": {"probability": 0.3}, "spurious_bumps": {"probability": 0.2}},
]
ON_TARGET = [each for each in FAULTS if not each.keys() & {"visibility_delay", "move_on_update"}]


class AnyOrder(RuleBasedStateMachine):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.world: World | None = None

    @initialize(
        night=st.sampled_from(NIGHTS),
        zones=st.tuples(st.sampled_from(ZONES), st.sampled_from(ZONES)),
        page_size=st.integers(3, 12),
        seed=st.integers(0, 1000),
    )
    def begin(self, night: str, zones: tuple[str, str], page_size: int, seed: int) -> None:
        self.time = virtual_time(moment(night))
        self.runner = self.time.__enter__()
        random.seed(seed)

        async def open_it() -> World:
            database = open_database(self.url, asyncio.get_running_loop())
            world = World(database, Place(*zones, page_size), Random(seed))
            await world.begin()
            world.people.fill()
            await world.run("full")
            return world

        self.world = self.runner.run(open_it())

    def wait(self, seconds: float) -> None:
        self.runner.run(asyncio.sleep(seconds))

    @rule(deeds=st.lists(st.sampled_from(sorted(DEEDS)), min_size=1, max_size=4))
    def people_change_the_source(self, deeds: list[str]) -> None:
        for deed in deeds:
            self.world.people.do(deed)

    @rule(fields=st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3))
    def the_team_edits_the_target(self, fields: list[str]) -> None:
        self.world.weather({}, {}, CALM)
        self.wait(QUIET)
        for each in fields:
            self.world.team.edit(each)

    @rule()
    def the_team_deletes_a_product(self) -> None:
        self.world.weather({}, {}, CALM)
        self.wait(QUIET)
        self.world.team.delete()

    @rule(blow=st.sampled_from(sorted(set(Blow) - {Blow.ACT})), at=st.integers(1, STEPS))
    def a_worker_is_struck(self, blow: Blow, at: int) -> None:
        self.world.crew.strikes.append(Strike(at, blow))

    @rule(deed=st.sampled_from(sorted(DEEDS)), at=st.integers(1, STEPS))
    def a_page_changes_while_it_is_read(self, deed: str, at: int) -> None:
        strike = Strike(at, Blow.ACT, lambda: self.world.people.do(deed))
        self.world.crew.strikes.append(strike)

    @rule(copies=st.lists(st.sampled_from([0, 2]), min_size=1, max_size=3))
    def wakes_are_lost_or_come_twice(self, copies: list[int]) -> None:
        self.world.crew.wakes.fates += copies

    @rule(
        here=st.sampled_from(FAULTS),
        there=st.sampled_from(ON_TARGET),
        skew=st.sampled_from([None, -60.0, 60.0]),
        seed=st.integers(0, 1000),
    )
    def the_weather_changes(
        self, here: dict[str, Any], there: dict[str, Any], skew: float | None, seed: int
    ) -> None:
        clock = {"clock_skew": {"seconds": skew}} if skew else {}
        self.world.weather({**here, **clock}, there, seed)

    @rule(seconds=st.sampled_from([1.0, 30.0, 600.0, 7200.0]))
    def time_passes(self, seconds: float) -> None:
        self.wait(seconds)

    @rule(kind=st.sampled_from(["recent", "recent", "recent", "full"]))
    def a_job_runs(self, kind: str) -> None:
        self.runner.run(self.world.run(kind))

    def teardown(self) -> None:
        if self.world is None:
            return
        try:
            self.world.weather({}, {}, CALM)
            self.wait(QUIET)
            verdict = self.runner.run(close(self.world))
            assert verdict.findings == [], self.world.people.deeds
        finally:
            self.runner.run(self.world.close())
            self.runner.run(self.world.database.close())
            self.time.__exit__(None, None, None)


def test_any_order_of_edits_faults_and_crashes_ends_well(drill_url: str) -> None:
    run_state_machine_as_test(
        lambda: AnyOrder(drill_url),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=8,
            deadline=None,
            derandomize=bool(os.environ.get("CI")),
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
