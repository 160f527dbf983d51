"""How much of a store's limit several processes use, and how often they are refused: with the
budget that they share, with what each learns from headers alone, and with refusals alone.

`python -m benchmarks limits`. Every line is counted in the store's own log.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.embedded import start
from benchmarks.asking import Way
from benchmarks.limited import FixedWindow, LeakyBucket, LimitedStore, serving
from benchmarks.processes import started

_LIMITS = {
    "bucket of 40": lambda: LeakyBucket(40),
    "bucket of 400": lambda: LeakyBucket(400),
    "150 in 30 s": lambda: FixedWindow(150, 30.0),
}


class Askers:
    """Processes that ask one store."""

    def __init__(self, processes: list[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def finish(self, seconds: float) -> int:
        """Wait for all; how often a slice would have been given back."""
        outputs = [each.communicate(timeout=seconds)[0] for each in self._processes]
        return sum(json.loads(output)["given_back"] for output in outputs)


@contextmanager
def askers(
    store: LimitedStore, way: Way, redis: str, *, processes: int, seconds: float, log: Path
) -> Iterator[Askers]:
    """Processes that ask for so many seconds; they end with the block. Errors go into `log`."""
    with ExitStack() as stack:
        command = [sys.executable, "-m", "benchmarks.asking", store.url]
        options = ["--seconds", str(seconds), "--redis", redis]
        yield Askers(
            [
                stack.enter_context(started([*command, f"p{number}", way, *options], log=log))
                for number in range(processes)
            ]
        )


def run(processes: int, seconds: float, log: Path) -> None:
    """Print one line for each limit and each way."""
    with start(ephemeral=True) as servers:
        for name, limit in _LIMITS.items():
            for way in Way:
                with (
                    serving(LimitedStore(limit())) as store,
                    askers(
                        store, way, servers.redis_url, processes=processes, seconds=seconds, log=log
                    ) as running,
                ):
                    given_back = running.finish(seconds + 60)
                    share = store.share(*store.limit.steady(store.log))
                print(
                    f"{name:14} {way:9} used {share.used:6.1%}   refused {share.refused:6.1%}"
                    f"   given back {given_back}",
                    flush=True,
                )
