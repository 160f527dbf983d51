"""Whether a store keeps what windows rely on, and lists of ids and stamps alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.base import Severity, Sweep
from connectors.records import Stream
from tests.connectors.practice import Practice, practice

FILTERED = [Stream.PRODUCTS, Stream.ORDERS]
ZONES = ["America/New_York", "Europe/Berlin"]
NIGHTS = [
    ("Europe/Berlin", datetime(2024, 3, 31, 1, 40, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2024, 10, 27, 1, 40, tzinfo=UTC)),
    ("America/New_York", datetime(2024, 3, 10, 7, 40, tzinfo=UTC)),
    ("America/New_York", datetime(2024, 11, 3, 6, 40, tzinfo=UTC)),
]
"""Forty minutes after the clocks were changed."""
KINDS = {Stream.PRODUCTS: "product", Stream.ORDERS: "order"}


def gmt(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


async def fill(
    shop: Practice,
    stream: Stream,
    *,
    count: int = 12,
    apart: int = 400,
    upto: datetime | None = None,
) -> list[int]:
    """Records that changed one after the other, the first one last: just now, or at `upto`."""
    last = upto or datetime.fromtimestamp(shop.now[0], UTC)
    stamps = [gmt(last - timedelta(seconds=apart * n)) for n in range(count)]
    plain = {"status": "completed"} if stream is Stream.ORDERS else {"name": "Mug"}
    made = await shop.load(
        **{KINDS[stream]: [{**plain, "date_modified_gmt": stamp} for stamp in stamps]}
    )
    return made[KINDS[stream]]


def bent(shop: Practice, change: Any) -> Any:
    """A source whose requests reach the store changed, as by a plugin or another version."""
    source = shop.source()
    plain = source._api.list

    async def listed(path: str, query: dict[str, Any], row: type) -> Any:
        return await plain(path, change(dict(query)), row)

    source._api.list = listed
    return source


async def codes(source: Any, stream: Stream) -> list[str]:
    async with source:
        return [each.code for each in await source.probe(stream)]


@pytest.mark.parametrize(("zone", "night"), NIGHTS)
@pytest.mark.parametrize("stream", FILTERED)
async def test_sound_store_passes_on_the_nights_when_clocks_change(
    zone: str, night: datetime, stream: Stream
):
    async with practice(timezone=zone) as shop:
        await fill(shop, stream, upto=night)
        assert await codes(shop.source(), stream) == []


async def test_probe_costs_two_requests_of_a_page_at_most(shop: Practice):
    await fill(shop, Stream.ORDERS, count=150, apart=1)
    shop.asked.clear()
    assert await codes(shop.source(), Stream.ORDERS) == []
    assert len(shop.asked) == 2
    assert {each.query["_fields"] for each in shop.asked} == {"id,status,date_modified_gmt"}


async def test_empty_store_and_streams_without_a_filter_have_nothing_to_prove(shop: Practice):
    for stream in Stream:
        assert await codes(shop.source(), stream) == []


@pytest.mark.parametrize("stream", FILTERED)
async def test_ignored_filter_is_found(shop: Practice, stream: Stream):
    await fill(shop, stream, count=30)

    def deaf(query: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in query.items() if name != "modified_after"}

    assert await codes(bent(shop, deaf), stream) == ["filter_not_kept"]


@pytest.mark.parametrize("night", [NIGHTS[0][1], NIGHTS[1][1], None])
@pytest.mark.parametrize("stream", FILTERED)
async def test_bound_with_a_zone_is_found_to_lose_records_in_berlin(
    stream: Stream, night: datetime | None
):
    async with practice(timezone="Europe/Berlin") as shop:
        await fill(shop, stream, upto=night)

        def zoned(query: dict[str, Any]) -> dict[str, Any]:
            if "modified_after" in query:
                query["modified_after"] += "Z"
            return query

        assert await codes(bent(shop, zoned), stream) == ["filter_loses_records"]


@pytest.mark.parametrize("stream", FILTERED)
async def test_bound_taken_for_site_time_is_found_in_new_york(stream: Stream):
    async with practice(timezone="America/New_York") as shop:
        await fill(shop, stream, count=40)

        def local(query: dict[str, Any]) -> dict[str, Any]:
            return {name: value for name, value in query.items() if name != "dates_are_gmt"}

        assert await codes(bent(shop, local), stream) == ["filter_loses_records"]


async def test_order_that_is_not_kept_is_found(shop: Practice):
    await fill(shop, Stream.ORDERS)

    def backwards(query: dict[str, Any]) -> dict[str, Any]:
        return query | {"order": "desc"}

    assert await codes(bent(shop, backwards), Stream.ORDERS) == ["order_not_kept"]


async def test_stamp_in_the_future_is_a_warning(shop: Practice):
    made = await fill(shop, Stream.PRODUCTS)
    later = gmt(datetime.fromtimestamp(shop.now[0], UTC) + timedelta(days=30))
    await shop.edit(op="set_modified", kind="product", id=made[0], gmt=later)
    async with shop.source() as source:
        [found] = await source.probe(Stream.PRODUCTS)
    assert (found.code, found.severity) == ("stamp_in_the_future", Severity.WARNING)


async def test_page_that_lacks_rows_proves_no_loss(shop: Practice):
    await fill(shop, Stream.ORDERS, apart=1)
    source = shop.source()
    plain = source._api.list

    async def short(path: str, query: dict[str, Any], row: type) -> Any:
        page = await plain(path, query, row)
        if "modified_after" in query:
            page.rows = page.rows[2:]
        return page

    source._api.list = short
    assert await codes(source, Stream.ORDERS) == []


@pytest.mark.parametrize("stream", FILTERED)
async def test_marks_name_every_record_and_stamp_of_a_sweep(shop: Practice, stream: Stream):
    await fill(shop, stream, count=17)
    async with shop.source(page_size=5) as source:
        pages = [page async for page in source.read(stream, Sweep(), {}, None)]
        shop.asked.clear()
        marks = [page async for page in source.enumerate(stream, Sweep(), {}, None)]
        again = [page async for page in source.enumerate(stream, Sweep(), {}, marks[1].resume)]
        parts = await source.split(stream, Sweep(), 3)
        by_part = [
            mark
            for part in parts
            async for page in source.enumerate(stream, Sweep(), part, None)
            for mark in page.marks
        ]
    records = [(each.id, each.stamp) for page in pages for each in page.records]
    listed = [tuple(mark) for page in marks for mark in page.marks]
    assert listed == records
    assert again == marks[2:]
    assert sorted(tuple(mark) for mark in by_part) == sorted(records)
    assert {each.query["_fields"] for each in shop.asked[:4]} == {"id,status,date_modified_gmt"}


async def test_carts_have_no_mark_and_the_trash_has(shop: Practice):
    made = await shop.load(
        order=[{"status": each} for each in ("completed", "checkout-draft", "trash")]
    )
    async with shop.source() as source:
        pages = [page async for page in source.enumerate(Stream.ORDERS, Sweep(), {}, None)]
    done, _, binned = map(str, made["order"])
    assert [mark.id for page in pages for mark in page.marks] == [done, binned]


@pytest.mark.parametrize("zone", ZONES)
async def test_horizon_leaves_out_old_closed_orders_and_keeps_open_ones(zone: str):
    async with practice(timezone=zone) as shop:
        now = datetime.fromtimestamp(shop.now[0], UTC)
        horizon = now - timedelta(days=365)
        edge, old = gmt(horizon), gmt(horizon - timedelta(seconds=1))
        made = await shop.load(
            order=[
                {"status": "completed", "date_created_gmt": old},
                {"status": "completed", "date_created_gmt": edge},
                {"status": "on-hold", "date_created_gmt": old},
                {"status": "processing", "date_created_gmt": edge},
                {"status": "trash", "date_created_gmt": old},
            ]
        )
        async with shop.source() as source:
            extent = Sweep(since_created=horizon)
            pages = [page async for page in source.read(Stream.ORDERS, extent, {}, None)]
            marks = [page async for page in source.enumerate(Stream.ORDERS, extent, {}, None)]
    _, young, held, going, _ = map(str, made["order"])
    assert {each.id for page in pages for each in page.records} == {young, held, going}
    assert {each.id for page in marks for each in page.marks} == {young, held, going}
