"""Our external keys: what one says of whose record it is. Pure.

A key names migration, stream and source record, with colons between them.
"""

from __future__ import annotations


def is_anothers(found: str | None, key: str) -> bool:
    """Whether a record carries the key of another source record of the same stream and store."""
    return found is not None and found != key and _kin(found) == _kin(key)


def _kin(key: str) -> str:
    return key.rpartition(":")[0]
