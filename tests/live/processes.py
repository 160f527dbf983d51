"""Servers that run on Node: started on a free port of this machine, and ended with their tests."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from app.cli.processes import end_all

_LEASH = Path(__file__).with_name("leash.cjs")
_TAIL = 60
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")


def free_port() -> int:
    """A port of the loopback address that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, **own: str) -> dict[str, str]:
    """Variables of a program that knows nothing of whose machine it runs on."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "HOME": str(home), "NODE_ENV": "production", "TZ": "UTC", **own}


def run(
    arguments: Sequence[str], *, folder: Path, variables: Mapping[str, str], seconds: float = 600
) -> str:
    """What a program on Node prints; it has to end well."""
    done = subprocess.run(
        ["node", *arguments],  # noqa: S607
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"node {' '.join(arguments)} failed:\n{_tail(done.stdout + done.stderr)}"
        )
    return done.stdout


@contextmanager
def serving(
    arguments: Sequence[str],
    *,
    folder: Path,
    variables: Mapping[str, str],
    health: str,
    seconds: float = 300,
) -> Iterator[None]:
    """Run a server within the block, from its first good answer at the address `health` on.

    Raises `RuntimeError` with the end of its log where there is none within `seconds`.
    """
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["node", "--require", str(_LEASH), *arguments],  # noqa: S607
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, health, log, seconds)
        yield
    finally:
        end_all([process])


def _wait(process: subprocess.Popen[bytes], health: str, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    with httpx.Client(trust_env=False, timeout=5) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                if client.get(health).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    ended = "" if process.poll() is None else f" (it ended with {process.returncode})"
    raise RuntimeError(f"no answer from {health}{ended}:\n{_tail(log.read_text())}")


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-_TAIL:])
