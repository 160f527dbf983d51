"""`recent-sync conflicts …`: fields that were changed on both sides."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, print_done, print_fields, print_json, print_line, print_table
from app.cli.duration import Timeout, given_duration
from app.cli.failures import UsageProblemError
from app.cli.migrations import MigrationOption, path
from app.cli.streams import Streams, split_streams
from app.cli.watch import follow, print_job, require_success

commands = typer.Typer(no_args_is_help=True, help="Fields that were changed on both sides.")

Conflict = Annotated[str, typer.Argument(help="Id in the list.")]
Field = Annotated[str | None, typer.Option(help="Only of this field.")]
Record = Annotated[str | None, typer.Option("--source-id", help="Only of this record.")]
Stream = Annotated[str | None, typer.Option(help="Only of this stream.")]


@commands.command("list")
def show_all(
    migration: MigrationOption,
    stream: Stream = None,
    status: Annotated[str, typer.Option(help="open, settled or later.")] = "open",
    field: Field = None,
    source_id: Record = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Those that are settled or put off as well.")
    ] = False,
    json: AsJson = False,
) -> None:
    """List conflicts, oldest first."""
    narrow = {"stream": stream, "field": field, "source_id": source_id}
    with Api.from_environment() as api:
        found = list(api.every(_path(migration), **narrow, status=None if every else status))
        counts = None if json else api.get(f"{_path(migration)}/summary", **narrow)
    if counts is None:
        print_json(found)
        return
    columns = ("id", "stream", "source_id", "field", "status", "decision", "settled_by", "last_at")
    print_table(columns, [[each[column] for column in columns] for each in found])
    if not every and (others := _others(counts, status)):
        print_line(f"There are others: {others}; `--all` shows them.")


def _others(counts: Json, listed: str) -> str:
    """How many conflicts are not in a list, in words; empty where all are."""
    words = {
        "open": f"{counts['open']:,} open",
        "later": f"{counts['later']:,} put off",
        "settled": f"{counts['settled']:,} settled, {counts['by_policy']:,} of them by policy",
    }
    return "; ".join(each for name, each in words.items() if name != listed and counts[name])


@commands.command("show")
def show(conflict: Conflict, migration: MigrationOption, *, json: AsJson = False) -> None:
    """Show a conflict with the values of both sides."""
    with Api.from_environment() as api:
        found = api.get(f"{_path(migration)}/{quote(conflict, safe='')}")
    if json:
        print_json(found)
        return
    values: Json = found.pop("values") or {}
    print_fields(found | values)


@commands.command("settle")
def settle(
    migration: MigrationOption,
    take: Annotated[str, typer.Option(help="Whose value stays: source, target, or later.")],
    conflict: Annotated[str | None, typer.Argument(help="Id in the list.")] = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="All open ones, or those that fit the options.")
    ] = False,
    stream: Stream = None,
    field: Field = None,
    source_id: Record = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept.")] = None,
    json: AsJson = False,
) -> None:
    """Decide about a conflict, or about many alike."""
    if (conflict is None) != every:
        raise UsageProblemError("Name one conflict, or say --all.")
    body = _given(take=take, reason=reason)
    narrow = _given(streams=[stream] if stream else None, field=field, source_id=source_id)
    if conflict is not None and narrow:
        raise UsageProblemError("--stream, --field and --source-id go with --all.")
    with Api.from_environment() as api:
        if conflict is None:
            found = api.post(f"{_path(migration)}/settle", body | narrow)
            sentence = f"Settled {found['settled']} conflicts."
        else:
            found = api.post(f"{_path(migration)}/{quote(conflict, safe='')}/settle", body)
            sentence = f"Settled {found['field']} of {found['stream']} {found['source_id']}."
    print_done(sentence, found, json=json)


@commands.command("apply")
def apply(
    migration: MigrationOption,
    streams: Streams = None,
    timeout: Timeout = "1h",
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Return when the job has ended.")] = False,
    json: AsJson = False,
) -> None:
    """Write the source's values that were chosen, in a job; any other job does so as well."""
    named, seconds = split_streams(streams), given_duration(timeout, "--timeout")
    with Api.from_environment() as api:
        job = api.post(f"{_path(migration)}/apply", {"streams": named} if named else {})
        if wait:
            job = follow(api, job, "apply", seconds)
    if json:
        print_json(job)
    elif wait:
        print_job(job)
    else:
        print_line(f"Started the job {job['id']}.")
    if wait:
        require_success(job)


def _path(migration: str) -> str:
    return f"{path(migration)}/conflicts"


def _given(**members: Any) -> Json:
    return {name: value for name, value in members.items() if value is not None}
