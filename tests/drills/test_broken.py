"""An engine that is broken on purpose is found out: proof that a drill can fail."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from drills.course import QUIET, close
from drills.crew import Blow, Strike
from drills.judge import Verdict
from drills.team import FIELDS
from drills.world import World
from tests.drills.scenes import in_world
from workers.engine import cutting, delivery, merging, window

LATE = {
    "torn_reads": {"seconds": 1.0, "probability": 1.0},
    "visibility_delay": {"seconds": 7.0, "probability": 1.0},
}
SILENT = {"timeout_after": {"probability": 0.3, "route": "/batch", "methods": ["POST"]}}


async def scene(world: World) -> Verdict:
    """A full run against a target that falls silent, edits on both sides, and a source that goes
    on selling while the cutover begins.
    """
    world.people.fill()
    world.weather({}, SILENT, seed=3)
    await world.run("full")
    world.weather({}, {}, seed=0)
    await asyncio.sleep(QUIET)
    for _ in range(3):
        for field in FIELDS:
            world.team.edit(field)
    for _ in range(15):
        world.people.do("change_product")
    await world.run()
    world.weather(LATE, {}, seed=0)
    for deed in ("change_product", "new_order", "late_line") * 8:
        at = 60 + 6 * len(world.crew.strikes)
        world.crew.strikes.append(
            Strike(at, Blow.ACT, lambda deed=deed: world.people.do(deed))
        )
    return await close(world)


def test_engine_as_it_is_passes(drill_url: str) -> None:
    assert in_world(drill_url, scene).findings == []


def test_creates_without_a_look_make_doubles(
    drill_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(delivery, "_look", nothing)
    assert in_world(drill_url, scene).doubled


def test_last_write_wins_overwrites_the_team(
    drill_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "_is_due", lambda *_: False)
    assert in_world(drill_url, scene).overwritten


def test_no_settle_lag_leaves_records_torn_or_missing(
    drill_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window.Lags, "settle_of", lambda *_: timedelta(0))
    found = in_world(drill_url, scene)
    assert found.missing + found.wrong


def test_watermark_ahead_of_the_source_is_found(
    drill_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ahead(*arguments: object, **named: object) -> window.Reading:
        made = window.reading(*arguments, **named)
        return made._replace(until=made.until + timedelta(hours=1))

    monkeypatch.setattr(cutting, "reading", ahead)
    found = in_world(drill_url, scene)
    assert any("in the future" in sentence for sentence in found.findings)
