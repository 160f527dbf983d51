"""Runs drills one seed after the other, and says what came of them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.embedded import start
from drills.clock import VirtualLoop, virtual_time
from drills.course import MINUTES, Outcome, night, play
from drills.database import drill_database, open_database
from drills.naive import play_naively

T = TypeVar("T")
_STATEFUL = Path("tests/drills/test_any_order.py")
EXAMPLES = "RECENT_SYNC_TEST_EXAMPLES"


@dataclass
class Report:
    """Sums over all seeds. `failed` holds what was found, by seed."""

    missing: int = 0
    wrong: int = 0
    doubled: int = 0
    overwritten: int = 0
    naive_wrong: int = 0
    seeds: int = 0
    seconds: float = 0.0
    failed: dict[int, list[str]] = field(default_factory=dict)

    def take(self, outcome: Outcome, naive_wrong: int) -> None:
        """Add what came of a seed."""
        verdict = outcome.verdict
        self.missing += verdict.missing
        self.wrong += verdict.wrong
        self.doubled += verdict.doubled
        self.overwritten += verdict.overwritten
        self.naive_wrong += naive_wrong
        self.seeds += 1
        if not verdict.is_good:
            self.failed[outcome.seed] = verdict.findings

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "missing": self.missing,
            "wrong": self.wrong,
            "doubled": self.doubled,
            "overwritten": self.overwritten,
            "naive_wrong": self.naive_wrong,
            "seeds": self.seeds,
            "failed": [{"seed": seed, "found": found} for seed, found in self.failed.items()],
            "seconds": round(self.seconds, 1),
        }


Told = Callable[[Outcome, int], None]
"""Called after each seed with what came of it and what the naive reader got wrong."""


def run_seeds(
    seeds: Iterable[int], *, minutes: float = MINUTES, addon: bool = False, told: Told
) -> Report:
    """Play these seeds on a PostgreSQL of their own. `addon`: both shops have the add-on."""
    began = time.monotonic()
    report = Report()
    with start(ephemeral=True) as servers, asyncio.Runner() as runner:
        database = drill_database(servers.database_url)
        url = runner.run(database.__aenter__())
        try:
            for seed in seeds:
                outcome, naive_wrong = play_seed(url, seed, minutes=minutes, addon=addon)
                report.take(outcome, naive_wrong)
                told(outcome, naive_wrong)
        finally:
            runner.run(database.__aexit__(None, None, None))
    report.seconds = time.monotonic() - began
    return report


def play_seed(
    url: str, seed: int, *, minutes: float = MINUTES, addon: bool = False
) -> tuple[Outcome, int]:
    """One seed, in a database of `drill_database`: its outcome, and what the naive reader got
    wrong.
    """

    async def drill(loop: VirtualLoop) -> Outcome:
        database = open_database(url, loop)
        try:
            return await play(database, seed, minutes=minutes, addon=addon)
        finally:
            await database.close()

    async def naive(loop: VirtualLoop) -> int:
        return await play_naively(loop, seed, minutes=minutes)

    return in_virtual_time(seed, drill), in_virtual_time(seed, naive)


def in_virtual_time(seed: int, play_it: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run something in a loop of its own, which begins at the seed's night."""
    with virtual_time(night(seed)) as runner:
        return runner.run(_play(play_it))


async def _play(play_it: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    loop: Any = asyncio.get_running_loop()
    return await play_it(loop)


def run_examples(count: int) -> int:
    """Run the stateful test of a checkout with so many examples; its exit code."""
    root = Path(__file__).resolve().parent.parent
    if not (root / _STATEFUL).is_file():
        raise FileNotFoundError(_STATEFUL)
    command = [sys.executable, "-m", "pytest", str(_STATEFUL), "-q"]
    environment = {**os.environ, EXAMPLES: str(count)}
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode  # noqa: S603
