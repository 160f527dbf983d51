"""Orders as CSV, what the new shop sold and late ones of the old shop: for the API and for the
command line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

SOLD = {"order": "id"}
LATE = {"order": "target_id", "old_order": "source_id", "imported_at": "imported_at"}
"""The first columns of both lists, and the members that they hold."""

_ORDER = ("number", "status", "created_at", "currency", "total")
_LINE = {"sku": "sku", "name": "name", "quantity": "quantity", "line_total": "total"}


def columns(first: Mapping[str, str]) -> tuple[str, ...]:
    """The names of a list's columns."""
    return (*first, *_ORDER, *_LINE)


def csv_text(orders: Iterable[Mapping[str, Any]], first: Mapping[str, str] = SOLD) -> str:
    """Orders as the API tells of them: one row a line, and one for an order without lines."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns(first))
    for order in orders:
        of_order = [order[name] for name in (*first.values(), *_ORDER)]
        for line in order["lines"] or [dict.fromkeys(_LINE.values())]:
            values = of_order + [line[name] for name in _LINE.values()]
            writer.writerow([_plain(each) for each in values])
    return out.getvalue()


def _plain(value: Any) -> Any:
    """A spreadsheet must not take what a customer typed for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return value
