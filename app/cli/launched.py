"""After the launch: `recent-sync run stragglers` and `migration sold-meanwhile`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, note, print_json, print_table
from app.cli.failures import UsageProblemError
from app.cli.migrations import MigrationOption, Slug, path
from app.cli.schedules import print_schedule

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
    since: Annotated[
        str, typer.Option(help="cutover, launch, or a moment with its zone.")
    ] = "cutover",
    csv: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write one row a line of an order.")
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """List what the new shop sold by itself, for going back."""
    with Api.from_environment() as api:
        found, undecided = _read(api, slug, since)
    if undecided:
        note(f"{undecided} orders are not confirmed yet and may be among these: run a sync first.")
    if csv is not None:
        _write(csv, found)
    if json:
        print_json(found)
    elif csv is None:
        columns = ("id", "number", "status", "created_at", "currency", "total")
        print_table(columns, [[each[column] for column in columns] for each in found])


def _read(api: Api, slug: str, since: str) -> tuple[list[Json], int]:
    found: list[Json] = []
    cursor: str | None = None
    while True:
        page = api.get(f"{path(slug)}/sold-meanwhile", since=since, cursor=cursor, limit=200)
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found, page["undecided"]


def _write(file: Path, orders: list[Json]) -> None:
    from app.sold_sheet import csv_text  # noqa: PLC0415  only here is it needed

    try:
        file.write_text(csv_text(orders), encoding="utf-8", newline="")
    except OSError as error:
        raise UsageProblemError(f"{file} cannot be written: {error.strerror}.") from None
