"""Both shops, compared record by record over their own APIs; our ledger has no say in it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from subprocess import Popen

from app.cli.demo.plan import Plan
from app.cli.demo.practice import PracticeStore
from app.cli.demo.reading import (
    PLATFORM,
    losses_of,
    progress_file,
    read_result,
    reading_environment,
)
from app.cli.demo.report import Report, StreamResult
from app.cli.demo.scene import Scene
from app.cli.failures import UnreachableError
from app.cli.processes import Program, end_all, spawn
from connectors.comparison import StreamComparison, confront
from connectors.records import Stream
from connectors.registry import connector

READING_SECONDS = 600.0
Progress = Callable[[str, int], None]
"""Called with the stream that is read and the number of records read so far, of both shops."""


def compare_stores(scene: Scene, report: Report, plan: Plan, progress: Progress) -> None:
    """Read both stores and note in the report what differs. Raises `UnreachableError`."""
    results = [_result(scene, store) for store in (scene.source, scene.target)]
    processes = [
        _start(scene, store, result, plan)
        for store, result in zip((scene.source, scene.target), results, strict=True)
    ]
    try:
        _wait(processes, results, progress)
    finally:
        end_all(processes)
    source, target = map(read_result, results)
    losses = losses_of(connector(PLATFORM), addon=plan.addon)
    found = confront(source, target, list(Stream), losses)
    for stream, each in found.streams.items():
        _note(report.streams.setdefault(str(stream), StreamResult()), each)


def _result(scene: Scene, store: PracticeStore) -> Path:
    return scene.folder / f"{store.name}.fingerprints"


def _start(scene: Scene, store: PracticeStore, result: Path, plan: Plan) -> Popen[bytes]:
    program = Program(
        name=f"reading of shop {store.name}",
        module="app.cli.demo.reading",
        environment=reading_environment(
            store.url,
            store.keys,
            result,
            is_target=store is scene.target,
            addon=plan.addon,
        ),
        log=result.with_suffix(".log"),
    )
    return spawn(program)


def _wait(processes: list[Popen[bytes]], results: list[Path], progress: Progress) -> None:
    deadline = time.monotonic() + READING_SECONDS
    while any(each.poll() is None for each in processes):
        if time.monotonic() > deadline:
            raise UnreachableError(f"The shops were not read in {READING_SECONDS:.0f} s.")
        _tell(results, progress)
        time.sleep(0.1)
    for process, result in zip(processes, results, strict=True):
        if process.returncode != 0:
            said = result.with_suffix(".log").read_text(encoding="utf-8").strip().splitlines()
            raise UnreachableError(f"A shop cannot be read: {said[-1] if said else 'no reason'}")


def _tell(results: list[Path], progress: Progress) -> None:
    states = []
    for result in results:
        with suppress(OSError):
            states.append(json.loads(progress_file(result).read_bytes()))
    if states:
        progress(states[-1]["stream"], sum(each["read"] for each in states))


def _note(result: StreamResult, found: StreamComparison) -> None:
    result.compared = found.compared
    # What nobody can read is not proven to be there.
    result.missing = found.missing + found.unreadable
    result.wrong, result.doubled, result.foreign = found.wrong, found.doubled, found.foreign
    result.losses = dict(found.declared)
    result.examples = [
        *(f"{source_id} is missing" for source_id in found.missing_ids),
        *(f"{each.source_id} differs in {', '.join(each.fields)}" for each in found.wrong_pairs),
        *(f"{target_id} is one too many in B" for target_id in found.doubled_ids),
    ]
