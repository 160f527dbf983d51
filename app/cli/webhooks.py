"""`recent-sync webhook …`: addresses that are told of events."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from app.cli.client import Api, Json
from app.cli.display import AsJson, note, print_done, print_fields, print_json, print_table
from app.cli.duration import given_duration
from app.cli.failures import UsageProblemError
from app.cli.migrations import moment

commands = typer.Typer(no_args_is_help=True, help="Addresses that are told of events.")

WebhookId = Annotated[str, typer.Argument(help="Id of the webhook.")]
_EVENTS = (
    "job.started, job.ended, conflict.new, verdict.changed, lag.exceeded, lag.recovered, "
    "webhook.disabled"
)


@commands.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Where events are POSTed to.")],
    events: Annotated[str, typer.Option(help=f"Comma-separated: {_EVENTS}.")],
    *,
    migration: Annotated[
        str | None, typer.Option("--migration", "-m", help="Only of this migration.")
    ] = None,
    lag: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="For lag events: how old a cursor may be."),
    ] = None,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    json: AsJson = False,
) -> None:
    """Have an address told of events. Its secret is shown this once."""
    body: Json = {
        "url": url,
        "events": [each.strip() for each in events.split(",") if each.strip()],
        "description": description,
    }
    if migration is not None:
        body["migration"] = migration
    if lag is not None:
        body["lag_seconds"] = round(given_duration(lag, "--lag"))
    with Api.from_environment() as api:
        _show_new(api.post("/webhooks", body), json=json)


@commands.command("list")
def show_all(*, json: AsJson = False) -> None:
    """List the webhooks."""
    with Api.from_environment() as api:
        found = list(api.every("/webhooks"))
    if json:
        print_json(found)
        return
    columns = ("id", "url", "migration", "events", "failing_since", "disabled_reason")
    print_table(columns, [[each[column] for column in columns] for each in found])


@commands.command("show")
def show(webhook: WebhookId, *, json: AsJson = False) -> None:
    """Show a webhook and its latest deliveries."""
    with Api.from_environment() as api:
        found = api.get(_path(webhook))
        latest = api.get(f"{_path(webhook)}/deliveries", limit=20)["items"]
    if json:
        print_json({**found, "deliveries": latest})
        return
    print_fields(found)
    _print_deliveries(latest)


@commands.command("deliveries")
def deliveries(
    webhook: WebhookId,
    status: Annotated[
        str | None, typer.Option(help="Only pending, delivered, failed or held ones.")
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """List what was delivered, the newest first."""
    with Api.from_environment() as api:
        found = list(api.every(f"{_path(webhook)}/deliveries", status=status))
    if json:
        print_json(found)
    else:
        _print_deliveries(found)


@commands.command("test")
def send_test(webhook: WebhookId, *, json: AsJson = False) -> None:
    """Send an event that means nothing."""
    with Api.from_environment() as api:
        sent = api.post(f"{_path(webhook)}/test")
    print_done(f"Sending {sent['message']}.", sent, json=json)


@commands.command("rotate")
def rotate(
    webhook: WebhookId,
    keep: Annotated[
        str, typer.Option(metavar="DURATION", help="How long the old secret signs as well.")
    ] = "24h",
    *,
    json: AsJson = False,
) -> None:
    """Give a webhook a new secret, which is shown this once."""
    with Api.from_environment() as api:
        _show_new(api.post(f"{_path(webhook)}/rotate", {"keep": keep}), json=json)


@commands.command("replay")
def replay(
    webhook: WebhookId,
    delivery: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    since: Annotated[str | None, typer.Option(help="All since this moment, with its zone.")] = None,
    *,
    json: AsJson = False,
) -> None:
    """Send deliveries again, under the ids that they had."""
    if (delivery is None) == (since is None):
        raise UsageProblemError("Give either --delivery or --since.")
    with Api.from_environment() as api:
        if delivery is not None:
            path = f"{_path(webhook)}/deliveries/{quote(delivery, safe='')}/replay"
            answer = api.post(path)
            print_done(f"Sending {answer['message']} again.", answer, json=json)
            return
        body = {"since": moment(since, "--since")}
        answer = api.post(f"{_path(webhook)}/replay", body)
    print_done(f"Sending {answer['replayed']} again.", answer, json=json)


@commands.command("enable")
def enable(webhook: WebhookId, *, json: AsJson = False) -> None:
    """Enable a webhook again; `replay --since` sends what was held meanwhile."""
    _change(webhook, disabled=False, json=json)


@commands.command("disable")
def disable(webhook: WebhookId, *, json: AsJson = False) -> None:
    """Send nothing more to a webhook; what happens is held."""
    _change(webhook, disabled=True, json=json)


@commands.command("remove")
def remove(webhook: WebhookId, *, json: AsJson = False) -> None:
    """Delete a webhook and the log of its deliveries."""
    with Api.from_environment() as api:
        api.delete(_path(webhook))
    print_done(f"Deleted {webhook}.", {"deleted": webhook}, json=json)


def _change(webhook: str, *, disabled: bool, json: bool) -> None:
    with Api.from_environment() as api:
        changed = api.patch(_path(webhook), {"disabled": disabled})
    if json:
        print_json(changed)
    else:
        print_fields(changed)


def _show_new(webhook: Json, *, json: bool) -> None:
    if json:
        print_json(webhook)
        return
    print_fields(webhook)
    note("Keep the secret: it is shown this once.")


def _print_deliveries(found: list[Json]) -> None:
    rows = [
        [
            each["id"],
            each["type"],
            each["status"],
            each["attempts"],
            (each["log"][-1]["status"] or each["log"][-1]["code"]) if each["log"] else None,
            each["next_at"],
        ]
        for each in found
    ]
    print_table(("id", "type", "status", "attempts", "answer", "next"), rows)


def _path(webhook: str) -> str:
    return f"/webhooks/{quote(webhook, safe='')}"
