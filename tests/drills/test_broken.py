"""An engine that is broken on purpose is found out: proof that a drill can fail."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from drills.course import QUIET, close
from drills.judge import Verdict, judge
from drills.team import FIELDS
from drills.world import World
from sandbox import products
from tests.drills.scenes import in_world
from workers.engine import cutting, delivery, merging, window

LATE = {"visibility_delay": {"seconds": 9.5, "probability": 1.0}}
SILENT = {"timeout_after": {"probability": 1.0, "times": 2, "route": "orders/batch"}}


async def scene(world: World) -> Verdict:
    """A full run against a target that falls silent, then edits on both sides."""
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
    return await close(world)


async def hasty_scene(world: World) -> Verdict:
    """A cutover that begins in the moment of the freeze: the last changes cannot be seen yet."""
    world.people.fill()
    await world.run("full")
    await asyncio.sleep(QUIET)
    world.weather(LATE, {}, seed=0)
    with world.source.by_hand("people") as store:
        for doc in world.source.docs("product"):
            products.update(store, doc["id"], {"name": f"Last {doc['id']}"}, checked=False)
    await world.run(cutover=True, streams=["products"])
    await asyncio.sleep(QUIET)
    return await judge(world)


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


def test_no_settle_lag_misses_the_last_changes(
    drill_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert in_world(drill_url, hasty_scene).findings == []
    monkeypatch.setattr(window.Lags, "settle_of", lambda *_: timedelta(0))
    assert in_world(drill_url, hasty_scene).wrong


def test_watermark_ahead_of_the_source_is_found(
    drill_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ahead(*arguments: object, **named: object) -> window.Reading:
        made = window.reading(*arguments, **named)
        return made._replace(until=made.until + timedelta(hours=1))

    monkeypatch.setattr(cutting, "reading", ahead)
    found = in_world(drill_url, scene)
    assert any("in the future" in sentence for sentence in found.findings)
