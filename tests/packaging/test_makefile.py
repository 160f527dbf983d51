import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = (
    "demo",
    "drill",
    "test",
    "test-live",
    "kills",
    "check",
    "up",
    "bench",
    "lock",
    "help",
    "clean",
)


def make(*arguments: str) -> str:
    command = [shutil.which("make") or "make", *arguments]
    # The tests themselves may run under make, which hands its own flags on.
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        command, cwd=ROOT, env=own, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_make_alone_explains_every_command() -> None:
    explained = make()
    for target in TARGETS:
        assert re.search(rf"^  make {target} +\w", explained, re.MULTILINE)


@pytest.mark.parametrize("target", ["demo", "drill", "test", "test-live", "kills", "up", "bench"])
def test_arguments_reach_the_command_behind_a_target(target: str) -> None:
    shown = make("--dry-run", target, 'ARGS=--one "two words"')
    assert shown.rstrip().endswith('--one "two words"')


@pytest.mark.parametrize(
    "target", ["demo", "drill", "test", "test-live", "kills", "check", "up", "bench"]
)
def test_every_command_installs_first(target: str) -> None:
    rules = (ROOT / "Makefile").read_text()
    assert re.search(rf"^{target}: \$\(INSTALLED\) ##", rules, re.MULTILINE)


def test_ci_is_a_program_and_needs_nobody_at_the_keyboard() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "exec </dev/null" in script.read_text()


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A checkout on a machine with a shell and little more."""
    (tmp_path / "checkout" / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "install", tmp_path / "checkout" / ".ci")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "head", "cat"):
        (tools / name).symlink_to(shutil.which(name) or name)
    return tmp_path


def install(machine: Path, python: str = "") -> str:
    """What the installation says when it gives up."""
    done = subprocess.run(
        ["/bin/sh", machine / "checkout" / ".ci" / "install"],
        env={"PATH": str(machine / "bin"), "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    return done.stderr.splitlines()[-1]


def program(machine: Path, name: str, script: str) -> None:
    file = machine / "bin" / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_a_machine_without_python_is_told_what_to_install(bare_machine: Path) -> None:
    program(bare_machine, "python3", "exit 1")
    assert "No CPython of version 3.11 or newer was found" in install(bare_machine)


def test_a_python_that_is_too_old_is_refused_by_name(bare_machine: Path) -> None:
    program(bare_machine, "python2.7", "exit 1")
    assert "PYTHON=python2.7 is not a CPython of version 3.11" in install(bare_machine, "python2.7")


def test_a_python_without_venv_is_told_which_package_is_missing(bare_machine: Path) -> None:
    program(bare_machine, "python3.13", "exit 127")  # a version manager's empty promise
    program(bare_machine, "python3.12", '[ "$1" = -c ]')
    said = install(bare_machine)
    assert said.endswith("install the package python3-venv.")
    assert "python3.12" in said
    assert "python3.13" not in said
