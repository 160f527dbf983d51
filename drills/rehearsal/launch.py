"""A launch from the demo to the gate that lets it pass, and to the order that comes after."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from junitparser import JUnitXml

from app.cli.client import Json
from app.cli.display import note
from drills.rehearsal.report import Report
from drills.rehearsal.stage import Stage

SCALE = 1.0
LIVE_SECONDS = 30.0

_GATE = Path(__file__).resolve().parent.parent.parent / "scripts" / "gate.sh"


def play(stage: Stage, report: Report, *, scale: float, seed: int, patience: float) -> None:
    """Demo, estimate, full, recents, the gate before and after the final run, and a late order.

    `patience` is how long after the verdict the late order comes, in seconds.
    """
    stage.source.store.seed(scale=scale, seed=seed)
    _demo(stage, report)
    _full(stage, report)
    stage.source.store.start_replay(seconds=LIVE_SECONDS, scale=scale, seed=seed)
    gate(stage, report, "verify readiness", "while the shop sells")
    while stage.source.store.replay().running:
        stage.run({"kind": "recent"})
    stage.source.store.freeze()
    stage.run({"kind": "recent"}, "recent")
    # Orders that were placed since are for the final run to bring.
    _sell(stage)
    gate(stage, report, "verify readiness", "before the final run")
    gate(stage, report, "recent verify readiness", "after the final run")
    time.sleep(patience)
    _sell(stage)
    gate(stage, report, "readiness", "after one more order")


def _demo(stage: Stage, report: Report) -> None:
    job = stage.run({"kind": "demo", "dry_run": True}, "demo")
    found = stage.api.get(f"/jobs/{job['id']}/report")
    fields = sum(len(each["fields"]) for each in found["streams"])
    report.notes.append(f"demo: {job['status']}, {fields} fields in the report")
    if job["status"] != "succeeded" or not fields:
        report.notes.append("demo: it says nothing")


def _full(stage: Stage, report: Report) -> None:
    estimate = stage.api.get(f"{stage.path}/estimate", kind="full")
    job = stage.run({"kind": "full"}, "full")
    read = {name: counters["read"] for name, counters in job["counters"].items()}
    errors = [
        abs(each["records"] - read.get(each["stream"], 0)) / max(1, read.get(each["stream"], 0))
        for each in estimate["streams"]
    ]
    report.estimate_error = max(errors, default=1.0)
    report.notes.append(
        f"estimate: {estimate['records']} records; read: {sum(read.values())},"
        f" {estimate['seconds']['expected']:.0f} s expected"
    )


def _sell(stage: Stage) -> Json:
    """One more order at the source."""
    product = stage.source.get("/products", type="simple", per_page=1, stock_status="instock")[0]
    order: Json = stage.source.send(
        "POST",
        "/orders",
        {
            "status": "processing",
            "billing": {"email": "late.buyer@example.com", "first_name": "Late"},
            "line_items": [{"product_id": product["id"], "quantity": 1}],
        },
    )
    return order


def gate(stage: Stage, report: Report, steps: str, when: str) -> None:
    """Run the pipeline's script, and keep its exit code and what its JUnit file says."""
    file = stage.scene.folder / f"gate-{len(report.pipeline_exit_codes)}.xml"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "RECENT_SYNC_URL": stage.api.url,
        "RECENT_SYNC_API_KEY": stage.scene.key_file.read_text(encoding="utf-8").strip(),
        "GATE_MIGRATION": stage.slug,
        "GATE_STEPS": steps,
        "GATE_JUNIT": str(file),
    }
    ended = subprocess.run(  # noqa: S603
        ["/bin/sh", str(_GATE)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    report.pipeline_exit_codes.append(ended.returncode)
    cases = [case for suite in JUnitXml.fromfile(str(file)) for case in suite]
    failed = sorted(case.name for case in cases if case.is_failure or case.is_error)
    report.notes.append(
        f"gate {when}: exit code {ended.returncode}, {len(cases)} test cases,"
        f" failed: {', '.join(failed) or 'none'}"
    )
    note(report.notes[-1])
