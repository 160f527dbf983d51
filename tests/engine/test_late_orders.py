"""Which orders of the old shop came after the launch."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from app.errors import BadCursor, CutoverRequired, InvalidSince, StoreFailed
from app.schemas.late_order import LateOrderList
from app.schemas.paging import Keyset
from app.services.late_orders import late_orders
from app.sold_sheet import LATE, csv_text
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.test_runs import order
from tests.engine.test_stragglers import LATE as STRAGGLERS
from tests.engine.test_stragglers import launched  # noqa: F401  a fixture


@pytest.fixture
async def late(launched: Bench) -> Bench:  # noqa: F811
    """After the cutover two orders came and an old one changed."""
    for number in (3, 4):
        launched.source.put(Stream.ORDERS, str(number), order(number))
    launched.source.put(Stream.ORDERS, "1", replace(order(1), note="Ring twice"))
    assert (await launched.run("recent", **STRAGGLERS))["status"] == "succeeded"
    return launched


async def look(
    bench: Bench,
    cursor: str | None = None,
    *,
    since: str = "cutover",
    limit: int = 50,
    changed: bool = False,
    details: bool = True,
) -> LateOrderList:
    page = Keyset.parse(cursor, limit, datetime, str)
    asked = {"since": since, "changed": changed, "details": details}
    return await late_orders(bench.resources, "move", page, **asked)  # type: ignore[arg-type]


async def test_orders_that_came_late_are_told_with_what_was_sold(late: Bench) -> None:
    found = await look(late)
    assert [each.source_id for each in found.items] == ["3", "4"]
    assert found.next is None
    first = found.items[0]
    assert (first.number, first.lines[0].quantity) == ("3", 1)
    assert first.imported_at is not None
    assert first.imported_at >= found.since
    assert first.target_id in late.target.rows[Stream.ORDERS]
    assert "@" not in found.model_dump_json()
    sheet = csv_text(found.model_dump(mode="json")["items"], LATE).splitlines()
    assert len(sheet) == 3
    assert sheet[1].startswith(f"{first.target_id},3,")


async def test_orders_that_were_there_and_changed_are_another_list(late: Bench) -> None:
    assert [each.source_id for each in (await look(late, changed=True)).items] == ["1"]


async def test_links_from_before_say_nothing_of_when_they_came(late: Bench) -> None:
    async with late.resources.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET linked_at = NULL"))
    assert (await look(late)).items == []
    found = await look(late, changed=True)
    assert {each.source_id for each in found.items} == {"1", "3", "4"}
    assert {each.imported_at for each in found.items} == {None}


async def test_the_list_is_read_page_by_page(late: Bench) -> None:
    first = await look(late, limit=1)
    second = await look(late, first.next, limit=1)
    assert [first.items[0].source_id, second.items[0].source_id] == ["3", "4"]
    assert second.next is None
    with pytest.raises(BadCursor):
        await look(late, "nonsense")


async def test_the_ledger_tells_which_they_are_when_the_old_shop_is_gone(late: Bench) -> None:
    late.source.denied = {"3"}
    with pytest.raises(StoreFailed):
        await look(late)
    found = await look(late, details=False)
    assert [(each.source_id, each.number, each.lines) for each in found.items] == [
        ("3", None, []),
        ("4", None, []),
    ]


async def test_an_order_that_the_old_shop_lost_is_still_listed(late: Bench) -> None:
    del late.source.rows[Stream.ORDERS]["3"]
    assert [(each.source_id, each.total is None) for each in (await look(late)).items] == [
        ("3", True),
        ("4", False),
    ]


async def test_a_moment_can_be_named(late: Bench) -> None:
    [last] = [each.imported_at for each in (await look(late)).items if each.source_id == "4"]
    assert last is not None
    later = last.replace(year=last.year + 1).isoformat()
    assert (await look(late, since=later)).items == []
    with pytest.raises(InvalidSince):
        await look(late, since="launch")


async def test_without_a_cutover_nothing_is_late(bench: Bench) -> None:
    with pytest.raises(CutoverRequired):
        await look(bench)
