"""Canonical records that a test may send anywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.records import (
    Address,
    Category,
    Content,
    Customer,
    FeeLine,
    InventoryLevel,
    Money,
    Option,
    Order,
    OrderLine,
    Product,
    Refund,
    RefundLine,
    ShippingLine,
    Stream,
    Transaction,
    Variant,
    money,
)

LONG_AGO = datetime(2011, 11, 3, 8, 26, tzinfo=UTC)
HOME = Address(
    first_name="Ann",
    last_name="Archer",
    line1="1 High Street",
    city="London",
    postcode="N1 9GU",
    country="GB",
    phone="020 7946 0000",
)


def gbp(amount: str) -> Money:
    return money(amount, "GBP")


def category(number: int) -> Category:
    return Category(name=f"Category {number}", slug=f"category-{number}", description="All of it")


def product(number: int, **values: Any) -> Product:
    fields: dict[str, Any] = {
        "name": f"Mug {number}",
        "sku": f"MUG-{number}",
        "slug": f"mug-{number}",
        "regular_price": gbp("2.55"),
        "description": "A mug",
        "created_at": LONG_AGO,
    } | values
    return Product(**fields)


def variant(number: int, size: str) -> Variant:
    return Variant(
        id=f"{number}{ord(size[0])}",
        sku=f"SHIRT-{number}-{size}",
        options=(Option("Size", size),),
        regular_price=gbp("9.95"),
    )


def customer(number: int, **values: Any) -> Customer:
    fields: dict[str, Any] = {
        "email": f"ann.{number}@example.test",
        "username": f"ann{number}",
        "first_name": "Ann",
        "last_name": "Archer",
        "billing": HOME,
    } | values
    return Customer(**fields)


def line(number: int, *, quantity: int = 6, each: str = "2.55", **values: Any) -> OrderLine:
    total = gbp(str(Decimal(each) * quantity))
    fields: dict[str, Any] = {
        "id": str(number),
        "name": f"Mug {number}",
        "quantity": quantity,
        "total": total,
        "subtotal": total,
        "tax": gbp("0"),
        "subtotal_tax": gbp("0"),
    } | values
    return OrderLine(**fields)


def order(number: int, **values: Any) -> Order:
    fields: dict[str, Any] = {
        "number": f"5363{number}",
        "status": "completed",
        "currency": "GBP",
        "total": gbp("37.30"),
        "tax_total": gbp("0"),
        "shipping_total": gbp("4.20"),
        "discount_total": gbp("0"),
        "email": f"ann.{number}@example.test",
        "billing": HOME,
        "lines": (line(number * 10 + 1), line(number * 10 + 2)),
        "shipping_lines": (
            ShippingLine(
                id=str(number * 10 + 3),
                title="Post",
                method="flat_rate",
                total=gbp("4.20"),
                tax=gbp("0"),
            ),
        ),
        "fees": (
            FeeLine(id=str(number * 10 + 4), name="Wrapping", total=gbp("2.50"), tax=gbp("0")),
        ),
        "transactions": (Transaction(gateway="cod", title="Cash", reference=f"tx-{number}"),),
        "created_at": LONG_AGO,
        "paid_at": LONG_AGO,
        "completed_at": LONG_AGO,
    } | values
    return Order(**fields)


def refund(number: int, amount: str, *lines: RefundLine) -> Refund:
    return Refund(id=str(number), amount=gbp(amount), reason="Broken", lines=lines)


def level(number: int) -> InventoryLevel:
    return InventoryLevel(product=str(number), counted=True, quantity=Decimal(7 + number))


_MAKERS: dict[Stream, Callable[[int], Content]] = {
    Stream.CATEGORIES: category,
    Stream.PRODUCTS: product,
    Stream.CUSTOMERS: customer,
    Stream.ORDERS: order,
    Stream.INVENTORY: level,
}


def contents(stream: Stream, count: int) -> list[Content]:
    """So many different records of a stream."""
    return [_MAKERS[stream](number) for number in range(1, count + 1)]
