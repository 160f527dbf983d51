"""What the documentation says is what there is."""

from __future__ import annotations

import ast
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer

from app.cli.main import program
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


PAGES = [ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("addons/**/*.md")]


def commands_in(path: Path) -> set[tuple[str, str, bool]]:
    """Commands of ours that a page tells to type: those in blocks, which are whole, and those
    between backticks, which may only name what they are about.
    """
    text = path.read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    whole = re.compile(r"(?:\.venv/bin/)?recent-sync +(\S.*)")
    found = {(path.name, each[1], True) for line in lines if (each := whole.match(line))}
    cut = re.findall(r"`recent-sync ([a-z][^`]*)`", text)
    return found | {(path.name, " ".join(each.split()), False) for each in cut}


TYPED = sorted(each for path in PAGES for each in commands_in(path))


@pytest.mark.parametrize(("page", "line", "whole"), TYPED)
def test_every_command_that_is_told_can_be_typed(page: str, line: str, *, whole: bool) -> None:
    command: Any = typer.main.get_command(program)
    context = command.context_class(command, info_name="recent-sync")
    line = re.sub(r" (?:[|>]|\|\|) .*", "", line)
    words = shlex.split(line, comments=True)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
        context = command.context_class(command, info_name=command.name, parent=context)
    if words and hasattr(command, "commands"):
        assert words[0].startswith("-"), f"{page}: there is no command {words[0]}"
    if whole and words:
        command.parse_args(context, words)
    else:
        command.make_parser(context).parse_args(words)
