"""Contents for the tests of the target."""

from datetime import UTC, datetime
from decimal import Decimal

from connectors.base import Operation
from connectors.records import (
    Address,
    Category,
    Content,
    Customer,
    InventoryLevel,
    Order,
    OrderLine,
    Product,
    Refund,
    Variant,
    money,
)

CREATED = datetime(2024, 5, 1, 12, 30, 15, 250_000, tzinfo=UTC)


def operation(content: Content, source_id: str = "7", **options) -> Operation:
    return Operation(source_id=source_id, key=f"demo:{source_id}", content=content, **options)


def order(**changes) -> Order:
    values = {
        "number": "1007",
        "status": "processing",
        "currency": "EUR",
        "total": money("1234567.891", "EUR"),
        "tax_total": money("19.00", "EUR"),
        "shipping_total": money("4.90", "EUR"),
        "discount_total": money("0", "EUR"),
        "customer": "demo:customer",
        "email": "buyer@example.com",
        "billing": Address(first_name="Ada", country="DE"),
        "lines": (line("11"), line("12")),
        "refunds": (Refund(id="31", amount=money("5", "EUR"), created_at=CREATED),),
        "note": "Ring twice.",
        "created_at": CREATED,
        "extra": {"order_key": "wc_order_1"},
    }
    return Order(**(values | changes))


def line(line_id: str) -> OrderLine:
    price, none = money("9.99", "EUR"), money("0", "EUR")
    return OrderLine(
        id=line_id,
        name="Mug",
        quantity=2,
        total=price,
        subtotal=price,
        tax=none,
        subtotal_tax=none,
        product="demo:product",
        variant="501",
    )


def product(**changes) -> Product:
    values = {
        "name": "Mug",
        "sku": "MUG",
        "slug": "mug",
        "regular_price": money("12.50", "EUR"),
        "categories": ("demo:c1",),
        "variants": (Variant(id="501", sku="MUG-S"), Variant(id="502", sku="MUG-L")),
    }
    return Product(**(values | changes))


def customer(email: str) -> Customer:
    return Customer(email=email, first_name="Ada")


def category(slug: str) -> Category:
    return Category(name=slug.title(), slug=slug, parent="demo:c0", position=3)


def level() -> InventoryLevel:
    return InventoryLevel(
        product="demo:product",
        variant="501",
        sku="MUG-S",
        counted=True,
        quantity=Decimal("7.5"),
        shared=True,
    )
