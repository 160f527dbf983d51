"""Waiting for a job to end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.cli.client import Api, Json
from app.cli.display import note, print_line, print_table
from app.cli.duration import say_duration
from app.cli.failures import GateError, LeftError, TimedOutError, UnreachableError
from app.cli.progress import JobProgress

ENDED = ("succeeded", "completed_with_errors", "failed", "cancelled")
COUNTERS = ("read", "created", "updated", "unchanged", "conflicts", "quarantined", "deleted")
LEAST_SECONDS = 0.4
LONGEST_WAIT_SECONDS = 5.0
# A service that is being deployed again is away for a while, and the job goes on without it.
AWAY_SECONDS = 60.0


@contextmanager
def leaving(job_id: str) -> Iterator[None]:
    """Within the block, Ctrl-C leaves a job to itself: raises `LeftError`."""
    try:
        yield
    except KeyboardInterrupt:
        raise LeftError(
            f"The job {job_id} goes on: `recent-sync job wait {job_id}` follows it, "
            f"`recent-sync job cancel {job_id}` stops it."
        ) from None


def follow(api: Api, job: Json, title: str, timeout: float) -> Json:
    """Show a job until it has ended. Raises `LeftError`, and `TimedOutError` after `timeout`
    seconds.
    """
    with leaving(job["id"]):
        return wait_for(api, job, JobProgress(title), timeout)


def wait_for(api: Api, job: Json, progress: JobProgress, timeout: float) -> Json:
    """Return the job once it has ended. Raises `TimedOutError` after `timeout` seconds."""
    began = time.monotonic()
    deadline = began + timeout
    with progress:
        progress.show(job)
        while job["status"] not in ENDED:
            asked = time.monotonic()
            if asked >= deadline:
                raise TimedOutError(
                    f"The job {job['id']} has not ended within {say_duration(timeout)} "
                    f"(it is {job['status']}); it goes on."
                )
            # A long job is asked after less often.
            patience = min(LONGEST_WAIT_SECONDS, 1 + (asked - began) / 60, deadline - asked)
            job = _ask(api, job["id"], max(1, int(patience)), deadline)
            progress.show(job)
            if job["status"] not in ENDED:
                _rest(asked, deadline)
    return job


def _rest(asked: float, deadline: float) -> None:
    """Pause where the service answered at once instead of waiting for the job."""
    now = time.monotonic()
    time.sleep(max(0.0, min(asked + LEAST_SECONDS, deadline) - now))


def _ask(api: Api, job_id: str, wait: int, deadline: float) -> Json:
    away_until = min(time.monotonic() + AWAY_SECONDS, deadline)
    while True:
        try:
            answer = api.send("GET", f"/jobs/{job_id}", headers={"Prefer": f"wait={wait}"})
        except UnreachableError as error:
            if time.monotonic() >= away_until:
                raise
            note(f"{error} Trying again.")
            time.sleep(2.0)
        else:
            found: Json = answer.document
            return found


def print_job(job: Json) -> None:
    """A job's outcome for a person."""
    rows = [
        [stream, *(counters[name] for name in COUNTERS)]
        for stream, counters in job["counters"].items()
    ]
    title = f"{job['kind']} of {job['migration']}: {job['status']} (job {job['id']})"
    print_table(("stream", *COUNTERS), rows, title=title)
    restored = sum(counters.get("restored", 0) for counters in job["counters"].values())
    if restored:
        print_line(f"{restored:,} of the updated were changed on the target, and put back.")


def require_success(job: Json) -> None:
    """Raise `GateError` unless the job succeeded."""
    if job["status"] == "succeeded":
        return
    raise GateError(f"The job {job['id']} ended {job['status']}{_why(job)}.")


def _why(job: Json) -> str:
    error: dict[str, Any] | None = job["error"]
    if error:
        return f": {str(error['message']).rstrip('.')} [{error['code']}]"
    if quarantined := job["totals"]["quarantined"]:
        hint = f"recent-sync quarantine list -m {job['migration']}"
        return f": {quarantined:,} records are in quarantine (`{hint}`)"
    return ""
