"""`recent-sync store …` and `platforms`."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import typer

from app.cli.client import Api, Json
from app.cli.credentials import (
    CredentialsFile,
    Settings,
    asked_credentials,
    given_credentials,
    parse_settings,
)
from app.cli.display import AsJson, note, print_done, print_fields, print_json, print_table
from app.cli.failures import UnreachableError, UsageProblemError

commands = typer.Typer(no_args_is_help=True, help="Shops and how to reach them.")

Name = Annotated[str, typer.Argument(help="Name or id of the store.")]
_AWAY = {"store_busy", "store_limits", "store_unreachable"}
"""Codes of a store that may answer another time."""

_COLUMNS = ("name", "platform", "settings", "credentials_set", "id")


def platforms(*, json: AsJson = False) -> None:
    """List the platforms and what they need to know of a store."""
    with Api.from_environment() as api:
        found = list(api.every("/platforms"))
    if json:
        print_json(found)
        return
    rows = [
        [
            each["name"],
            each["title"],
            sorted(each["source"] or ()),
            sorted(each["target"] or ()),
            list(each["settings_schema"].get("properties", ())),
            list(each["credentials_schema"].get("properties", ())),
        ]
        for each in found
    ]
    print_table(("name", "title", "reads", "writes", "settings", "credentials"), rows)


@commands.command("create")
def create(
    name: Annotated[str, typer.Argument(help="The store's name.")],
    platform: Annotated[str, typer.Option(help="See `recent-sync platforms`.")],
    settings: Settings = None,
    credentials_file: CredentialsFile = None,
    *,
    json: AsJson = False,
) -> None:
    """Register a store."""
    values = parse_settings(settings)
    credentials = given_credentials(credentials_file)
    with Api.from_environment() as api:
        if credentials is None:
            credentials = asked_credentials(_credentials_schema(api, platform))
        body = {"name": name, "platform": platform, "settings": values, "credentials": credentials}
        _show(api.post("/stores", body), json=json)


@commands.command("list")
def show_all(*, json: AsJson = False) -> None:
    """List the stores."""
    with Api.from_environment() as api:
        found = list(api.every("/stores"))
    if json:
        print_json(found)
        return
    print_table(_COLUMNS, [[each[column] for column in _COLUMNS] for each in found])


@commands.command("show")
def show(name: Name, *, json: AsJson = False) -> None:
    """Show a store; its credentials are never shown."""
    with Api.from_environment() as api:
        _show(api.get(_path(name)), json=json)


@commands.command("update")
def update(
    name: Name,
    settings: Settings = None,
    credentials_file: CredentialsFile = None,
    rename: Annotated[str | None, typer.Option(help="A new name.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """Change settings, credentials or the name; what is not given stays."""
    changes: dict[str, Any] = {
        "name": rename,
        "settings": parse_settings(settings) or None,
        "credentials": given_credentials(credentials_file) if credentials_file else None,
    }
    body = {member: value for member, value in changes.items() if value is not None}
    if not body:
        raise UsageProblemError("Nothing to change: give --set, --credentials-file or --rename.")
    with Api.from_environment() as api:
        _show(api.patch(_path(name), body), json=json)


@commands.command("delete")
def delete(name: Name, *, json: AsJson = False) -> None:
    """Forget a store."""
    with Api.from_environment() as api:
        api.delete(_path(name))
    print_done(f"Deleted {name}.", {"deleted": name}, json=json)


@commands.command("check")
def check(name: Name, *, json: AsJson = False) -> None:
    """Find out whether a store can be reached, read and written."""
    with Api.from_environment() as api:
        found = api.post(f"{_path(name)}/check")
    if json:
        print_json(found)
    else:
        _print_check(found)
    if not found["ok"]:
        # What answers, and is no such store or lets nobody in, was registered wrongly.
        away = all(side["code"] in _AWAY for side in _wrong_sides(found))
        error = UnreachableError if away else UsageProblemError
        raise error(f"The store {name} is not usable: {check_sentence(found)}")


def check_sentence(found: Json) -> str:
    """Why a check failed."""
    wrong = _wrong_sides(found)
    return " ".join(dict.fromkeys(f"{side['message']} [{side['code']}]" for side in wrong))


def _wrong_sides(found: Json) -> list[Json]:
    return [side for side in (found["source"], found["target"]) if side and not side["ok"]]


def _print_check(found: Json) -> None:
    for role in ("source", "target"):
        side = found[role]
        if side is None:
            continue
        report = side["report"] or {}
        shown = {key: value for key, value in report.items() if key != "findings" and value}
        print_fields({f"as {role}": "good" if side["ok"] else side["message"], **shown})
        for finding in report.get("findings", ()):
            note(f"{finding['message']} [{finding['code']}]")


def _show(store: Json, *, json: bool) -> None:
    if json:
        print_json(store)
    else:
        print_fields({key: value for key, value in store.items() if key != "version"})


def _credentials_schema(api: Api, platform: str) -> Json:
    for each in api.every("/platforms"):
        if each["name"] == platform:
            schema: Json = each["credentials_schema"]
            return schema
    raise UsageProblemError(f"There is no platform {platform!r}: see `recent-sync platforms`.")


def _path(name: str) -> str:
    return f"/stores/{quote(name, safe='')}"
