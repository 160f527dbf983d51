"""Single records of a store by their ids, for source and target alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from connectors.errors import BadAnswer
from connectors.records import Record, Stream
from connectors.shopify.api import Api
from connectors.shopify.documents import KINDS, STOCK_OF_PRODUCTS
from connectors.shopify.loading import ROWS, Loader, decoded
from connectors.shopify.parts import gid, number
from connectors.shopify.wire import Nodes, Wire, WireStock

_PRODUCTS = 50


class _Variants(Wire):
    variants: Nodes[Raw]


class _Products(Wire):
    nodes: list[_Variants | None]


class SingleRecords:
    """Looks records up by id. Raises `StoreError`."""

    def __init__(self, api: Api, loader: Loader) -> None:
        self._api = api
        self._loader = loader

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Those that are there. One that cannot be understood raises `BadAnswer`."""
        asked = dict.fromkeys(ids)
        if stream is Stream.INVENTORY:
            rows, failed = await self._levels(list(asked))
        else:
            numbers = [each for each in asked if each.isdecimal()]
            gids = [gid(KINDS[stream].type, each) for each in numbers]
            rows, failed = await self._loader.single(stream, gids)
        records, broken = await self._loader.load(stream, rows)
        for record_id, reason in [*failed, *broken]:
            raise BadAnswer(f"record {record_id}: {reason}", code="record_unmappable")
        return {record.id: record for record in records if record.id in asked}

    async def stock(self, level: str) -> WireStock | None:
        """The row behind one level, whole; None where it is not there."""
        rows, failed = await self._levels([level])
        if failed:
            raise BadAnswer(f"record {level}: {failed[0][1]}", code="record_unmappable")
        row = await self._loader.completed(Stream.INVENTORY, rows[0]) if rows else None
        if not isinstance(row, WireStock) or number(row.product.id) != level.partition(":")[0]:
            return None
        return row

    async def _levels(self, ids: Sequence[str]) -> tuple[list[Any], list[tuple[str, str]]]:
        """Stock by the id of a product, or of a product and its variant."""
        variants = [each.partition(":")[2] for each in ids]
        gids = [gid("ProductVariant", each) for each in variants if each.isdecimal()]
        rows, failed = await self._loader.single(Stream.INVENTORY, gids) if gids else ([], [])
        products = [gid("Product", each) for each in ids if each.isdecimal()]
        for start in range(0, len(products), _PRODUCTS):
            some = products[start : start + _PRODUCTS]
            answer = await self._api.ask(STOCK_OF_PRODUCTS, _Products, {"ids": some})
            found = [raw for each in answer.nodes if each for raw in each.variants.nodes]
            own, broken = decoded(ROWS[Stream.INVENTORY], found)
            rows += [row for row in own if _is_default(row)]
            failed += broken
        return rows, failed


def _is_default(row: WireStock) -> bool:
    return row.product.has_only_default_variant
