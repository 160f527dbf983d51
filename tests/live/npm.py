"""Packages from npm that stores under test consist of: installed once for as long as the pins stay.

They lie in the user's cache, where all checkouts of the project share them. `python -m
tests.live.npm` installs them without testing anything; with `lock` behind it, it makes the lock
files anew, which name every package by version and digest.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPTIONS = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error")
_PINS = ("package.json", "package-lock.json")
_INSTALL_SECONDS = 900.0
_PROJECTS = ("medusa", "vendure")


def node() -> str | None:
    """The program Node, where this machine has it and npm."""
    return shutil.which("node") if shutil.which("npm") else None


def installed(project: Path) -> Path:
    """A folder whose `node_modules` holds what the project's lock file names; nobody writes there.

    Raises `RuntimeError` with what npm says where it does not come about.
    """
    pins = {name: (project / name).read_bytes() for name in _PINS}
    digest = hashlib.sha256(b"".join(pins.values()) + _version()).hexdigest()[:16]
    folder = _cache() / f"{project.parent.name}-{digest}"
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


def lock(project: Path) -> None:
    """Write the project's lock file for what is newest under its pins, naming no host.

    Raises `RuntimeError` with what npm says where it does not come about.
    """
    file = project / "package-lock.json"
    file.unlink(missing_ok=True)
    _npm(project, "install", "--package-lock-only", "--omit-lockfile-registry-resolved")
    found = json.loads(file.read_bytes())
    for package in found["packages"].values():
        # Of some packages npm names the host all the same.
        package.pop("resolved", None)
    file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _install(pins: dict[str, bytes], folder: Path) -> None:
    """Install beside the folder first: what has its name is whole."""
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, text in pins.items():
        (partial / name).write_bytes(text)
    _npm(partial, "ci")
    partial.rename(folder)


def _npm(folder: Path, command: str, *options: str) -> None:
    done = subprocess.run(
        ["npm", command, *_OPTIONS, *options],  # noqa: S607
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_INSTALL_SECONDS,
    )
    if done.returncode != 0:
        raise RuntimeError(f"npm {command} in {folder} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    make = lock if sys.argv[1:] == ["lock"] else installed
    for name in _PROJECTS:
        make(Path(__file__).parent / name / "project")
