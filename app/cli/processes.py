"""Child processes of the command line: started, watched, started again, and ended.

A child that dies is started again after a pause that grows while it keeps dying young. All of
them end with this process, however it ends (see `app.cli.leash`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Self

import structlog

from app.cli.failures import UnreachableError

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 15.0
YOUNG_SECONDS = 10.0
END_SECONDS = 20.0
SWALLOWED_AGAIN_SECONDS = 0.05
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Program:
    """A Python module to run. `name` is for people; without `log` it writes where we write.

    `environment` is added to ours; `sockets` are file descriptors that the child inherits.
    `lasting` programs are started again when they end.
    """

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    sockets: tuple[int, ...] = ()
    log: Path | None = None
    lasting: bool = True


class ProcessError(UnreachableError):
    """A child cannot be kept running; the message is a sentence for a person."""


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start a program once, on a leash, in a session of its own.

    A session of its own keeps Ctrl-C in the terminal from it: who started it ends it, in order.
    """
    # `-P` and our own path: a folder named `app` in the working directory must not be ours.
    command = [sys.executable, "-P", "-m", "app.cli.leash", program.module, *program.arguments]
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(program.log.open("ab")) if program.log else None
        return subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=output if output is not None else sys.stderr,
            stderr=output,
            env={**os.environ, **program.environment, "PYTHONPATH": path},
            pass_fds=program.sockets,
            start_new_session=True,
        )


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes]
    started: float
    failures: int = 0
    due: float | None = None


class Supervisor:
    """Keeps programs running. A context manager: leaving it ends them all."""

    def __init__(self, *, patience: int | None = None) -> None:
        """After `patience` deaths in a row soon after the start it gives up, if given."""
        self._patience = patience
        self._children: dict[str, _Child] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.failure: ProcessError | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, program: Program) -> None:
        """Start a program and keep it running."""
        with _unbroken(), self._lock:
            self._children[program.name] = _Child(program, spawn(program), time.monotonic())

    def pids(self) -> dict[str, int]:
        """The process ids by name, of those that run."""
        with self._lock:
            return {
                name: child.process.pid
                for name, child in self._children.items()
                if child.process.poll() is None
            }

    def check(self) -> None:
        """Raise `ProcessError` if a program cannot be kept running."""
        if self.failure is not None:
            raise self.failure

    def wait(self) -> None:
        """Return never: only by a signal's exception, or with `ProcessError`."""
        while True:
            self.check()
            time.sleep(TICK_SECONDS)

    def stop(self) -> None:
        """Ask all to end, the youngest first, and make those end that do not. Twice is harmless."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        with self._lock:
            end_all([child.process for child in reversed(self._children.values())])
            self._children.clear()

    def _watch(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            with self._lock:
                for child in self._children.values():
                    self._look_after(child)

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.due is None:
            if child.process.poll() is not None:
                self._note_death(child, now)
        elif now >= child.due:
            child.due = None
            child.started = now
            child.process = spawn(child.program)

    def _note_death(self, child: _Child, now: float) -> None:
        _let_go(child.process)
        young = now - child.started < YOUNG_SECONDS
        child.failures = child.failures + 1 if young else 1
        name, code = child.program.name, child.process.returncode
        log.warning("process.ended", process=name, code=code, times=child.failures)
        hopeless = self._patience is not None and child.failures >= self._patience
        if hopeless or not child.program.lasting:
            self.failure = ProcessError(f"The {name} ended with code {code} and does not stay up.")
            child.due = float("inf")
            return
        pause = FIRST_PAUSE_SECONDS * 2 ** (child.failures - 1)
        child.due = now + min(pause, LONGEST_PAUSE_SECONDS)


def end_all(processes: list[subprocess.Popen[bytes]]) -> None:
    """Terminate all at once, give them `END_SECONDS` together, then kill what is left."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + END_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _let_go(process)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


@dataclass
class _Holding:
    """Whether a signal has to wait for its exception, and whether one does."""

    depth: int = 0
    waits: bool = False


_holding = _Holding()


@contextlib.contextmanager
def _unbroken() -> Iterator[None]:
    """Within the block a signal of `ended_by_signals` is held back; it is raised at its end.

    A process that was started and that nobody has noted down yet would outlive its starter's
    tidying up, and write where that has just been done.
    """
    _holding.depth += 1
    try:
        yield
    finally:
        _holding.depth -= 1
    if _holding.waits and not _holding.depth:
        _holding.waits = False
        raise KeyboardInterrupt


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within the block, Ctrl-C, SIGTERM and a closed terminal raise `KeyboardInterrupt`, once.

    The second and later signals are ignored, so that nothing interrupts the tidying up.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        if _holding.depth:
            _holding.waits = True
        else:
            raise KeyboardInterrupt

    # What was ignored stays ignored: `nohup` means it.
    heard = [each for each in numbers if signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, interrupt) for each in (*heard, signal.SIGALRM)}
    try:
        with _interrupts_raised_again():
            yield
    finally:
        _holding.waits = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in before.items():
            signal.signal(each, handler)


@contextlib.contextmanager
def _interrupts_raised_again() -> Iterator[None]:
    """Have SIGALRM follow a `KeyboardInterrupt` that Python has swallowed.

    A signal that arrives while a finalizer or a weak reference's callback runs, as one does after
    every import, is raised there, and nobody above hears of it.
    """
    before = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            # From here nothing can be raised either: in a moment the callback is over.
            signal.setitimer(signal.ITIMER_REAL, SWALLOWED_AGAIN_SECONDS)
        else:
            before(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before
