"""Durations as people write them: `45`, `90s`, `15m`, `1h30m`."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from app.cli.failures import UsageProblemError

_FORM = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.ASCII)
_LONGEST = 7 * 86_400


def parse_duration(text: str) -> float:
    """Seconds. A number alone counts seconds. Raises `ValueError`."""
    found = _FORM.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise ValueError(f"{text!r} is no duration: write for example 90s, 15m or 1h30m")
    hours, minutes, seconds = (int(each or 0) for each in found.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total > _LONGEST:
        raise ValueError(f"{text!r} is longer than seven days")
    return float(total)


def say_duration(seconds: float) -> str:
    """`75` as `1m 15s`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "m"), (rest, "s")]
    return " ".join(f"{number}{unit}" for number, unit in parts if number) or "0s"


def given_duration(text: str, option: str) -> float:
    """The seconds of an option. Raises `UsageProblemError`."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageProblemError(f"{option}: {error}.") from None


Timeout = Annotated[
    str,
    typer.Option("--timeout", metavar="DURATION", help="How long to wait, such as 15m."),
]
