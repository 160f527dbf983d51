"""What the engine tells webhooks of, in the transaction in which it happens."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.test_runs import product


@pytest.fixture
async def told(bench: Bench) -> Any:
    """An endpoint that asks for all there is; answers with the events so far, in order."""
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO webhooks (id, url, description, events, secrets) VALUES"
                " (gen_random_uuid(), 'https://hooks.example.com/', '',"
                " '{job.started,job.ended,conflict.new}', '')"
            )
        )

    async def events() -> list[tuple[str, Any]]:
        rows = await bench.rows(
            "SELECT e.type, e.data FROM webhook_events AS e"
            " JOIN webhook_deliveries AS d ON d.event_id = e.id ORDER BY e.at, e.type DESC"
        )
        return [(row["type"], row["data"]) for row in rows]

    yield events
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text("TRUNCATE webhooks, webhook_events CASCADE"))


async def test_a_job_tells_its_start_and_its_end(bench: Bench, told: Any) -> None:
    bench.source.put(Stream.PRODUCTS, "1", product(1))
    row = await bench.run("full")
    (start, began), (end, ended) = await told()
    assert (start, end) == ("job.started", "job.ended")
    assert (began["job"], began["status"]) == (str(row["id"]), "running")
    assert ended == began | {"status": "succeeded"}
    assert ended["migration"] == "move"


async def test_a_failed_job_says_by_which_code(bench: Bench, told: Any) -> None:
    row = await bench.run("full")
    assert row["status"] == "completed_with_errors"
    assert (await told())[-1][1]["error"] == "source_empty"


async def test_new_conflicts_are_told_once_a_job_and_stream(bench: Bench, told: Any) -> None:
    for number in range(1, 9):
        bench.source.put(Stream.PRODUCTS, str(number), product(number))
    await bench.run("full")
    bench.source.tick(minutes=1)
    for row in list(bench.target.rows[Stream.PRODUCTS].values()):
        bench.target.edit(Stream.PRODUCTS, row.id, name="Written by the launch team")
    for number in range(1, 9):
        renamed = replace(product(number), name=f"Renamed {number}")
        bench.source.put(Stream.PRODUCTS, str(number), renamed)
    job = await bench.run("recent")
    assert len(await bench.rows("SELECT 1 FROM conflicts WHERE status = 'open'")) == 8
    found = [data for kind, data in await told() if kind == "conflict.new"]
    assert found == [{"job": str(job["id"]), "stream": "products", "migration": "move"}]
