"""Child processes: kept running, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.cli import processes
from app.cli.processes import ProcessError, Program, Supervisor, ended_by_signals

ROOT = Path(__file__).resolve().parents[2]
SLEEPER = "import pathlib, os, sys, time\npathlib.Path(sys.argv[1]).write_text(str(os.getpid()))\n"


def until(condition, *, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended; only nobody has asked for its exit code yet.
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" not in status.read_text()


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Makes a program out of a module's text; it writes its process id into a file."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(body, *, name="child", lasting=True):
        (tmp_path / f"{name}_module.py").write_text(SLEEPER + body)
        return Program(
            name=name,
            module=f"{name}_module",
            arguments=(str(tmp_path / f"{name}.pid"),),
            log=tmp_path / f"{name}.log",
            lasting=lasting,
        )

    return make


def read_pid(folder, name="child"):
    """The process id that a program wrote, 0 while it has not."""
    file = folder / f"{name}.pid"
    return int(file.read_text() or 0) if file.exists() else 0


def test_a_killed_child_is_started_again(program, tmp_path):
    with Supervisor() as supervisor:
        supervisor.start(program("time.sleep(60)"))
        until(lambda: read_pid(tmp_path))
        first = read_pid(tmp_path)
        os.kill(first, signal.SIGKILL)
        until(lambda: read_pid(tmp_path) != first)
        assert supervisor.pids() == {"child": read_pid(tmp_path)}


def test_a_child_that_keeps_dying_is_given_up_in_the_end(program, monkeypatch):
    monkeypatch.setattr(processes, "FIRST_PAUSE_SECONDS", 0.01)
    with Supervisor(patience=3) as supervisor:
        supervisor.start(program("sys.exit(7)"))
        until(lambda: supervisor.failure is not None)
        with pytest.raises(ProcessError, match="The child ended with code 7"):
            supervisor.check()


def test_the_pause_grows_while_a_child_dies_young(program, monkeypatch):
    monkeypatch.setattr(processes, "FIRST_PAUSE_SECONDS", 0.05)
    with Supervisor(patience=4) as supervisor:
        began = time.monotonic()
        supervisor.start(program("sys.exit(7)"))
        until(lambda: supervisor.failure is not None)
        assert time.monotonic() - began > 0.05 + 0.1 + 0.2


def test_the_end_of_a_child_that_is_not_to_be_restarted_is_a_failure(program):
    with Supervisor() as supervisor:
        supervisor.start(program("sys.exit(0)", lasting=False))
        until(lambda: supervisor.failure is not None)


def test_the_end_of_the_supervisor_is_the_end_of_its_children(program, tmp_path):
    with Supervisor() as supervisor:
        for name in ("one", "two"):
            supervisor.start(program("time.sleep(60)", name=name))
            until(lambda name=name: read_pid(tmp_path, name))
    assert not alive(read_pid(tmp_path, "one"))
    assert not alive(read_pid(tmp_path, "two"))


def test_a_child_that_does_not_listen_is_killed(program, tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "END_SECONDS", 0.3)
    deaf = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)"
    with Supervisor() as supervisor:
        supervisor.start(program(deaf))
        until(lambda: read_pid(tmp_path))
        time.sleep(0.2)
    assert not alive(read_pid(tmp_path))


PARENT = """
import sys, time
from pathlib import Path
from app.cli.processes import Program, Supervisor
with Supervisor() as supervisor:
    supervisor.start(Program("child", "child_module", (sys.argv[1],)))
    time.sleep(60)
"""


def test_kill_nine_of_the_parent_ends_the_child(program, tmp_path):
    """The child holds the reading end of a pipe, and the kernel closes the other one."""
    program("time.sleep(60)")
    path = os.pathsep.join((str(ROOT), str(tmp_path)))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "child.pid")],
        env={**os.environ, "PYTHONPATH": path},
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: read_pid(tmp_path))
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not alive(read_pid(tmp_path)))


def test_a_folder_named_like_ours_in_the_working_directory_does_not_matter(
    program, tmp_path, monkeypatch
):
    (tmp_path / "elsewhere" / "app").mkdir(parents=True)
    (tmp_path / "elsewhere" / "app" / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with Supervisor() as supervisor:
        supervisor.start(program("time.sleep(60)"))
        until(lambda: read_pid(tmp_path))


def test_a_child_reads_nothing_from_our_terminal(program, tmp_path):
    body = "pathlib.Path(sys.argv[1] + '.read').write_text(repr(sys.stdin.read()))\ntime.sleep(60)"
    read = tmp_path / "child.pid.read"
    with Supervisor() as supervisor:
        supervisor.start(program(body))
        until(lambda: read.exists() and read.read_text())
    assert read.read_text() == "''"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_a_block_once_and_do_not_disturb_its_tidying_up(number):
    before = signal.getsignal(number)
    tidied = []

    def block():
        with ended_by_signals():
            try:
                os.kill(os.getpid(), number)
                time.sleep(5)
            finally:
                os.kill(os.getpid(), number)
                tidied.append(True)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert tidied == [True]
    assert signal.getsignal(number) is before


def test_a_signal_that_arrives_in_a_finalizer_still_ends_the_block():
    class Finalized:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    def block():
        with ended_by_signals():
            Finalized()
            time.sleep(5)
            raise AssertionError("the signal was swallowed")

    with pytest.raises(KeyboardInterrupt):
        block()


def test_a_process_that_is_being_started_when_a_signal_comes_is_ended_too(monkeypatch):
    """The signal comes when it runs already and nobody has noted it down."""
    started = []

    def spawn(program: Program) -> subprocess.Popen[bytes]:
        started.append(spawn_it(program))
        os.kill(os.getpid(), signal.SIGTERM)
        return started[0]

    spawn_it = processes.spawn
    monkeypatch.setattr(processes, "spawn", spawn)
    with pytest.raises(KeyboardInterrupt), ended_by_signals(), Supervisor() as supervisor:
        supervisor.start(Program(name="api", module="http.server", arguments=("0",)))
    [process] = started
    assert process.poll() is not None
