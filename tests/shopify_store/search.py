"""Shopify's search syntax, as far as the store needs it, with its trap: it fails open.

A field that a search does not document is dropped with a warning in `extensions.search`, and
everything else is given back as if it had not been asked for. A field that is documented and that
the practice store does not know is an error of ours.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from graphql import GraphQLError

from tests.shopify_store.clock import Clock, normal
from tests.shopify_store.fields import Doc, not_kept

Test = Callable[[Doc], bool]
Getter = Callable[[Doc], Any]
_TOKENS = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) |
        (?P<word>(?P<minus>-)?(?P<name>[^\s:()'"<>=]+)(?P<colon>:)?) |
        (?P<quoted>'(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*") |
        (?P<stray>\S)
    )""",
    re.VERBOSE,
)
_VALUE = re.compile(
    r"""(?P<op><=|>=|<|>|)\s*(?:(?P<quoted>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<bare>[^\s:()]*)):?""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Searchable:
    """How a kind of record is searched: a getter for each filter that is kept.

    `days` are filters by time that mean a whole day, in the store's own zone.
    """

    getters: Mapping[str, Getter]
    default: Getter
    days: frozenset[str] = frozenset()
    zone: str = "UTC"


@dataclass
class Search:
    """One search string on its way to a test of records."""

    text: str
    documented: Mapping[str, str]
    searchable: Searchable
    clock: Clock
    at: int = 0

    def __post_init__(self) -> None:
        self.warnings: list[Doc] = []

    def compile(self) -> Test:
        """The test that a record has to pass."""
        return self._any_of()

    # --- grammar: or, and, not, term ------------------------------------------------------------

    def _any_of(self) -> Test:
        tests = [self._all_of()]
        while self._word("OR"):
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda doc: any(test(doc) for test in tests)

    def _all_of(self) -> Test:
        tests: list[Test] = []
        while True:
            match = _TOKENS.match(self.text, self.at)
            if match is None or match["close"] or match["name"] == "OR":
                return _all(tests)
            if match["name"] == "AND" and not match["colon"]:
                self.at = match.end()
                continue
            tests.append(self._term(match))

    def _word(self, word: str) -> bool:
        match = _TOKENS.match(self.text, self.at)
        if match is None or match["name"] != word or match["colon"]:
            return False
        self.at = match.end()
        return True

    def _term(self, match: re.Match[str]) -> Test:
        self.at = match.end()
        if match["open"]:
            inner = self._any_of()
            closing = _TOKENS.match(self.text, self.at)
            if closing is not None and closing["close"]:
                self.at = closing.end()
            return inner
        if match["name"] == "NOT" and not match["colon"]:
            following = _TOKENS.match(self.text, self.at)
            return _opposite(self._term(following)) if following else _everything
        if match["quoted"]:
            return self._words(_unquoted(match["quoted"]))
        if match["stray"]:
            return _everything
        test = self._field(match["name"]) if match["colon"] else self._words(match["name"])
        return _opposite(test) if match["minus"] else test

    def _words(self, text: str) -> Test:
        getter = self.searchable.default
        return lambda doc: _matches_text(getter(doc), text.lower())

    # --- field:value ----------------------------------------------------------------------------

    def _field(self, name: str) -> Test:
        match = _VALUE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        kind = self.documented.get(name) or self._kind_of_metafield(name)
        if kind is None:
            self._warn(name, "Invalid search field for this query.", "invalid_field")
            return _everything
        getter = self.searchable.getters.get(name) or _metafield_getter(self.searchable, name)
        if getter is None:
            raise not_kept(f"the filter `{name}`")
        if match["quoted"]:
            return self._compare(name, kind, getter, match["op"], _unquoted(match["quoted"]))
        return self._bare(name, kind, getter, match["op"], match["bare"])

    def _kind_of_metafield(self, name: str) -> str | None:
        if name.startswith("metafields."):
            return self.documented.get("metafields.{namespace}.{key}")
        return None

    def _bare(self, name: str, kind: str, getter: Getter, op: str, text: str) -> Test:
        if text == "*":
            return lambda doc: getter(doc) not in (None, "", [])
        values = [each for each in text.split(",") if each]
        if not values:
            # A filter without a value is reported to end so.
            raise GraphQLError(
                "Internal error. Looks like something went wrong on our end.",
                extensions={"code": "INTERNAL_SERVER_ERROR"},
            )
        tests = [self._compare(name, kind, getter, op, each) for each in values]
        return lambda doc: any(test(doc) for test in tests)

    def _compare(self, name: str, kind: str, getter: Getter, op: str, text: str) -> Test:
        wanted = self._value(kind, text)
        if wanted is None:
            self._warn(name, f"Input `{text}` is not an accepted value.", "invalid_value")
            return _everything
        if name in self.searchable.days:
            zone, exact = ZoneInfo(self.searchable.zone), getter
            wanted = _day(wanted, zone)
            order = _ORDERS[op]
            return lambda doc: _in_order(_day(exact(doc), zone), wanted, order)
        if isinstance(wanted, str) and kind != "time":
            return lambda doc: _matches(getter(doc), wanted, kind)
        order = _ORDERS[op]
        return lambda doc: _in_order(getter(doc), wanted, order)

    def _value(self, kind: str, text: str) -> Any:
        """A value in the form in which records hold it; None where it is none of its kind."""
        match kind:
            case "time":
                return self.clock.stamp() if text == "now" else normal(text)
            case "id":
                digits = text.rsplit("/", 1)[-1]
                return int(digits) if digits.isdigit() else None
            case "integer" | "float" | "bigdecimal":
                return _number(text)
            case "boolean":
                return {"true": True, "false": False}.get(text.lower())
            case _:
                return text.lower()

    def _warn(self, name: str, message: str, code: str) -> None:
        self.warnings.append({"field": name, "message": message, "code": code})


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda have, want: have == want,
    "<": lambda have, want: have < want,
    "<=": lambda have, want: have <= want,
    ">": lambda have, want: have > want,
    ">=": lambda have, want: have >= want,
}


def _day(stamp: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(stamp).astimezone(zone).date().isoformat()


def _everything(_: Doc) -> bool:
    return True


def _opposite(test: Test) -> Test:
    # What was dropped is dropped whether it was negated or not.
    return test if test is _everything else lambda doc: not test(doc)


def _all(tests: list[Test]) -> Test:
    kept = [test for test in tests if test is not _everything]
    if not kept:
        return _everything
    return kept[0] if len(kept) == 1 else lambda doc: all(test(doc) for test in kept)


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _in_order(have: Any, want: Any, order: Callable[[Any, Any], bool]) -> bool:
    """Of several values (the SKUs of a product) one is enough."""
    if isinstance(have, list):
        return any(_in_order(each, want, order) for each in have)
    return have is not None and order(have, want)


def _matches(have: Any, want: str, kind: str) -> bool:
    if isinstance(have, list):
        return any(_matches(each, want, kind) for each in have)
    if have is None:
        return False
    held = str(have).lower()
    if want.endswith("*"):
        return held.startswith(want[:-1])
    return held == want or (kind == "string" and held.removeprefix("#") == want.removeprefix("#"))


def _matches_text(have: Any, want: str) -> bool:
    words = " ".join(str(each) for each in have if each).lower()
    if want.endswith("*"):
        return any(word.startswith(want[:-1]) for word in words.split())
    return want in words.split() or want in words


def _metafield_getter(searchable: Searchable, name: str) -> Getter | None:
    metafields = searchable.getters.get("metafields")
    if metafields is None or not name.startswith("metafields."):
        return None
    _, namespace, key = name.split(".", 2)
    return lambda doc: metafields(doc).get((namespace, key))
