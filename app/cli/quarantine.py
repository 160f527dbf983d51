"""`recent-sync quarantine …`: records that could not be applied."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from app.cli.client import Api
from app.cli.display import AsJson, print_done, print_json, print_line, print_table
from app.cli.duration import Timeout, given_duration
from app.cli.migrations import MigrationOption, path
from app.cli.progress import JobProgress
from app.cli.streams import Streams, split_streams
from app.cli.watch import print_job, require_success, wait_for

commands = typer.Typer(no_args_is_help=True, help="Records that could not be applied.")


@commands.command("list")
def show_all(
    migration: MigrationOption,
    stream: Annotated[str | None, typer.Option(help="Only of this stream.")] = None,
    status: Annotated[str, typer.Option(help="open, waived or resolved.")] = "open",
    *,
    json: AsJson = False,
) -> None:
    """List records in quarantine, with the reasons."""
    with Api.from_environment() as api:
        found = list(api.every(f"{path(migration)}/quarantine", stream=stream, status=status))
    if json:
        print_json(found)
        return
    columns = ("id", "stream", "source_id", "code", "message", "attempts")
    print_table(columns, [[each[column] for column in columns] for each in found])


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
            job = wait_for(api, job, JobProgress("retry"), seconds)
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
    record: Annotated[str, typer.Argument(help="Id in the list.")],
    migration: MigrationOption,
    reason: Annotated[str, typer.Option(help="Why it may be left alone for good.")],
    *,
    json: AsJson = False,
) -> None:
    """Leave a record alone for good."""
    with Api.from_environment() as api:
        address = f"{path(migration)}/quarantine/{quote(record, safe='')}/waive"
        found = api.post(address, {"reason": reason})
    print_done(f"Waived {found['stream']} {found['source_id']}.", found, json=json)
