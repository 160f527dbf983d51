"""Which fields of a record are to be written. Pure."""

from __future__ import annotations

Changed = frozenset[str] | None
"""Names of the fields to write; None means all."""


def touches(changed: Changed, *fields: str) -> bool:
    """Whether one of the fields is to be written."""
    return changed is None or not changed.isdisjoint(fields)
