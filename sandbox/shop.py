"""The real shop's history: its orders and cancellations, in the order they happened."""

import lzma
import struct
import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from sandbox.data.compact import COLUMNS, EPOCH
from sandbox.wire import decode

DATA = Path(__file__).parent / "data" / "online_retail.bin.xz"
SHOP_START = int(EPOCH.replace(tzinfo=UTC).timestamp())


@dataclass(frozen=True, slots=True)
class Article:
    """Something the shop sells, or a charge it books as if it sold it."""

    code: str
    name: str
    prices: tuple[int, ...]  # every price it was sold at, in pence

    @property
    def is_product(self) -> bool:
        """Whether it is goods: real stock codes begin with five digits."""
        return self.code[:5].isdigit()


@dataclass(frozen=True, slots=True)
class Invoice:
    """An order, or with `cancellation` a list of goods taken back.

    `at` is in epoch seconds (GMT), `customer` 0 for a guest, `lines` the positions of its lines in
    the shop's columns, `cancels` the position of the invoice it takes back, or -1.
    """

    position: int
    number: int
    cancellation: bool
    at: int
    customer: int
    country: str
    lines: range
    cancels: int


@dataclass(frozen=True, slots=True)
class Shop:
    """The whole history; the columns `article`, `quantity`, `pence` run along all lines."""

    articles: tuple[Article, ...]
    invoices: tuple[Invoice, ...]
    article: "array[int]"
    quantity: "array[int]"
    pence: "array[int]"

    def snapshot(self, until: str) -> list[Invoice]:
        """The invoices before a moment (`2011-11-25T00:00:00`, GMT)."""
        return list(self.invoices[: self._position(until)])

    def events(self, since: str, days: int) -> list[Invoice]:
        """The invoices of the `days` calendar days from a moment on."""
        start = _seconds(since)
        first = self._position(since)
        return [invoice for invoice in self.invoices[first:] if invoice.at < start + days * 86_400]

    def _position(self, moment: str) -> int:
        return bisect_left(self.invoices, _seconds(moment), key=lambda invoice: invoice.at)


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())


@cache
def load(path: Path = DATA) -> Shop:
    """Read the compact file (about half a second)."""
    blob = lzma.decompress(path.read_bytes())
    (size,) = struct.unpack_from("<I", blob)
    head = decode(blob[4 : 4 + size])
    columns = _columns(blob[4 + size :], head["sizes"])
    articles = tuple(Article(code, name, tuple(prices)) for code, name, prices in head["articles"])
    prices = [article.prices for article in articles]
    pence = array(
        "I",
        [
            prices[article][price]
            for article, price in zip(columns["article"], columns["price"], strict=True)
        ],
    )
    invoices = tuple(_invoices(columns, head["countries"]))
    return Shop(articles, invoices, columns["article"], columns["quantity"], pence)


def _columns(blob: bytes, sizes: dict[str, int]) -> dict[str, "array[int]"]:
    columns: dict[str, array[int]] = {}
    start = 0
    for name, kind in COLUMNS:
        values: array[int] = array(kind)
        width, count = values.itemsize, sizes[name]
        raw = bytearray(width * count)
        for plane in range(width):
            raw[plane::width] = blob[start : start + count]
            start += count
        values.frombytes(bytes(raw))
        if sys.byteorder == "big":
            values.byteswap()
        columns[name] = values
    return columns


def _invoices(columns: dict[str, "array[int]"], countries: list[str]) -> list[Invoice]:
    found = []
    minute, line = 0, 0
    for position, number in enumerate(columns["number"]):
        minute += columns["minute"][position]
        count = columns["lines"][position]
        found.append(
            Invoice(
                position,
                number >> 1,
                bool(number & 1),
                SHOP_START + minute * 60,
                columns["customer"][position],
                countries[columns["country"][position]],
                range(line, line + count),
                columns["cancels"][position],
            )
        )
        line += count
    return found
