"""A small shop of every stream, copied and ready for launch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from app.services.lifecycle import to_json
from connectors.records import (
    Address,
    Category,
    Customer,
    InventoryLevel,
    Order,
    OrderLine,
    Product,
    Refund,
    Stream,
    Variant,
    money,
)
from tests.engine.conftest import Bench

SEEN = "2026-02-01T10:00:00+00:00"


def euros(amount: str) -> Any:
    return money(amount, "EUR")


def a_line(number: str, product: str, **more: Any) -> OrderLine:
    return OrderLine(
        id=number,
        name=f"Line {number}",
        quantity=1,
        total=euros("5"),
        subtotal=euros("5"),
        tax=euros("1"),
        subtotal_tax=euros("1"),
        product=product,
        **more,
    )


def an_order(number: str, **more: Any) -> Order:
    zero = euros("0")
    given = {
        "customer": "k1",
        "email": "anna@example.com",
        "lines": (a_line(f"l{number}", "p1"),),
        "refunds": (Refund(id=f"r{number}", amount=euros("2.50")),),
    }
    return Order(
        number=number,
        status="completed",
        currency="EUR",
        total=euros("6"),
        tax_total=euros("1"),
        shipping_total=zero,
        discount_total=zero,
        **{**given, **more},
    )


def fill(bench: Bench) -> None:
    shop = bench.source
    shop.put(Stream.CATEGORIES, "c1", Category(name="Tea"))
    shop.put(Stream.CATEGORIES, "c2", Category(name="Green", parent="c1"))
    home = Address(first_name="Anna", line1="High Street 1", city="Ulm", country="DE")
    for number in ("1", "2"):
        variants = (Variant(id=f"v{number}", sku=f"S{number}-M", regular_price=euros("5")),)
        product = Product(
            name=f"Tea {number}",
            sku=f"S{number}",
            regular_price=euros("5"),
            categories=("c2",),
            variants=variants,
            description="Leaves",
        )
        shop.put(Stream.PRODUCTS, f"p{number}", product)
        level = InventoryLevel(product=f"p{number}", counted=True, quantity=Decimal(3))
        shop.put(Stream.INVENTORY, f"p{number}", level)
    shop.put(Stream.CUSTOMERS, "k1", Customer(email="anna@example.com", billing=home))
    shop.put(Stream.CUSTOMERS, "k2", Customer(email="bob@example.com"))
    for number in ("101", "102"):
        shop.put(Stream.ORDERS, f"o{number}", an_order(number))


def settle_clocks(bench: Bench) -> None:
    """Both shops' clocks are ours, and stay as they are."""
    bench.source.now = bench.target.now = datetime.now(UTC).replace(microsecond=0)


async def set_migration(bench: Bench, **policies: Any) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(
            text("UPDATE migrations SET policies = CAST(:policies AS jsonb), launch_at = :launch"),
            {"policies": to_json(policies), "launch": datetime.now(UTC) + timedelta(hours=2)},
        )


async def launch(bench: Bench, **policies: Any) -> None:
    """Fill the source, copy everything, and be ready."""
    settle_clocks(bench)
    bench.source.tick(minutes=-30)
    bench.target.tick(minutes=-30)
    fill(bench)
    bench.source.tick(minutes=30)
    bench.target.tick(minutes=30)
    await set_migration(bench, **policies)
    row = await bench.run("full")
    assert (row["status"], row["error"]) == ("succeeded", None)


async def twin(bench: Bench, stream: Stream, source_id: str) -> str:
    """The record's id on the target."""
    rows = await bench.rows(
        "SELECT target_id FROM links WHERE stream = :stream AND source_id = :id",
        stream=str(stream),
        id=source_id,
    )
    return str(rows[0]["target_id"])


async def checked(bench: Bench, **options: Any) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A verify job and its results by check."""
    job = await bench.run("verify", options=options)
    rows = await bench.rows(
        "SELECT * FROM check_results WHERE job_id = :id ORDER BY position", id=job["id"]
    )
    return job, {row["check_id"]: row for row in rows}


def bad(results: dict[str, dict[str, Any]]) -> set[str]:
    """The checks that did not pass."""
    return {each for each, row in results.items() if row["state"] not in ("passed", "skipped")}
