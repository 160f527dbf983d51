"""The whole service as processes: API, two workers, two practice stores, servers of its own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from app.cli.demo.practice import PracticeStore
from app.cli.demo.scene import Scene
from tests.e2e.arena import ENDED
from tests.fixtures import servers
from tests.fixtures.shops import credentials


@dataclass
class Launch:
    """A migration between the two practice stores, and what a test does to it."""

    scene: Scene
    migration: str

    def start(self, kind: str, **body: Any) -> str:
        job = self.scene.api.post("/jobs", {"kind": kind, "migration": self.migration, **body})
        return str(job["id"])

    def job(self, job: str) -> dict[str, Any]:
        view: dict[str, Any] = self.scene.api.get(f"/jobs/{job}")
        return view

    def wait(self, job: str, *, seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            view = self.job(job)
            if view["status"] in ENDED:
                return view
            time.sleep(0.2)
        raise AssertionError(f"the job did not end in {seconds} s: {view}")

    def wait_for_progress(self, job: str, counter: str, above: int) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.job(job)["totals"][counter] > above:
                return
            time.sleep(0.1)
        raise AssertionError(f"{counter} never passed {above}")

    def run(self, kind: str, **body: Any) -> dict[str, Any]:
        return self.wait(self.start(kind, **body))

    def kill_workers(self, *, which: int | None = None) -> int:
        """`kill -9` one worker or all of them; the supervisor starts them again."""
        pids = [
            pid
            for name, pid in sorted(self.scene.supervisor.pids().items())
            if name.startswith("worker")
        ]
        chosen = pids if which is None else [pids[which]]
        for pid in chosen:
            os.kill(pid, signal.SIGKILL)
        return len(chosen)


def register(scene: Scene, slug: str) -> Launch:
    """Both practice stores and a migration between them, over the API."""
    for store in (scene.source, scene.target):
        scene.api.post(
            "/stores",
            {
                "name": f"{slug}-{store.name.lower()}",
                "platform": "woocommerce",
                "settings": {"url": store.url, "write_settle": 2},
                "credentials": credentials(store),
            },
        )
    scene.api.post(
        "/migrations",
        {
            "slug": slug,
            "source": f"{slug}-a",
            "target": f"{slug}-b",
            "policies": {"overlap": 60, "settle": 2},
        },
    )
    return Launch(scene, slug)


def seed(store: PracticeStore, scale: float) -> None:
    """The real shop as of the day before the replay begins."""
    store.ask("POST", "/seed", {"scale": scale, "seed": 7})


@pytest.fixture(scope="session")
def launch() -> Iterator[Launch]:
    """A shop of about 900 orders, and an empty target."""
    with servers.scene() as scene:
        seed(scene.source, 0.05)
        yield register(scene, "spring")
