"""`recent-sync migration policies`: how a migration differs from what is suggested."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, note, print_json, print_line
from app.cli.failures import UsageProblemError
from app.cli.migrations import MigrationOption, path
from app.cli.yaml_text import parse, read_file, render

commands = typer.Typer(
    invoke_without_command=True,
    no_args_is_help=True,
    help="A migration's policies: conflicts, deletions, lost references, the verdict and others.",
)

_KEY_HELP = "Such as deletions.brake or conflicts.products.price; see `policies schema`."
_CHECKS = ("readiness", "thresholds")
_LISTS = {("readiness", "fail_on")}


@commands.callback()
def show(
    context: typer.Context,
    migration: Annotated[
        str | None, typer.Option("--migration", "-m", help="Slug or id of the migration.")
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Print a migration's policies as YAML; what is not there goes by the defaults."""
    if context.invoked_subcommand is not None:
        return
    if migration is None:
        raise UsageProblemError("Which migration? `recent-sync migration policies -m SLUG`.")
    with Api.from_environment() as api:
        _show(_current(api, migration), json=json)


@commands.command("set")
def set_(
    migration: MigrationOption,
    values: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE...", help=_KEY_HELP)
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="YAML or JSON: each policy in it replaces the one of its name."
        ),
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Set policies; all others stay. A null removes one."""
    if not values and file is None:
        raise UsageProblemError("Nothing to set: give KEY=VALUE or --file FILE.")
    given = [_given(each) for each in values or ()]
    whole = read_file(file, "policies", below="their names") if file is not None else {}
    with Api.from_environment() as api:
        wanted = _current(api, migration) | whole
        for places, value in given:
            _put(wanted, places, value)
        touched = {*whole, *(places[0] for places, _ in given)}
        _change(api, migration, wanted, touched, json=json)


@commands.command("unset")
def unset(
    migration: MigrationOption,
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help=_KEY_HELP)],
    *,
    json: AsJson = False,
) -> None:
    """Go back to the defaults of the policies named."""
    with Api.from_environment() as api:
        wanted = _current(api, migration)
        removed = [_places(key) for key in keys]
        for key, places in zip(keys, removed, strict=True):
            if _at(wanted, places) is None:
                raise UsageProblemError(f"{migration} has no policy {key}.")
            _put(wanted, places, None)
        _change(api, migration, wanted, {places[0] for places in removed}, json=json)


@commands.command("schema")
def schema() -> None:
    """Print the JSON schema of policies; asks no service."""
    from app.schemas.migration import Policies  # noqa: PLC0415  slow to import

    print_json(Policies.model_json_schema())


def _current(api: Api, migration: str) -> Json:
    found: Json = api.get(path(migration))["policies"]
    return deepcopy(found)


def _change(api: Api, migration: str, wanted: Json, touched: set[str], *, json: bool) -> None:
    """Put the members that were touched; one that is empty by now is removed."""
    changes = {name: wanted.get(name) for name in sorted(touched)}
    changes |= {name: None for name, value in changes.items() if value == {}}
    changed = api.patch(path(migration), {"policies": changes})
    if not json:
        note("The next jobs and verdicts go by:")
    _show(changed["policies"], json=json)


def _show(policies: Json, *, json: bool) -> None:
    if json:
        print_json(policies)
    elif policies:
        print_line(render(policies))
    else:
        print_line("{}  # nothing is set: the defaults hold")


def _given(text: str) -> tuple[list[str], Any]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise UsageProblemError(f"{text!r} is no KEY=VALUE, such as deletions.brake=0.1.")
    places = _places(key)
    if tuple(places) in _LISTS and not value.lstrip().startswith("["):
        value = f"[{value}]"
    try:
        return places, parse(value)
    except ValueError:
        raise UsageProblemError(f"The value of {key} cannot be read: quote it.") from None


def _places(key: str) -> list[str]:
    """`readiness.thresholds.data.ids.allowed`: the id of a check has a dot of its own."""
    places = key.split(".")
    if not all(places):
        raise UsageProblemError(
            f"{key!r} names no policy: `recent-sync migration policies schema` has their names."
        )
    behind = len(_CHECKS)
    if tuple(places[:behind]) == _CHECKS and len(places) > behind + 1:
        places[behind : behind + 2] = [".".join(places[behind : behind + 2])]
    return places


def _at(policies: Json, places: list[str]) -> Any:
    found: Any = policies
    for place in places:
        found = found.get(place) if isinstance(found, dict) else None
    return found


def _put(policies: Json, places: list[str], value: Any) -> None:
    """Put a value at its places; None takes it away, and what is empty then."""
    first, *rest = places
    if rest:
        inner = policies.get(first)
        inner = inner if isinstance(inner, dict) else {}
        _put(inner, rest, value)
        value = inner or None
    if value is None:
        policies.pop(first, None)
    else:
        policies[first] = value
