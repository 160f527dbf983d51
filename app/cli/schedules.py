"""`recent-sync schedule …`: jobs that begin by themselves."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, print_done, print_fields, print_json, print_table
from app.cli.failures import UsageProblemError
from app.cli.migrations import MigrationOption
from app.cli.streams import Streams, split_streams

commands = typer.Typer(no_args_is_help=True, help="Jobs that begin by themselves.")

ScheduleId = Annotated[str, typer.Argument(help="Id or name of the schedule.")]
OfMigration = Annotated[
    str | None, typer.Option("--migration", "-m", help="Slug or id, where names are not unique.")
]
_WHEN = "2026-11-27T18:00:00Z, launch or launch-20m"


@commands.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Its short name, such as launch-day.")],
    migration: MigrationOption,
    *,
    cron: Annotated[
        str | None, typer.Option(help="Five fields, such as '*/15 8-18 * * 1-5'; or --every.")
    ] = None,
    timezone: Annotated[str, typer.Option(help="In which --cron is read.")] = "UTC",
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Such as 15m; or --cron.")
    ] = None,
    starts_at: Annotated[str | None, typer.Option(help=f"From when: {_WHEN}.")] = None,
    until: Annotated[str | None, typer.Option(help=f"Until when: {_WHEN}.")] = None,
    final_at: Annotated[
        str | None, typer.Option(help=f"When the cutover runs, after which it ends: {_WHEN}.")
    ] = None,
    kind: Annotated[str, typer.Option(help="The kind of job.")] = "recent",
    streams: Streams = None,
    cutover: Annotated[bool, typer.Option("--cutover", help="Each job is a cutover.")] = False,
    overlap: Annotated[
        str, typer.Option(help="`skip` or `queue`, while another job has not ended.")
    ] = "skip",
    json: AsJson = False,
) -> None:
    """Let jobs begin by themselves."""
    if (cron is None) == (every is None):
        raise UsageProblemError("Give either --cron or --every.")
    job = {"kind": kind, "streams": split_streams(streams), "cutover": cutover or None}
    body = {
        "migration": migration,
        "name": name,
        "cron": cron,
        "timezone": timezone,
        "every": every,
        "starts_at": starts_at,
        "until": until,
        "final_at": final_at,
        "overlap": overlap,
        "job": {member: value for member, value in job.items() if value is not None},
    }
    given = {member: value for member, value in body.items() if value is not None}
    with Api.from_environment() as api:
        print_schedule(api.post("/schedules", given), json=json)


@commands.command("list")
def show_all(migration: OfMigration = None, *, json: AsJson = False) -> None:
    """List the schedules with their next ticks."""
    with Api.from_environment() as api:
        found = list(api.every("/schedules", migration=migration))
    if json:
        print_json(found)
        return
    rows = [
        [
            each["id"],
            each["migration"],
            each["name"],
            each["cron"] or f"every {each['every']}",
            each["state"],
            each["next"][0]["at"] if each["next"] else None,
            each["last"]["outcome"] if each["last"] else None,
        ]
        for each in found
    ]
    print_table(("id", "migration", "name", "when", "state", "next", "last"), rows)


@commands.command("show")
def show(schedule: ScheduleId, migration: OfMigration = None, *, json: AsJson = False) -> None:
    """Show a schedule, its next ticks, and what became of the latest ones."""
    with Api.from_environment() as api:
        found = _find(api, schedule, migration)
        runs = api.get(f"{_path(found)}/runs", limit=20)["items"]
    if json:
        print_json({**found, "runs": runs})
        return
    print_schedule(found, json=False)
    columns = ("tick_at", "final", "missed", "outcome", "job_id", "reason")
    print_table(columns, [[each[column] for column in columns] for each in runs])


@commands.command("pause")
def pause(schedule: ScheduleId, migration: OfMigration = None, *, json: AsJson = False) -> None:
    """Let no more jobs begin, until it is resumed."""
    _change(schedule, migration, {"paused": True}, json=json)


@commands.command("resume")
def resume(schedule: ScheduleId, migration: OfMigration = None, *, json: AsJson = False) -> None:
    """Go on with the next tick; what passed meanwhile is not caught up."""
    _change(schedule, migration, {"paused": False}, json=json)


@commands.command("remove")
def remove(schedule: ScheduleId, migration: OfMigration = None, *, json: AsJson = False) -> None:
    """Delete a schedule; the jobs that it made stay."""
    with Api.from_environment() as api:
        found = _find(api, schedule, migration)
        api.delete(_path(found))
    print_done(f"Deleted {found['name']}.", {"deleted": found["id"]}, json=json)


def print_schedule(schedule: Json, *, json: bool) -> None:
    """A schedule for a person, or as it is."""
    if json:
        print_json(schedule)
        return
    shown: dict[str, Any] = {
        name: schedule[name]
        for name in ("id", "name", "migration", "cron", "timezone", "every", "starts_at", "until")
    }
    shown |= {name: schedule[name] for name in ("final_at", "overlap", "job", "state")}
    ticks = [f"{each['at']}{' (final)' if each['final'] else ''}" for each in schedule["next"]]
    print_fields({**shown, "next": ticks})


def _change(schedule: str, migration: str | None, body: Json, *, json: bool) -> None:
    with Api.from_environment() as api:
        print_schedule(api.patch(_path(_find(api, schedule, migration)), body), json=json)


def _find(api: Api, name: str, migration: str | None) -> Json:
    """The schedule of an id or a name. Raises `UsageProblemError` unless there is one."""
    found = [
        each
        for each in api.every("/schedules", migration=migration)
        if name in (each["id"], each["name"])
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageProblemError(f"{name} is not unique: name its migration with -m.")
    raise UsageProblemError(f"There is no schedule {name}.")


def _path(schedule: Json) -> str:
    return f"/schedules/{quote(schedule['id'], safe='')}"
