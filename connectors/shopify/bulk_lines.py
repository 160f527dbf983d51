"""The file of a bulk operation: records and their parts as single lines, in no order to rely on.

The file is kept on disk and only places in it in memory, so that a catalogue of any size can be
read in order of ids. A part names its record by `__parentId`.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any

import msgspec
from msgspec import Struct, field

from connectors.errors import BadAnswer
from connectors.records import Stream
from connectors.shopify.documents import KINDS
from connectors.shopify.loading import PARTS, ROWS
from connectors.shopify.parts import number

_FIELDS = {
    "ProductVariant": "variants",
    "Collection": "collections",
    "Metafield": "metafields",
    "MailingAddress": "addressesV2",
    "InventoryLevel": "inventoryLevels",
    "LineItem": "lineItems",
    "ShippingLine": "shippingLines",
}
"""The connection that a part belongs to, by its type; every other type is a medium."""

UNCOUNTED = frozenset(
    {"addressesV2", "collections", "inventoryLevels", "metafields", "shippingLines"}
)
"""Connections of which a record does not say exactly how many parts they hold."""


_SAMPLE = 5


class _Item(Struct):
    id: str


class _Line(Struct, rename="camel"):
    """As much of a line as tells where it belongs."""

    # A line of shipping may have none.
    id: str | None = None
    parent: str | None = field(default=None, name="__parentId")
    kind: str = field(default="", name="__typename")
    inventory_item: _Item | None = None


_head = msgspec.json.Decoder(_Line).decode
_whole = msgspec.json.Decoder(float_hook=Decimal).decode


class Lines:
    """The lines of a finished operation. Closing it deletes them."""

    def __init__(self, stream: Stream, file: IO[bytes]) -> None:
        self._stream = stream
        self._file = file
        self._places: dict[int, array[int]] = {}
        self._longest: list[int] = []
        self.count = 0

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def index(self) -> None:
        """Find out where everything stands. Raises `BadAnswer` for what is no such file."""
        roots: dict[str, array[int]] = {}
        orphans: list[tuple[str, int, bool]] = []
        self._file.seek(0)
        place = 0
        for line in self._file:
            if line.strip():
                try:
                    head = _head(line)
                except msgspec.DecodeError:
                    raise BadAnswer("a line of the bulk file is cut off") from None
                if head.parent is not None:
                    uncounted = _FIELDS.get(head.kind) in UNCOUNTED
                    orphans.append((head.parent, place, uncounted))
                elif head.id is None:
                    raise BadAnswer("the bulk file holds a record without an id")
                else:
                    roots[head.id] = array("q", [place])
                    if self._stream is Stream.INVENTORY and head.inventory_item:
                        # Levels may name the variant or its inventory item.
                        roots[head.inventory_item.id] = roots[head.id]
                self.count += 1
            place += len(line)
        uncounted_at: Counter[int] = Counter()
        for parent, where, uncounted in orphans:
            if parent not in roots:
                raise BadAnswer("the bulk file holds a part of nothing")
            roots[parent].append(where)
            uncounted_at[roots[parent][0]] += uncounted
        kind = f"/{KINDS[self._stream].type}/"
        self._places = {int(number(gid)): at for gid, at in roots.items() if kind in gid}
        self._longest = sorted(
            self._places, key=lambda each: (-uncounted_at[self._places[each][0]], each)
        )[:_SAMPLE]

    @property
    def ids(self) -> list[int]:
        """The records' numbers in order."""
        return sorted(self._places)

    @property
    def longest(self) -> list[int]:
        """Numbers of a few records, those with most parts of which nobody says how many."""
        return self._longest

    def rows(self, ids: Sequence[int]) -> Iterator[Any]:
        """Whole rows, as a page of the list would show them. A part that stands there twice is one:
        it would be stock twice, and hide another one that is missing from whoever counts them.
        """
        for each in ids:
            root, *parts = (self._at(place) for place in self._places[each])
            holder = root["inventoryItem"] if self._stream is Stream.INVENTORY else root
            for part in _once(parts):
                name = _FIELDS.get(part.get("__typename", ""), "media")
                if name not in PARTS:
                    raise BadAnswer("the bulk file holds a part of an unknown kind")
                holder.setdefault(name, {"nodes": []})["nodes"].append(part)
            yield msgspec.convert(root, ROWS[self._stream], strict=False)

    def _at(self, place: int) -> dict[str, Any]:
        self._file.seek(place)
        found: dict[str, Any] = _whole(self._file.readline())
        return found


def _once(parts: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for part in parts:
        found = part.get("id")
        if found in seen:
            continue
        if found is not None:
            seen.add(found)
        yield part
