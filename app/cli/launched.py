"""After the launch: `run stragglers`, `migration late-orders` and `migration sold-meanwhile`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, note, print_json, print_table, say_moment
from app.cli.files import require_writable, write_file
from app.cli.migrations import MigrationOption, Slug, path
from app.cli.schedules import print_schedule

_PORTION = 200
_ORDER = ("id", "number", "status", "created_at", "currency", "total")

Since = Annotated[str, typer.Option(help="cutover, launch, or a moment with its zone.")]
Csv = Annotated[Path | None, typer.Option(dir_okay=False, help="Write one row a line of an order.")]
_JOB = {"kind": "recent", "options": {"stragglers": True}}


def stragglers(
    migration: MigrationOption,
    until: Annotated[str, typer.Option(help="Until when: 2026-11-30T18:00:00Z, or launch+3d.")],
    every: Annotated[str, typer.Option(metavar="DURATION", help="How often.")] = "5m",
    name: Annotated[str, typer.Option(help="Name of the schedule.")] = "stragglers",
    *,
    json: AsJson = False,
) -> None:
    """After the cutover, bring over late orders of the old shop until a set time.

    A schedule does it; `recent-sync schedule` shows, pauses and removes it.
    """
    body = {
        "migration": migration,
        "name": name,
        "every": every,
        "until": until,
        "job": _JOB,
    }
    with Api.from_environment() as api:
        print_schedule(api.post("/schedules", body), json=json)


def sold_meanwhile(
    slug: Slug,
    since: Since = "cutover",
    csv: Csv = None,
    *,
    json: AsJson = False,
) -> None:
    """List what the new shop sold by itself, for going back."""
    with _asking(csv) as api:
        pages = list(_pages(api, f"{path(slug)}/sold-meanwhile", since=since))
    found = [each for page in pages for each in page["items"]]
    if undecided := pages[-1]["undecided"]:
        note(f"{undecided} orders are not confirmed yet and may be among these: run a sync first.")
    _tell(found, csv, list(_ORDER), json=json, late=False)


def late_orders(
    slug: Slug,
    since: Since = "cutover",
    csv: Csv = None,
    *,
    changed: Annotated[
        bool, typer.Option("--changed", help="Those that were there before and changed since.")
    ] = False,
    details: Annotated[
        bool,
        typer.Option("--details/--no-details", help="Ask the old shop what is in them."),
    ] = True,
    json: AsJson = False,
) -> None:
    """List orders of the old shop that came after the launch, with what was sold."""
    asked = {"since": since, "changed": changed or None, "details": details}
    with _asking(csv) as api:
        pages = list(_pages(api, f"{path(slug)}/late-orders", **asked))
    found = [each for page in pages for each in page["items"]]
    columns = ["source_id", "target_id", "imported_at", "applied_at"]
    _tell(found, csv, columns + (list(_ORDER[1:]) if details else []), json=json, late=True)
    if not json:
        what = "changed" if changed else "came"
        note(f"{len(found):,} orders {what} since {say_moment(pages[0]['since'])}.")


@contextmanager
def _asking(csv: Path | None) -> Iterator[Api]:
    """The service, once it is known that what it says can be written."""
    if csv is not None:
        require_writable(csv)
    with Api.from_environment() as api:
        yield api


def _pages(api: Api, address: str, **query: Any) -> Iterator[Json]:
    """At least one."""
    cursor: str | None = None
    while True:
        page: Json = api.get(address, **query, cursor=cursor, limit=_PORTION)
        yield page
        cursor = page["next"]
        if cursor is None:
            return


def _tell(
    found: list[Json], csv: Path | None, columns: list[str], *, json: bool, late: bool
) -> None:
    if csv is not None:
        from app.sold_sheet import LATE, SOLD, csv_text  # noqa: PLC0415  only here is it needed

        write_file(csv, csv_text(found, LATE if late else SOLD), newline="")
        note(f"Wrote {len(found):,} orders to {csv}.")
    if json:
        print_json(found)
    elif csv is None:
        print_table(columns, [[each[column] for column in columns] for each in found])
