"""The comparison finds what is wrong between two stores, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.base import Loss, Page
from connectors.comparison import Comparison, StreamComparison, Wrong, compare
from connectors.records import (
    Category,
    Content,
    InventoryLevel,
    Money,
    Option,
    OrderLine,
    Record,
    Stream,
    money,
)
from connectors.testing.contents import (
    LONG_AGO,
    customer,
    gbp,
    line,
    order,
    product,
    refund,
    variant,
)

Shelf = dict[Stream, list[tuple[str, Content]]]


class Paper:
    """A store made of lists. Gives its records in pages of two."""

    def __init__(self, shelf: Shelf, failed: Mapping[Stream, str] | None = None) -> None:
        self._shelf = shelf
        self._failed = failed or {}

    async def read(self, stream: Stream, *_: Any) -> AsyncIterator[Page]:
        records = [Record(each, LONG_AGO, content) for each, content in self._shelf.get(stream, [])]
        failed = ((self._failed[stream], "strange"),) if stream in self._failed else ()
        for start in range(0, max(1, len(records)), 2):
            yield Page(
                records=tuple(records[start : start + 2]),
                resume=None,
                failed=failed if start == 0 else (),
            )


def shop(*, offset: int = 0, **changes: Any) -> Shelf:
    """A small shop; `offset` gives all of it other ids, and orders then carry their key."""

    def n(number: int) -> str:
        return str(number + offset)

    shirt = product(2, kind="variable", variants=(replace(variant(2, "S"), id=n(21)),))
    first = order(
        1,
        customer=n(1),
        lines=(
            line(offset + 11, name="Mug", product=n(1), sku="MUG-1"),
            line(offset + 12, name="Shirt", product=n(2), variant=n(21)),
        ),
        refunds=(replace(refund(offset + 90, "5.10")),),
        extra={"external_key": "m1:orders:1"} if offset else {"created_via": "checkout"},
    )
    shelf: Shelf = {
        Stream.CATEGORIES: [
            (n(1), Category(name="Kitchen", slug="kitchen")),
            (n(2), Category(name="Mugs", slug="mugs", parent=n(1))),
        ],
        Stream.PRODUCTS: [(n(1), product(1, categories=(n(2),))), (n(2), shirt)],
        Stream.CUSTOMERS: [(n(1), customer(1)), (n(2), customer(2))],
        Stream.ORDERS: [(n(1), first)],
        Stream.INVENTORY: [
            (n(1), InventoryLevel(product=n(1), counted=True)),
            (f"{n(2)}:{n(21)}", InventoryLevel(product=n(2), variant=n(21), counted=True)),
        ],
    }
    return shelf | {Stream(name): records for name, records in changes.items()}


async def compared(
    source: Shelf, target: Shelf, *streams: Stream, losses: dict[Stream, list[Loss]] | None = None
) -> Comparison:
    return await compare(
        Paper(source), Paper(target), streams or list(Stream), losses or {}, prefix="m1"
    )


def only(found: Comparison, stream: Stream) -> StreamComparison:
    others = [each for each in found.streams.values() if each.stream is not stream]
    assert all(not (each.missing or each.wrong or each.doubled) for each in others)
    return found.streams[stream]


def with_(shelf: Shelf, stream: Stream, index: int, **values: Any) -> Shelf:
    records = list(shelf[stream])
    record_id, content = records[index]
    records[index] = (record_id, replace(content, **values))
    return shelf | {stream: records}


async def test_two_stores_with_other_ids_agree():
    found = await compared(shop(), shop(offset=500))
    assert found.agrees
    assert {stream: each.equal for stream, each in found.streams.items()} == {
        Stream.CATEGORIES: 2,
        Stream.PRODUCTS: 2,
        Stream.CUSTOMERS: 2,
        Stream.ORDERS: 1,
        Stream.INVENTORY: 2,
    }
    assert all(each.foreign == 0 for each in found.streams.values())


async def test_two_empty_stores_agree():
    assert (await compared({}, {})).agrees


async def test_references_are_read_though_only_their_stream_is_asked_for():
    found = await compared(shop(), shop(offset=500), Stream.ORDERS)
    assert list(found.streams) == [Stream.ORDERS]
    assert found.agrees


@pytest.mark.parametrize("stream", list(Stream))
async def test_what_the_target_lacks_is_missing(stream: Stream):
    target = shop(offset=500)
    target[stream] = target[stream][:-1]
    found = await compared(shop(), target, stream)
    assert found.missing == 1
    assert len(found.streams[stream].missing_ids) == 1
    assert not found.agrees


@pytest.mark.parametrize(
    ("stream", "values", "field"),
    [
        (Stream.CATEGORIES, {"description": "other"}, "description"),
        (Stream.PRODUCTS, {"regular_price": gbp("2.56")}, "regular_price"),
        (Stream.PRODUCTS, {"categories": ()}, "categories"),
        (Stream.CUSTOMERS, {"last_name": "Other"}, "last_name"),
        (Stream.ORDERS, {"total": gbp("37.31")}, "total"),
        (Stream.ORDERS, {"status": "failed"}, "status"),
        (Stream.ORDERS, {"customer": None}, "customer"),
        (Stream.ORDERS, {"lines": ()}, "lines"),
        (Stream.ORDERS, {"refunds": ()}, "refunds"),
        (Stream.ORDERS, {"created_at": LONG_AGO + timedelta(days=1)}, "created_at"),
        (Stream.INVENTORY, {"quantity": gbp("1").amount}, "quantity"),
    ],
)
async def test_a_difference_is_named_with_both_ids(stream: Stream, values: dict, field: str):
    target = with_(shop(offset=500), stream, 0, **values)
    found = only(await compared(shop(), target), stream)
    assert found.wrong == 1
    assert found.fields == {field: 1}
    assert found.wrong_pairs == [Wrong(shop()[stream][0][0], target[stream][0][0], (field,))]


async def test_an_order_of_the_wrong_customer_is_wrong_though_the_ids_look_right():
    target = with_(shop(offset=500), Stream.ORDERS, 0, customer="502")
    assert only(await compared(shop(), target), Stream.ORDERS).fields == {"customer": 1}


async def test_a_variant_at_another_price_is_a_difference_of_its_product():
    other = replace(variant(2, "S"), id="521", regular_price=gbp("1"))
    target = with_(shop(offset=500), Stream.PRODUCTS, 1, variants=(other,))
    assert only(await compared(shop(), target), Stream.PRODUCTS).fields == {"variants": 1}


async def test_an_order_that_came_twice_is_doubled():
    target = shop(offset=500)
    target[Stream.ORDERS].append(("777", target[Stream.ORDERS][0][1]))
    found = only(await compared(shop(), target), Stream.ORDERS)
    assert (found.doubled, found.doubled_ids) == (1, ["777"])
    assert found.equal == 1


async def test_a_copy_beside_a_wrong_one_is_paired_with_its_equal():
    target = shop(offset=500)
    wrong = replace(customer(1), last_name="Other")
    target[Stream.CUSTOMERS].insert(0, ("777", wrong))
    found = only(await compared(shop(), target), Stream.CUSTOMERS)
    assert found.doubled == 1


async def test_what_was_there_before_is_foreign_and_no_fault():
    target = shop(offset=500)
    theirs = replace(order(9), extra={"external_key": "other:orders:1"})
    target[Stream.ORDERS] += [("900", order(8)), ("901", theirs)]
    found = await compared(shop(), target)
    assert found.agrees
    assert found.streams[Stream.ORDERS].foreign == 2


async def test_declared_losses_are_counted_apart():
    target = with_(shop(offset=500), Stream.ORDERS, 0, number="9", status="failed")
    losses = {Stream.ORDERS: [Loss("number", "numbered by the store")]}
    found = only(await compared(shop(), target, losses=losses), Stream.ORDERS)
    assert found.declared == {"number": 1}
    assert found.fields == {"status": 1}
    again = with_(shop(offset=500), Stream.ORDERS, 0, number="9")
    assert (await compared(shop(), again, losses=losses)).agrees


async def test_amounts_are_compared_to_the_minor_unit():
    def priced(amount: str) -> OrderLine:
        return replace(line(11), total=money(amount, "GBP"))

    source = with_(shop(), Stream.ORDERS, 0, lines=(priced("2.554"),))
    close = with_(shop(offset=500), Stream.ORDERS, 0, lines=(priced("2.5500"),))
    off = with_(shop(offset=500), Stream.ORDERS, 0, lines=(priced("2.56"),))
    assert (await compared(source, close)).agrees
    assert not (await compared(source, off)).agrees


async def test_yen_have_no_cents_and_currencies_differ():
    source = with_(shop(), Stream.ORDERS, 0, total=Money(gbp("100").amount, "JPY"))
    target = with_(shop(offset=500), Stream.ORDERS, 0, total=Money(gbp("100.4").amount, "JPY"))
    assert (await compared(source, target)).agrees
    pounds = with_(shop(offset=500), Stream.ORDERS, 0, total=gbp("100"))
    assert not (await compared(source, pounds)).agrees


async def test_what_could_not_be_read_counts_as_missing():
    found = await compare(
        Paper(shop(), {Stream.ORDERS: "7"}), Paper(shop(offset=500)), [Stream.ORDERS], {}
    )
    assert found.streams[Stream.ORDERS].unreadable == 1
    assert not found.agrees


async def test_a_record_that_is_read_twice_is_one():
    source = shop()
    source[Stream.CUSTOMERS].append(source[Stream.CUSTOMERS][0])
    found = await compared(source, shop(offset=500))
    assert found.agrees
    assert found.streams[Stream.CUSTOMERS].source == 2


async def test_products_without_sku_are_paired_by_slug_and_variants_by_options():
    bare = replace(variant(3, "S"), sku="", options=(Option("Size", "S"),))
    other = replace(bare, id="99", options=(Option("size", "s"),))
    here = [("1", product(3, sku="", variants=(bare,)))]
    there = [("8", product(3, sku="", variants=(replace(other, options=bare.options),)))]
    found = await compared({Stream.PRODUCTS: here}, {Stream.PRODUCTS: there})
    assert found.agrees


async def test_progress_tells_how_far_reading_is():
    told: list[tuple[Stream, int]] = []
    await compare(
        Paper(shop()),
        Paper(shop(offset=500)),
        [Stream.CUSTOMERS],
        {},
        progress=lambda stream, count: told.append((stream, count)),
    )
    assert told[-1] == (Stream.CUSTOMERS, 4)


async def test_nothing_personal_is_in_the_result():
    target = with_(shop(offset=500), Stream.CUSTOMERS, 0, last_name="Other")
    found = await compared(shop(), target)
    assert "example.test" not in repr(found)
    assert "Other" not in repr(found)


def lines(*products: str | None, offset: int = 0) -> tuple[OrderLine, ...]:
    return tuple(
        line(offset + n, name="Thing", product=product and str(int(product) + offset))
        for n, product in enumerate(products)
    )


async def test_a_line_of_another_product_is_wrong():
    source = with_(shop(), Stream.ORDERS, 0, lines=lines("1"), refunds=())
    target = with_(shop(offset=500), Stream.ORDERS, 0, lines=lines("2", offset=500), refunds=())
    assert only(await compared(source, target), Stream.ORDERS).fields == {"products": 1}


@pytest.mark.parametrize("lost", ["source", "target"])
async def test_a_line_whose_product_one_store_has_not_is_not_wrong(lost: str):
    sides = {
        "source": with_(shop(), Stream.ORDERS, 0, lines=lines("1", "2"), refunds=()),
        "target": with_(
            shop(offset=500), Stream.ORDERS, 0, lines=lines("2", "1", offset=500), refunds=()
        ),
    }
    sides[lost][Stream.PRODUCTS] = sides[lost][Stream.PRODUCTS][1:]
    found = await compared(sides["source"], sides["target"])
    assert found.streams[Stream.ORDERS].wrong == 0


async def test_a_line_that_the_target_wrote_as_a_free_one_is_not_wrong():
    source = with_(shop(), Stream.ORDERS, 0, lines=lines("1"), refunds=())
    target = with_(shop(offset=500), Stream.ORDERS, 0, lines=lines(None, offset=500), refunds=())
    assert only(await compared(source, target), Stream.ORDERS).wrong == 0
