"""Where a store's credentials come from: a file, standard input, the environment or a prompt.

Never from the command line, which every process on the machine can read.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.failures import UsageProblemError

VARIABLE = "RECENT_SYNC_STORE_CREDENTIALS"

CredentialsFile = Annotated[
    str | None,
    typer.Option(
        "--credentials-file",
        metavar="FILE",
        help=f"A JSON object, - for standard input. Else {VARIABLE} or a prompt.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the store; several possible."),
]


def given_credentials(file: str | None) -> dict[str, Any] | None:
    """The credentials from a file, standard input or the environment, None where not given."""
    if file == "-":
        return _parsed(sys.stdin.read(), "Standard input")
    if file is not None:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise UsageProblemError(f"The credentials file {file} cannot be read.") from None
        return _parsed(text, f"The credentials file {file}")
    if kept := os.environ.get(VARIABLE):
        return _parsed(kept, VARIABLE)
    return None


def asked_credentials(schema: dict[str, Any]) -> dict[str, Any]:
    """The credentials asked for one by one, unseen, as a platform's JSON schema names them."""
    if not sys.stdin.isatty():
        raise UsageProblemError(
            f"The store's credentials are missing: give --credentials-file or {VARIABLE}."
        )
    required = set(schema.get("required", ()))
    answers = {}
    for name, field in schema.get("properties", {}).items():
        text = typer.prompt(
            field.get("title", name),
            default=None if name in required else "",
            hide_input=True,
            show_default=False,
            err=True,
        )
        if text:
            answers[name] = text
    return answers


def parse_settings(pairs: list[str] | None) -> dict[str, Any]:
    """`NAME=VALUE` pairs; numbers, true, false and null are what they look like in JSON."""
    settings: dict[str, Any] = {}
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageProblemError(
                f"--set takes NAME=VALUE, such as url=https://shop.example: {name}"
            )
        try:
            settings[name] = json.loads(text)
        except ValueError:
            settings[name] = text
    return settings


def _parsed(text: str, origin: str) -> dict[str, Any]:
    # The text stays out of the message: it is secret, even where it is wrong.
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UsageProblemError(f"{origin} does not hold a JSON object.")
    return found
