"""Files of paths: landing pages with their visits, and redirects that people add. Pure.

Reports of web analytics come with remarks above the table, with any order of columns, with commas,
semicolons or tabs between them, and with whole addresses or paths.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from app.redirects.chart import Own
from app.redirects.paths import new_path, old_path

MOST_ROWS = 200_000
_PATHS = (
    "path",
    "page",
    "page path",
    "page path and screen class",
    "landing page",
    "landing page + query string",
    "pages",
    "top pages",
    "url",
    "address",
    "seite",
    "zielseite",
)
_VISITS = (
    "visits",
    "sessions",
    "entrances",
    "pageviews",
    "page views",
    "views",
    "clicks",
    "users",
    "unique visitors",
    "besuche",
    "sitzungen",
)
_FROM = ("path", "from", "redirect from", "old", "source", "old path", "old url")
_TO = ("target", "to", "redirect to", "new", "new path", "new url", "destination")
_GROUPS = re.compile(r"(?<=\d)[,. '\u00a0\u202f](?=\d{3}(?:\D|$))")


class TableError(ValueError):
    """A file that cannot be read; `line` is the one that is wrong, from 1 on."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"Line {line}: {sentence}")
        self.line = line


class Read(NamedTuple):
    """Visits by old path; `passed` counts lines whose first column is no path of a shop, such as
    `(not set)` or a sum.
    """

    visits: dict[str, int]
    passed: int


def read_visits(text: str) -> Read:
    """A CSV of landing pages. Lines of one path are added up. Raises `TableError`."""
    visits: dict[str, int] = {}
    passed = 0
    for line, path_cell, count_cell in _rows(text, _PATHS, _VISITS):
        try:
            path = old_path(path_cell)
        except ValueError:
            passed += 1
            continue
        visits[path] = visits.get(path, 0) + _count(line, count_cell)
    return Read(visits, passed)


def read_own(text: str) -> list[Own]:
    """A CSV of redirects: an old path, and what answers in its place. Raises `TableError`."""
    return [
        Own(_cell(line, old_path, path), _cell(line, new_path, target))
        for line, path, target in _rows(text, _FROM, _TO)
    ]


def _cell(line: int, read: Callable[[str], str], text: str) -> str:
    try:
        return read(text)
    except ValueError as error:
        raise TableError(line, f"a path {error}.") from None


def _count(line: int, cell: str) -> int:
    text = _GROUPS.sub("", cell.strip())
    try:
        count = float(text)
    except ValueError:
        raise TableError(line, "the visits are no number.") from None
    if not 0 <= count < 2**53:
        raise TableError(line, "the visits are no number.")
    return round(count)


def _rows(text: str, first: Sequence[str], second: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """The two columns that are looked for, with the number of each line."""
    lines = text.lstrip("\ufeff").splitlines()
    head = _head(lines, first, second)
    if head is None:
        raise TableError(1, f"a line must name the columns, such as `{first[0]},{second[0]}`.")
    start, delimiter, left, right = head
    if len(lines) - start > MOST_ROWS:
        raise TableError(MOST_ROWS, f"a file may have {MOST_ROWS:,} lines.")
    reader = csv.reader(lines[start:], delimiter=delimiter)
    for row in reader:
        if not any(cell.strip() for cell in row) or row[0].startswith("#"):
            continue
        if len(row) <= max(left, right):
            raise TableError(start + reader.line_num, "a column is missing.")
        yield start + reader.line_num, row[left], row[right]


def _head(
    lines: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> tuple[int, str, int, int] | None:
    """Where the table begins, its delimiter, and where its two columns are."""
    for number, line in enumerate(lines[:50], start=1):
        for delimiter in ",;\t":
            cells = [
                each.strip().lower() for each in next(csv.reader([line], delimiter=delimiter), [])
            ]
            left = [cells.index(each) for each in first if each in cells]
            right = [cells.index(each) for each in second if each in cells]
            if left and right:
                return number, delimiter, left[0], right[0]
    return None
