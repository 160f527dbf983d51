"""Values of records as plain ones, which rules work on, and the way back. Pure.

Plain are text, whole numbers, truth values, null, lists and objects: amounts and moments are text
(`"12.50"`, `"2026-03-01T12:00:00Z"`), money is `{"amount": "12.50", "currency": "EUR"}`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import Struct

from app.mapping.places import EXTRA, Plain
from connectors.records import Content, Money, money


class UnfitError(ValueError):
    """A value that does not fit its field. The sentence holds no value: it may be personal."""


def plain(content: Content) -> Plain:
    """A content as plain values, free to be changed."""
    found: Plain = msgspec.to_builtins(content)
    return found


def fitting(value: Any, kind: Any) -> Any:
    """A plain value in the form in which a field of this kind holds it, plain again.

    Raises `UnfitError`.
    """
    if kind is not Any:
        value = _converted(value, kind)
    return msgspec.to_builtins(value)


def content_of(made: Plain, kind: type[Content]) -> Content:
    """The content that plain values stand for. Raises `UnfitError`."""
    content: Content = _converted(made, kind)
    return content


def exact(content: Content) -> Content:
    """A content that a function made, as valid and exact as one that was read.

    Raises `UnfitError`.
    """
    return content_of(plain(content), type(content))


def _converted(value: Any, kind: Any) -> Any:
    _refuse_floats(value)
    try:
        found = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise UnfitError(f"the value does not fit: {_lowered(str(error))}") from None
    return _canonical(found)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _refuse_floats(value: Any) -> None:
    """No field of a record is a float: amounts are exact. What a store has alone may hold any."""
    match value:
        case float():
            raise UnfitError("a number with a fraction has to be text: amounts are exact")
        case dict():
            for name, each in value.items():
                if name != EXTRA:
                    _refuse_floats(each)
        case list() | tuple():
            for each in value:
                _refuse_floats(each)


def _canonical(value: Any) -> Any:
    """The one form of a value: money in plain notation, moments in UTC."""
    match value:
        case Money():
            return _money(value)
        case Decimal():
            return _number(value)
        case datetime():
            if value.tzinfo is None:
                raise UnfitError("a moment needs its zone, such as 2026-11-27T18:00:00Z")
            return value.astimezone(UTC)
        case Struct():
            changed = {
                name: _canonical(each)
                for name in value.__struct_fields__
                if name != EXTRA
                and isinstance(each := getattr(value, name), Struct | tuple | Decimal | datetime)
            }
            return msgspec.structs.replace(value, **changed) if changed else value
        case tuple():
            return tuple(_canonical(each) for each in value)
        case _:
            return value


def _money(value: Money) -> Money:
    if not value.currency:
        raise UnfitError("an amount needs its currency")
    try:
        return money(str(value.amount), value.currency)
    except (InvalidOperation, ValueError):
        raise UnfitError("an amount of money is a finite number") from None


def _number(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise UnfitError("a number has to be finite")
    return value
