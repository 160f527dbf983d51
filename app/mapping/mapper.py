"""Mapping rules at work: from a record of the source to the record that is to be on the target."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog
from msgspec.structs import replace

from app.mapping import functions
from app.mapping.places import MISSING, Place, Plain, change, read
from app.mapping.rules import ID, PART, VALUE, Rule, Rules, names
from app.mapping.values import UnfitError, content_of, exact, fitting, plain
from connectors.digest import digest
from connectors.records import CONTENT_TYPES, Content, Record, Stream

log = structlog.get_logger(__name__)

_STREAMS = {kind: stream for stream, kind in CONTENT_TYPES.items()}


class MappingFailed(ValueError):
    """A rule made no valid record of this one. The sentence names the rule, and no value."""

    def __init__(self, stream: Stream, number: int, reason: str) -> None:
        super().__init__(f"mapping rule /{stream}/{number}: {reason}")
        self.stream = stream
        self.number = number
        self.reason = reason


class Mapped(NamedTuple):
    """A mapped record, and the numbers of the rules that changed something."""

    record: Record
    applied: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A rule, made ready: `when` and `make` are what it was compiled to."""

    rule: Rule
    when: Callable[[Mapping[str, Any]], bool] | None = None
    make: Callable[[Mapping[str, Any]], Any] | None = None


@dataclass(frozen=True)
class Mapper:
    """The rules of one version of a migration's mapping; version 0 changes nothing."""

    version: int = 0
    rules: Mapping[Stream, Sequence[_Ready]] = field(default_factory=dict)

    @classmethod
    def of(cls, version: int, rules: Rules) -> Mapper:
        """Make rules ready. Raises `LookupError` where a function is not installed here."""
        ready = {stream: [_ready(each) for each in rules.of(stream)] for stream in Stream}
        return cls(version, {stream: each for stream, each in ready.items() if each})

    def changes(self, stream: Stream) -> bool:
        """Whether there are rules for a stream."""
        return stream in self.rules

    def mapped(self, record: Record) -> Record:
        """The record as it is to be on the target; references stay the source's ids.

        Raises `MappingFailed`.
        """
        return self.trace(record).record

    def trace(self, record: Record) -> Mapped:
        """As `mapped`, with the rules that did something. Raises `MappingFailed`."""
        stream = _STREAMS[type(record.content)]
        applied = []
        values: Plain = {}
        for number, ready in enumerate(self.rules.get(stream, ())):
            values = values or plain(record.content)
            try:
                after = _applied(ready, record, values)
            except ValueError as error:
                raise MappingFailed(stream, number, str(error)) from None
            if after is not record:
                applied.append(number)
                record, values = after, {}
        return Mapped(record, tuple(applied))

    def failure_digest(self, record: Record) -> bytes:
        """Of a record that these rules fail on: with another content, or other rules, it may do."""
        told = digest(record.content).whole + self.version.to_bytes(8)
        return hashlib.blake2b(told, digest_size=16, person=b"unmapped").digest()


def _ready(rule: Rule) -> _Ready:
    if rule.function is not None:
        functions.function(rule.function)
    if rule.when is None and rule.expression is None:
        return _Ready(rule)
    from app.mapping.expressions import compiled  # noqa: PLC0415  slow to import, seldom needed

    known = names(rule.stream)
    return _Ready(
        rule,
        compiled(rule.when, known).holds if rule.when is not None else None,
        compiled(rule.expression, known).evaluate if rule.expression is not None else None,
    )


def _applied(ready: _Ready, record: Record, values: Plain) -> Record:
    """The record after a rule; itself where the rule changes nothing. `values` are the record's,
    and stay as they are. Raises `ValueError`.
    """
    known = {**values, ID: record.id, VALUE: None, PART: None}
    if ready.rule.function is not None:
        return _called(ready, record, known)
    made = dict(values)
    if not _changed(ready, made, known):
        return record
    after = content_of(made, type(record.content))
    return record if after == record.content else replace(record, content=after)


def _changed(ready: _Ready, made: Plain, known: Mapping[str, Any]) -> bool:
    rule, where = ready.rule, ready.rule.place
    if rule.aim is not None:
        return _moved(ready, made, known, rule.aim)

    def make(value: Any, part: Plain | None) -> Any:
        given = {**known, VALUE: None if value is MISSING else value, PART: part}
        if ready.when is not None and not ready.when(given):
            return value
        return _made(ready, where, value, given)

    return change(made, where.names, make)


def _made(ready: _Ready, where: Place, value: Any, given: Mapping[str, Any]) -> Any:
    rule = ready.rule
    match rule.operation:
        case "drop":
            return MISSING
        case "values":
            return _exchanged(rule, where, value)
        case "expression" if ready.make is not None:
            return fitting(ready.make(given), where.type)
        case _:
            return fitting(rule.set, where.type)


def _exchanged(rule: Rule, where: Place, value: Any) -> Any:
    if where.holds_text_list:
        new = [_new_value(rule, each) for each in value or ()]
        # Two old values may have become one.
        kept = dict.fromkeys(each for each in new if each is not MISSING and each is not None)
        return fitting(list(kept), where.type)
    new = _new_value(rule, value)
    return MISSING if new is None or new is MISSING else fitting(new, where.type)


def _new_value(rule: Rule, value: Any) -> Any:
    values = rule.values or {}
    key = _key(value)
    if key in values:
        return values[key]
    return rule.otherwise if "otherwise" in rule.model_fields_set else value


def _key(value: Any) -> str | None:
    """A value as the name under which `values` knows it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case None:
            return ""
        case _:
            return "" if value is MISSING else None


def _moved(ready: _Ready, made: Plain, known: Mapping[str, Any], aim: Place) -> bool:
    where = ready.rule.place
    value = read(made, where.names)
    given = {**known, VALUE: None if value is MISSING else value}
    if value is MISSING or _is_empty(value) or (ready.when and not ready.when(given)):
        return False
    put = 0

    def place(_: Any, __: Plain | None) -> Any:
        nonlocal put
        put += 1
        return fitting(value, aim.type)

    change(made, aim.names, place)
    # Where nothing holds the new field (no billing address), the value stays where it is.
    if put and where.optional:
        change(made, where.names, lambda _, __: MISSING)
    return put > 0


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], (), {})


def _called(ready: _Ready, record: Record, known: Mapping[str, Any]) -> Record:
    """The record that a function made, as valid as any other, and still the same record."""
    if ready.when is not None and not ready.when(known):
        return record
    name = str(ready.rule.function)
    try:
        after = functions.function(name)(record)
    except Exception as error:  # noqa: BLE001  somebody else's code
        log.warning("mapping.function_failed", function=name, error=type(error).__name__)
        raise UnfitError(f"the function {name} failed ({type(error).__name__})") from None
    if not isinstance(after, Record) or type(after.content) is not type(record.content):
        raise UnfitError(f"the function {name} gave no record of this kind")
    content = exact(after.content)
    if _identity(content) != _identity(record.content):
        raise UnfitError(f"the function {name} changed ids or the date of creation")
    return record if content == record.content else replace(record, content=content)


def _identity(content: Content) -> list[Any]:
    """What makes a record, and the parts of it, the ones they are."""
    found: list[Any] = [getattr(content, "created_at", None)]
    for name in content.__struct_fields__:
        value = getattr(content, name)
        if isinstance(value, tuple) and value and hasattr(value[0], "id"):
            found.append((name, [each.id for each in value]))
    return found
