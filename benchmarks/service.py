"""The real service under measurement: `recent-sync up`, asked over HTTP."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.processes import (
    command_line,
    cpu_seconds,
    descendants,
    peak_megabytes,
    started,
    tree_seconds,
)

_OVER = {"succeeded", "completed_with_errors", "failed", "cancelled"}
_ENDS = ("created", "finished")
_WAIT = 20  # seconds; asking more often would be part of what is measured


class Run(NamedTuple):
    """A finished job, and the seconds from its creation to its end by the service's clock."""

    seconds: float
    job: dict[str, Any]


class Service:
    """A client of the running service that also watches its processes."""

    def __init__(self, url: str, key: str, pid: int) -> None:
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
        )
        self._pid = pid

    def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST; the new resource. Raises `RuntimeError` with the problem's text."""
        answer = self._client.post(path, json=body)
        if answer.is_error:
            raise RuntimeError(f"POST {path}: {answer.status_code} {answer.text}")
        made: dict[str, Any] = answer.json()
        return made

    def run(self, kind: str, migration: str, *, patience: float) -> Run:
        """Run a job to its end. Raises `RuntimeError` where it does not succeed."""
        began = time.perf_counter()
        job = self.make("/v1/jobs", {"kind": kind, "migration": migration})
        while job["status"] not in _OVER:
            if time.perf_counter() - began > patience:
                raise RuntimeError(f"the {kind} run took longer than {patience:.0f} s: {job}")
            waiting = {"Prefer": f"wait={_WAIT}"}
            answer = self._client.get(f"/v1/jobs/{job['id']}", headers=waiting)
            job = answer.raise_for_status().json()
        if job["status"] != "succeeded":
            raise RuntimeError(f"the {kind} run ended as {job['status']}: {job['error']}")
        created, finished = (datetime.fromisoformat(job[f"{name}_at"]) for name in _ENDS)
        return Run((finished - created).total_seconds(), job)

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return [pid for pid in descendants(self._pid) if "leash workers" in command_line(pid)]

    def memory(self) -> list[float]:
        """Peak memory of each worker so far, in megabytes."""
        return [peak_megabytes(pid) for pid in self.workers()]

    def all_seconds(self) -> float:
        """Processor time of API and workers so far."""
        return tree_seconds(self._pid)

    def worker_seconds(self) -> float:
        """Processor time of all workers so far."""
        return sum(map(cpu_seconds, self.workers()))


@contextmanager
def running(folder: Path, *, workers: int) -> Iterator[Service]:
    """The service with its data in `folder`, logging to `folder/service.log`."""
    command = [sys.executable, "-m", "app.cli", "up", "--port", "0", "--workers", str(workers)]
    settings = {"RECENT_SYNC_DATA_DIR": str(folder), "RECENT_SYNC_LOG_LEVEL": "WARNING"}
    with started(command, log=folder / "service.log", environment=settings) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        for line in process.stdout:
            words = line.decode().split()
            if "up" in words and any(each.startswith("http://") for each in words):
                url = next(each for each in words if each.startswith("http://"))
                break
        else:
            raise RuntimeError(f"the service did not start, see {folder / 'service.log'}")
        process.stdout.readline()  # the key is written into its file by then
        yield Service(url, (folder / "api-key").read_text().strip(), process.pid)
