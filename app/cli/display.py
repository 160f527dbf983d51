"""What commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document, for machines.", show_default=False)
]


_FILE_WIDTH = 200
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)", re.ASCII)

# One console each, so that lines and moving bars do not get in each other's way. They look up
# the streams when they write.
# A file takes lines of any length; a terminal has its own width.
results = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
notes = Console(stderr=True, highlight=False)


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(to_text(document))
    sys.stdout.flush()


def to_text(document: Any) -> str:
    """One JSON document, as it is printed."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=_plain) + "\n"


def print_line(text: str) -> None:
    """A line of the result. Text from stores and people is never markup."""
    results.print(Text(text), soft_wrap=not results.is_terminal)


def print_whole(text: str) -> None:
    """Lines that people copy: a terminal may cut them by its width, and no line end is put in."""
    results.print(Text(text), soft_wrap=True)


def print_done(text: str, document: Any, *, json: bool) -> None:
    """That something was done: a sentence for a person, a document for a machine."""
    if json:
        print_json(document)
    else:
        print_line(text)


def note(text: str) -> None:
    """A remark for a person."""
    notes.print(Text(text), soft_wrap=not notes.is_terminal)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """A table whose numbers stand right-aligned."""
    listed = [list(row) for row in rows]
    made = Table(title=title or None, title_justify="left")
    for position, column in enumerate(columns):
        numeric = bool(listed) and all(_is_number(row[position]) for row in listed)
        made.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        made.add_row(*(Text(say(value)) for value in row))
    return made


def print_rich(drawn: RenderableType) -> None:
    """A table or several, on standard output."""
    results.print(drawn)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, title: str = "") -> None:
    """A table on standard output, or a word where it would be empty."""
    listed = list(rows)
    if listed:
        print_rich(table(title, columns, listed))
    else:
        print_line(f"{title}: nothing." if title else "Nothing to list.")


def print_fields(fields: Mapping[str, Any]) -> None:
    """One record as two columns."""
    grid = Table.grid(padding=(0, 2))
    for name, value in fields.items():
        grid.add_row(Text(name, style="bold"), Text(say(value)))
    print_rich(grid)


def say(value: Any) -> str:
    """A value as a person reads it."""
    match value:
        case None | [] | ():
            text = "-"
        case dict() if not value:  # a pattern of braces would fit every dictionary
            text = "-"
        case bool():
            text = "yes" if value else "no"
        case int():
            text = f"{value:,}"
        case datetime():
            text = f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case list() | tuple():
            text = ", ".join(say(each) for each in value)
        case dict():
            text = json.dumps(value, ensure_ascii=False, default=_plain)
        case str():
            text = say_moment(value)
        case _:
            text = str(value)
    return text


def say_counts(counts: Mapping[str, int]) -> str | None:
    """`{"made": 3}` as `made 3`."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or None


def say_moment(text: str) -> str:
    """A moment of the API to the second, in a form that every option takes; other text as it is."""
    found = _MOMENT.fullmatch(text)
    return f"{found[1]}Z" if found else text


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
