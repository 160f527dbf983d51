"""Plays the whole rehearsal, or parts of it, and says what came of it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from app.cli.demo.practice import Opening
from app.cli.demo.scene import Scene, open_scene
from app.cli.display import note
from app.cli.duration import say_duration
from drills import forecast
from drills.rehearsal import adoption, faults, launch
from drills.rehearsal.report import Report
from drills.rehearsal.stage import Stage, register

PARTS = ("launch", "faults", "adoption", "forecast")


def rehearse(parts: Collection[str], *, scale: float, seed: int, patience: float) -> Report:
    """Play these parts, on servers, a service and practice shops of their own."""
    began = time.monotonic()
    report = Report(parts=tuple(each for each in PARTS if each in parts))
    if set(parts) - {"forecast"}:
        with open_scene() as scene:
            _on_scene(scene, report, scale=scale, seed=seed, patience=patience)
    if "forecast" in parts:
        note("Five moves of the real shop, at five times of its year, in virtual time.")
        for one in forecast.replays(forecast.SCALE * scale, told=note):
            report.freeze_errors.append(one.error)
            report.freeze_covered += one.covered
    report.seconds = time.monotonic() - began
    return report


def _on_scene(scene: Scene, report: Report, *, scale: float, seed: int, patience: float) -> None:
    if "launch" in report.parts:
        stage = register(scene, scene.source, scene.target, "launch")
        with _playing("launch"):
            launch.play(stage, report, scale=scale, seed=seed, patience=patience)
    if "faults" in report.parts:
        with _playing("planted faults"), _two_shops(scene, "faults") as stage:
            faults.play(stage, report, seed=seed)
    if "adoption" in report.parts:
        with _playing("adoption"), _two_shops(scene, "adoption") as stage:
            adoption.play(stage, report, seed=seed)


@contextmanager
def _two_shops(scene: Scene, slug: str) -> Iterator[Stage]:
    openings = [
        Opening(scene.supervisor, f"{slug}-{name}", scene.folder / f"{slug}-{name}", timezone=zone)
        for name, zone in (("old", "America/New_York"), ("new", "Europe/London"))
    ]
    old, new = (each.opened() for each in openings)
    stage = register(scene, old, new, slug)
    try:
        yield stage
    finally:
        stage.source.close()
        stage.target.close()


@contextmanager
def _playing(what: str) -> Iterator[None]:
    began = time.monotonic()
    note(f"--- {what}")
    yield
    note(f"--- {what}: {say_duration(time.monotonic() - began)}")
