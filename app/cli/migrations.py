"""`recent-sync migration …` and `status`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

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
)
from app.cli.duration import given_duration
from app.cli.failures import UsageProblemError
from app.cli.progress import waits
from app.cli.streams import Streams, split_streams
from app.cli.watch import print_job

commands = typer.Typer(no_args_is_help=True, help="Moves from one store to another.")

Slug = Annotated[str, typer.Argument(help="Slug or id of the migration.")]
MigrationOption = Annotated[
    str, typer.Option("--migration", "-m", help="Slug or id of the migration.")
]
Seconds = Annotated[
    str | None, typer.Option(metavar="DURATION", help="Instead of what the platform suggests.")
]
LaunchAt = Annotated[
    str | None,
    typer.Option(metavar="MOMENT", help="When the new shop opens, with its zone; none removes it."),
]


def moment(text: str | None, option: str) -> str | None:
    """An ISO 8601 moment with its zone, as given. Raises `UsageProblemError`."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise UsageProblemError(f"{option} takes a moment such as 2026-11-27T18:00:00Z.")
    return found.isoformat()


@commands.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Its short name, such as spring-launch.")],
    source: Annotated[str, typer.Option(help="The store to read.")],
    target: Annotated[str, typer.Option(help="The store to write.")],
    *,
    streams: Streams = None,
    overlap: Seconds = None,
    settle: Seconds = None,
    launch_at: LaunchAt = None,
    json: AsJson = False,
) -> None:
    """Plan a move from one store to another."""
    body = {"slug": slug, "source": source, "target": target}
    body |= _changes(streams, overlap, settle, launch_at)
    with Api.from_environment() as api:
        _show(api.post("/migrations", body), json=json)
    _warn_of_the_past(launch_at)


@commands.command("list")
def show_all(*, json: AsJson = False) -> None:
    """List the migrations."""
    with Api.from_environment() as api:
        found = list(api.every("/migrations"))
    if json:
        print_json(found)
        return
    rows = [
        [
            each["slug"],
            each["source"]["name"],
            each["target"]["name"],
            each["streams"],
            each["launch_at"],
        ]
        for each in found
    ]
    print_table(("slug", "source", "target", "streams", "launch"), rows)


@commands.command("show")
def show(slug: Slug, *, json: AsJson = False) -> None:
    """Show a migration."""
    with Api.from_environment() as api:
        _show(api.get(path(slug)), json=json)


@commands.command("update")
def update(
    slug: Slug,
    *,
    streams: Streams = None,
    overlap: Seconds = None,
    settle: Seconds = None,
    launch_at: LaunchAt = None,
    rename: Annotated[str | None, typer.Option(help="A new slug.")] = None,
    json: AsJson = False,
) -> None:
    """Change a migration; what is not given stays."""
    body = _changes(streams, overlap, settle, launch_at)
    if rename is not None:
        body["slug"] = rename
    if not body:
        raise UsageProblemError("Nothing to change: see `recent-sync migration update --help`.")
    with Api.from_environment() as api:
        _show(api.patch(path(slug), body), json=json)
    _warn_of_the_past(launch_at)


@commands.command("delete")
def delete(slug: Slug, *, json: AsJson = False) -> None:
    """Forget a migration, its cursors and its links; both stores stay as they are."""
    with Api.from_environment() as api:
        api.delete(path(slug))
    print_done(f"Deleted {slug}.", {"deleted": slug}, json=json)


@commands.command("cursors")
def cursors(slug: Slug, *, json: AsJson = False) -> None:
    """Show up to when each stream has been applied."""
    with Api.from_environment() as api:
        found = list(api.every(f"{path(slug)}/cursors"))
    if json:
        print_json(found)
        return
    columns = ("stream", "watermark", "updated_at", "job_id")
    print_table(columns, [[each[column] for column in columns] for each in found])


@commands.command("links")
def links(
    slug: Slug,
    stream: Annotated[str | None, typer.Option(help="Only of this stream.")] = None,
    source_id: Annotated[str | None, typer.Option(help="Only of this record.")] = None,
    target_id: Annotated[str | None, typer.Option(help="Only what became this record.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    *,
    json: AsJson = False,
) -> None:
    """Look up which record of the target a record of the source has become."""
    query = {"stream": stream, "source_id": source_id, "target_id": target_id}
    found: list[Json] = []
    with Api.from_environment() as api:
        for each in api.every(f"{path(slug)}/links", **query, limit=min(limit, 100)):
            found.append(each)
            if len(found) == limit:
                break
    if json:
        print_json(found)
        return
    columns = ("stream", "source_id", "target_id", "state", "losses", "applied_at")
    print_table(columns, [[each[column] for column in columns] for each in found])


def status(migration: MigrationOption, *, json: AsJson = False) -> None:
    """Show where a migration stands: its cursors, its latest job, its quarantine."""
    with Api.from_environment() as api:
        found = api.get(path(migration))
        jobs = api.get("/jobs", migration=migration, limit=1)["items"]
        cursors_now = list(api.every(f"{path(migration)}/cursors"))
        held = list(api.every(f"{path(migration)}/quarantine", status="open"))
    latest = jobs[0] if jobs else None
    if json:
        print_json(
            {"migration": found, "cursors": cursors_now, "job": latest, "quarantine": len(held)}
        )
        return
    print_fields(
        {
            "migration": found["slug"],
            "from": found["source"]["name"],
            "to": found["target"]["name"],
            "launch": found["launch_at"],
            "in quarantine": len(held),
        }
    )
    if cursors_now:
        rows = [[each["stream"], each["watermark"]] for each in cursors_now]
        print_table(("stream", "applied up to"), rows)
    else:
        print_line("Nothing was applied yet.")
    if latest:
        print_job(latest)
        if waiting := waits(latest):
            print_line(f"It is {latest['status']}{waiting}.")
        if latest["error"]:
            note(f"{latest['error']['message']} [{latest['error']['code']}]")


def path(slug: str) -> str:
    """The address of a migration in the API."""
    return f"/migrations/{quote(slug, safe='')}"


def _changes(
    streams: str | None, overlap: str | None, settle: str | None, launch_at: str | None
) -> Json:
    policies = {
        name: given_duration(text, f"--{name}")
        for name, text in (("overlap", overlap), ("settle", settle))
        if text is not None
    }
    removed = launch_at == "none"
    changes: dict[str, Any] = {
        "streams": split_streams(streams),
        "policies": policies or None,
        "launch_at": None if removed else moment(launch_at, "--launch-at"),
    }
    given = {member: value for member, value in changes.items() if value is not None}
    return given | ({"launch_at": None} if removed else {})


def _warn_of_the_past(launch_at: str | None) -> None:
    """A launch that was is allowed: what comes after it is reckoned from there."""
    if launch_at in (None, "none"):
        return
    if datetime.fromisoformat(launch_at) <= datetime.now(UTC):
        note(f"The launch time {launch_at} has passed; set another if the launch is to come.")


def _show(migration: Json, *, json: bool) -> None:
    if json:
        print_json(migration)
        return
    hidden = {"version", "source", "target"}
    shown = {key: value for key, value in migration.items() if key not in hidden}
    stores = {"source": migration["source"]["name"], "target": migration["target"]["name"]}
    print_fields({**stores, **shown})
