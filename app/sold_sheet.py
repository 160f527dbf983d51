"""What the new shop sold, as CSV: for the API and for the command line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

COLUMNS = (
    "order",
    "number",
    "status",
    "created_at",
    "currency",
    "total",
    "sku",
    "name",
    "quantity",
    "line_total",
)
_ORDER = ("id", "number", "status", "created_at", "currency", "total")
_LINE = ("sku", "name", "quantity", "total")


def csv_text(orders: Iterable[Mapping[str, Any]]) -> str:
    """Orders as the API tells of them: one row a line, and one for an order without lines."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for order in orders:
        for line in order["lines"] or [dict.fromkeys(_LINE)]:
            values = [order[name] for name in _ORDER] + [line[name] for name in _LINE]
            writer.writerow([_plain(each) for each in values])
    return out.getvalue()


def _plain(value: Any) -> Any:
    """A spreadsheet must not take what a customer typed for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
