"""Expressions of rules: CEL, the Common Expression Language, within bounds.

An expression reads values and gives one. It has no statements, no input or output and no loops but
`all`, `exists`, `exists_one` and `filter` over what is there; without `map`, and with few of these,
neither its result nor its time can grow much beyond the record. What is left is checked against
the record before it runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from functools import cache
from typing import Any

import cel
from cel import stdlib

LONGEST = 500
"""Characters of an expression."""

_DEEPEST = 16
_LOOPS = 2
_PATTERNS = 2
_MOST_STEPS = 1_000_000
_MOST_COPIED = 500_000_000
_MOST_MADE = 20_000_000
"""Steps of one evaluation, characters it may copy on the way, and those it may make."""

_LONGEST_TEXT = 1_000_000
"""Characters of a text that a function makes."""

_DIGITS = 60

_CALLS = re.compile(r"\b(all|exists|exists_one|existsOne|filter|map)\s*(?://[^\n]*\s*)*\(")
_MATCHES = re.compile(r"\bmatches\b")
_BOUND = re.compile(r"\b(?:all|exists|exists_one|existsOne|filter)\s*\(\s*(\w+)\s*,")
_TOKEN = re.compile(r"\w+|[^\w\s]")


class ExpressionError(ValueError):
    """An expression that cannot be used, or that failed. Holds no value of a record."""


# --- functions -----------------------------------------------------------------------------------


def _number(value: Any) -> Decimal:
    if isinstance(value, str | int) and not isinstance(value, bool):
        try:
            found = Decimal(value)
        except InvalidOperation:
            found = Decimal("NaN")
        if found.is_finite() and abs(found.adjusted()) < _DIGITS:
            return found
    raise ValueError("not an exact number")


def _shown(value: Decimal) -> str:
    return f"{value:f}"


def _plus(one: Any, other: Any) -> str:
    with localcontext(prec=_DIGITS):
        return _shown(_number(one) + _number(other))


def _times(one: Any, other: Any) -> str:
    with localcontext(prec=_DIGITS):
        return _shown(_number(one) * _number(other))


def _rounded(value: Any, digits: int) -> str:
    if not 0 <= digits <= _DIGITS // 2:
        raise ValueError("too many digits")
    with localcontext(prec=2 * _DIGITS):
        return _shown(_number(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def _replaced(text: str, old: str, new: str) -> str:
    if len(text) + text.count(old) * len(new) > _LONGEST_TEXT:
        raise ValueError("the text grows too long")
    return text.replace(old, new)


def _joined(texts: list[str], between: str = "") -> str:
    if sum(map(len, texts)) + len(texts) * len(between) > _LONGEST_TEXT:
        raise ValueError("the text grows too long")
    return between.join(texts)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "lowerAscii": stdlib.lower_ascii,
    "upperAscii": stdlib.upper_ascii,
    "trim": stdlib.trim,
    "substring": stdlib.substring,
    "split": stdlib.split,
    "join": _joined,
    "replace": _replaced,
    "plus": _plus,
    "times": _times,
    "rounded": _rounded,
}
"""Beside CEL's own: of text as in its extensions, and exact arithmetic on amounts as text."""

_OPERATORS = {
    *("!_", "-_", "_&&_", "_||_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"),
    *("_+_", "_-_", "_*_", "_/_", "_%_", "_[_]", "@in", "@not_strictly_false"),
}
_OWN = {"size", "contains", "startsWith", "endsWith", "matches", "int", "double", "string", "type"}
_GROWING = {"_+_", "split", "join", "replace", "lowerAscii", "upperAscii", "trim", "substring"}


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """The library writes a function's failure to standard error: it must not hold what it got."""

    def call(*given: Any) -> Any:
        try:
            return function(*given)
        except Exception:  # noqa: BLE001  whatever it was, the record's values stay here
            raise ValueError("wrong arguments") from None

    return call


FUNCTIONS = tuple(sorted(_OWN | _FUNCTIONS.keys()))
"""All functions that an expression may call."""


# --- expressions ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `reads` are the names it takes from outside; `inexact`: it reckons
    with floating-point numbers.
    """

    source: str
    reads: frozenset[str]
    inexact: bool
    _program: Any = field(repr=False, compare=False)
    _tokens: int = 0
    _loops: int = 0
    _copies: bool = False

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Its value. Raises `ExpressionError`."""
        given = {name: values[name] for name in self.reads if name in values}
        self._check(given)
        context = cel.Context(given)
        for name, function in _callable().items():
            context.add_function(name, function)
        try:
            return self._program.execute(context)
        except KeyError:
            raise ExpressionError("it names a key that is not there") from None
        except ArithmeticError:
            raise ExpressionError("it divides by zero or gets out of range") from None
        except Exception:  # noqa: BLE001  the library raises many, with values in them
            raise ExpressionError("it does not fit the values of this record") from None

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Its truth. Raises `ExpressionError`, also where it gives no truth value."""
        found = self.evaluate(values)
        if not isinstance(found, bool):
            raise ExpressionError("a condition has to be true or false")
        return found

    def _check(self, given: Mapping[str, Any]) -> None:
        """Refuse what would take too long, or grow too much, with these values."""
        extent = _extent(list(given.values()))
        size = extent.size + len(self.source)
        steps = self._tokens * max(extent.longest, self._tokens) ** self._loops
        if steps > _MOST_STEPS or self._tokens * size > _MOST_MADE:
            raise ExpressionError("it would take too long on this record")
        if self._loops and self._copies and steps * size > _MOST_COPIED:
            raise ExpressionError("it would take too long on this record")


@dataclass(slots=True)
class _Extent:
    """`size` counts characters and parts, `longest` the members of the longest list or object."""

    size: int = 0
    longest: int = 0


def _extent(values: list[Any]) -> _Extent:
    found, left = _Extent(), values
    while left:
        value = left.pop()
        found.size += 1
        if isinstance(value, str):
            found.size += len(value)
        elif isinstance(value, list | tuple | dict):
            found.longest = max(found.longest, len(value))
            left.extend(value.values() if isinstance(value, dict) else value)
    return found


@cache
def _callable() -> dict[str, Callable[..., Any]]:
    return {name: _quiet(function) for name, function in _FUNCTIONS.items()}


def compiled(source: str, names: frozenset[str]) -> Expression:
    """An expression over these names. Raises `ExpressionError`."""
    if len(source) > LONGEST:
        raise ExpressionError(f"an expression has at most {LONGEST} characters")
    if _depth(source) > _DEEPEST:
        raise ExpressionError(f"brackets nest at most {_DEEPEST} deep")
    calls = _CALLS.findall(source)
    if "map" in calls:
        raise ExpressionError("`map` is not available: name a field of the parts instead")
    if len(calls) > _LOOPS:
        raise ExpressionError(f"at most {_LOOPS} of `all`, `exists`, `exists_one` and `filter`")
    patterns = len(_MATCHES.findall(source))
    if patterns > (0 if calls else _PATTERNS):
        raise ExpressionError(f"`matches` can stand {_PATTERNS} times, and beside no loop")
    try:
        program = cel.compile(source)
    except Exception as error:  # noqa: BLE001  the library raises several
        raise ExpressionError(_syntax(str(error))) from None
    functions = set(program.functions())
    unknown = functions - _OPERATORS - _OWN - _FUNCTIONS.keys()
    if unknown:
        raise ExpressionError(f"there is no function {', '.join(sorted(unknown))}")
    named = set(program.variables())
    unknown = named - names - set(_BOUND.findall(source))
    if unknown:
        raise ExpressionError(f"there is no value named {', '.join(sorted(unknown))}")
    return Expression(
        source,
        frozenset(named & names),
        "double" in functions,
        program,
        _tokens=len(_TOKEN.findall(source)),
        _loops=len(calls),
        _copies=bool(functions & _GROWING),
    )


def _depth(source: str) -> int:
    deepest = depth = 0
    for each in source:
        depth += (each in "([{") - (each in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _syntax(message: str) -> str:
    """The library's words about the first mistake, without the drawing of it."""
    line = next((each for each in message.splitlines() if "ERROR:" in each), message)
    found = line.partition("ERROR: <input>:")[2] or line
    return f"it cannot be read, at {found[:200]}"
