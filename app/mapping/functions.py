"""Mapping functions: entry points of the group `recent_sync.mappings`, for what rules cannot say.

Each is a callable that is given a `connectors.records.Record` and answers with one. It must not do
input or output, has to give the same for the same, and may be called in any process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from connectors.records import Record

GROUP = "recent_sync.mappings"

Function = Callable[[Record], Record]


@cache
def installed() -> dict[str, EntryPoint]:
    """All functions by name, not loaded yet. Two packages of one name: the first found counts."""
    found: dict[str, EntryPoint] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: each.name):
        found.setdefault(entry.name, entry)
    return found


@cache
def function(name: str) -> Function:
    """One function. Raises `LookupError` where no package offers it, and what loading raises."""
    loaded: Function = installed()[name].load()
    return loaded
