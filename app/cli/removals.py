"""`recent-sync removals …`: records that are gone from the source."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, print_json, print_line, print_table
from app.cli.duration import Timeout, given_duration
from app.cli.migrations import MigrationOption, path
from app.cli.watch import follow, print_job, require_success

commands = typer.Typer(
    no_args_is_help=True, help="Records that are gone from the source, and what was done."
)


@commands.command("list")
def show_all(
    migration: MigrationOption,
    stream: Annotated[str | None, typer.Option(help="Only of this stream.")] = None,
    status: Annotated[
        str | None,
        typer.Option(help="Only proven, held, reported, done, failed, returned or undone."),
    ] = None,
    action: Annotated[str | None, typer.Option(help="Only archive, delete or report.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """List what is gone from the source, and what was done on the target."""
    query = {"stream": stream, "status": status, "action": action}
    with Api.from_environment() as api:
        found = list(api.every(f"{path(migration)}/removals", **query))
    if json:
        print_json(found)
        return
    columns = ("id", "stream", "source_id", "target_id", "action", "status", "proof", "undoable")
    shown = [each | {"proof": _proof(each["evidence"])} for each in found]
    print_table(columns, [[each[column] for column in columns] for each in shown])


def _proof(evidence: Json) -> str:
    """What proves that a record is gone, in a few words."""
    if evidence.get("reused"):
        return "its id belongs to another record"
    words = []
    if sweeps := evidence.get("sweeps"):
        words.append(f"not in {sweeps} sweep{'s' if sweeps > 1 else ''}")
    if evidence.get("direct"):
        words.append("denied by its id")
    return ", ".join(words)


@commands.command("undo")
def undo(
    removal: Annotated[str, typer.Argument(help="Id in the list.")],
    migration: MigrationOption,
    timeout: Timeout = "1h",
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Return when the job has ended.")] = False,
    json: AsJson = False,
) -> None:
    """Bring a record back on the target, in a job."""
    seconds = given_duration(timeout, "--timeout")
    with Api.from_environment() as api:
        job = api.post(f"{path(migration)}/removals/{quote(removal, safe='')}/undo")
        if wait:
            job = follow(api, job, "undo", seconds)
    if json:
        print_json(job)
    elif wait:
        print_job(job)
    else:
        print_line(f"Started the job {job['id']}.")
    if wait:
        require_success(job)
