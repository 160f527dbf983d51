"""Whatever an order is made of, its money arrives at each practice store as it was."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from connectors.base import Applied
from connectors.comparable import Names
from connectors.losses import Losses
from connectors.medusa.bodies_payments import Payments
from connectors.minor_units import decimals, rounded
from connectors.records import (
    Discount,
    FeeLine,
    Money,
    Order,
    OrderLine,
    Refund,
    RefundLine,
    ShippingLine,
    Stream,
    Tax,
    Transaction,
    money,
)
from connectors.shopify import CONNECTOR as SHOPIFY
from connectors.shopify.mapping_orders import order as shopify_order
from connectors.shopify.wire import WireAmount, WireBag
from connectors.shopify.wire_orders import WireOrder, WireTransaction
from connectors.testing.contents import HOME, LONG_AGO
from connectors.testing.operations import operations
from connectors.woocommerce import CONNECTOR as WOOCOMMERCE
from tests.connectors.practice import practice
from tests.connectors.shopify_shop import shopify_shop

EXAMPLES = int(os.environ.get("RECENT_SYNC_TEST_EXAMPLES", "40"))
RATES = ("20", "5", "7.7", "0")
PAID = ("processing", "completed", "refunded")

examples = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)


class _Cash:
    """Amounts in minor units."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self._places = decimals(currency)

    def __call__(self, units: int) -> Money:
        return money(f"{Decimal(units).scaleb(-self._places):f}", self.currency)

    def units(self, value: Money) -> int:
        """The way back."""
        return int(value.amount.scaleb(self._places))


def _part_of(units: int, rate: str) -> int:
    return int((units * Decimal(rate) / 100).quantize(Decimal(1), ROUND_HALF_UP))


@st.composite
def orders(draw: st.DrawFn, currency: str = "GBP", rests: tuple[int, ...] = (0,)) -> Order:
    """An order whose parts come to its sums, but for one of the `rests`, in minor units."""
    cash = _Cash(currency)
    rates = draw(st.lists(st.sampled_from(RATES), unique=True, max_size=2))
    goods = dict.fromkeys(rates, 0)
    way = dict.fromkeys(rates, 0)

    def taxes(units: int, sums: dict[str, int]) -> int:
        """All taxes of a part, as its share of the order's."""
        found = {rate: _part_of(units, rate) for rate in rates}
        for rate, tax in found.items():
            sums[rate] += tax
        return sum(found.values())

    total = tax_total = off_total = 0
    lines = []
    for index in range(draw(st.integers(0, 3))):
        before = draw(st.integers(0, 20_000))
        off = draw(st.sampled_from([0, 0, before // 3, before]))
        tax = taxes(before - off, goods)
        lines.append(
            OrderLine(
                id=str(10 + index),
                name=f"Mug {index}",
                quantity=draw(st.integers(1, 7)),
                subtotal=cash(before),
                total=cash(before - off),
                tax=cash(tax),
                subtotal_tax=cash(tax + sum(_part_of(off, rate) for rate in rates)),
            )
        )
        total, tax_total, off_total = total + before - off + tax, tax_total + tax, off_total + off
    fees = []
    for index in range(draw(st.integers(0, 2))):
        price = draw(st.integers(-min(total, 3000) // 2, 3000))
        tax = taxes(price, goods) if draw(st.booleans()) else 0
        fees.append(FeeLine(id=str(20 + index), name=f"F{index}", total=cash(price), tax=cash(tax)))
        total, tax_total = total + price + tax, tax_total + tax
    ways = []
    for index in range(draw(st.integers(0, 2))):
        price = draw(st.integers(0, 3000))
        tax = taxes(price, way) if draw(st.booleans()) else 0
        ways.append(
            ShippingLine(
                id=str(30 + index), title=f"W{index}", method="w", total=cash(price), tax=cash(tax)
            )
        )
        total, tax_total = total + price + tax, tax_total + tax
    status = draw(
        st.sampled_from(["pending", "on_hold", "failed", "cancelled", *PAID, "processing"])
    )
    rest = draw(st.sampled_from(rests))
    if total + rest >= 0:
        total, tax_total = total + rest, tax_total + (rest if abs(rest) == 1 else 0)
    if total < 0 or (status == "refunded" and not total):
        status = "processing"
    paid = status in PAID or (status == "cancelled" and draw(st.booleans()))
    paid_at = LONG_AGO if paid and draw(st.booleans()) else None
    content = Order(
        number=str(draw(st.integers(1, 10**6))),
        status=status,
        currency=currency,
        total=cash(total),
        tax_total=cash(tax_total),
        shipping_total=money(
            f"{sum((each.total.amount for each in ways), Decimal(0)):f}", currency
        ),
        discount_total=cash(off_total),
        email="ann@example.test",
        billing=replace(HOME, email="ann@example.test"),
        shipping=HOME,
        lines=tuple(lines),
        fees=tuple(fees),
        shipping_lines=tuple(ways),
        discounts=(Discount(code="less", amount=cash(off_total)),) if off_total else (),
        taxes=tuple(
            Tax(
                label=f"VAT {rate}",
                code=f"VAT-{rate}",
                rate=Decimal(rate),
                amount=cash(goods[rate]),
                shipping_amount=cash(way[rate]),
            )
            for rate in rates
            if goods[rate] or way[rate]
        ),
        transactions=(Transaction(gateway="cod", amount=cash(total), at=paid_at),),
        created_at=LONG_AGO,
        paid_at=paid_at,
        completed_at=LONG_AGO if status == "completed" else None,
    )
    return replace(content, refunds=tuple(draw(_refunds(content)))) if paid else content


@st.composite
def _refunds(draw: st.DrawFn, content: Order) -> list[Refund]:
    """Refunds that come to no more than the total; to all of it where the order is refunded."""
    cash = _Cash(content.currency)
    found: list[Refund] = []
    left = cash.units(content.total)
    pieces = {each.id: each.quantity for each in content.lines}
    ways: list[tuple[str, FeeLine | ShippingLine]] = [
        *((f"fee:{each.id}", each) for each in content.fees),
        *((f"shipping:{each.id}", each) for each in content.shipping_lines),
    ]
    for index in range(draw(st.integers(0, 3))):
        parts: list[RefundLine] = []
        for each in content.lines:
            quantity = draw(st.integers(0, pieces[each.id]))
            pieces[each.id] -= quantity
            total, tax = (cash.units(e) * quantity // each.quantity for e in (each.total, each.tax))
            if quantity:
                parts.append(_back(each.id, quantity, cash(total), cash(tax)))
        for name, way in ways if index == 0 else ():
            if way.total.amount > 0 and draw(st.booleans()):
                parts.append(_back(name, 0, way.total, way.tax))
        amount = sum(cash.units(each.total) + cash.units(each.tax) for each in parts)
        if not parts and left:
            amount = draw(st.integers(1, left))
        if amount > left or not (parts or amount):
            break
        left -= amount
        found.append(_refund(50 + index, cash(amount), tuple(parts)))
    if content.status == "refunded" and left:
        found.append(_refund(59, cash(left)))
    return found


def _back(line: str, quantity: int, total: Money, tax: Money) -> RefundLine:
    return RefundLine(line=line, quantity=quantity, total=total, tax=tax)


def _refund(number: int, amount: Money, lines: tuple[RefundLine, ...] = ()) -> Refund:
    return Refund(
        id=str(number), amount=amount, reason=f"R{number}", lines=lines, created_at=LONG_AGO
    )


def _given_back(content: Order) -> Decimal:
    return sum((each.amount.amount for each in content.refunds), Decimal(0))


def told(sent: Order, found: Order, losses: Losses) -> dict[str, Any]:
    """What arrived otherwise: fields by name, and sums that no loss may excuse."""
    wrong: dict[str, Any] = {
        name: (getattr(sent, name), getattr(found, name))
        for name in losses.unexplained(sent, found, Names())
    }
    sums = {
        "sum": (sent.total, found.total),
        "tax": (sent.tax_total, found.tax_total),
        "shipping": (sent.shipping_total, found.shipping_total),
        "back": (_given_back(sent), _given_back(found)),
    }
    return wrong | {name: pair for name, pair in sums.items() if pair[0] != pair[1]}


def early(content: Order) -> Order:
    """The order as it was before anybody paid."""
    unpaid = tuple(replace(each, at=None) for each in content.transactions)
    fields: dict[str, Any] = {"paid_at": None, "completed_at": None, "refunds": ()}
    return replace(content, status="pending", transactions=unpaid, **fields)


async def _arrived(
    opened: AbstractAsyncContextManager[Any], *states: Order
) -> tuple[Order, frozenset[str]]:
    """An order that is written and then changed, as the store shows it; and what is told of it."""
    async with opened as shop, shop.target() as target:
        [operation] = operations(Stream.ORDERS, states[:1])
        for before, content in zip((None, *states), states, strict=False):
            fields = Order.__struct_fields__
            changed = frozenset(
                e for e in fields if getattr(before, e, None) != getattr(content, e)
            )
            if before is not None and not changed:
                continue
            operation = replace(operation, content=content, changed=before and changed)
            [outcome] = await target.write(Stream.ORDERS, [operation])
            assert isinstance(outcome, Applied), outcome
            operation = replace(operation, target_id=outcome.target_id, children=outcome.children)
        found = (await target.get(Stream.ORDERS, [outcome.target_id]))[outcome.target_id].content
        assert isinstance(found, Order)
        return found, frozenset(each.field for each in outcome.losses)


@examples
@given(sent=orders(rests=(0, 0, 1, -1)), later=st.booleans())
@pytest.mark.parametrize("addon", [True, False])
def test_on_woocommerce(sent: Order, addon: bool, later: bool) -> None:
    states = (early(sent), sent) if later else (sent,)
    found, _ = asyncio.run(_arrived(practice(addon=addon), *states))
    declared = WOOCOMMERCE.writes[Stream.ORDERS].losses
    losses = Losses(each for each in declared if not (addon and each.addon))
    wrong = told(sent, found, losses)
    if not addon:
        wrong.pop("tax", None)
    assert wrong == {}


@pytest.mark.contracts
@examples
@given(sent=st.one_of(orders("GBP"), orders("JPY")), later=st.booleans())
def test_on_shopify(sent: Order, later: bool) -> None:
    states = (early(sent), sent) if later else (sent,)
    found, lost = asyncio.run(_arrived(shopify_shop(currency=sent.currency), *states))
    wrong = told(sent, found, Losses(SHOPIFY.writes[Stream.ORDERS].losses))
    assert wrong.keys() <= ({"paid_at"} & lost), wrong


def test_money_that_is_only_reserved_did_not_come() -> None:
    """Where it was taken to have come, the order was shown as paid on Medusa."""
    money_set = WireBag(shop_money=WireAmount(amount="37.30"))
    reserved = WireTransaction(
        id="gid://shopify/OrderTransaction/2",
        kind="AUTHORIZATION",
        status="SUCCESS",
        amount_set=money_set,
        processed_at="2011-11-03T08:26:00Z",
    )
    row = WireOrder(
        id="gid://shopify/Order/1",
        name="#1",
        currency_code="GBP",
        total_price_set=money_set,
        display_financial_status="AUTHORIZED",
        transactions=[reserved],
    )
    content = shopify_order(row).content
    assert isinstance(content, Order)
    assert (content.status, [each.at for each in content.transactions]) == ("on_hold", [None])
    payments = Payments("m1:orders:1", content)
    assert (payments.status(), payments.rows()["Captures"]) == ("not_paid", [])


@pytest.mark.parametrize("text", ["-0", "-0.00", "0.000", "-0E-6"])
def test_nothing_is_never_below_zero(text: str) -> None:
    """A line that a coupon paid for in full was another line on Medusa, of -0.00."""
    assert str(money(text, "GBP").amount) == "0"
    assert str(rounded(Decimal("-0.0000001"), "GBP")) == "0.00"
