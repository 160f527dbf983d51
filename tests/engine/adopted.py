"""Two shops in memory, one of them filled by another tool."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from connectors.records import Category, Customer, Order, OrderLine, Product, Stream, money
from tests.engine.conftest import Bench
from tests.engine.shop import START

SINCE = START.isoformat()
PAIRS = "SELECT stream, source_id, target_id, matched_by FROM links ORDER BY stream, source_id"


def product(number: int, **fields: Any) -> Product:
    return Product(
        **{
            "name": f"Mug {number}",
            "sku": f"MUG-{number}",
            "slug": f"mug-{number}",
            "regular_price": money("5.00", "GBP"),
            **fields,
        }
    )


def customer(number: int, **fields: Any) -> Customer:
    return Customer(**{"email": f"person{number}@example.com", "first_name": "Ann", **fields})


def order(
    number: int, *, buyer: str | None = None, good: str | None = None, **fields: Any
) -> Order:
    total = money(f"{number}.50", "GBP")
    none = money("0", "GBP")
    line = OrderLine(
        id=f"l{number}",
        name="Mug",
        quantity=1,
        total=total,
        subtotal=total,
        tax=none,
        subtotal_tax=none,
        product=good,
        sku="MUG-1",
    )
    return Order(
        **{
            "number": str(1000 + number),
            "status": "completed",
            "currency": "GBP",
            "total": total,
            "tax_total": none,
            "shipping_total": none,
            "discount_total": none,
            "customer": buyer,
            "email": f"person{number}@example.com",
            "lines": (line,),
            "created_at": START - timedelta(days=number, minutes=number),
            **fields,
        }
    )


def fill(bench: Bench) -> None:
    """The same three products, customers and orders in both shops, under other ids."""
    for number in (1, 2, 3):
        category = Category(name=f"C{number}", slug=f"c-{number}")
        bench.source.put(Stream.CATEGORIES, f"c{number}", category)
        bench.target.put(Stream.CATEGORIES, f"tc{number}", category)
        bench.source.put(Stream.PRODUCTS, f"p{number}", product(number, categories=(f"c{number}",)))
        bench.target.put(
            Stream.PRODUCTS, f"tp{number}", product(number, categories=(f"tc{number}",))
        )
        bench.source.put(Stream.CUSTOMERS, f"u{number}", customer(number))
        bench.target.put(Stream.CUSTOMERS, f"tu{number}", customer(number))
        here = order(number, buyer=f"u{number}", good=f"p{number}")
        there = order(number, buyer=f"tu{number}", good=f"tp{number}")
        bench.source.put(Stream.ORDERS, f"o{number}", here)
        bench.target.put(Stream.ORDERS, f"to{number}", replace(there, number=str(70 + number)))


def twins(bench: Bench) -> None:
    """Two orders that nothing tells apart, of which the target has both, without their dates."""
    fill(bench)
    here = bench.source.rows[Stream.ORDERS]["o1"].content
    bench.source.put(Stream.ORDERS, "o4", replace(here, created_at=START - timedelta(hours=1)))
    there = bench.target.rows[Stream.ORDERS]["to1"].content
    for name in ("to1", "to4"):
        bench.target.put(Stream.ORDERS, name, replace(there, created_at=None))


async def adopt(bench: Bench, **params: Any) -> dict[str, Any]:
    row = await bench.run("adopt", since=SINCE, **params)
    assert row["error"] is None, row["error"]
    return row


async def states(bench: Bench, stream: str) -> dict[tuple[str, str], tuple[str, str | None]]:
    rows = await bench.rows(
        "SELECT side, record_id, state, other_id FROM adoption_records WHERE stream = :stream",
        stream=stream,
    )
    return {(each["side"], each["record_id"]): (each["state"], each["other_id"]) for each in rows}
