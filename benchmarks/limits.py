"""How much of a store's limit several processes use, and how often they are refused: with the
budget that they share, and with what each learns for itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from app.embedded import start
from benchmarks.limited import FixedWindow, LeakyBucket, Limit, LimitedStore, Share, serving
from benchmarks.processes import started

_LIMITS = {"bucket": LeakyBucket, "window": FixedWindow}


def measure(
    limit: Limit, redis: str | None, *, processes: int, seconds: float, warm_up: float, log: Path
) -> tuple[Share, int]:
    """The share after a warm-up, and how many slices would have been given back."""
    with serving(LimitedStore(limit)) as store, ExitStack() as stack:
        command = [sys.executable, "-m", "benchmarks.asking", store.url]
        shared = ["--redis", redis] if redis else []
        running = [
            stack.enter_context(
                started([*command, f"p{number}", "--seconds", str(seconds), *shared], log=log)
            )
            for number in range(processes)
        ]
        given_back = [_given_back(each, seconds + 60) for each in running]
        began, ended = store.log[0].at, store.log[-1].at
        return store.share(began + warm_up, ended), sum(given_back)


def _given_back(process: subprocess.Popen[bytes], seconds: float) -> int:
    output, _ = process.communicate(timeout=seconds)
    return int(json.loads(output)["given_back"])


def run(processes: int, seconds: float, log: Path) -> None:
    """Print one line for each limit and each way."""
    with start(ephemeral=True) as servers:
        for name, limit in _LIMITS.items():
            for way, redis in (("shared", servers.redis_url), ("by process", None)):
                share, given_back = measure(
                    limit(),
                    redis,
                    processes=processes,
                    seconds=seconds,
                    warm_up=seconds / 3,
                    log=log,
                )
                print(
                    f"{name:8} {way:12} used {share.used:6.1%}  refused {share.refused:6.1%}"
                    f"  given back {given_back}",
                    flush=True,
                )
