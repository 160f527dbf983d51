"""Runs a Python module as a child that cannot outlive its parent.

`python -m app.cli.leash MODULE ARGUMENT…` runs the module as `python -m` would. Its standard
input is a pipe whose other end only the parent holds: however the parent ends, `kill -9`
included, the pipe ends with it, and the child is told to stop, then made to.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import sys
import threading
import time

GRACE_SECONDS = 10.0


def _stop_with_parent(pipe: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(pipe, 1024):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Watch the pipe and become the module."""
    # The module gets an empty standard input; the pipe keeps a number of its own.
    pipe = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=_stop_with_parent, args=(pipe,), name="leash", daemon=True).start()
    module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
