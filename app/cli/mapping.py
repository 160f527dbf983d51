"""`recent-sync mapping …`: what a migration changes in records on their way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, print_done, print_json, print_line
from app.cli.failures import UsageProblemError
from app.cli.migrations import MigrationOption, path
from app.cli.yaml_text import read_file, render

commands = typer.Typer(
    no_args_is_help=True, help="Mapping rules: what changes in records on their way."
)

RulesFile = Annotated[Path, typer.Argument(help="Rules in YAML or JSON.", metavar="FILE")]


@commands.command("show")
def show(
    migration: MigrationOption,
    version: Annotated[
        int | None, typer.Option(min=1, help="An earlier version instead of the one in force.")
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Print a migration's mapping rules as YAML."""
    with Api.from_environment() as api:
        found = api.get(_path(migration)) if version is None else _version(api, migration, version)
    if json:
        print_json(found)
        return
    if found["version"]:
        print_line(f"# version {found['version']} by {found['author'] or 'nobody'}")
    else:
        print_line("# There are no mapping rules yet.")
    print_line(render(found["rules"]))


@commands.command("set")
def set_(file: RulesFile, migration: MigrationOption, *, json: AsJson = False) -> None:
    """Replace a migration's mapping rules by those of a file; the next jobs go by them."""
    rules = _read(file)
    with Api.from_environment() as api:
        made = api.send("PUT", _path(migration), body=rules).document
    text = f"Version {made['version']} of the mapping rules is in force for the next jobs."
    print_done(text, made, json=json)


@commands.command("check")
def check(file: RulesFile, *, json: AsJson = False) -> None:
    """Say what is wrong with a file of rules; asks no service."""
    from pydantic import ValidationError  # noqa: PLC0415  slow to import

    from app.mapping.rules import Rules  # noqa: PLC0415  slow to import

    try:
        rules = Rules.model_validate(_read(file))
    except ValidationError as error:
        places = "; ".join(
            f"/{'/'.join(map(str, each['loc']))}: {each['msg'].removeprefix('Value error, ')}"
            for each in error.errors(include_input=False, include_context=False)
        )
        raise UsageProblemError(f"{file} holds no valid mapping rules: {places}.") from None
    count = sum(len(each) for each in rules.document().values())
    print_done(f"{file} holds {count} valid rules.", {"rules": count}, json=json)


@commands.command("schema")
def schema() -> None:
    """Print the JSON schema of mapping rules, with the fields of every stream; asks no service."""
    from app.mapping.rules import Rules  # noqa: PLC0415  slow to import

    print_json(Rules.model_json_schema())


def _read(file: Path) -> Json:
    return read_file(file, "mapping rules", below="the names of streams")


def _version(api: Api, migration: str, version: int) -> Json:
    for each in api.every(f"{_path(migration)}/versions"):
        if each["version"] == version:
            return each
    raise UsageProblemError(f"{migration} has no version {version} of its mapping rules.")


def _path(migration: str) -> str:
    return f"{path(migration)}/mapping"
