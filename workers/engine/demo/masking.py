"""Values as a report may show them: short, and without personal data. Pure."""

from __future__ import annotations

import json
from typing import Any

from connectors.records import Stream

LONGEST = 120
"""Characters of an example."""

_OPEN_OF_CUSTOMERS = frozenset({"role", "created_at"})
_PERSONAL_OF_ORDERS = frozenset(
    {"email", "billing", "shipping", "note", "extra", "transactions", "refunds", "fulfilments"}
)


def is_personal(stream: Stream, field: str) -> bool:
    """Whether what a field holds may tell of a person."""
    match stream:
        case Stream.CUSTOMERS:
            return field not in _OPEN_OF_CUSTOMERS
        case Stream.ORDERS:
            return field in _PERSONAL_OF_ORDERS
        case _:
            return False


def example(stream: Stream, field: str, value: Any) -> str:
    """A plain value as a text for people; of what is personal only the form of it."""
    shown = _masked(value) if is_personal(stream, field) else value
    text = shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _masked(value: Any) -> Any:
    match value:
        case str() if "@" in value:
            name, _, place = value.rpartition("@")
            return f"{name[:1]}…@{place}"
        case str() if value:
            return f"{value[:1]}… ({len(value)})"
        case dict():
            return {name: _masked(each) for name, each in value.items()}
        case list() | tuple():
            return [_masked(each) for each in value]
        case _:
            return value
