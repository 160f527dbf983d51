"""The last stage of a job, where something is wrong with the stores for good."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from connectors.errors import Unreachable
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.test_runs import product
from workers.engine.errors import JobFailed


async def seal(bench: Bench, sealed: bytes) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE stores SET credentials = :sealed"), {"sealed": sealed}
        )


async def muted(bench: Bench) -> list[Any]:
    [store] = await bench.rows("SELECT muted_by FROM stores WHERE name = 'target'")
    return list(store["muted_by"])


def is_loud(bench: Bench) -> bool:
    return bench.target.mails_on


async def restored_by_the_next_job(bench: Bench) -> None:
    """What a job could not give back to the target, the next one does."""
    assert not is_loud(bench)
    row = await bench.run("full")
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert is_loud(bench)
    assert await muted(bench) == []


@pytest.mark.parametrize("kind", ["full", "verify"])
async def test_stores_that_cannot_be_opened_end_the_job_at_once(bench: Bench, kind: str) -> None:
    """Its last stage cannot open them either: it must not be begun again and again."""
    await seal(bench, b"of another key")
    row = await bench.run(kind)
    assert (row["status"], row["error"]["code"]) == ("failed", "credentials_unreadable")
    assert "mails" not in row["error"]["message"]
    [count] = await bench.rows("SELECT count(*) FROM slices WHERE kind = 'finish'")
    assert count["count"] == 1
    assert await bench.rows("SELECT 1 FROM slices WHERE NOT done") == []


async def test_stores_that_cannot_be_opened_any_more_leave_the_target_to_the_next_job(
    bench: Bench,
) -> None:
    bench.source.put(Stream.PRODUCTS, "1", product(1))
    [store] = await bench.rows("SELECT credentials FROM stores WHERE name = 'target'")
    job = await bench.start("full")
    await bench.turn()
    assert not is_loud(bench)
    await seal(bench, b"of another key")
    row = await bench.finish(job)
    assert (row["status"], row["error"]["code"]) == ("failed", "credentials_unreadable")
    assert "mails stay off" in row["error"]["message"]
    await seal(bench, store["credentials"])
    await restored_by_the_next_job(bench)


@pytest.mark.parametrize(
    ("failure", "status"),
    [(JobFailed("broken", "broken for good"), "failed"), (Unreachable("away", after=0.01), None)],
    ids=["broken", "away"],
)
async def test_a_target_that_does_not_take_its_voice_back_gets_it_from_the_next_job(
    bench: Bench, failure: Exception, status: str | None
) -> None:
    bench.source.put(Stream.PRODUCTS, "1", product(1))

    async def unmuting(_: Any) -> None:
        raise failure

    bench.target.hooks["unmuting"] = unmuting
    row = await bench.run("full")
    assert row["status"] == (status or "completed_with_errors")
    assert "mails" in row["error"]["message"]
    bench.target.hooks.clear()
    await restored_by_the_next_job(bench)
