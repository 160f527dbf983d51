"""A new shop that a naive script has filled, adopted and mended."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

from app.cli.client import Json
from app.cli.demo.practice import PracticeStore
from app.cli.display import note
from connectors.records import Stream
from connectors.registry import access
from connectors.woocommerce.api import open_api
from drills.naive_migration import Outcome, judge, migrate_naively
from drills.rehearsal.report import Report
from drills.rehearsal.stage import Stage
from sandbox.wire import Doc

SCALE = 0.05
BASELINE = "2011-11-25T00:00:00Z"
_STREAMS = (Stream.CATEGORIES, Stream.PRODUCTS, Stream.CUSTOMERS, Stream.ORDERS)


def play(stage: Stage, report: Report, *, seed: int) -> None:
    """Fill the target by a script, adopt, run the cutover, and compare both shops."""
    stage.source.store.seed(scale=SCALE, seed=seed)
    made = asyncio.run(_fill(stage, seed))
    note(f"A script has filled the new shop: {made.counts()}")
    stage.run({"kind": "adopt", "since": BASELINE}, "adopt")
    _judge_pairs(stage, made, report)
    before = _counts(stage.target.store)
    stage.run({"kind": "recent", "cutover": True}, "recent, cutover")
    after = _counts(stage.target.store)
    for stream, kind in (("orders", "order"), ("customers", "customer"), ("products", "product")):
        # What the script left behind, and what it never saw, such as an order in the trash.
        linked = {str(old) for old in stage.links(stream)}
        lacking = len(linked - made.pairs[Stream(stream)].keys())
        report.created_doubled += max(0, after[kind] - before[kind] - lacking)
    left = _left(stage)
    report.notes.append(f"adoption: {made.counts()}, left wrong: {left or 'nothing'}")
    report.adopted_wrong += len(left)


def _judge_pairs(stage: Stage, made: Outcome, report: Report) -> None:
    links: dict[Stream, dict[str, str]] = {}
    named: dict[Stream, dict[str, str]] = {}
    for stream in _STREAMS:
        listed = stage.api.every(f"{stage.path}/links", stream=str(stream), limit=100)
        links[stream] = {each["source_id"]: each["target_id"] for each in listed}
        listed = stage.api.every(
            f"{stage.path}/adoption/pairs", state="doubled", stream=str(stream), limit=100
        )
        named[stream] = {each["record_id"]: each["other_id"] for each in listed}
    found = judge(made, links, named)
    report.adopted_wrong += len(found.wrong)
    report.adopted_missed += len(found.missed) + len(found.unnamed)


async def _fill(stage: Stage, seed: int) -> Outcome:
    async def load(documents: dict[str, list[Doc]]) -> dict[str, list[int]]:
        made: dict[str, list[int]] = await asyncio.to_thread(
            stage.target.store.ask, "POST", "/load", documents
        )
        return made

    async with (
        open_api(_access(stage.source.store)) as old,
        open_api(_access(stage.target.store)) as new,
    ):
        return await migrate_naively(old, new, load, Random(seed))


def _left(stage: Stage) -> list[str]:
    """What is still wrong between the two shops, read once more on both sides."""
    stage.run({"kind": "adopt", "since": BASELINE}, "adopt once more")
    return [
        f"{each['stream']} {each['record_id']} {', '.join(each['differs']) or each['state']}"
        for each in stage.api.every(f"{stage.path}/adoption/pairs", limit=100)
        if each["side"] == "source" and (each["differs"] or each["state"] != "paired")
    ]


def _access(store: PracticeStore) -> Any:
    credentials = {
        "consumer_key": store.keys.consumer_key,
        "consumer_secret": store.keys.consumer_secret,
    }
    return access("woocommerce", {"url": store.url}, credentials)


def _counts(store: PracticeStore) -> Json:
    found: Json = store.ask("GET", "")["records"]
    return found
