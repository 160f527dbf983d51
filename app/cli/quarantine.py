"""`recent-sync quarantine …`: records that could not be applied."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, print_done, print_fields, print_json, print_line, print_table
from app.cli.duration import Timeout, given_duration
from app.cli.migrations import MigrationOption, path
from app.cli.streams import Streams, split_streams
from app.cli.watch import follow, print_job, require_success

commands = typer.Typer(no_args_is_help=True, help="Records that could not be applied.")

Record = Annotated[str, typer.Argument(help="Id in the list.")]


@commands.command("list")
def show_all(
    migration: MigrationOption,
    stream: Annotated[str | None, typer.Option(help="Only of this stream.")] = None,
    status: Annotated[str, typer.Option(help="open, waived or resolved.")] = "open",
    code: Annotated[str | None, typer.Option(help="Only with this reason.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """List records in quarantine, with the reasons, and when each is tried again."""
    query = {"stream": stream, "status": status, "code": code}
    with Api.from_environment() as api:
        found = list(api.every(f"{path(migration)}/quarantine", **query))
    if json:
        print_json(found)
        return
    columns = ("id", "stream", "source_id", "code", "message", "attempts", "next_at", "waits_for")
    shown = [_shown(each) for each in found]
    print_table(columns, [[each[column] for column in columns] for each in shown])


@commands.command("show")
def show(record: Record, migration: MigrationOption, *, json: AsJson = False) -> None:
    """Show all that is known of a record in quarantine."""
    with Api.from_environment() as api:
        found = api.get(_address(migration, record))
    if json:
        print_json(found)
    else:
        print_fields(_shown(found))


@commands.command("retry")
def retry(
    migration: MigrationOption,
    streams: Streams = None,
    timeout: Timeout = "1h",
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Return when the job has ended.")] = False,
    json: AsJson = False,
) -> None:
    """Try all open records again, in a job."""
    named, seconds = split_streams(streams), given_duration(timeout, "--timeout")
    with Api.from_environment() as api:
        job = api.post(f"{path(migration)}/quarantine/retry", {"streams": named} if named else {})
        if wait:
            job = follow(api, job, "retry", seconds)
    if json:
        print_json(job)
    elif wait:
        print_job(job)
    else:
        print_line(f"Started the job {job['id']}.")
    if wait:
        require_success(job)


@commands.command("waive")
def waive(
    record: Record,
    migration: MigrationOption,
    reason: Annotated[str, typer.Option(help="Why it may be left alone.")],
    *,
    json: AsJson = False,
) -> None:
    """Leave a record alone until its content changes."""
    with Api.from_environment() as api:
        found = api.post(f"{_address(migration, record)}/waive", {"reason": reason})
    print_done(f"Waived {found['stream']} {found['source_id']}.", found, json=json)


def _address(migration: str, record: str) -> str:
    return f"{path(migration)}/quarantine/{quote(record, safe='')}"


def _shown(found: Json) -> Json:
    """The record with what it waits for in words."""
    waits_for = [
        " ".join(each[part] for part in ("stream", "source_id", "child") if each[part])
        for each in found["waits_for"]
    ]
    return found | {"waits_for": waits_for}
