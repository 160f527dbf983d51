"""Starting a server's process, knowing it again later, and ending it."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from app.embedded.account import Account, identity

ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>


def spawn(
    command: list[str], *, account: Account | None, folder: Path, log: IO[bytes], death: int
) -> subprocess.Popen[bytes]:
    """Start ``command`` in ``folder`` as ``account``; it gets the signal ``death`` if we die."""
    return subprocess.Popen(  # noqa: S603
        command,
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        # The keeper has one thread, so running Python between fork and exec is safe.
        preexec_fn=_signal_when_parent_dies(death),  # noqa: PLW1509
        **identity(account),
    )


def _signal_when_parent_dies(number: int) -> Callable[[], None] | None:
    """The kernel's own guard against orphans; elsewhere the next start clears them away."""
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask_kernel() -> None:
        library.prctl(_SET_PARENT_DEATH_SIGNAL, number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_kernel


def end(process: subprocess.Popen[bytes], steps: Iterable[tuple[int, float]]) -> None:
    """Send each signal and wait its seconds for the process to end; kill it after the last."""
    for number, seconds in steps:
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
    process.kill()
    process.wait()


def end_stale(pid: int, *, mark: str, steps: Iterable[tuple[int, float]]) -> bool:
    """End a process that an earlier keeper left behind; whether there was one.

    It is ours only if ``mark`` stands on its command line: process ids are used again.
    """
    if mark not in command_line(pid):
        return False
    for number, seconds in [*steps, (signal.SIGKILL, 10.0)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if mark not in command_line(pid):
                return True
            time.sleep(0.02)
    return True


def command_line(pid: int) -> str:
    """The command line of a running process, or nothing if there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            return ""
    asked = ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout  # noqa: S603


def exists(pid: int) -> bool:
    """Whether any process has this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
