"""A cutover's last looks: each waits until what was read half-written has settled."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from sqlalchemy import text

from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.test_runs import fill, product

SETTLE = 1.5


async def run_in_real_time(bench: Bench, kind: str, **params: object) -> str:
    """Nobody shortens a pause; the source's clock goes as ours does. Answers with the status."""
    job = await bench.start(kind, **params)
    before = time.monotonic()
    for _ in range(400):
        if not await bench.turn():
            await asyncio.sleep(0.05)
        now = time.monotonic()
        bench.source.tick(seconds=now - before)
        before = now
        if (status := (await bench.job(job))["status"]) not in ("queued", "running"):
            return str(status)
    raise AssertionError("the job did not end")


async def test_closing_round_begins_no_earlier_than_its_pause_after_the_last_reading(
    bench: Bench,
) -> None:
    fill(bench, 2)
    await bench.run("full")
    async with bench.resources.engine.begin() as connection:
        policies = f'{{"settle": {SETTLE}}}'
        await connection.execute(
            text("UPDATE migrations SET policies = CAST(:policies AS jsonb)"),
            {"policies": policies},
        )
    readings: list[tuple[Stream, float]] = []

    async def note(stream: Stream, _: object) -> None:
        if stream is Stream.INVENTORY and not any(each is stream for each, _ in readings):
            # The shop goes on selling while the last stream is read: a second round follows.
            bench.source.put(Stream.PRODUCTS, "p1", product(1, featured=True))
        readings.append((stream, time.monotonic()))

    bench.source.hooks["read"] = note
    assert await run_in_real_time(bench, "recent", cutover=True) == "succeeded"
    bench.source.hooks.clear()
    [featured] = [
        row for row in bench.target.rows[Stream.PRODUCTS].values() if row.content.featured
    ]
    assert featured.content.sku == "SKU-1"
    pauses = [
        at - before for (_, before), (_, at) in pairwise(readings) if at - before > SETTLE / 2
    ]
    assert len(pauses) == 2, "one before each of two rounds"
    assert min(pauses) >= SETTLE
