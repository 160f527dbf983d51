"""`recent-sync run …`, `job …` and `quarantine …`."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

import typer

from app.cli.adopt import print_adopted
from app.cli.client import Api, Json
from app.cli.display import AsJson, note, print_fields, print_json, print_table
from app.cli.duration import Timeout, given_duration
from app.cli.events import read_events
from app.cli.migrations import MigrationOption, moment
from app.cli.progress import describe
from app.cli.streams import Streams, split_streams
from app.cli.watch import ENDED, follow, leaving, print_job, require_success

runs = typer.Typer(no_args_is_help=True, help="Start a job.")
commands = typer.Typer(no_args_is_help=True, help="Jobs and how they go.")

DEFAULT_TIMEOUT = "1h"
JobId = Annotated[str, typer.Argument(help="Id of the job.")]
Wait = Annotated[bool, typer.Option("--wait", help="Return when the job has ended.")]
ReleaseBrake = Annotated[
    bool,
    typer.Option(
        "--release-brake", help="Remove what is gone from the source, however much that is."
    ),
]
Key = Annotated[
    str | None,
    typer.Option(help="Two calls with one key start one job.", metavar="TEXT"),
]


@runs.command("full")
def full(
    migration: MigrationOption,
    streams: Streams = None,
    idempotency_key: Key = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    *,
    release_brake: ReleaseBrake = False,
    wait: Wait = False,
    json: AsJson = False,
) -> None:
    """Copy every record in scope."""
    body = {
        "kind": "full",
        "migration": migration,
        "streams": split_streams(streams),
        "options": _options(release_brake=release_brake),
    }
    _run(body, idempotency_key, timeout=timeout, wait=wait, json=json)


@runs.command("recent")
def recent(
    migration: MigrationOption,
    streams: Streams = None,
    since: Annotated[
        str | None, typer.Option(help="From when, where nothing was copied before.")
    ] = None,
    idempotency_key: Key = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    *,
    cutover: Annotated[
        bool, typer.Option("--cutover", help="The last run before launch: sweep every stream.")
    ] = False,
    release_brake: ReleaseBrake = False,
    wait: Wait = False,
    json: AsJson = False,
) -> None:
    """Copy what is new or changed."""
    body = {
        "kind": "recent",
        "migration": migration,
        "streams": split_streams(streams),
        "since": moment(since, "--since"),
        "cutover": cutover or None,
        "options": _options(release_brake=release_brake),
    }
    _run(body, idempotency_key, timeout=timeout, wait=wait, json=json)


@runs.command("demo")
def demo(
    migration: MigrationOption,
    streams: Streams = None,
    *,
    size: Annotated[
        int | None, typer.Option(min=1, max=200, help="Records of each stream [25].")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="Another seed chooses others.")] = None,
    idempotency_key: Key = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Map only; write nothing to the target.")
    ] = False,
    wait: Wait = False,
    json: AsJson = False,
) -> None:
    """Copy a small sample that shows what the mapping does; `recent-sync report` tells of it."""
    options = {"size": size, "seed": seed}
    body = {
        "kind": "demo",
        "migration": migration,
        "streams": split_streams(streams),
        "dry_run": dry_run or None,
        "options": {name: value for name, value in options.items() if value is not None} or None,
    }
    _run(body, idempotency_key, timeout=timeout, wait=wait, json=json)


@runs.command("adopt")
def adopt(
    migration: MigrationOption,
    since: Annotated[str, typer.Option(help="When the other tool began to read the source.")],
    streams: Streams = None,
    *,
    id_fields: Annotated[
        str | None,
        typer.Option(
            help="Metadata that may hold the source's ids, with commas between; empty: none.",
            metavar="NAMES",
        ),
    ] = None,
    idempotency_key: Key = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    wait: Wait = False,
    json: AsJson = False,
) -> None:
    """Link what another tool has brought over; writes to neither store."""
    names = None if id_fields is None else [n.strip() for n in id_fields.split(",") if n.strip()]
    body = {
        "kind": "adopt",
        "migration": migration,
        "streams": split_streams(streams),
        "since": moment(since, "--since"),
        "options": None if names is None else {"id_fields": names},
    }
    _run(body, idempotency_key, timeout=timeout, wait=wait, json=json)


@runs.command("verify")
def verify(
    migration: MigrationOption,
    check: Annotated[
        list[str] | None,
        typer.Option(help="Only this check or group; may be given several times."),
    ] = None,
    *,
    sample: Annotated[
        int | None, typer.Option(min=0, help="Records of each stream drawn by chance (200).")
    ] = None,
    seed: Annotated[
        str | None, typer.Option(help="Draw the same records as another job with this seed.")
    ] = None,
    canary: Annotated[
        bool,
        typer.Option("--canary", help="Write an order to the target, and remove it again."),
    ] = False,
    idempotency_key: Key = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
    wait: Wait = False,
    json: AsJson = False,
) -> None:
    """Carry out the launch checks. Nothing is written without --canary. `recent-sync readiness`
    has the verdict.
    """
    options = {"checks": check or None, "sample": sample, "seed": seed, "canary": canary or None}
    given = {name: value for name, value in options.items() if value is not None}
    body = {"kind": "verify", "migration": migration, "options": given or None}
    _run(body, idempotency_key, timeout=timeout, wait=wait, json=json)


def _options(*, release_brake: bool) -> Json | None:
    return {"release_brake": True} if release_brake else None


def start_job(api: Api, body: Json, key: str | None = None) -> Json:
    """Start a job; two calls with one key start one."""
    given = {name: value for name, value in body.items() if value is not None}
    headers = {"Idempotency-Key": key or str(uuid4())}
    job: Json = api.send("POST", "/jobs", body=given, headers=headers).document
    return job


def _run(body: Json, key: str | None, *, timeout: str, wait: bool, json: bool) -> None:
    seconds = given_duration(timeout, "--timeout")
    with Api.from_environment() as api:
        job = start_job(api, body, key)
        if wait:
            _await(api, job, seconds, json=json)
        else:
            _show(job, json=json)


def _await(api: Api, job: Json, timeout: float, *, json: bool) -> None:
    job = follow(api, job, f"{job['kind']} of {job['migration']}", timeout)
    if json:
        print_json(job)
    else:
        _print_ended(api, job)
    require_success(job)


def _print_ended(api: Api, job: Json) -> None:
    """A job's outcome; of one that adopts or verifies, what it has found."""
    if job["kind"] == "adopt":
        print_adopted(api, job)
        return
    if job["kind"] != "verify":
        print_job(job)
        if job["kind"] == "demo":
            note(f"What the mapping made of it: `recent-sync report {job['id']}`.")
        return
    found = api.get(f"/jobs/{job['id']}/checks")["items"]
    rows = [[each["id"], each["state"], each["found"], each["summary"]] for each in found]
    title = f"verify of {job['migration']}: {job['status']} (job {job['id']})"
    print_table(("check", "state", "found", "what it found"), rows, title=title)


@commands.command("list")
def show_all(
    migration: Annotated[str | None, typer.Option("--migration", "-m", help="Only of it.")] = None,
    status: Annotated[str | None, typer.Option(help="Only with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    *,
    json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    with Api.from_environment() as api:
        found = api.get("/jobs", migration=migration, status=status, limit=limit)["items"]
    if json:
        print_json(found)
        return
    columns = ("id", "migration", "kind", "status", "created_at", "finished_at")
    print_table(columns, [[each[column] for column in columns] for each in found])


@commands.command("show")
def show(job: JobId, *, json: AsJson = False) -> None:
    """Show a job."""
    with Api.from_environment() as api:
        found = api.get(path(job))
        _show(found, json=json)
        if not json and found["status"] in ENDED:
            _print_ended(api, found)


@commands.command("cancel")
def cancel(job: JobId, *, json: AsJson = False) -> None:
    """Ask a job to stop."""
    with Api.from_environment() as api:
        _show(api.post(f"{path(job)}/cancel"), json=json)


@commands.command("retry")
def retry(
    job: JobId, timeout: Timeout = DEFAULT_TIMEOUT, *, wait: Wait = False, json: AsJson = False
) -> None:
    """Start a job like one that has ended."""
    seconds = given_duration(timeout, "--timeout")
    with Api.from_environment() as api:
        again = api.post(f"{path(job)}/retry")
        if wait:
            _await(api, again, seconds, json=json)
        else:
            _show(again, json=json)


@commands.command("wait")
def wait_command(job: JobId, timeout: Timeout = DEFAULT_TIMEOUT, *, json: AsJson = False) -> None:
    """Wait until a job has ended."""
    seconds = given_duration(timeout, "--timeout")
    with Api.from_environment() as api:
        _await(api, api.get(path(job)), seconds, json=json)


@commands.command("events")
def events(job: JobId, *, json: AsJson = False) -> None:
    """Follow what happens to a job, until it has ended."""
    collected: list[Any] = []
    with leaving(job), Api.from_environment() as api:
        for event in read_events(api, f"{path(job)}/events"):
            if json:
                collected.append(event)
            else:
                details = {key: value for key, value in event["data"].items() if key != "at"}
                print_fields({event["type"]: details or None})
    if json:
        print_json(collected)


def _show(job: Json, *, json: bool) -> None:
    if json:
        print_json(job)
        return
    print_fields(
        {
            "job": job["id"],
            "kind": job["kind"],
            "migration": job["migration"],
            "status": describe(job),
            "created": job["created_at"],
            "finished": job["finished_at"],
        }
    )
    if job["error"]:
        note(f"{job['error']['message']} [{job['error']['code']}]")


def path(job: str) -> str:
    """The address of a job in the API."""
    return f"/jobs/{quote(job, safe='')}"
