"""Small records for rules to work on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.mapping.mapper import Mapper
from app.mapping.rules import Rules
from connectors.records import (
    Address,
    Order,
    OrderLine,
    Product,
    Record,
    Stream,
    Variant,
    money,
)

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)


def product(**fields: Any) -> Record:
    values: dict[str, Any] = {
        "name": " Mug ",
        "sku": "MUG",
        "status": "private",
        "regular_price": money("9.50", "EUR"),
        "categories": ("c1", "c2"),
        "tags": ("old", "blue"),
        "variants": (Variant(id="v1", sku="mug-r"), Variant(id="v2", sku="mug-b")),
        "created_at": MADE,
        "extra": {"meta": {"season": "spring", "Wash at 30.": "yes"}, "vendor": "Ems"},
    }
    return Record("p1", None, Product(**{**values, **fields}))


def order(**fields: Any) -> Record:
    ten, none = money("10", "EUR"), money("0", "EUR")
    line = OrderLine(
        id="1", name="Mug", quantity=1, total=ten, subtotal=ten, tax=none, subtotal_tax=none
    )
    values: dict[str, Any] = {
        "number": "17",
        "status": "completed",
        "currency": "EUR",
        "total": ten,
        "tax_total": none,
        "shipping_total": none,
        "discount_total": none,
        "customer": "u1",
        "email": "jo@example.com",
        "billing": Address(city="Bern", phone="+41"),
        "lines": (line,),
    }
    return Record("o1", None, Order(**{**values, **fields}))


def mapper(stream: Stream, *rules: dict[str, Any], version: int = 1) -> Mapper:
    return Mapper.of(version, Rules.model_validate({stream: list(rules)}))


def mapped(record: Record, stream: Stream, *rules: dict[str, Any]) -> Any:
    """The content that rules make of a record."""
    return mapper(stream, *rules).mapped(record).content
