"""`recent-sync readiness`: the verdict, and whether a saved one is ours and holds."""

from __future__ import annotations

import json as documents
from pathlib import Path
from typing import Annotated

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, note, print_fields, print_json, print_line, print_table
from app.cli.failures import GateError, UnreachableError, UsageProblemError
from app.cli.files import require_writable, write_file, writing
from app.cli.migrations import path

commands = typer.Typer(
    invoke_without_command=True, help="The verdict: may the new shop go live?", no_args_is_help=True
)

_SHOWN = 5
"""Findings of a check that a person is shown; the documents have all."""


@commands.callback()
def readiness(
    context: typer.Context,
    migration: Annotated[
        str | None, typer.Option("--migration", "-m", help="Slug or id of the migration.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write one test case a check, as JUnit XML.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write one page for people.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Keep the signed verdict, for `verify`.")
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Show the verdict. Exit code 0: ready; 1: not ready, or stale; 3: somebody does not answer."""
    if context.invoked_subcommand is not None:
        return
    if migration is None:
        raise UsageProblemError("Which migration? `recent-sync readiness -m SLUG`.")
    for file in filter(None, (junit, html, save)):
        require_writable(file)
    with Api.from_environment() as api:
        found: Json = api.get(f"{path(migration)}/readiness")
    _write_files(found, junit=junit, html=html, save=save)
    if json:
        print_json(found)
    else:
        print_verdict(found)
    require_ready(found)


def require_ready(found: Json) -> None:
    """Raise `GateError` unless the verdict is `ready`, `UnreachableError` where the source does not
    answer.
    """
    if found["verdict"] == "ready":
        return
    why = " ".join(each["message"] for each in found["reasons"])
    if any(each["code"] == "source_unreachable" for each in found["reasons"]):
        raise UnreachableError(f"The verdict on {found['migration']} is stale. {why}")
    raise GateError(f"The verdict on {found['migration']} is {found['verdict']}. {why}")


def print_verdict(found: Json) -> None:
    """A verdict for a person."""
    fields = {
        "migration": found["migration"],
        "verdict": found["verdict"],
        "verified": found["verified_at"],
    }
    # Of any other verdict there is nothing to hold.
    if found["verdict"] == "ready":
        fields["holds until"] = found["expires_at"]
    print_fields(fields)
    columns = ("check", "state", "found", "what it found")
    rows = [[each["id"], _state(each), each["found"], each["summary"]] for each in found["checks"]]
    if rows:
        print_table(columns, rows)
    for each in found["checks"]:
        for evidence in each["evidence"][:_SHOWN] if _is_told(each) else ():
            where = (evidence["stream"], evidence["source_id"], evidence["field"])
            named = " ".join(part for part in where if part)
            about = f"{each['id']}: {named}" if named else str(each["id"])
            print_line(f"{about}: {evidence['message']}")


def _is_told(check: Json) -> bool:
    """Whether findings are listed: of what stands in the way, and of warnings. What is waived or
    tolerated somebody has looked at.
    """
    is_open = check["state"] in ("failed", "unknown")
    is_settled = check["waived"] or check["tolerated"]
    is_warning = check["severity"] == "warning" and is_open and not is_settled
    return bool(check["stands_in_way"] or is_warning)


def _state(check: Json) -> str:
    if check["waived"]:
        return f"{check['state']}, waived"
    return f"{check['state']}, tolerated" if check["tolerated"] else str(check["state"])


def _write_files(found: Json, *, junit: Path | None, html: Path | None, save: Path | None) -> None:
    if junit is not None:
        from app.cli.junit import write_junit  # noqa: PLC0415  only here is it needed

        with writing(junit):
            write_junit(found, junit)
    if html is not None:
        from app.web.verdict import verdict_page  # noqa: PLC0415

        write_file(html, verdict_page(found))
    if save is not None:
        text = documents.dumps(found, indent=2, ensure_ascii=False)
        write_file(save, text + "\n")
    for file in filter(None, (junit, html, save)):
        note(f"Wrote {file}.")


@commands.command("keys")
def keys() -> None:
    """Print the public keys that verdicts are signed with, a JWK set, for `verify --key`."""
    with Api.from_environment() as api:
        print_json(api.get("/readiness/keys"))


@commands.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(help="What `readiness --save` has written.")],
    key: Annotated[
        str | None,
        typer.Option(
            help="A file with a JWK or a JWK set, or a JWK itself; else our own settings."
        ),
    ] = None,
    migration: Annotated[
        str | None, typer.Option("--migration", "-m", help="The verdict has to be on this one.")
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """Check a saved verdict offline. Exit code 0: signed, ready, in time; 1: not; 2: unreadable."""
    from app.signing import NotSignedError, OutOfTimeError, read_signed  # noqa: PLC0415

    saved = _saved(file)
    known = _own_keys() if key is None else _keys(key)
    try:
        claims = read_signed(str(saved.get("token")), known)
    except OutOfTimeError:
        raise GateError("The verdict is signed, and its time has passed: verify again.") from None
    except NotSignedError:
        raise GateError("The verdict is not signed by this key, or was changed since.") from None
    document: Json = claims["verdict"]
    if {name: each for name, each in saved.items() if name != "token"} not in ({}, document):
        raise GateError("The file says other things than what was signed.")
    if migration not in (None, document["migration"]):
        raise GateError(f"The verdict is on {document['migration']}, not on {migration}.")
    if json:
        print_json(document)
    else:
        print_verdict(document)
        note("The signature is good.")
    require_ready(document)


def _saved(file: Path) -> Json:
    """A saved verdict, or a bare token."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UsageProblemError(f"{file} cannot be read.") from None
    if not text:
        raise UsageProblemError(f"{file} is empty.")
    if not text.startswith("{"):
        return {"token": text}
    try:
        found: Json = documents.loads(text)
    except ValueError:
        raise UsageProblemError(f"{file} holds no verdict.") from None
    if "token" not in found:
        raise UsageProblemError(f"{file} holds no signed verdict.")
    return found


def _keys(given: str) -> Json:
    text = given
    try:
        if not given.lstrip().startswith("{"):
            text = Path(given).read_text(encoding="utf-8")
        found = documents.loads(text)
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise UsageProblemError("--key takes a file with a JWK or a JWK set, or a JWK itself.")
    return found


def _own_keys() -> Json:
    """The public keys by this machine's settings, where the service runs on it."""
    from app.cli.local import read_settings  # noqa: PLC0415
    from app.signing import Signer  # noqa: PLC0415

    settings = read_settings()
    if settings.signing_key is None and settings.encryption_keys is None:
        raise UsageProblemError("Whose signature? --key takes what `readiness keys` prints.")
    return Signer.from_settings(settings).published()
