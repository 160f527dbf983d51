"""The page about connectors names what there is, and explains all of it."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from connectors.base import Connector, ReadCapability, Source, Target, WriteCapability
from connectors.errors import StoreError
from connectors.testing.faults import FaultyProxy
from tests.packaging.test_image import parse

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/writing-a-connector.md").read_text(encoding="utf-8")


def methods(protocol: type) -> list[str]:
    return [name for name, value in vars(protocol).items() if callable(value) and name[0] != "_"]


@pytest.mark.parametrize("name", sorted({*methods(Source), *methods(Target)}))
def test_every_method_of_a_connector_is_explained(name: str) -> None:
    assert re.search(rf"^\| .*`{name}`", PAGE, re.MULTILINE)


def test_what_a_connector_says_of_itself_is_explained() -> None:
    told = {"trust", "settle", "bounds", "blind_spots", "permissions", "steps"}
    told |= {"idempotent", "serial_creates", "refuses_doubles", "merges", "derived"}
    told |= {"removals", "keyed", "losses", "notes"}
    known = {
        name
        for kind in (ReadCapability, WriteCapability, Connector)
        for name in kind.__struct_fields__
    }
    assert told <= known
    assert [each for each in sorted(told) if f"`{each}`" not in PAGE] == []


def kinds_of(error: type[Exception]) -> set[type[Exception]]:
    return {each for kind in error.__subclasses__() for each in {kind, *kinds_of(kind)}}


def test_every_error_of_a_connector_is_explained() -> None:
    names = {
        each.__name__ for each in kinds_of(StoreError) if each.__module__ == "connectors.errors"
    }
    assert "Unreachable" in names
    assert [name for name in sorted(names) if f"| `{name}` |" not in PAGE] == []


def test_every_name_on_the_page_is_there() -> None:
    names = set(re.findall(r"`(connectors(?:\.\w+)+)", PAGE))
    assert len(names) >= 8
    for name in names:
        module, _, member = name.rpartition(".")
        assert member in vars(import_module(module)) or find_spec(name), name
    assert FaultyProxy.__name__ in PAGE


def test_every_command_on_the_page_is_one() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = re.findall(r"^recent-sync (.*)$", "".join(blocks), re.MULTILINE)
    assert len(lines) > 3
    for line in lines:
        parse(shlex.split(line))


def test_the_example_is_as_long_as_the_page_says() -> None:
    lines = (ROOT / "examples/rest-shop/rest_shop.py").read_text(encoding="utf-8").splitlines()
    assert f"in {len(lines)} lines" in PAGE.replace("\n", " ")
