"""Locks that end with their holder: the kernel drops them even after ``kill -9``.

Who is alive is never read from a file with a process id in it, which lies after a crash, but
asked of these locks.
"""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from app.embedded.errors import EmbeddedError


class FileLock:
    """An advisory lock on a file of its own, shared or exclusive, held until released."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        self._descriptor = os.open(path, flags, 0o600)

    def try_exclusive(self) -> bool:
        """Whether the lock is now held by this object and nobody else."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Whether the lock is now held by this object and by nobody exclusively."""
        return self._try(fcntl.LOCK_SH)

    def is_current(self) -> bool:
        """Whether the locked file is still the one at its path: a folder can be deleted."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        mine = os.fstat(self._descriptor)
        return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)

    def release(self) -> None:
        """Let go; doing so twice is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def is_held(path: Path, *, exclusively: bool) -> bool:
    """Whether somebody holds the lock at ``path``, shared or otherwise, or only ``exclusively``.

    Asking takes the lock for a moment: whoever wants it for long has to try more than once.
    """
    try:
        lock = FileLock(path, create=False)
    except FileNotFoundError:
        return False
    try:
        return not (lock.try_shared() if exclusively else lock.try_exclusive())
    finally:
        lock.release()


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return once ``condition`` holds; raise ``EmbeddedError`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise EmbeddedError(f"Waited {seconds:.0f} seconds in vain for {what}.")
        time.sleep(0.02)
