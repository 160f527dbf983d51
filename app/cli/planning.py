"""`recent-sync estimate`, `activity` and `plan`: what is to be expected of a migration."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from app.cli.client import Api, Json
from app.cli.display import (
    AsJson,
    print_fields,
    print_json,
    print_line,
    print_table,
    print_whole,
    say_moment,
)
from app.cli.duration import say_duration
from app.cli.migrations import MigrationOption, moment, path

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

At = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="When the run is to begin, with its zone.")
]
Kind = Annotated[
    str | None,
    typer.Option(help="full, recent or cutover; by default recent, or full before the first run."),
]
LaunchAt = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="Instead of the migration's own.")
]
FreezeAt = Annotated[
    str | None, typer.Option(metavar="MOMENT", help="When the source is to be stopped.")
]


def estimate(
    migration: MigrationOption, *, kind: Kind = None, at: At = None, json: AsJson = False
) -> None:
    """Say how large a run is before it begins: records, entity points, requests, time."""
    asked = {"kind": kind, "at": moment(at, "--at")}
    with Api.from_environment() as api:
        found = api.get(f"{path(migration)}/estimate", **asked)
    if json:
        print_json(found)
        return
    long, rates = found["seconds"], found["rates"]
    print_fields(
        {
            "run": f"{found['kind']} of {found['migration']} at {say_moment(found['at'])}",
            "records": found["records"],
            "entity points": found["points"],
            "requests": f"{found['requests']['source']:,} to the source, "
            f"{found['requests']['target']:,} to the target",
            "time": f"{say_duration(long['expected'])} "
            f"({say_duration(long['low'])} to {say_duration(long['high'])})",
            "rates": f"measured in {rates['passes']:,} passes of {rates['jobs']:,} jobs"
            if rates["basis"] == "measured"
            else "stated: none was measured yet",
        }
    )
    columns = ("stream", "mode", "records", "from", "changed", "arriving", "points", "seconds")
    print_table(columns, [_estimate_row(each) for each in found["streams"]])
    for note in found["notes"]:
        print_line(note)


def _estimate_row(stream: Json) -> list[object]:
    return [
        stream["stream"],
        stream["mode"],
        stream["records"],
        stream["basis"],
        stream["changed"],
        stream["arriving"],
        stream["points"],
        stream["seconds"],
    ]


def activity(migration: MigrationOption, *, json: AsJson = False) -> None:
    """Show when the shop sells, and whether that asks for a final run."""
    with Api.from_environment() as api:
        found = api.get(f"{path(migration)}/activity")
    if json:
        print_json(found)
        return
    print_fields(
        {
            f"{found['stream']} a day": found["per_day"],
            "seen": _seen(found),
            "zone": found["zone"],
            "busiest hour": _hour(found["busiest"]),
            "quietest hour": _hour(found["quietest"]),
        }
    )
    if found["total"]:
        hours = range(0, 24, 3)
        rows = [
            [day, *(f"{sum(rates[hour : hour + 3]):.2f}" for hour in hours)]
            for day, rates in zip(_DAYS, found["rates"], strict=True)
        ]
        print_table(("", *(f"{hour:02}-{hour + 3:02}" for hour in hours)), rows)
    print_line(found["final_sync"]["reason"])


_BASES = {"created": "by when they were made", "stamps": "by when they changed last"}


def _seen(found: Json) -> str:
    if found["since"] is None:
        return "nothing yet"
    how = _BASES.get(found["basis"], found["basis"])
    return f"{found['total']:,} since {say_moment(found['since'])}, {how}"


def _hour(found: Json | None) -> str | None:
    if found is None:
        return None
    return f"{_DAYS[found['weekday']]} {found['hour']:02}-{found['hour'] + 1:02}: {found['rate']}"


def plan(
    migration: MigrationOption,
    *,
    launch_at: LaunchAt = None,
    freeze_at: FreezeAt = None,
    json: AsJson = False,
) -> None:
    """Plan the launch: the freeze, the quietest times, what to do when, and what endangers it."""
    asked = {
        "launch_at": moment(launch_at, "--launch-at"),
        "freeze_at": moment(freeze_at, "--freeze-at"),
    }
    with Api.from_environment() as api:
        found = api.get(f"{path(migration)}/plan", **asked)
    if json:
        print_json(found)
        return
    freeze = found["freeze"]
    print_fields(
        {
            "launch": say_moment(found["launch_at"])
            + ("" if found["launch_is_set"] else " (no launch to come is set)"),
            "time for all of it": found["fits"],
            "final run": found["final_sync"]["reason"],
            "freeze": f"{say_duration(freeze['median'])}, in 95 of 100 cases below "
            f"{say_duration(freeze['p95'])}, from {say_moment(freeze['starts_at'])}",
            "runs catch up": found["convergence"]["converges"],
            "the shop's zone": found["zone"],
        }
    )
    print_line("")
    for step in found["runbook"]:
        _print_step(step, found["made_at"])
    print_line("")
    if found["windows"]:
        print_table(
            ("quiet times", "until", "turned away"),
            [
                [each["starts_at"], each["ends_at"], each["turned_away"]]
                for each in found["windows"]
            ],
        )
    for risk in found["risks"]:
        print_line(f"{risk['weight']}: {risk['message']} {risk['advice']} [{risk['code']}]")
    if found["ask_expert"]:
        print_line(f"Ask an expert: {found['ask_expert']}")


def _print_step(step: Json, now: str) -> None:
    """What is to be done, and below it the command on a line of its own, to be copied."""
    late = datetime.fromisoformat(step["at"]) < datetime.fromisoformat(now)
    words = f"{say_moment(step['at'])}{' (passed)' if late else ''}  {step['what']}"
    if step["every"]:
        words += f" Every {say_duration(step['every'])} until {say_moment(step['until'])}."
    if step["seconds"] is not None:
        words += f" (takes {say_duration(step['seconds'])})"
    print_line(words)
    if step["command"]:
        print_whole(f"    {step['command']}")
