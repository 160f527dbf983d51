"""The command `recent-sync demo`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app import log
from app.cli.demo.plan import LIVE_SECONDS, TRADING_DAYS, Plan
from app.cli.demo.report import READY, Report
from app.cli.demo.scene import Scene, open_scene
from app.cli.display import AsJson, note, print_json, print_line, print_rich
from app.cli.failures import UsageProblemError
from app.cli.processes import ended_by_signals

GATE_FAILED = 1


def demo(
    scale: Annotated[float, typer.Option(help="Share of the real shop, up to 1.")] = 1.0,
    speed: Annotated[
        float,
        typer.Option(help=f"1 plays {TRADING_DAYS} trading days in {LIVE_SECONDS:.0f} seconds."),
    ] = 1.0,
    faults: Annotated[
        str, typer.Option(help="none, all, or names such as rate_limit,torn_reads.")
    ] = "none",
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes other people.")] = 1,
    *,
    addon: Annotated[bool, typer.Option("--addon", help="Both shops have the add-on.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running until Ctrl-C.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Move a real shop while it sells: copy, follow, freeze, last run, and proof of the result."""
    if not 0 < scale <= 1:
        raise UsageProblemError("--scale takes a number above 0, up to 1.")
    if not 0.05 <= speed <= 100:  # noqa: PLR2004  between 17 minutes and half a second
        raise UsageProblemError("--speed takes a number between 0.05 and 100.")
    plan = Plan(scale=scale, speed=speed, faults=parse_faults(faults), seed=seed, addon=addon)
    from app.cli.demo.course import Course  # noqa: PLC0415  slow to import

    log.configure("ERROR", "text")
    with ended_by_signals(), open_scene(addon=addon) as scene:
        report = Course(scene, plan).play()
        _print(report, json=json)
        if keep:
            _keep(scene)
    if report.verdict != READY:
        raise typer.Exit(GATE_FAILED)


def parse_faults(text: str) -> dict[str, Any] | None:
    """Faults as the practice store's control endpoint takes them."""
    names = [each.strip() for each in text.split(",") if each.strip()]
    if names in ([], ["none"]):
        return None
    if "none" in names:
        raise UsageProblemError("--faults takes `none` alone.")
    from sandbox.faults import DEFAULTS  # noqa: PLC0415  slow to import

    known = {"all", *DEFAULTS}
    if unknown := [each for each in names if each not in known]:
        there = ", ".join(sorted(known))
        raise UsageProblemError(f"--faults knows no {unknown[0]!r}; it knows {there}.")
    # Each refusal holds back all requests for a second: at 3 in 100 that is all one would see.
    rarer = {"rate_limit": {"probability": 0.01}} if "all" in names else {}
    return {**{name: {} for name in names}, **rarer}


def _print(report: Report, *, json: bool) -> None:
    if json:
        print_json(report.document())
        return
    print_rich(report.render())
    print_line(report.sentence())


def _keep(scene: Scene) -> None:
    note(f"Everything goes on running in {scene.folder}, until Ctrl-C:")
    note(f"  API        {scene.api.url} (key in {scene.key_file})")
    for store in (scene.source, scene.target):
        note(f"  shop {store.name}     {store.url} (control: {store.control_url})")
    note("  for example:")
    note(f"  export RECENT_SYNC_URL={scene.api.url} RECENT_SYNC_API_KEY=$(cat {scene.key_file})")
    try:
        scene.supervisor.wait()
    except KeyboardInterrupt:
        note("Ended.")
