"""`recent-sync waivers …`: answering for checks that fail."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from app.cli.client import Api
from app.cli.display import AsJson, print_done, print_json, print_table
from app.cli.migrations import MigrationOption, moment, path

commands = typer.Typer(no_args_is_help=True, help="Answering for checks that fail.")


@commands.command("add")
def add(
    check: Annotated[str, typer.Argument(help="Id of the check, such as data.money.")],
    migration: MigrationOption,
    reason: Annotated[str, typer.Option(help="Why the launch may go on all the same.")],
    until: Annotated[str, typer.Option(help="When it ends: 2026-11-28T06:00:00Z.")],
    record: Annotated[
        list[str] | None,
        typer.Option(help="Only for findings about this id; may be given several times."),
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Waive a check until a moment. Who did it is kept."""
    body = {"check": check, "reason": reason, "expires_at": moment(until, "--until")}
    with Api.from_environment() as api:
        made = api.post(
            f"{path(migration)}/waivers", body | ({"records": record} if record else {})
        )
    print_done(f"Waived {made['check']} until {made['expires_at']}: {made['id']}.", made, json=json)


@commands.command("list")
def show_all(migration: MigrationOption, *, json: AsJson = False) -> None:
    """List waivers, expired ones too."""
    with Api.from_environment() as api:
        found = list(api.every(f"{path(migration)}/waivers"))
    if json:
        print_json(found)
        return
    columns = ("id", "check", "reason", "author", "records", "expires_at")
    print_table(columns, [[each[column] for column in columns] for each in found])


@commands.command("remove")
def remove(
    waiver: Annotated[str, typer.Argument(help="Id in the list.")],
    migration: MigrationOption,
    *,
    json: AsJson = False,
) -> None:
    """Take a waiver back: the check counts again."""
    with Api.from_environment() as api:
        api.delete(f"{path(migration)}/waivers/{quote(waiver, safe='')}")
    print_done(f"Removed the waiver {waiver}.", {"removed": waiver}, json=json)
