"""`recent-sync up`, as a process of its own: it starts everything, and leaves nothing behind."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from app.cli import service
from app.cli.failures import UnreachableError
from app.cli.processes import Supervisor
from app.cli.ready import Hearing
from app.notify import notify_ready
from app.settings import Settings
from tests.cli.databases import execute
from tests.cli.test_processes import alive, until

pytestmark = pytest.mark.slow


class Up:
    """A running `recent-sync up`."""

    def __init__(self, environment, folder):
        self._out = folder / "out"
        self._err = folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", "up", "--port", "0", "--workers", "1"],
                env=environment,
                stdout=out,
                stderr=err,
            )
        until(lambda: "Ctrl-C" in self.out or self.process.poll() is not None, seconds=90)
        assert self.process.poll() is None, self._err.read_text()

    @property
    def out(self):
        return self._out.read_text()

    @property
    def err(self):
        return self._err.read_text()

    @property
    def url(self):
        return re.search(r"http://\S+", self.out)[0]

    def children(self):
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(line) for line in listed.stdout.split() if alive(int(line))]

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def up(servers, database, tmp_path):
    """Starts `up` against the servers of the tests."""
    environment = {
        **os.environ,
        "RECENT_SYNC_DATABASE_URL": database,
        "RECENT_SYNC_REDIS_URL": servers.redis_url.rsplit("/", 1)[0] + "/5",
        "RECENT_SYNC_DATA_DIR": str(tmp_path / "data"),
    }
    started = []

    def start():
        folder = tmp_path / f"run{len(started)}"
        folder.mkdir()
        started.append(Up(environment, folder))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()


def test_it_prints_an_address_and_where_its_key_is_and_ends_with_its_children(up, tmp_path):
    running = up()
    kept = tmp_path / "data" / "api-key"
    key = kept.read_text().strip()
    answer = httpx.get(
        f"{running.url}/v1/stores", headers={"Authorization": f"Bearer {key}"}, trust_env=False
    )
    assert answer.status_code == 200
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    # What is written into a file may be a log: it says where the key is, and not the key.
    assert key not in running.out + running.err
    assert f'RECENT_SYNC_API_KEY="$(cat {kept})"' in running.out
    # The workers were at work before the last words.
    assert "worker.started" in running.err

    children = running.children()
    assert len(children) == 2
    assert running.end(signal.SIGTERM) == 0
    assert not [pid for pid in children if alive(pid)]

    again = up()
    assert "rs_" not in again.out
    assert str(kept) in again.out
    assert again.end(signal.SIGINT) == 0


def test_a_killed_worker_comes_back_and_kill_nine_leaves_nobody_behind(up):
    running = up()
    before = running.children()
    for pid in before:
        if b"workers" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    until(lambda: len(running.children()) == 2 and running.children() != before)

    children = running.children()
    running.end(signal.SIGKILL)

    until(lambda: not [pid for pid in children if alive(pid)], seconds=30)


def test_on_a_terminal_the_first_key_is_shown_once(database, tmp_path):
    execute(database, "DELETE FROM api_keys")
    settings = Settings(database_url=database, data_dir=tmp_path)
    [line, _, words] = service._key_lines(settings, shown=True)
    key = (tmp_path / "api-key").read_text().strip()
    assert line == f"  export RECENT_SYNC_API_KEY={key}"
    assert "shown this once" in words
    again = service._key_lines(settings, shown=True)
    assert key not in "".join(again)
    assert str(tmp_path / "api-key") in again[0]
    execute(database, "DELETE FROM api_keys")


def test_a_process_says_once_that_it_is_ready(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify_ready()
    with Hearing() as hearing, Supervisor() as supervisor:
        with pytest.raises(UnreachableError):
            hearing.wait(supervisor, 1, seconds=0)
        monkeypatch.setenv("NOTIFY_SOCKET", hearing.environment["NOTIFY_SOCKET"])
        notify_ready()
        hearing.wait(supervisor, 1, seconds=10)
    # Nobody listens any more: that is no failure of whoever is ready.
    notify_ready()


def test_a_port_in_use_is_wrong_use(run, monkeypatch, servers, database):
    monkeypatch.setenv("RECENT_SYNC_DATABASE_URL", database)
    monkeypatch.setenv("RECENT_SYNC_REDIS_URL", servers.redis_url)
    monkeypatch.setattr("app.log.configure", lambda *_: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        began = time.monotonic()
        outcome = run("up", "--port", str(taken.getsockname()[1]))

    assert outcome.code == 2
    assert "--port" in outcome.err
    assert time.monotonic() - began < 30
