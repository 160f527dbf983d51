"""What a window may miss: ties, edges, late commits, false stamps and clocks that move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.services.lifecycle import request_cancel
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.practice_stores import Stores
from tests.engine.shop import contents
from tests.engine.test_failpoints import survive
from tests.engine.test_runs import customer, fill, product
from tests.regressions.goods import PRODUCTS, by_window, change, goods, prices, stocked
from workers.engine import failpoints


async def watermark(bench: Bench, stream: str = "products") -> datetime:
    [row] = await bench.rows("SELECT watermark FROM cursors WHERE stream = :s", s=stream)
    moment: datetime = row["watermark"]
    return moment


async def test_records_of_one_second_survive_a_crash_between_their_pages(stores: Stores) -> None:
    ids = await stocked(stores, 9)
    stores.page_size = 2
    for number in ids:
        await change(stores.old, number, regular_price="7.00")
    stores.wait(60)
    failpoints.arm("after_commit=crash:2")
    job = await stores.bench.start("recent", **PRODUCTS)
    assert await survive(stores.bench, job) == 1
    assert set((await prices(stores.new)).values()) == {7.0}
    assert len(await prices(stores.new)) == 9


async def test_record_stamped_exactly_where_a_window_begins_is_read(stores: Stores) -> None:
    await stores.set_policies(overlap=0)
    ids = await stocked(stores, 3)
    edge = await watermark(stores.bench)
    assert edge.timestamp() == stores.old.now[0], "the change falls into the very second"
    await change(stores.old, ids[1], regular_price="7.00")
    await by_window(stores)
    assert (await prices(stores.new))["SKU-001"] == 7.0


@pytest.mark.parametrize("others", [False, True], ids=["alone", "among others"])
async def test_record_committed_late_is_not_skipped(stores: Stores, *, others: bool) -> None:
    """It becomes visible when a window over its stamp has been read, and was perhaps empty."""
    ids = await stocked(stores, 3)
    await stores.old.faults(visibility_delay={"seconds": 200, "probability": 1.0})
    await change(stores.old, ids[0], regular_price="7.00")
    await stores.old.faults(visibility_delay=None)
    for number in range(2):
        if others:
            await change(stores.old, ids[1], regular_price=f"{number + 8}.00")
        await by_window(stores)
        assert (await prices(stores.new))["SKU-000"] == 5.0
    stores.wait(120)
    await by_window(stores)
    assert (await prices(stores.new))["SKU-000"] == 7.0


async def test_stamp_in_the_future_does_not_carry_the_cursor_away(stores: Stores) -> None:
    ids = await stocked(stores, 3)
    ahead = datetime.fromtimestamp(stores.old.now[0], UTC) + timedelta(days=700)
    gmt = ahead.strftime("%Y-%m-%dT%H:%M:%S")
    fields = {"regular_price": "6.00", "price": "6.00"}
    await stores.old.edit(op="patch", kind="product", id=ids[0], fields=fields)
    await stores.old.edit(op="set_modified", kind="product", id=ids[0], gmt=gmt)
    await by_window(stores)
    assert (await prices(stores.new))["SKU-000"] == 6.0
    assert (await watermark(stores.bench)).timestamp() <= stores.old.now[0]
    await change(stores.old, ids[1], regular_price="7.00")
    fields = {"regular_price": "8.00", "price": "8.00"}
    await stores.old.edit(op="patch", kind="product", id=ids[0], fields=fields)
    await by_window(stores)
    assert await prices(stores.new) == {"SKU-000": 8.0, "SKU-001": 7.0, "SKU-002": 5.0}


async def test_clock_of_the_source_that_is_set_back_hides_no_change(stores: Stores) -> None:
    await stores.set_policies(overlap=0)
    ids = await stocked(stores, 3)
    await stores.old.faults(clock_skew={"seconds": 200.0})
    await by_window(stores)
    ahead = await watermark(stores.bench)
    assert ahead.timestamp() > stores.old.now[0] + 100
    await stores.old.faults(clock_skew=None)
    await change(stores.old, ids[1], regular_price="7.00")
    row = await stores.run(**PRODUCTS)
    assert row["passes"]["products"]["mode"] == "sweep", "no stamp since then says anything"
    assert (await prices(stores.new))["SKU-001"] == 7.0
    assert await watermark(stores.bench) == ahead, "a cursor never moves back"


async def test_run_over_one_stream_moves_no_other_streams_cursor(stores: Stores) -> None:
    """Stock and products come from the same list: one says nothing of the other."""
    await stores.set_policies(overlap=0)
    ids = await stocked(stores, 3)
    before = await watermark(stores.bench)
    stores.wait(60)
    await change(stores.old, ids[1], regular_price="7.00")
    await stores.run(streams=["inventory", "orders"])
    assert await watermark(stores.bench, "inventory") > before
    assert await watermark(stores.bench) == before
    await by_window(stores)
    assert (await prices(stores.new))["SKU-001"] == 7.0


async def test_whole_catalogue_stamped_in_one_second_is_read_to_its_end(stores: Stores) -> None:
    """A bulk edit: more records of one stamp than any page or any number of pages ahead holds."""
    count = 130
    ids = await stocked(stores, count)
    stores.page_size = 10
    for number in ids:
        await change(stores.old, number, regular_price="7.00")
    counters = await by_window(stores)
    assert (counters["read"], counters["updated"]) == (count, count)
    assert set((await prices(stores.new)).values()) == {7.0}
    assert (await watermark(stores.bench)).timestamp() == stores.old.now[0]


async def test_cursor_stays_where_it_was_when_a_pass_does_not_reach_its_end(bench: Bench) -> None:
    fill(bench, 20)
    await bench.run("full")
    before = await watermark(bench)
    bench.source.tick(hours=2)
    for n in range(20):
        bench.source.put(Stream.PRODUCTS, f"p{n}", product(n, featured=True))
    bench.source.tick(hours=2)
    job = await bench.start("recent", **PRODUCTS)

    async def cancel(_):
        async with bench.resources.engine.begin() as connection:
            await request_cancel(connection, job)

    bench.target.hooks["written"] = cancel
    assert (await bench.finish(job))["status"] == "cancelled"
    assert await watermark(bench) == before
    bench.target.hooks.clear()
    await bench.run("recent", **PRODUCTS)
    assert all(each.featured for each in contents(bench.target, Stream.PRODUCTS))


async def test_pass_that_crashed_late_goes_on_there_and_not_at_its_beginning(bench: Bench) -> None:
    pages = 20
    for n in range(3 * pages):
        bench.source.put(Stream.CUSTOMERS, f"u{n:02}", customer(n))
    failpoints.arm(f"after_commit=crash:{pages - 2}")
    job = await bench.start("full", streams=["customers"])
    assert await survive(bench, job) == 1
    assert len(bench.target.creates()) == 3 * pages
    read_again = len(bench.source.reads) - pages
    assert read_again <= 3, "what was committed is not read again, but for a page fetched ahead"


async def test_new_goods_of_a_bulk_import_with_old_dates_are_found_by_the_next_sweep(
    stores: Stores,
) -> None:
    """An import that keeps the dates of another shop: no window shows these products."""
    await stocked(stores, 3)
    await stores.old.load(product=goods(5, date_created_gmt="2020-01-01T00:00:00")[3:])
    await stores.run("recent", cutover=True)
    assert sorted(await prices(stores.new)) == [f"SKU-{n:03}" for n in range(5)]
