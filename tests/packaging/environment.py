"""Environments of their own, in which nothing of the checkout is importable."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def run(*command: str | Path, cwd: Path, seconds: float = 120, **variables: str) -> str:
    """What a command prints; it has to end well."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env=bare(cwd, **variables),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def bare(home: Path, **variables: str) -> dict[str, str]:
    """The variables of a machine that knows nothing of the checkout."""
    temporary = {"TMPDIR": os.environ["TMPDIR"]} if "TMPDIR" in os.environ else {}
    return {"PATH": "/usr/bin:/bin", "HOME": str(home)} | temporary | variables


def build_wheel(project: Path, folder: Path) -> Path:
    """A project's wheel, built with what is installed here."""
    before = set(folder.glob("*.whl"))
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder)
    run(*PIP, "wheel", *options, project, cwd=folder)
    (built,) = set(folder.glob("*.whl")) - before
    return built


def install(folder: Path, *wheels: Path) -> Path:
    """The programs of a new environment with the wheels in it.

    The dependencies are lent by the environment that runs the tests, so that nothing is fetched;
    its packages lie on the path, but what makes the checkout importable is a `.pth` file there,
    which counts only in an environment's own folder.
    """
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    run(*PIP, "--python", python, "install", "--no-deps", "--no-index", *wheels, cwd=folder)
    purelib = run(
        python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder
    )
    lent = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    Path(purelib.strip(), "lent.pth").write_text("\n".join([*lent, ""]))
    return folder / "bin"
