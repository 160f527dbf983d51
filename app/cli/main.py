"""The command `recent-sync`."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Annotated

import typer

from app.cli import (
    adopt,
    conflicts,
    jobs,
    keys,
    launched,
    mapping,
    migrations,
    planning,
    policies,
    quarantine,
    readiness,
    redirects,
    removals,
    schedules,
    service,
    stores,
    trust,
    waivers,
    webhooks,
)
from app.cli.demo.command import demo
from app.cli.display import note
from app.cli.drill import drill
from app.cli.failures import CommandError, LeftError, UsageProblemError
from app.cli.order_numbers import order_numbers
from app.cli.rehearsal import rehearsal
from app.cli.report import report

DEFECT = 70

program = typer.Typer(
    name="recent-sync",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="The final synchronisation of a selling shop before its new platform goes live.",
    epilog="Exit codes: 0 good; 1 the job or the comparison did not end well; 2 wrong use or "
    "configuration; 3 the service or a store cannot be reached; 4 timed out waiting; 130 ended by "
    "Ctrl-C (a job goes on).",
)


def _version(asked: bool) -> None:  # noqa: FBT001  a callback of Typer
    if asked:
        typer.echo(version("recent-sync"))
        raise typer.Exit


@program.callback()
def _root(
    *,
    _version_asked: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


program.command("demo")(demo)
program.command("drill")(drill)
program.command("rehearsal")(rehearsal)
program.command("up")(service.up)
program.command("serve")(service.serve)
program.command("worker")(service.worker)
program.command("openapi")(service.openapi)
program.command("guide")(service.guide)
program.add_typer(service.database, name="db")
program.add_typer(keys.commands, name="keys")
program.command("platforms")(stores.platforms)
program.add_typer(stores.commands, name="store")
migrations.commands.command("late-orders")(launched.late_orders)
migrations.commands.command("sold-meanwhile")(launched.sold_meanwhile)
migrations.commands.add_typer(policies.commands, name="policies")
program.add_typer(migrations.commands, name="migration")
program.add_typer(mapping.commands, name="mapping")
jobs.runs.command("stragglers")(launched.stragglers)
program.add_typer(jobs.runs, name="run")
program.add_typer(jobs.commands, name="job")
program.command("report")(report)
program.command("status")(migrations.status)
program.command("estimate")(planning.estimate)
program.command("activity")(planning.activity)
program.command("plan")(planning.plan)
program.command("order-numbers")(order_numbers)
program.add_typer(quarantine.commands, name="quarantine")
program.add_typer(trust.commands, name="streams")
program.add_typer(conflicts.commands, name="conflicts")
program.add_typer(removals.commands, name="removals")
program.add_typer(schedules.commands, name="schedule")
program.add_typer(adopt.commands, name="adopt")
program.add_typer(readiness.commands, name="readiness")
program.add_typer(waivers.commands, name="waivers")
program.add_typer(redirects.commands, name="redirects")
program.add_typer(webhooks.commands, name="webhook")


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; failures become one sentence on standard error."""
    try:
        code = program(arguments, prog_name="recent-sync", standalone_mode=False)
    except CommandError as error:
        return _fail(str(error), error.code)
    except (typer.Abort, KeyboardInterrupt):
        return LeftError.code
    except typer.TyperException as error:
        return _fail(error.format_message(), UsageProblemError.code)
    except Exception as error:
        if os.environ.get("RECENT_SYNC_LOG_LEVEL", "").upper() == "DEBUG":
            raise
        return _fail(
            f"A defect of recent-sync ended it ({type(error).__name__}); "
            "with RECENT_SYNC_LOG_LEVEL=DEBUG it says where.",
            DEFECT,
        )
    return code if isinstance(code, int) else 0


def _fail(sentence: str, code: int) -> int:
    if sentence:
        note(f"recent-sync: {sentence}")
    return code
