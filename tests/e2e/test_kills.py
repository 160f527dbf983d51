"""`kill -9` in the middle: the job ends by itself, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import time

import pytest

from connectors.records import Stream
from tests.e2e.arena import compared
from tests.e2e.conftest import Launch

pytestmark = pytest.mark.e2e


def differences(launch: Launch) -> dict[str, dict[str, int]]:
    """Both stores compared over their APIs, as numbers by stream."""
    found = asyncio.run(compared(launch.scene))
    return {
        str(stream): {"missing": each.missing, "wrong": each.wrong, "doubled": each.doubled}
        for stream, each in found.streams.items()
    }


def no_differences() -> dict[str, dict[str, int]]:
    return {str(stream): {"missing": 0, "wrong": 0, "doubled": 0} for stream in Stream}


def test_full_survives_kill_nine_of_its_workers(launch: Launch) -> None:
    job = launch.start("full")
    launch.wait_for_progress(job, "created", 200)
    killed = time.monotonic()
    assert launch.kill_workers() == 2
    before = launch.job(job)["totals"]["created"]
    launch.wait_for_progress(job, "created", before + 50)
    assert time.monotonic() - killed < 30, "work goes on within half a minute"
    launch.wait_for_progress(job, "created", before + 250)
    launch.kill_workers(which=0)
    view = launch.wait(job)
    assert view["status"] == "succeeded", view
    assert differences(launch) == no_differences()


def test_recent_survives_kill_nine_while_the_shop_sells(launch: Launch) -> None:
    launch.scene.source.ask("POST", "/replay", {"seconds": 12, "scale": 0.05, "seed": 7})
    time.sleep(6)
    job = launch.start("recent")
    launch.wait_for_progress(job, "read", 50)
    launch.kill_workers()
    view = launch.wait(job)
    assert view["status"] in ("succeeded", "completed_with_errors"), view
    deadline = time.monotonic() + 60
    while launch.scene.source.ask("GET", "/replay")["running"] and time.monotonic() < deadline:
        time.sleep(0.2)
    view = launch.run("recent", cutover=True)
    assert view["status"] == "succeeded", view
    assert differences(launch) == no_differences()
    effects = launch.scene.target.effects()
    assert (effects.mails, effects.stock_movements, effects.duplicates) == (0, 0, 0)


def test_run_after_the_cutover_writes_nothing(launch: Launch) -> None:
    launch.scene.target.ask("POST", "/records/reset")
    view = launch.run("recent")
    assert view["status"] == "succeeded"
    assert {name: view["totals"][name] for name in ("created", "updated")} == {
        "created": 0,
        "updated": 0,
    }
