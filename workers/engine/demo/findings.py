"""What mapping makes of one record, field by field. Pure.

A field is `kept` (the same on both sides), `changed`, `dropped` (there was something, and nothing
is left), `defaulted` (there was nothing, and a rule put something there) or `empty`.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from app.mapping.mapper import Mapped
from app.mapping.places import EXTRA, Plain, read
from app.mapping.values import plain
from connectors.records import Record, Stream
from workers.engine.demo.masking import example

Pair = tuple[str, str]
"""A value before and after, as a report may show it."""

_MOST_EXTRA = 200
"""Custom fields of one record that are told."""

_LONGEST_NAME = 100


class Finding(Struct, kw_only=True, omit_defaults=True):
    """A record of the sample, and what came of it.

    `outcome` is `created`, `updated`, `unchanged`, `refused`, `missing` (not at the source any
    more) or `unreadable`; of a dry run what it would have been. `custom` are examples of fields
    that the source's platform has alone, by path; `left` those of them that no rule touched.
    `at_stake` are fields that hold something and of which the target declares that it may not keep
    it exactly; `losses` are fields that it did not keep exactly in this record. `lacks` are records
    that it names and that are nowhere.
    """

    outcome: str = ""
    code: str = ""
    message: str = ""
    rules: tuple[int, ...] = ()
    kept: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    changed: dict[str, Pair] = field(default_factory=dict)
    dropped: dict[str, Pair] = field(default_factory=dict)
    defaulted: dict[str, Pair] = field(default_factory=dict)
    custom: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    at_stake: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)


def of_mapped(stream: Stream, before: Record, made: Mapped) -> Finding:
    """What rules made of a record."""
    finding = Finding(rules=made.applied)
    old, new = plain(before.content), plain(made.record.content)
    for name, value in old.items():
        _compare(finding, stream, name, value, new[name])
    _note_custom(finding, stream, old, new)
    return finding


def of_unmapped(stream: Stream, before: Record, code: str, reason: str) -> Finding:
    """A record that rules fail on."""
    finding = Finding(outcome="refused", code=code, message=reason)
    old = plain(before.content)
    _note_custom(finding, stream, old, old)
    return finding


def _compare(finding: Finding, stream: Stream, name: str, old: Any, new: Any) -> None:
    if old == new:
        (finding.empty if is_empty(old) else finding.kept).append(name)
        return
    pair = (example(stream, name, old), example(stream, name, new))
    if is_empty(new):
        finding.dropped[name] = pair
    elif is_empty(old):
        finding.defaulted[name] = pair
    else:
        finding.changed[name] = pair


def is_empty(value: Any) -> bool:
    """Whether a plain value says nothing."""
    return value is None or value in ("", [], (), {}, ["", "", ""], ("", "", ""))


# --- custom fields -------------------------------------------------------------------------------


def _note_custom(finding: Finding, stream: Stream, old: Plain, new: Plain) -> None:
    for path, names, value in _custom(old):
        if path in finding.custom:
            continue
        if len(finding.custom) >= _MOST_EXTRA:
            return
        finding.custom[path] = example(stream, EXTRA, value)
        if names is None or read(new, names) == value:
            finding.left.append(path)


def _custom(content: Plain) -> list[tuple[str, tuple[str, ...] | None, Any]]:
    """Custom fields by path, with the names that lead there, and what they hold. Those of parts
    (a variant's) come once each, without names.
    """
    found = [
        (f"{EXTRA}.{_short(path)}", (EXTRA, *names), value)
        for path, names, value in _keys(content.get(EXTRA) or {})
    ]
    parts: list[tuple[str, tuple[str, ...] | None, Any]] = [
        (f"{name}.{EXTRA}.{_short(path)}", None, inner)
        for name, value in content.items()
        if isinstance(value, list | tuple)
        for part in value
        if isinstance(part, dict)
        for path, _, inner in _keys(part.get(EXTRA) or {})
    ]
    return [*found, *parts]


def _keys(extra: Plain) -> list[tuple[str, tuple[str, ...], Any]]:
    """The keys of `extra`; of what holds keys itself, such as meta data, those."""
    found: list[tuple[str, tuple[str, ...], Any]] = []
    for name, value in extra.items():
        if isinstance(value, dict):
            found += [(f"{name}.{key}", (name, key), value[key]) for key in value]
        else:
            found.append((name, (name,), value))
    return found


def _short(path: str) -> str:
    return path[:_LONGEST_NAME]
