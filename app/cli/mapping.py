"""`recent-sync mapping …`: what a migration changes in records on their way."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, print_done, print_json, print_line
from app.cli.failures import UsageProblemError
from app.cli.migrations import MigrationOption, path

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
    print_line(f"# version {found['version']} by {found['author'] or 'nobody'}")
    print_line(_yaml(found["rules"]))


@commands.command("set")
def set_(file: RulesFile, migration: MigrationOption, *, json: AsJson = False) -> None:
    """Replace a migration's mapping rules by those of a file; the next jobs go by them."""
    rules = read_rules(file)
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
        rules = Rules.model_validate(read_rules(file))
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


def read_rules(file: Path) -> Json:
    """The rules in a file; JSON is YAML too. Raises `UsageProblemError`."""
    import yaml  # noqa: PLC0415  seldom needed

    class Loader(yaml.SafeLoader):
        """Leaves dates as they are written: rules know moments as text."""

    Loader.yaml_implicit_resolvers = {
        first: [each for each in found if each[0] != "tag:yaml.org,2002:timestamp"]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageProblemError(f"{file} cannot be read.") from None
    try:
        found: Any = yaml.load(text, Loader)  # noqa: S506  a safe loader, without dates
        json_.dumps(found, allow_nan=False)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        raise UsageProblemError(f"{file} is neither YAML nor JSON that rules can be in.") from None
    if not isinstance(found, dict):
        raise UsageProblemError(f"{file} holds no rules: they stand below the names of streams.")
    return found


def _yaml(rules: Json) -> str:
    import yaml  # noqa: PLC0415  seldom needed

    return yaml.safe_dump(rules, sort_keys=False, allow_unicode=True, width=90).rstrip()


def _version(api: Api, migration: str, version: int) -> Json:
    for each in api.every(f"{_path(migration)}/versions"):
        if each["version"] == version:
            return each
    raise UsageProblemError(f"{migration} has no version {version} of its mapping rules.")


def _path(migration: str) -> str:
    return f"{path(migration)}/mapping"
