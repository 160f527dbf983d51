"""The command `recent-sync rehearsal`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app import log
from app.cli.display import AsJson, print_json, print_line, print_table
from app.cli.failures import UsageProblemError
from app.cli.processes import ended_by_signals

if TYPE_CHECKING:
    from drills.rehearsal.report import Report

GATE_FAILED = 1


def rehearsal(
    part: Annotated[
        list[str] | None,
        typer.Option(help="Only launch, faults, adoption or forecast; may be given several times."),
    ] = None,
    scale: Annotated[float, typer.Option(help="Share of the real shop, up to 1.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other people.")] = 1,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds between the verdict and the late order.")
    ] = 60.0,
    *,
    json: AsJson = False,
) -> None:
    """Rehearse a whole launch: the gate, planted faults, an adoption, and forecasts."""
    if not 0 < scale <= 1:
        raise UsageProblemError("--scale takes a number above 0, up to 1.")
    from drills.rehearsal.command import PARTS, rehearse  # noqa: PLC0415  slow to import

    parts = part or list(PARTS)
    if unknown := [each for each in parts if each not in PARTS]:
        raise UsageProblemError(f"--part knows no {unknown[0]!r}; it knows {', '.join(PARTS)}.")
    log.configure("ERROR", "text")
    with ended_by_signals():
        report = rehearse(parts, scale=scale, seed=seed, patience=patience)
    if json:
        print_json(report.document())
    else:
        _print(report)
    if not report.is_good:
        raise typer.Exit(GATE_FAILED)


def _print(report: Report) -> None:
    print_table(("what", "came of it", "as it should"), report.rows())
    for each in report.plants:
        if not each.is_found or each.strange:
            print_line(f"{each.name}: {', '.join([*each.found, *each.strange]) or 'no alarm'}")
    for text in report.notes:
        print_line(text)
