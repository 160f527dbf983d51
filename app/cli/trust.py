"""`recent-sync streams …`: how far the timestamps of a migration's streams are believed."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, print_done, print_json, print_line, print_table
from app.cli.failures import UsageProblemError
from app.cli.migrations import MigrationOption, path
from connectors.records import Stream

commands = typer.Typer(no_args_is_help=True, help="How far timestamps are believed, and why.")

_COLUMNS = ("stream", "trust", "declared", "why", "proven", "verified", "horizon")


@commands.command("list")
def show_all(migration: MigrationOption, *, json: AsJson = False) -> None:
    """Show how each stream is read, how far its timestamps are believed, and why."""
    with Api.from_environment() as api:
        found = list(api.every(f"{path(migration)}/streams"))
    if json:
        print_json(found)
        return
    print_table(_COLUMNS, [_row(each) for each in found])
    for each in found:
        if each["horizon"]:
            print_line(f"{each['stream']}: {each['horizon']['risk']}")


@commands.command("trust")
def trust(
    stream: Annotated[str, typer.Argument(help=f"One of {', '.join(Stream)}.")],
    migration: MigrationOption,
    reason: Annotated[str, typer.Option(help="What was mended, or what is wrong.")],
    *,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Believe the timestamps no longer.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Believe a stream's timestamps again, once the cause is mended."""
    if stream not in set(Stream):
        raise UsageProblemError(f"There is no stream {stream!r}: there are {', '.join(Stream)}.")
    body = {"trust": "sweep" if sweep else "declared", "reason": reason}
    with Api.from_environment() as api:
        found = api.put(f"{path(migration)}/streams/{quote(stream, safe='')}", body)
    print_done(f"The trust in {stream} is {found['trust']} now.", found, json=json)


def _row(stream: Json) -> list[Any]:
    audit, demoted, horizon = stream["audit"], stream["demoted"], stream["horizon"]
    return [
        stream["stream"],
        stream["trust"],
        stream["declared"],
        f"{demoted['message']} [{demoted['reason']}]" if demoted else None,
        stream["proven_at"],
        f"{audit['share']:.0%} of {audit['total']:,} in round {audit['rounds'] + 1}"
        if audit
        else None,
        f"{horizon['days']} days" if horizon else None,
    ]
