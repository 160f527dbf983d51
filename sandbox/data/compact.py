"""Make the compact form of UCI Online Retail: `python -m sandbox.data.compact RAW.csv[.xz] OUT`.

The raw table has one row a line of an invoice: InvoiceNo, StockCode, Description, Quantity,
InvoiceDate, UnitPrice, CustomerID, Country. Kept are the invoices of customers' orders and of
their cancellations (numbers that begin with C); write-offs and bad-debt entries are dropped.
Stock codes that differ only by case are one article. Prices are whole pence.
"""

import argparse
import csv
import json
import lzma
import struct
import sys
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from typing import IO, cast

EPOCH = datetime(2010, 12, 1)  # noqa: DTZ001 - the shop's own time, as the data has it
# Line columns and invoice columns in the order they lie in the file, with their array types.
COLUMNS = (
    ("article", "H"),
    ("quantity", "I"),
    ("price", "H"),
    ("number", "I"),
    ("minute", "I"),
    ("customer", "H"),
    ("country", "B"),
    ("cancels", "i"),
    ("lines", "H"),
)


@dataclass(slots=True)
class Line:
    """A line of an invoice; the quantity is positive, also of a cancellation."""

    code: str
    quantity: int
    pence: int


@dataclass(slots=True)
class Invoice:
    """An invoice; a cancellation knows the position of the invoice it most likely cancels."""

    number: int
    cancellation: bool
    minute: int
    customer: int
    country: str
    lines: list[Line] = field(default_factory=list)
    cancels: int = -1


def main() -> None:
    """Read the raw table and write the compact file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("raw", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    names: dict[str, Counter[str]] = defaultdict(Counter)
    with _open(options.raw) as table:
        invoices = read(csv.DictReader(table), names)
    link_cancellations(invoices)
    options.out.write_bytes(pack(invoices, names))


def _open(path: Path) -> IO[str]:
    if path.suffix == ".xz":
        return cast("IO[str]", lzma.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8", newline="")


def read(rows: Iterable[dict[str, str]], names: dict[str, Counter[str]]) -> list[Invoice]:
    """The invoices that count, by time; `names` collects how often each article is called what."""
    found: dict[str, Invoice] = {}
    for row in rows:
        number = row["InvoiceNo"]
        if number.startswith("A"):
            continue
        line = _line(row, cancellation=number.startswith("C"))
        minute = int((datetime.fromisoformat(row["InvoiceDate"]) - EPOCH).total_seconds()) // 60
        invoice = found.get(number)
        if invoice is None:
            invoice = found[number] = Invoice(
                int(number.lstrip("C")),
                number.startswith("C"),
                minute,
                int(row["CustomerID"] or 0),
                row["Country"],
            )
        invoice.minute = min(invoice.minute, minute)
        if line is not None:
            invoice.lines.append(line)
            if row["Description"]:
                names[line.code][" ".join(row["Description"].split())] += 1
    kept = [invoice for invoice in found.values() if invoice.lines]
    return sorted(kept, key=lambda invoice: (invoice.minute, invoice.number))


def _line(row: dict[str, str], *, cancellation: bool) -> Line | None:
    quantity = int(row["Quantity"])
    pence = int((Decimal(row["UnitPrice"]) * 100).quantize(Decimal(1), ROUND_HALF_UP))
    if (quantity < 0) is not cancellation or pence <= 0:
        return None
    return Line(row["StockCode"].upper(), abs(quantity), pence)


def link_cancellations(invoices: list[Invoice]) -> None:
    """Point each cancellation at the newest earlier invoice that could have sold its first line."""
    sold: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for position, invoice in enumerate(invoices):
        if not invoice.customer:
            continue
        if invoice.cancellation:
            invoice.cancels = next(
                (
                    earlier
                    for line in invoice.lines
                    for earlier, quantity in reversed(sold[invoice.customer, line.code])
                    if quantity >= line.quantity
                ),
                -1,
            )
            continue
        for line in invoice.lines:
            sold[invoice.customer, line.code].append((position, line.quantity))


def pack(invoices: list[Invoice], names: dict[str, Counter[str]]) -> bytes:
    """The file: xz of a length, a JSON head, and the columns one after another."""
    codes = {code: n for n, code in enumerate(_first_seen(invoices))}
    prices: dict[str, dict[int, int]] = {code: {} for code in codes}
    countries: dict[str, int] = {}
    customers: dict[int, int] = {0: 0}
    columns = {name: array(kind) for name, kind in COLUMNS}
    minutes = [0, *(invoice.minute for invoice in invoices)]
    for invoice, (before, now) in zip(invoices, pairwise(minutes), strict=True):
        columns["number"].append(invoice.number * 2 + invoice.cancellation)
        columns["minute"].append(now - before)
        columns["customer"].append(customers.setdefault(invoice.customer, len(customers)))
        columns["country"].append(countries.setdefault(invoice.country, len(countries)))
        columns["cancels"].append(invoice.cancels)
        columns["lines"].append(len(invoice.lines))
        for line in invoice.lines:
            known = prices[line.code]
            columns["article"].append(codes[line.code])
            columns["quantity"].append(line.quantity)
            columns["price"].append(known.setdefault(line.pence, len(known)))
    head = {
        "articles": [[code, _best(names[code], code), list(prices[code])] for code in codes],
        "countries": list(countries),
        "sizes": {name: len(values) for name, values in columns.items()},
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    parts = [struct.pack("<I", len(text)), text]
    parts += [_little(columns[name]) for name, _ in COLUMNS]
    return lzma.compress(b"".join(parts), preset=9 | lzma.PRESET_EXTREME)


def _first_seen(invoices: list[Invoice]) -> dict[str, None]:
    return dict.fromkeys(line.code for invoice in invoices for line in invoice.lines)


def _best(names: Counter[str], code: str) -> str:
    return names.most_common(1)[0][0] if names else code


def _little(values: "array[int]") -> bytes:
    """Bytes of an array plane by plane (all low bytes first), which packs better."""
    raw = (values if sys.byteorder == "little" else _swapped(values)).tobytes()
    return b"".join(raw[plane :: values.itemsize] for plane in range(values.itemsize))


def _swapped(values: "array[int]") -> "array[int]":
    copy = values[:]
    copy.byteswap()
    return copy


if __name__ == "__main__":
    main()
