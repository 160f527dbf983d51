"""Losing: what a target shows of a record is the record, or what its declared losses say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from connectors.comparable import Names
from connectors.losses import Losses
from connectors.records import (
    Attribute,
    Content,
    Customer,
    Discount,
    InventoryLevel,
    Money,
    Option,
    Order,
    Product,
    Refund,
    RefundLine,
    Stream,
    Variant,
)
from connectors.testing.bench import TargetBench
from connectors.testing.contents import HOME, LONG_AGO
from connectors.testing.operations import WRITTEN, applied, operations
from connectors.testing.promises import Contract, for_streams

_FAR_OFF = datetime(2199, 1, 1, tzinfo=UTC)
_AT_MOST = 12
"""So many records a test may need of a stream."""


class LossContract(Contract):
    """What a target does not keep."""

    side = "writes"
    pytestmark = pytest.mark.asyncio

    @for_streams(among=WRITTEN)
    async def test_a_record_shows_what_was_written_or_what_a_loss_foresees(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        sent = operations(stream, list(_varied(bench.contents(stream, _AT_MOST))))
        losses = Losses(self.connector.writes[stream].losses)
        async with bench.target() as target, bench.reader() as reader:
            made = applied(await target.write(stream, sent))
            seen = await reader.get(stream, [each.target_id for each in made.values()])
        unexplained = {
            each.source_id: losses.unexplained(
                each.content,
                _without_own_categories(seen[made[each.source_id].target_id].content),
                Names(),
                [loss.field for loss in made[each.source_id].losses],
            )
            for each in sent
        }
        assert unexplained == {each.source_id: [] for each in sent}

    @for_streams(among=[Stream.INVENTORY])
    async def test_stock_shows_what_was_written_or_what_a_loss_foresees(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        [plain] = bench.contents(stream, 1)
        assert isinstance(plain, InventoryLevel)
        losses = Losses(self.connector.writes[stream].losses)
        async with bench.target() as target, bench.reader() as reader:
            if Stream.PRODUCTS in self.connector.writes:
                products = operations(Stream.PRODUCTS, bench.contents(Stream.PRODUCTS, 1))
                made = applied(await target.write(Stream.PRODUCTS, products))
                plain = replace(plain, product=made["1"].target_id)
            for level in _levels(plain):
                outcomes = await target.write(stream, operations(stream, [level]))
                target_id = applied(outcomes)["1"].target_id
                seen = await reader.get(stream, [target_id])
                assert losses.unexplained(level, seen[target_id].content, Names()) == []

    @for_streams(among=[Stream.INVENTORY])
    async def test_what_variants_share_is_counted_for_each_of_them(
        self, bench: TargetBench, stream: Stream
    ) -> None:
        shared = InventoryLevel(
            product="1", variant="S", counted=True, quantity=Decimal(7), shared=True
        )
        losses = Losses(self.connector.writes[stream].losses)
        async with bench.target() as target, bench.reader() as reader:
            levels = [shared, replace(shared, variant="L")]
            if Stream.PRODUCTS in self.connector.writes:
                [plain] = bench.contents(Stream.PRODUCTS, 1)
                assert isinstance(plain, Product)
                sized = operations(Stream.PRODUCTS, [replace(plain, **_in_sizes(plain))])
                made = applied(await target.write(Stream.PRODUCTS, sized))["1"]
                levels = [
                    replace(shared, product=made.target_id, variant=made.children[size])
                    for size in ("S", "L")
                ]
            for quantity in (7, 4, 0):
                state = "in_stock" if quantity else "out_of_stock"
                levels = [
                    replace(each, quantity=Decimal(quantity), availability=state) for each in levels
                ]
                written = applied(await target.write(stream, operations(stream, levels)))
                ids = [written[number].target_id for number in ("1", "2")]
                seen = await reader.get(stream, ids)
                assert [
                    losses.unexplained(level, seen[target_id].content, Names())
                    for level, target_id in zip(levels, ids, strict=True)
                ] == [[], []]


def _levels(plain: InventoryLevel) -> Iterator[InventoryLevel]:
    """One after the other: what is not counted can be sold out, too."""
    uncounted = replace(plain, counted=False, quantity=None)
    yield replace(uncounted, availability="out_of_stock")
    yield uncounted
    yield replace(uncounted, availability="on_backorder")
    none = replace(plain, quantity=Decimal(0))
    yield replace(none, availability="on_backorder", backorders="notify")
    yield replace(none, availability="out_of_stock")
    yield plain


def _without_own_categories(shown: Content) -> Content:
    """Some platforms put what has no category into one of their own."""
    return replace(shown, categories=()) if isinstance(shown, Product) else shown


def _varied(plain: list[Content]) -> Iterator[Content]:
    """One record for each of the ways in which records are struck by losses."""
    for number, each in enumerate(plain):
        ways = _ways(each)
        if number < len(ways):
            yield replace(each, **ways[number])


def _ways(content: Content) -> list[dict[str, Any]]:
    match content:
        case Product():
            return [
                {},
                {"status": "private"},
                {"status": "draft", "visibility": "hidden"},
                {"featured": True, "visibility": "hidden"},
                {
                    "attributes": (Attribute("Material", ("Clay",)),),
                    "short_description": "In short",
                },
                {"sale_price": _part(content.regular_price), "sale_from": LONG_AGO},
                {"sale_price": _part(content.regular_price), "sale_from": _FAR_OFF},
                {"regular_price": None},
                _in_sizes(content),
            ]
        case Customer():
            return [
                {},
                {"billing": replace(HOME, email=f"bills.{content.email}")},
                {"shipping": HOME},
                {"shipping": replace(HOME, city="Leeds")},
            ]
        case Order():
            bill = {"billing": replace(HOME, email=content.email)}
            ways = [bill, bill | _discounted(content)]
            return ways + [bill | {"refunds": (each,)} for each in _refunds(content)]
        case _:
            return [{}]


def _in_sizes(content: Product) -> dict[str, Any]:
    """With variants, one of which is not for sale and has a price of a sale."""
    small, large = (
        Variant(
            id=size,
            sku=f"{content.sku}-{size}",
            options=(Option("Size", size),),
            regular_price=content.regular_price,
        )
        for size in ("S", "L")
    )
    price = _part(content.regular_price)
    small = replace(small, status="private", sale_price=price, description="The small one")
    return {
        "kind": "variable",
        "sku": "",
        "regular_price": None,
        "attributes": (Attribute("Size", ("S", "L"), varies=True),),
        "variants": (small, large),
    }


def _discounted(content: Order) -> dict[str, Any]:
    """A code took some off each piece of the first line."""
    first, *others = content.lines
    off = Money(Decimal(first.quantity) / 10, content.currency)
    before = Money(first.total.amount + off.amount, content.currency)
    return {
        "lines": (replace(first, subtotal=before), *others),
        "discounts": (Discount(code="ONE-OFF", amount=off),),
        "discount_total": off,
    }


def _refunds(content: Order) -> Iterator[Refund]:
    """Of a piece, of what was paid for the way, and for nothing in particular."""
    first, none = content.lines[0], Money(Decimal(0), content.currency)
    piece = Money(first.total.amount / first.quantity, content.currency)
    line = RefundLine(line=first.id, quantity=1, total=piece, tax=none)
    yield Refund(id="1", amount=piece, reason="Broken", lines=(line,))
    way = content.shipping_lines[0]
    sent = RefundLine(line=f"shipping:{way.id}", quantity=0, total=way.total, tax=none)
    yield Refund(id="1", amount=way.total, reason="Late", lines=(sent,))
    yield Refund(id="1", amount=Money(Decimal(1), content.currency), reason="Kindness")


def _part(price: Money | None) -> Money | None:
    """A lower price."""
    return None if price is None else replace(price, amount=price.amount - 1)
