"""What the documentation says is what there is."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from app.settings import Settings

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`RECENT_SYNC_{name.upper()}`" in (ROOT / "docs/configuration.md").read_text()


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_says_what_it_is(name: str) -> None:
    assert Settings.model_fields[name].description


FAULTS = (ROOT / "docs/faults.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", FAULTS)))


def names_in(path: Path) -> set[str]:
    """Names of a file's tests, without importing it."""
    tree = ast.parse(path.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {each.name for each in tree.body if isinstance(each, kinds)}


def test_faults_name_tests() -> None:
    assert len(NAMED) >= FAULTS.count("::test_") > 0, "each test is named once, in one form"


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_every_guard_that_is_named_is_tested(path: str, name: str) -> None:
    assert name in names_in(ROOT / path)


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("tests/regressions/test_*.py")), ids=lambda path: path.stem
)
def test_every_regression_is_told(path: Path) -> None:
    found = {name for name in names_in(path) if name.startswith("test_")}
    told = {name for where, name in NAMED if ROOT / where == path}
    assert found == told


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
INSTRUCTIONS = [
    ROOT / "README.md",
    ROOT / "action.yml",
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("addons/**/*.md"),
    *ROOT.glob("examples/*.*"),
]


@pytest.mark.parametrize("path", INSTRUCTIONS, ids=lambda path: path.name)
def test_nobody_is_told_to_install_from_an_index(path: Path) -> None:
    """There is no distribution under this name: whoever has one, it is not ours."""
    name = re.escape(PROJECT["name"])
    for line in re.findall(r"pip3? (?:install|download) ([^`\n]*)", path.read_text()):
        alone = re.search(rf"(?<![\w./-]){name}(?:\[[\w,]+\])?(?![\w./-])(?! @ )", line)
        assert alone is None, line


def test_the_wheel_is_named_as_it_is_built() -> None:
    wheel = f"{PROJECT['name'].replace('-', '_')}-{PROJECT['version']}-py3-none-any.whl"
    assert wheel in (ROOT / "README.md").read_text()
