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


def test_it_prints_an_address_and_once_a_key_and_ends_with_its_children(up, tmp_path):
    running = up()
    key = re.search(r"rs_\w+_\S+", running.out)[0]
    answer = httpx.get(
        f"{running.url}/v1/stores", headers={"Authorization": f"Bearer {key}"}, trust_env=False
    )
    assert answer.status_code == 200
    kept = tmp_path / "data" / "api-key"
    assert kept.read_text().strip() == key
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

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
