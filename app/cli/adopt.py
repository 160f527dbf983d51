"""`recent-sync adopt …`: what another tool has brought over."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.client import Api, Json
from app.cli.display import (
    AsJson,
    note,
    print_done,
    print_fields,
    print_json,
    print_line,
    print_table,
    say_counts,
)
from app.cli.failures import UsageProblemError
from app.cli.files import require_writable, write_file
from app.cli.migrations import MigrationOption, path

commands = typer.Typer(no_args_is_help=True, help="What another tool has brought over.")

State = Annotated[
    str | None, typer.Option(help="paired, ambiguous, source_only, target_only or doubled.")
]
Stream = Annotated[str | None, typer.Option(help="Only of this stream.")]
_STATES = ("paired", "ambiguous", "source_only", "target_only", "doubled", "settled")


@commands.command("status")
def status(migration: MigrationOption, *, json: AsJson = False) -> None:
    """Show what the last adoption found, and in what linked records differ."""
    with Api.from_environment() as api:
        found = api.get(f"{path(migration)}/adoption")
        drift = api.get(f"{path(migration)}/drift")
    if json:
        print_json({"adoption": found, "drift": drift})
        return
    if found["job_id"] is None:
        print_line("Nothing was adopted.")
    else:
        print_fields({name: found[name] for name in ("job_id", "status", "since", "finished_at")})
        _print_states(found)
    numbers, counts = ("linked", "unverified", "differing"), ("fields", "kept", "unsettled")
    rows = [
        [stream, *(each[name] for name in numbers), *(say_counts(each[name]) for name in counts)]
        for stream, each in drift["streams"].items()
    ]
    print_table(("stream", *numbers, *counts), rows, title="In what linked records differ")


def print_adopted(api: Api, job: Json) -> None:
    """What a job of kind `adopt` has found; where another came after it, what it has counted."""
    title = f"adopt of {job['migration']}: {job['status']} (job {job['id']})"
    found = api.get(f"{path(job['migration'])}/adoption")
    if found["job_id"] == job["id"]:
        _print_states(found, title)
        if any(each["ambiguous"] for each in found["streams"].values()):
            note(f"Settle what is ambiguous: `recent-sync adopt list -m {job['migration']}`.")
        return
    names = ("read", "adopted", "unchanged", "quarantined")
    rows = [[stream, *(each[name] for name in names)] for stream, each in job["counters"].items()]
    print_table(("stream", "read", "paired", "paired before", "ambiguous"), rows, title=title)


def _print_states(found: Json, title: str = "") -> None:
    rows = [
        [stream, *(each[name] for name in _STATES)] for stream, each in found["streams"].items()
    ]
    print_table(("stream", *_STATES), rows, title=title)


@commands.command("list")
def show_all(
    migration: MigrationOption,
    state: State = "ambiguous",
    stream: Stream = None,
    *,
    json: AsJson = False,
) -> None:
    """List records of one state."""
    with Api.from_environment() as api:
        found = list(api.every(f"{path(migration)}/adoption/pairs", state=state, stream=stream))
    if json:
        print_json(found)
        return
    columns = (
        "id",
        "stream",
        "side",
        "record_id",
        "other_id",
        "matched_by",
        "confidence",
        "candidates",
        "label",
        "decision",
    )
    print_table(columns, [[each[column] for column in columns] for each in found])


@commands.command("settle")
def settle(
    record: Annotated[str, typer.Argument(help="Id in the list.")],
    migration: MigrationOption,
    decision: Annotated[str, typer.Option(help="pair, leave or ignore.")],
    other: Annotated[
        str | None, typer.Option(help="For pair: the record's id on the other side.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """Decide about a record."""
    body = {"decision": decision, "other_id": other, "reason": reason}
    given = {name: value for name, value in body.items() if value is not None}
    with Api.from_environment() as api:
        found = api.put(f"{path(migration)}/adoption/pairs/{record}", given)
    sentence = f"{found['stream']} {found['record_id']} of the {found['side']}: {decision}."
    print_done(sentence, found, json=json)


@commands.command("export")
def export(
    migration: MigrationOption,
    state: State = None,
    stream: Stream = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The file to write; by default standard output.")
    ] = None,
) -> None:
    """Write a CSV file: fill in `decision`, and import it."""
    if to is not None:
        require_writable(to)
    with Api.from_environment() as api:
        text = api.text(f"{path(migration)}/adoption.csv", state=state, stream=stream)
    if to is None:
        sys.stdout.write(text)
        return
    write_file(to, text, newline="")
    rows = sum(1 for _ in csv.reader(io.StringIO(text, newline=""))) - 1
    note(f"Wrote {rows:,} records to {to}.")


@commands.command("import")
def take(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    migration: MigrationOption,
    *,
    json: AsJson = False,
) -> None:
    """Settle what a CSV file decides; all of it or nothing."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise UsageProblemError(f"{file} cannot be read: {error.strerror}.") from None
    with Api.from_environment() as api:
        found = api.upload(f"{path(migration)}/adoption.csv", body, "text/csv")
    sentence = (
        f"Settled {found['settled']} records; {found['unchanged']} were settled so before,"
        f" {found['undecided']} lines decide nothing."
    )
    print_done(sentence, found, json=json)
