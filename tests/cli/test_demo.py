"""`recent-sync demo`, as a process of its own and on a small part of the shop."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.cli.test_processes import until

pytestmark = pytest.mark.slow


@pytest.fixture
def workplace():
    """A temporary folder that the servers' account can enter, which pytest's own forbid."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def demo(workplace):
    """Starts the demo with its files below the workplace."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "demo", *arguments],
            env={**os.environ, "TMPDIR": str(workplace)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_demo_ends_with_zeros_and_leaves_nothing_behind(demo, workplace):
    process = demo("--scale", "0.003", "--speed", "20", "--json")
    out, err = process.communicate(timeout=280)

    assert process.returncode == 0, err
    found = json.loads(out)
    zeros = ("missing", "wrong", "doubled", "mails", "double_deductions", "writes_after")
    assert {name: found[name] for name in zeros} == dict.fromkeys(zeros, 0)
    assert found["verdict"] == "ready"
    assert found["seconds"] > 0
    assert set(found["streams"]) == {"categories", "products", "customers", "orders", "inventory"}
    assert found["streams"]["orders"]["compared"] > 0
    assert list(workplace.iterdir()) == []


def test_a_signal_ends_the_demo_and_all_it_started(demo, workplace):
    process = demo("--scale", "0.003")
    until(lambda: any(workplace.glob("*/api.log")), seconds=120)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)

    assert process.returncode == 130
    assert list(workplace.iterdir()) == []
    until(lambda: not [line for line in _command_lines() if str(workplace) in line])


def _command_lines():
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield file.read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            continue
