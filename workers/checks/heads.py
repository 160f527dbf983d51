"""Whether two pages say the same of themselves to search engines. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from unicodedata import normalize
from urllib.parse import urlsplit

from connectors.webpage import Head

_PARTS = re.compile(r"\s+[\u2013\u2014|\u00b7\u2022\u00bb:-]\s+")
_CUT = re.compile(r"(?:\u2026|\.\.\.)$")
_ENOUGH = 60
_SHOWN = 100


class Titles:
    """The titles of one shop's pages. What stands on all of them is the shop's and no page's."""

    def __init__(self, titles: Sequence[str]) -> None:
        parts = [set(_split(each)) for each in set(titles)]
        self._shared = set.intersection(*parts) if len(parts) > 1 else None

    def own(self, title: str) -> list[str]:
        """The parts of a title that are the page's own. Of a shop with a single page that is the
        first one: most shops put their name behind it.
        """
        if self._shared is None:
            return _split(title)[:1]
        return [part for part in _split(title) if part not in self._shared]


class Heads:
    """The heads of two shops' pages, to be compared: made of the titles of all of them."""

    def __init__(self, before: Sequence[str], there: Sequence[str]) -> None:
        self._before, self._there = Titles(before), Titles(there)

    def differences(
        self, was: Head, now: Head, address: str, is_at: Callable[[str], bool]
    ) -> Iterator[tuple[str, str]]:
        """What is worse on the new page: (field, sentence). `address` is the new page's own, and
        `is_at` knows whether another is as good.
        """
        if self._before.own(was.title) != self._there.own(now.title):
            yield "title", f"the title was {_shown(was.title)}, and is {_shown(now.title)}."
        if was.description and not same_text(was.description, now.description):
            shown = f"{_shown(was.description)}, and is {_shown(now.description)}"
            yield "description", f"the description was {shown}."
        if was.canonical and not now.canonical:
            yield "canonical", "the page does not name its canonical address any more."
        elif now.canonical and not _is_itself(now.canonical, address, is_at):
            yield "canonical", f"the canonical address is {_shown(now.canonical)}."


def same_text(was: str, now: str) -> bool:
    """Whether two descriptions are one, cut at other places perhaps."""
    left, right = (_CUT.sub("", _plain(each)).rstrip() for each in (was, now))
    shorter = min(len(left), len(right))
    return left == right or (shorter >= _ENOUGH and left[:shorter] == right[:shorter])


def _is_itself(canonical: str, address: str, is_at: Callable[[str], bool]) -> bool:
    try:
        host = urlsplit(canonical).hostname
    except ValueError:
        return False
    own = urlsplit(address).hostname
    return is_at(canonical) and (host or "").removeprefix("www.") == (own or "").removeprefix(
        "www."
    )


def _split(title: str) -> list[str]:
    return [part for part in _PARTS.split(_plain(title)) if part]


def _plain(text: str) -> str:
    return normalize("NFKC", text).casefold().strip()


def _shown(text: str) -> str:
    if not text:
        return "empty"
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\u2026"
    return f"\u00ab{cut}\u00bb"
