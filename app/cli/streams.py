"""Streams as an option: `--streams orders,customers`."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.failures import UsageProblemError
from connectors.records import Stream

Streams = Annotated[
    str | None,
    typer.Option(metavar="A,B", help=f"By default all in scope: {', '.join(Stream)}."),
]


def split_streams(text: str | None) -> list[str] | None:
    """The streams named. Raises `UsageProblemError` for one that does not exist."""
    if text is None:
        return None
    named = [each.strip() for each in text.split(",") if each.strip()]
    known = {str(stream) for stream in Stream}
    if not named or (unknown := [each for each in named if each not in known]):
        wrong = repr(unknown[0]) if named else "nothing"
        raise UsageProblemError(f"--streams names {wrong}: there are {', '.join(Stream)}.")
    return named
