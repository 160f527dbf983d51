"""Whether the file of a bulk operation holds all parts of its records.

A file that holds as many lines as its operation counted has lost none of them; it does not follow
that the operation found everything. What the schema has a number for is compared record by record:
variants and media (`loading`), lines of orders (`bulk_orders`), the places of stock, and of a
customer's addresses the one that is the default. Collections, metafields and the other addresses
have none. Of these a few records are asked for directly: those that have most of them in the file,
because whoever cuts lists off cuts off the longest ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.records import Stream
from connectors.shopify.bulk import NoBulkError
from connectors.shopify.bulk_lines import UNCOUNTED, Lines
from connectors.shopify.bulk_orders import whole
from connectors.shopify.documents import KINDS
from connectors.shopify.loading import PARTS, Failed, Loader
from connectors.shopify.parts import number
from connectors.shopify.selections import Parts
from connectors.shopify.wire import Nodes, WireCustomer, WireStock


class BulkCheck:
    """Looks over one file. It learns whether the store's own numbers are of any use."""

    def __init__(self, loader: Loader, stream: Stream) -> None:
        self._loader = loader
        self._stream = stream
        kind = KINDS[stream]
        deeper = kind.deeper if stream is Stream.INVENTORY else ()
        self._uncounted = [each for each in (*kind.parts, *deeper) if each.name in UNCOUNTED]
        self._believes = True

    async def sample(self, lines: Lines) -> None:
        """Raise `NoBulkError` where a record has more parts in the store than in the file, and has
        not changed. Raises `StoreError`.
        """
        shown = {row.id: row for row in lines.rows(lines.longest)}
        found, _ = await self._loader.single(self._stream, list(shown))
        for row in found:
            before = shown[row.id]
            if getattr(row, "updated_at", None) != getattr(before, "updated_at", None):
                continue
            for parts in self._uncounted:
                held = len(_nodes(before, parts).nodes)
                if held < await self._all(row, parts):
                    raise NoBulkError("the bulk file holds fewer parts than the store has")

    async def _all(self, row: Any, parts: Parts) -> int:
        """How many parts the store has."""
        nodes = _nodes(row, parts)
        if not nodes.page_info.has_next_page:
            return len(nodes.nodes)
        _, kind = PARTS[parts.name]
        return len(await self._loader.parts_of(parts, _owner(row).id, kind))

    async def completed(self, rows: Sequence[Any]) -> tuple[list[Any], list[Failed]]:
        """The rows, those that lack parts by the store's own numbers being read anew, and those
        that nobody understands. What was deleted meanwhile is left out. Raises `StoreError`.
        """
        if self._stream is Stream.ORDERS:
            return await whole(self._loader, rows)
        lacking = {row.id: row for row in rows if self._believes and _lacks(row)}
        if not lacking:
            return list(rows), []
        found, failed = await self._loader.single(self._stream, list(lacking))
        anew = {
            row.id: row
            for row in found
            if await self._loader.completed(self._stream, row) is not None
        }
        # A number that no direct look confirms counts something else. What was deleted or changed
        # meanwhile says nothing of that.
        self._believes = not anew or not all(_lacks(row) for row in anew.values())
        kept = (anew.get(row.id) if row.id in lacking else row for row in rows)
        return [row for row in kept if row is not None], failed


def _lacks(row: Any) -> bool:
    """Whether the file holds fewer parts of a record than it must have."""
    if isinstance(row, WireStock):
        item = row.inventory_item
        counted = item.locations_count
        return counted is not None and counted.count > len(item.inventory_levels.nodes)
    if isinstance(row, WireCustomer) and row.default_address is not None:
        held = {number(each.id) for each in row.addresses_v2.nodes}
        return number(row.default_address.id) not in held
    return False


def _owner(row: Any) -> Any:
    return row.inventory_item if isinstance(row, WireStock) else row


def _nodes(row: Any, parts: Parts) -> Nodes[Any]:
    name, _ = PARTS[parts.name]
    found: Nodes[Any] = getattr(_owner(row), name)
    return found
