"""`recent-sync redirects …`: old paths, and what answers in their place."""

from __future__ import annotations

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
    to_text,
)
from app.cli.failures import GateError, UsageProblemError
from app.cli.files import require_writable, write_file
from app.cli.migrations import MigrationOption, path

commands = typer.Typer(no_args_is_help=True, help="Redirects of old addresses to new ones.")

Table = Annotated[
    Path, typer.Argument(metavar="FILE", help="A CSV with a line that names its columns; - reads.")
]
_PORTION = 200


@commands.command("refresh")
def refresh(migration: MigrationOption, *, json: AsJson = False) -> None:
    """Ask both shops where the pages of all records are, and what other pages the old one has."""
    with Api.from_environment() as api:
        found = _refresh(api, migration)
    sentence = f"Looked up {found['records']:,} records and {found['cms_pages']:,} other pages."
    print_done(sentence, found, json=json)


@commands.command("summary")
def summary(migration: MigrationOption, *, json: AsJson = False) -> None:
    """Say how many paths are redirected, and for what share of visits the map has a way."""
    with Api.from_environment() as api:
        found = api.get(f"{_path(migration)}/summary")
    if json:
        print_json(found)
        return
    share = found["share"]
    print_fields(
        {
            "redirects": found["redirects"],
            "paths that stay": found["same"],
            "faults": say_counts(found["faults"]),
            "pushed": say_counts(found["pushed"]),
            "visits": found["visits"],
            "of these the map has a way for": None
            if share is None
            else f"{found['covered']:,} ({share:.1%})",
            "looked up": found["seen_at"],
        }
    )


@commands.command("faults")
def faults(migration: MigrationOption, *, json: AsJson = False) -> None:
    """List old paths that find no page, or not as it was given; the most visited first."""
    with Api.from_environment() as api:
        found = list(api.every(f"{_path(migration)}/faults", limit=_PORTION))
    if json:
        print_json(found)
        return
    columns = ("fault", "path", "visits", "stream", "source_id", "detail")
    print_table(columns, [[each[column] for column in columns] for each in found])


@commands.command("traffic")
def traffic(migration: MigrationOption, file: Table, *, json: AsJson = False) -> None:
    """Set the visits of old paths from a report of web analytics."""
    with Api.from_environment() as api:
        found = api.post(f"{_path(migration)}/traffic", {"csv": _read(file)})
    sentence = f"Read the visits of {found['paths']:,} paths, passed {found['passed']:,} lines."
    print_done(sentence, found, json=json)


@commands.command("own")
def own(migration: MigrationOption, file: Table, *, json: AsJson = False) -> None:
    """Set redirects of pages that are no records, from a table of paths and targets."""
    with Api.from_environment() as api:
        found = api.post(f"{_path(migration)}/own", {"csv": _read(file)})
    print_done(f"Read {found['paths']:,} redirects.", found, json=json)


@commands.command("export")
def export(
    migration: MigrationOption,
    form: Annotated[
        str, typer.Option("--format", help="json, csv, nginx, apache, shopify or woocommerce.")
    ] = "json",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file to write.")] = None,
    *,
    look: Annotated[
        bool, typer.Option("--refresh/--no-refresh", help="Look all pages up before.")
    ] = True,
) -> None:
    """Write the map of old paths to new ones, in a form that a server or a platform reads."""
    # Few commands need them.
    from app.redirects.chart import Entry  # noqa: PLC0415
    from app.redirects.forms import FILES, Form  # noqa: PLC0415

    try:
        chosen = Form(form)
    except ValueError:
        raise UsageProblemError(f"--format is one of {', '.join(Form)}.") from None
    if output is not None:
        require_writable(output)
    with Api.from_environment() as api:
        if look:
            _refresh(api, migration)
        found = list(api.every(_path(migration), limit=_PORTION))
    entries = [
        Entry(each["path"], each["target"], each["visits"], each["stream"], each["source_id"])
        for each in found
    ]
    text = to_text(found) if chosen is Form.JSON else "".join(FILES[chosen][2](entries))
    if output is None:
        sys.stdout.write(text)
        return
    write_file(output, text)
    print_line(f"Wrote {len(found):,} redirects to {output}.")


@commands.command("push")
def push(
    migration: MigrationOption,
    *,
    look: Annotated[
        bool, typer.Option("--refresh/--no-refresh", help="Look all pages up before.")
    ] = True,
    again: Annotated[
        bool, typer.Option("--again", help="Also those that the target has refused before.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Make the redirects on the target, the most visited first. What stands there stays."""
    with Api.from_environment() as api:
        if look:
            # A target that takes none says so before all pages are looked up.
            api.post(f"{_path(migration)}/push", {"limit": 0})
            _refresh(api, migration)
        pushed: dict[str, Json] = {}
        while True:
            found = api.post(f"{_path(migration)}/push", {"again": again})
            fresh = [each for each in found["items"] if each["path"] not in pushed]
            pushed |= {each["path"]: each for each in found["items"]}
            # With --again those that are refused once more come round for ever.
            if not fresh or not found["left"]:
                break
            note(f"{len(pushed):,} redirects pushed, {found['left']:,} left.")
    items = list(pushed.values())
    refused = [each for each in items if each["state"] == "refused"]
    done = {"items": items, "refused": len(refused)}
    if json:
        print_json(done)
    else:
        if refused:
            columns = ("path", "target", "code")
            print_table(columns, [[each[column] for column in columns] for each in refused])
        print_line(f"Pushed {len(items) - len(refused):,} redirects; {len(refused):,} refused.")
    if refused:
        raise GateError(f"The target refused {len(refused):,} redirects.")


def _refresh(api: Api, migration: str) -> Json:
    """Look up all pages, portion by portion."""
    sums = {"records": 0, "pages": 0, "cms_pages": 0}
    notes: list[str] = []
    cursor: str | None = None
    while True:
        body = {"cursor": cursor} if cursor else {}
        found = api.post(f"{_path(migration)}/refresh", body)
        sums = {name: count + found[name] for name, count in sums.items()}
        for each in found["notes"]:
            note(each)
        notes, cursor = notes + found["notes"], found["next"]
        if cursor is None:
            return {**sums, "notes": notes}
        note(f"Looked up {sums['records']:,} records.")


def _read(file: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageProblemError(f"{file} is not written in UTF-8.") from None
    except OSError as error:
        raise UsageProblemError(f"{file} cannot be read: {error.strerror}.") from None


def _path(migration: str) -> str:
    return f"{path(migration)}/redirects"
