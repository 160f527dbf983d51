"""The source loses a record while its create is under way, and the worker dies before it hears."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from connectors.records import Product, Stream, money
from tests.engine.conftest import Bench
from tests.engine.shop import Row, fake_connector

LATE = 0.4


class Crash(BaseException):
    """The end of a worker, in the midst of its work."""


def product(number: int) -> Product:
    return Product(name=f"Shirt {number}", sku=f"S{number}", regular_price=money("9.50", "GBP"))


@pytest.fixture
async def selling(bench: Bench) -> Bench:
    """Two shops that agree, and a new product at the source."""
    for number in range(4):
        bench.source.put(Stream.PRODUCTS, f"p{number}", product(number))
    bench.source.tick(minutes=5)
    assert (await bench.run("full", streams=["products"]))["status"] == "succeeded"
    bench.source.put(Stream.PRODUCTS, "p9", product(9))
    bench.source.tick(minutes=5)
    return bench


async def struck(bench: Bench, word: str = "applied", kind: str = "full", **params: Any) -> UUID:
    """A job whose worker dies once the create of the new product has been sent."""

    async def crash(_: Any) -> None:
        raise Crash

    bench.target.script = [word]
    bench.target.hooks["written"] = crash
    job = await bench.start(kind, streams=["products"], **params)
    with pytest.raises(Crash):
        await bench.finish(job)
    bench.target.hooks.clear()
    return job


async def lost(bench: Bench, job: UUID) -> dict[str, Any]:
    """The source deletes the product, and another worker goes on."""
    del bench.source.rows[Stream.PRODUCTS]["p9"]
    await bench.lapse()
    return await bench.finish(job)


def rows_of(bench: Bench, sku: str) -> list[Row]:
    rows = bench.target.rows[Stream.PRODUCTS].values()
    return [row for row in rows if row.content.sku == sku]


async def links(bench: Bench) -> list[str]:
    rows = await bench.rows("SELECT state FROM links WHERE source_id = 'p9'")
    return [row["state"] for row in rows]


async def quarantined(bench: Bench) -> list[tuple[str, str, str]]:
    rows = await bench.rows("SELECT source_id, code, status FROM quarantine")
    return [(row["source_id"], row["code"], row["status"]) for row in rows]


@pytest.mark.parametrize("kind", ["full", "recent"])
async def test_what_was_made_without_our_hearing_goes_again(selling: Bench, kind: str) -> None:
    """Also in a window, which looks for nothing that is gone."""
    row = await lost(selling, await struck(selling, kind=kind))
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert [each.archived for each in rows_of(selling, "S9")] == [True]
    assert await links(selling) == ["removed"]
    [proof] = await selling.rows("SELECT status, evidence FROM removals")
    assert proof["status"] == "done"
    assert proof["evidence"]["direct"]
    assert proof["evidence"]["unfinished"]


@pytest.mark.parametrize("kind", ["full", "recent"])
async def test_what_was_never_made_leaves_nothing_behind(selling: Bench, kind: str) -> None:
    row = await lost(selling, await struck(selling, "dropped", kind))
    assert (row["status"], row["error"]) == ("succeeded", None)
    assert rows_of(selling, "S9") == []
    assert await links(selling) == []
    assert await selling.rows("SELECT 1 FROM contents WHERE source_id = 'p9'") == []
    assert await selling.rows("SELECT 1 FROM removals") == []


async def test_a_create_that_arrives_late_is_waited_for(selling: Bench) -> None:
    selling.use(fake_connector(settle=3.0))
    job = await struck(selling, "dropped")

    async def arrive() -> None:
        await asyncio.sleep(LATE)
        key = "rs-test:products:p9"
        selling.target.rows[Stream.PRODUCTS]["77"] = Row("77", selling.target.now, product(9), key)

    under_way = asyncio.create_task(arrive())
    row = await lost(selling, job)
    await under_way
    assert row["status"] == "succeeded"
    assert [each.archived for each in rows_of(selling, "S9")] == [True]


async def test_a_record_of_the_target_that_only_looks_alike_is_left_to_a_person(
    selling: Bench,
) -> None:
    job = await struck(selling, "dropped")
    selling.target.rows[Stream.PRODUCTS]["77"] = Row("77", selling.target.now, product(9), "")
    row = await lost(selling, job)
    assert (row["status"], row["error"]["code"]) == ("completed_with_errors", "create_unconfirmed")
    assert await quarantined(selling) == [("p9", "create_unconfirmed", "open")]
    assert [each.archived for each in rows_of(selling, "S9")] == [False]
    row = await selling.run("recent", streams=["products"])
    assert row["status"] == "completed_with_errors", "it does not go away by itself"
    async with selling.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE quarantine SET status = 'waived'"))
    row = await selling.run("recent", streams=["products"], cutover=True)
    assert row["status"] == "succeeded"
    assert await quarantined(selling) == [("p9", "create_unconfirmed", "waived")]
    del selling.target.rows[Stream.PRODUCTS]["77"]
    row = await selling.run("recent", streams=["products"])
    assert await quarantined(selling) == [("p9", "create_unconfirmed", "resolved")]
    assert await links(selling) == []


async def test_a_source_that_answers_nothing_has_lost_nothing(selling: Bench) -> None:
    job = await struck(selling)
    selling.source.mute = True
    row = await lost(selling, job)
    assert row["status"] == "completed_with_errors"
    assert [each.archived for each in rows_of(selling, "S9")] == [False]
    assert await quarantined(selling) == [("p9", "create_unconfirmed", "open")]
    selling.source.mute = False
    row = await selling.run("recent", streams=["products"])
    assert row["status"] == "succeeded"
    assert [each.archived for each in rows_of(selling, "S9")] == [True]
    assert await quarantined(selling) == [("p9", "create_unconfirmed", "resolved")]


async def test_what_the_source_shows_again_is_one_record(selling: Bench) -> None:
    """Hidden from lists only: it is asked for by its id, found on the target, and completed."""
    job = await struck(selling)
    selling.source.hidden.add("p9")
    await selling.lapse()
    row = await selling.finish(job)
    assert row["status"] == "succeeded"
    assert [each.archived for each in rows_of(selling, "S9")] == [False]
    assert await links(selling) == ["applied"]
