"""What the new shop sold by itself, told apart from what was brought over."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.errors import (
    BadCursor,
    CutoverRequired,
    InvalidSince,
    JobRunning,
    StoreCannot,
    StoreFailed,
)
from app.schemas.sold import SoldList
from app.services.sold import sold_meanwhile
from app.sold_sheet import SOLD, columns, csv_text
from connectors.errors import Unreachable
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.test_runs import order


@pytest.fixture
async def launched(bench: Bench) -> Bench:
    """Orders were brought over, the new shop has sold four, and one was placed there before."""
    for number in (1, 2, 3):
        bench.source.put(Stream.ORDERS, str(number), order(number))
    await bench.run("full")
    assert (await bench.run("recent", cutover=True))["status"] == "succeeded"
    [row] = await bench.rows("SELECT max(started_at) AS at FROM jobs")
    bench.target.now = row["at"] + timedelta(minutes=5)
    for number in range(4):
        sold = replace(order(900 + number), created_at=bench.target.now, note="=HYPERLINK()")
        bench.target.put(Stream.ORDERS, f"z{number}", sold)
    tried = replace(order(800), created_at=row["at"] - timedelta(days=3))
    bench.target.put(Stream.ORDERS, "z9", tried)
    return bench


async def look(bench: Bench, cursor: str | None = None, since: str = "cutover", limit: int = 50):
    return await sold_meanwhile(bench.resources, "move", since=since, limit=limit, cursor=cursor)


async def test_orders_of_the_new_shop_are_told_apart(launched: Bench) -> None:
    page = await look(launched)
    assert [each.id for each in page.items] == ["z0", "z1", "z2", "z3"]
    assert (page.next, page.undecided) == (None, 0)
    assert page.items[0].lines[0].quantity == 1
    assert "@" not in page.model_dump_json()


async def test_a_long_list_goes_on_where_it_stopped(launched: Bench) -> None:
    found, cursor, parts = [], None, 0
    while True:
        page = await look(launched, cursor, limit=1)
        found += [each.id for each in page.items]
        parts += 1
        cursor = page.next
        if cursor is None:
            break
    assert found == ["z0", "z1", "z2", "z3"]
    assert parts > 1
    with pytest.raises(BadCursor):
        await look(launched, "gAAAAnonsense")


async def test_a_later_moment_can_be_named(launched: Bench) -> None:
    later = (launched.target.now + timedelta(minutes=1)).isoformat()
    assert (await look(launched, since=later)).items == []
    with pytest.raises(InvalidSince):
        await look(launched, since="launch")


async def test_an_order_that_was_never_confirmed_is_said_to_be_undecided(launched: Bench) -> None:
    async with launched.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE links SET state = 'intent', target_id = NULL WHERE source_id = '1'")
        )
    assert (await look(launched)).undecided == 1


async def test_what_stands_in_the_way_is_said(launched: Bench) -> None:
    launched.target.read_failures = [Unreachable("The store cannot be reached")]
    with pytest.raises(StoreFailed):
        await look(launched)
    await launched.start("recent")
    with pytest.raises(JobRunning):
        await look(launched)


async def test_a_shop_that_cannot_be_read_cannot_tell(launched: Bench) -> None:
    launched.use(replace(launched.platform, source=None))
    with pytest.raises(StoreCannot):
        await look(launched)


async def test_without_a_cutover_there_is_no_meanwhile(bench: Bench) -> None:
    with pytest.raises(CutoverRequired):
        await look(bench)


async def test_the_sheet_has_a_row_a_line_and_no_formula(launched: Bench) -> None:
    page: SoldList = await look(launched)
    [first, *_] = page.model_dump(mode="json")["items"]
    odd = {**first, "number": "=1+1", "lines": []}
    two = {**first, "lines": [{**first["lines"][0], "name": "-2 %"}, first["lines"][0]]}
    rows = list(csv.reader(io.StringIO(csv_text([two, odd]))))
    assert rows[0] == list(columns(SOLD))
    assert [row[7] for row in rows[1:]] == ["'-2 %", "Thing", ""]
    assert rows[3][1] == "'=1+1"
