"""YAML as people write it in files and on the command line; JSON is YAML too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.cli.client import Json
from app.cli.failures import UsageProblemError


def read_file(file: Path, what: str, *, below: str) -> Json:
    """The members in a file that holds `what` below names of a kind. Raises `UsageProblemError`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageProblemError(f"{file} cannot be read.") from None
    try:
        found = parse(text)
    except ValueError:
        sentence = f"{file} is neither YAML nor JSON that {what} can be in."
        raise UsageProblemError(sentence) from None
    if not isinstance(found, dict):
        raise UsageProblemError(f"{file} holds no {what}: they stand below {below}.")
    return found


def parse(text: str) -> Any:
    """A value as JSON knows it; dates stay text, because the API takes moments as text.

    Raises `ValueError`.
    """
    import yaml  # noqa: PLC0415  seldom needed

    class Loader(yaml.SafeLoader):
        """Leaves dates as they are written."""

    Loader.yaml_implicit_resolvers = {
        first: [each for each in found if each[0] != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        found: Any = yaml.load(text, Loader)  # noqa: S506  a safe loader, without dates
        json.dumps(found, allow_nan=False)
    except (yaml.YAMLError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    return found


def render(document: Json) -> str:
    """A document as YAML, in its own order, without the last line's end."""
    import yaml  # noqa: PLC0415  seldom needed

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=90).rstrip()
