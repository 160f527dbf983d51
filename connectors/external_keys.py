"""Our external key, by which a record of a target says which record of the source it is. Pure."""

from __future__ import annotations


def is_anothers(found: str | None, key: str) -> bool:
    """Whether a record carries the key of another source record of the same stream and store."""
    return bool(found) and found != key and _kin(found or "") == _kin(key)


def _kin(key: str) -> str:
    return key.rpartition(":")[0]
