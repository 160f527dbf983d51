"""Packages from npm that stores under test consist of: installed once for as long as the pins stay.

They lie in the user's cache, where all checkouts of the project share them. `python -m
tests.live.npm` installs them without testing anything.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error")
_INSTALL_SECONDS = 900.0
_PROJECTS = ("medusa", "vendure")


def node() -> str | None:
    """The program Node, where this machine has it and npm."""
    return shutil.which("node") if shutil.which("npm") else None


def installed(project: Path) -> Path:
    """A folder whose `node_modules` holds what `project/package.json` pins; nobody writes there.

    Raises `RuntimeError` with what npm says where it does not come about.
    """
    pins = (project / "package.json").read_bytes()
    folder = (
        _cache() / f"{project.parent.name}-{hashlib.sha256(pins + _version()).hexdigest()[:16]}"
    )
    with _alone(folder.with_suffix(".lock")):
        if not folder.is_dir():
            _install(pins, folder)
    return folder


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "recent-sync", "live")


def _version() -> bytes:
    """Node's own version: some packages bring programs that are made for one."""
    return subprocess.run(["node", "--version"], capture_output=True, check=True, timeout=60).stdout  # noqa: S607


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Two test processes ask for the same at once: the second waits and finds it there."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _install(pins: bytes, folder: Path) -> None:
    """Install beside the folder first: what has its name is whole."""
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    (partial / "package.json").write_bytes(pins)
    done = subprocess.run(
        ["npm", "install", *_OPTIONS],  # noqa: S607
        cwd=partial,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm install for {folder.name} failed:\n{done.stdout}{done.stderr}")
    partial.rename(folder)


if __name__ == "__main__":
    for name in _PROJECTS:
        installed(Path(__file__).parent / name / "project")
