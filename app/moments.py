"""Moments and durations as schedules name them: `15m`, `launch-20m`, or an ISO 8601 moment. Pure.

A moment that is relative to a migration's launch moves with it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.ASCII)
_LAUNCH = re.compile(r"launch(?:([+-])([1-9][0-9]{0,5}[smhd]))?", re.ASCII)

DURATION_PATTERN = r"^[1-9][0-9]{0,5}[smhd]$"


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `2h` or `3d`. Raises `ValueError`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError("a duration is a number and a unit, such as 15m, 2h or 3d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def needs_launch(text: str | None) -> bool:
    """Whether a moment is relative to the launch."""
    return text is not None and _LAUNCH.fullmatch(text) is not None


def resolve(text: str, launch: datetime | None) -> datetime | None:
    """The moment, in UTC; None where it is relative to a launch that nobody has set.

    Raises `ValueError` for what is neither.
    """
    found = _LAUNCH.fullmatch(text)
    if found is not None:
        if launch is None:
            return None
        by = duration(found[2]) if found[2] else timedelta(0)
        return launch - by if found[1] == "-" else launch + by
    try:
        moment = datetime.fromisoformat(text)
        if "T" in text and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("a moment is text such as 2026-11-27T18:00:00Z, launch or launch-20m")
