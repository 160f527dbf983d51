"""Hearing from child processes that they are at work."""

from __future__ import annotations

import socket
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from app.cli.failures import UnreachableError
from app.cli.processes import Supervisor
from app.notify import READY, VARIABLE

_TICK_SECONDS = 0.5
_LONGEST = 4096


class Hearing:
    """A place where children say that they are ready. A context manager."""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="recent-sync-"))
            self._path = Path(folder, "ready")
            self._socket = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            self._socket.bind(str(self._path))
            self._socket.settimeout(_TICK_SECONDS)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """What a child needs in order to be heard."""
        return {VARIABLE: str(self._path)}

    def wait(self, supervisor: Supervisor, count: int, *, seconds: float) -> None:
        """Return once so many have spoken. Raises `UnreachableError`, or what `supervisor` says."""
        deadline = time.monotonic() + seconds
        heard = 0
        while heard < count:
            supervisor.check()
            if time.monotonic() >= deadline:
                raise UnreachableError(f"The workers did not get ready within {seconds:.0f} s.")
            try:
                heard += READY in self._socket.recv(_LONGEST).splitlines()
            except TimeoutError:
                continue
