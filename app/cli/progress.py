"""How a job goes, shown on standard error: bars on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from app.cli.display import note, notes, say

_LINE_SECONDS = 15.0


def bars(*, transient: bool = False) -> Progress:
    """Bars with counts and time, on standard error."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=notes,
        transient=transient,
    )


class JobProgress:
    """Shows a job as it is updated. A context manager; quiet ones show nothing."""

    def __init__(
        self, title: str, *, totals: Mapping[str, int] | None = None, quiet: bool = False
    ) -> None:
        """`totals` are records per stream, where they are known beforehand."""
        self._title = title
        self._totals = dict(totals or {})
        self._quiet = quiet
        self._bars = bars() if notes.is_terminal and not quiet else None
        self._tasks: dict[str, TaskID] = {}
        self._told = 0.0
        self._state: tuple[str, str | None, str] | None = None

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def show(self, job: Mapping[str, Any]) -> None:
        """Bring the display up to date with a job as the API describes it."""
        if self._bars is not None:
            self._move_bars(self._bars, job)
        elif not self._quiet:
            self._tell(job)

    def _move_bars(self, display: Progress, job: Mapping[str, Any]) -> None:
        progress = job["progress"]
        if not self._totals:
            task = self._task(display, "all", self._title)
            doing = f"{self._title}: {progress['stream'] or job['status']}{waits(job)}"
            total = progress["total"] and max(progress["total"], progress["read"])
            display.update(task, completed=progress["read"], total=total, description=doing)
            return
        for stream, counters in job["counters"].items():
            task = self._task(display, stream, f"{self._title}: {stream}")
            read, total = counters["read"], self._totals.get(stream)
            ended = job["status"] == "succeeded"
            display.update(task, completed=read, total=read if ended else total)

    def _task(self, display: Progress, name: str, words: str) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = display.add_task(words, total=self._totals.get(name))
        return self._tasks[name]

    def _tell(self, job: Mapping[str, Any]) -> None:
        state = (job["status"], job["progress"]["stream"], waits(job))
        now = time.monotonic()
        if state == self._state and now - self._told < _LINE_SECONDS:
            return
        self._state, self._told = state, now
        note(f"{self._title}: {describe(job)}")


def describe(job: Mapping[str, Any]) -> str:
    """A job's state in a few words."""
    progress = job["progress"]
    if job["status"] != "running":
        return f"{job['status']}{waits(job)}"
    if job["kind"] == "verify":
        return f"checking{waits(job)}"
    # What a store has counted may be less than what there is by now.
    whole = progress["total"] if (progress["total"] or 0) >= progress["read"] else None
    of_total = f" of {whole:,}" if whole else ""
    doing = progress["stream"] or ("finishing" if progress["read"] else "preparing")
    return f"{doing}, {progress['read']:,}{of_total} records{waits(job)}"


def waits(job: Mapping[str, Any]) -> str:
    """What a job waits for and until when, to be put behind its state; empty where it does not."""
    if job["waiting"]:
        until = f" until {say(job['waiting_until'])}" if job["waiting_until"] else ""
        return f", waiting: {', '.join(job['waiting'])}{until}"
    return f", waiting for the job {job['waiting_for']}" if job["waiting_for"] else ""
