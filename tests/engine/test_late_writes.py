"""Requests whose answer never came, and which the target carries out all the same, much later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from app.services.lifecycle import request_cancel
from connectors.records import Product, Stream, Variant, money
from tests.engine.conftest import Bench
from tests.engine.shop import Row, contents, fake_connector

LATE = 0.4
"""Seconds after which the target carries out what it was asked."""


class Crash(BaseException):
    """The end of a worker, in the midst of its work."""


def product(*sizes: str, name: str = "Shirt") -> Product:
    return Product(
        name=name,
        sku="SHIRT",
        regular_price=money("9.50", "GBP"),
        variants=tuple(Variant(id=f"v-{size}", sku=f"SHIRT-{size}") for size in sizes),
    )


async def later(act: Callable[[], None]) -> None:
    await asyncio.sleep(LATE)
    act()


def only_row(bench: Bench) -> Row:
    [row] = bench.target.rows[Stream.PRODUCTS].values()
    return row


async def test_an_update_of_a_worker_that_died_does_not_arrive_after_the_next_one(
    bench: Bench,
) -> None:
    bench.use(fake_connector(settle=3.0))
    bench.source.put(Stream.PRODUCTS, "p1", product())
    await bench.run("full")
    bench.source.put(Stream.PRODUCTS, "p1", product(name="Under way"))
    under_way: list[asyncio.Task[None]] = []

    def arrive() -> None:
        row = only_row(bench)
        row.content = replace(row.content, name="Under way")

    async def crash(_: Any) -> None:
        under_way.append(asyncio.create_task(later(arrive)))
        raise Crash

    bench.target.script = ["dropped"]
    bench.target.hooks["written"] = crash
    job = await bench.start("recent", streams=["products"])
    with pytest.raises(Crash):
        await bench.finish(job)
    bench.target.hooks.clear()
    bench.source.put(Stream.PRODUCTS, "p1", product(name="Newest"))
    await bench.lapse()
    row = await bench.finish(job)
    await under_way[0]
    assert row["status"] == "succeeded"
    assert [each.name for each in contents(bench.target, Stream.PRODUCTS)] == ["Newest"]


async def test_what_is_found_is_not_added_to_while_more_of_it_may_arrive(bench: Bench) -> None:
    bench.use(fake_connector(settle=3.0, at_once=False))
    bench.source.put(Stream.PRODUCTS, "p1", product("S"))
    under_way = _make_in_two_steps(bench, Crash)
    job = await bench.start("full", streams=["products"])
    with pytest.raises(Crash):
        await bench.finish(job)
    bench.target.hooks.clear()
    await bench.lapse()
    row = await bench.finish(job)
    await under_way[0]
    assert row["status"] == "succeeded"
    assert [each.sku for each in only_row(bench).content.variants] == ["SHIRT-S"]


async def test_the_last_request_counts_and_not_the_first_where_a_worker_is_told_to_end(
    bench: Bench,
) -> None:
    # The intent is older than a write can take, when the last step of the write is sent.
    settle = 1.0
    bench.use(fake_connector(settle=settle, at_once=False))
    bench.source.put(Stream.PRODUCTS, "p1", product("S"))
    sent = asyncio.Event()

    async def stand_still() -> None:
        sent.set()
        await asyncio.sleep(60)

    under_way = _make_in_two_steps(bench, stand_still, before=settle)
    job = await bench.start("full", streams=["products"])
    worker = asyncio.create_task(bench.finish(job))
    await asyncio.wait_for(sent.wait(), 30)
    worker.cancel()
    with suppress(asyncio.CancelledError):
        await worker
    bench.target.hooks.clear()
    await bench.lapse()
    row = await bench.finish(job)
    await under_way[0]
    assert row["status"] == "succeeded"
    assert [each.sku for each in only_row(bench).content.variants] == ["SHIRT-S"]


async def test_mails_stay_off_until_nothing_can_arrive_that_would_send_one(bench: Bench) -> None:
    bench.use(fake_connector(settle=3.0))
    bench.source.put(Stream.PRODUCTS, "p1", product())
    bench.target.mails_on = True
    heard: list[bool] = []
    under_way: list[asyncio.Task[None]] = []

    async def crash(_: Any) -> None:
        under_way.append(asyncio.create_task(later(lambda: heard.append(bench.target.mails_on))))
        raise Crash

    bench.target.script = ["dropped"]
    bench.target.hooks["written"] = crash
    job = await bench.start("full", streams=["products"])
    with pytest.raises(Crash):
        await bench.finish(job)
    async with bench.resources.engine.begin() as connection:
        await request_cancel(connection, job)
    await bench.lapse()
    assert (await bench.finish(job))["status"] == "cancelled"
    await under_way[0]
    assert heard == [False]
    assert bench.target.mails_on


def _make_in_two_steps(bench: Bench, then: Any, *, before: float = 0.0) -> list[asyncio.Task[None]]:
    """The target makes a product, and adds its variants a while after the worker is gone."""
    under_way: list[asyncio.Task[None]] = []

    async def written(_: Any) -> None:
        row = only_row(bench)
        whole, row.content = row.content, replace(row.content, variants=())
        await asyncio.sleep(before)

        def arrive() -> None:
            there = only_row(bench)
            both = (*there.content.variants, *whole.variants)
            there.content = replace(there.content, variants=both)

        under_way.append(asyncio.create_task(later(arrive)))
        if isinstance(then, type):
            raise then
        await then()

    bench.target.script = ["lost"]
    bench.target.hooks["written"] = written
    return under_way


_SAVE = "CREATE TABLE {} AS SELECT * FROM links"
_PUT_BACK = """
    UPDATE links SET digest = saved.digest, fields = saved.fields, parts = saved.parts,
        target_fields = saved.target_fields, applied_at = saved.applied_at
    FROM {} AS saved WHERE links.source_id = saved.source_id
"""


async def test_what_another_slice_has_written_since_the_look_is_not_written_again(
    bench: Bench,
) -> None:
    """A record in quarantine, say, that a sweep comes by while it is retried."""
    bench.source.put(Stream.PRODUCTS, "p1", product())
    await bench.run("full")
    await bench.execute(_SAVE.format("links_before"))
    bench.source.put(Stream.PRODUCTS, "p1", product(name="New"))
    await bench.run("full")
    await bench.execute(_SAVE.format("links_after"))
    await bench.execute(_PUT_BACK.format("links_before"))
    row = only_row(bench)
    row.content = replace(row.content, name="Shirt")

    async def write_as_another_slice(_: Any) -> None:
        bench.target.hooks.clear()
        await bench.execute(_PUT_BACK.format("links_after"))
        row.content = replace(row.content, name="New")

    bench.target.hooks["shown"] = write_as_another_slice
    bench.target.writes.clear()
    job = await bench.run("full")
    await bench.execute("DROP TABLE links_before, links_after")
    assert job["status"] == "succeeded"
    assert bench.target.hooks == {}
    assert bench.target.writes == []
