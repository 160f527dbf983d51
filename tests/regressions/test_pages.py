"""What a list may hide: rows that move, pages that are none, ends that are not the end."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from sandbox.mischief import bump
from tests.connectors.practice import Asked, Instead
from tests.engine.practice_stores import Stores
from tests.regressions.goods import by_window, change, goods, prices, stocked

SIZE = 5


class Meddling(list[Asked]):
    """A shop's notes of what it was asked. Whenever that is another page of a walk, it does
    something to the next three products, all of which have been read.
    """

    def __init__(self, ids: list[int], act: Callable[[int], None]) -> None:
        super().__init__()
        self._left = iter(ids[: len(ids) // 2])
        self._act = act

    def append(self, asked: Asked) -> None:
        super().append(asked)
        if asked.query.get("per_page") == str(SIZE) and asked.query.get("offset") != "0":
            for number in islice(self._left, 3):
                self._act(number)


FULL: dict[str, Any] = {"kind": "full", "streams": ["products"]}


async def test_records_deleted_between_two_pages_shift_nobody_out_of_sight(stores: Stores) -> None:
    stores.page_size = SIZE
    ids = (await stores.old.load(product=goods(40)))["product"]
    shop = stores.old.store
    stores.old.asked = Meddling(ids, lambda number: shop.erase("product", number))
    await stores.run(**FULL)
    left = await prices(stores.old)
    assert left.keys() <= (await prices(stores.new)).keys()
    assert len(left) == 20


async def test_records_touched_between_two_pages_hide_no_other(stores: Stores) -> None:
    """They leave a window that has an end, and shift the others onto pages that were read."""
    await stores.set_policies(overlap=0)
    ids = await stocked(stores, 40)
    stores.page_size = SIZE
    stores.wait(5)
    for number in ids:
        await change(stores.old, number, regular_price="7.00")

    def touch(number: int) -> None:
        stores.old.now[0] += 2
        bump(stores.old.store, "product", number)

    stores.old.asked = Meddling(ids, touch)
    await by_window(stores)
    stores.old.asked = []
    await by_window(stores)
    assert set((await prices(stores.new)).values()) == {7.0}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ([], {}),
        ([], {"X-WP-Total": "20", "X-WP-TotalPages": "3"}),
        ({}, {}),
        ({"code": "internal_error", "message": "no", "data": None}, {}),
    ],
    ids=["no rows", "no rows of many", "an object", "an error"],
)
async def test_last_page_that_is_an_error_with_status_200_is_no_end(
    stores: Stores, body: Any, headers: dict[str, str]
) -> None:
    stores.page_size = 7
    ids = await stocked(stores, 20)
    walked = [each for each in stores.old.requests("GET", "/products") if "offset" in each.query]
    last = max(int(each.query["offset"]) for each in walked if each.query["per_page"] == "7")
    for number in ids:
        await change(stores.old, number, regular_price="7.00")
    query = {"offset": str(last), "per_page": "7"}
    stores.old.instead.append(Instead("GET", "/products", 200, body, headers, query))
    await stores.run(**FULL)
    assert stores.old.instead == []
    assert set((await prices(stores.new)).values()) == {7.0}
    assert await stores.bench.rows("SELECT * FROM removals") == []


@pytest.mark.parametrize(
    "faults",
    [
        {"repeated_last_page": {}},
        {"short_pages": {"probability": 0.4}},
        {"html_page": {"probability": 0.2, "times": 5}},
        {"truncated_json": {"probability": 0.2, "times": 5}},
    ],
    ids=lambda faults: next(iter(faults)),
)
async def test_lists_that_end_in_strange_ways_are_read_to_their_end_once(
    stores: Stores, faults: dict[str, Any]
) -> None:
    stores.page_size = 7
    await stores.old.load(product=goods(40))
    await stores.old.faults(**faults)
    row = await stores.run(**FULL)
    assert len(await prices(stores.new)) == 40
    assert (await stores.bench.counters(row["id"]))["created"] == 40


async def test_records_with_more_children_than_a_page_holds_keep_them_all(stores: Stores) -> None:
    [parent] = (await stores.old.load(product=goods(1, type="variable", regular_price="")))[
        "product"
    ]
    for start in (0, 100):
        await stores.old.admin(
            "POST",
            f"products/{parent}/variations/batch",
            {"create": [_variation(n) for n in range(start, min(start + 100, 130))]},
        )
    [order] = (await stores.old.load(order=[{"status": "completed", "total": "50.00"}]))["order"]
    for _ in range(105):
        refund = {"amount": "0.01", "api_refund": False}
        await stores.old.admin("POST", f"orders/{order}/refunds", refund)
    await stores.run("full", streams=["products", "orders"])
    there = await stores.only(stores.new, "products")
    assert len(there["variations"]) == 130
    assert len((await stores.only(stores.new, "orders"))["refunds"]) == 105


def _variation(number: int) -> dict[str, Any]:
    option = {"name": "Size", "option": f"{number}"}
    return {"sku": f"V-{number:03}", "regular_price": "5.00", "attributes": [option]}
