"""The command `recent-sync drill`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from app import log
from app.cli.display import AsJson, note, print_json, print_line
from app.cli.failures import UsageProblemError

if TYPE_CHECKING:
    from drills.command import Report
    from drills.course import Outcome

GATE_FAILED = 1
_SEEDS = 20


def drill(
    seed: Annotated[int | None, typer.Option(min=0, help="Play this seed again.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help=f"Play the seeds from 1 to this one ({_SEEDS}).")
    ] = None,
    minutes: Annotated[
        float, typer.Option(min=1, max=1440, help="How long the shop goes on, in its own time.")
    ] = 15.0,
    examples: Annotated[
        int | None,
        typer.Option(min=1, help="Instead, have so many courses searched for (in a checkout)."),
    ] = None,
    *,
    addon: Annotated[bool, typer.Option("--addon", help="Both shops have the add-on.")] = False,
    json: AsJson = False,
) -> None:
    """Practise a migration while everything goes wrong, and count what is wrong in the end."""
    if sum(each is not None for each in (seed, seeds, examples)) > 1:
        raise UsageProblemError("--seed, --seeds and --examples exclude each other.")
    from drills.command import run_examples, run_seeds  # noqa: PLC0415  slow to import

    if examples is not None:
        _search(run_examples, examples)
        return
    log.configure("CRITICAL", "text")
    chosen = range(1, (seeds or _SEEDS) + 1) if seed is None else [seed]
    report = run_seeds(chosen, minutes=minutes, addon=addon, told=_silence if json else _tell)
    if json:
        print_json(report.document())
    else:
        _print(report)
    if report.failed:
        raise typer.Exit(GATE_FAILED)


def _search(run_examples: Callable[[int], int], examples: int) -> None:
    try:
        failed = run_examples(examples)
    except FileNotFoundError:
        raise UsageProblemError("--examples needs a checkout with its tests.") from None
    if failed:
        raise typer.Exit(GATE_FAILED)


def _silence(outcome: Outcome, naive_wrong: int) -> None:
    del outcome, naive_wrong


def _tell(outcome: Outcome, naive_wrong: int) -> None:
    found = outcome.verdict.findings
    words = f"{len(found)} findings" if found else "good"
    note(f"seed {outcome.seed}: {words}; a naive reader: {naive_wrong} wrong")
    for sentence in found:
        note(f"  {sentence}")


def _print(report: Report) -> None:
    for name, value in report.document().items():
        if name != "failed":
            print_line(f"{name:<12} {value}")
    if report.failed:
        seeds = " ".join(str(seed) for seed in report.failed)
        print_line(f"failed       {seeds} (recent-sync drill --seed N plays one again)")
