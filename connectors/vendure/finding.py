"""Finding records on the target before anything is created: by our key, then by natural key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

import msgspec

from connectors.base import Match, Operation
from connectors.errors import BadAnswer
from connectors.keys import is_anothers
from connectors.records import Category, Customer, InventoryLevel, Order, Product, Stream
from connectors.vendure.api import decoder
from connectors.vendure.documents import KINDS
from connectors.vendure.loading import ROWS, Loader
from connectors.vendure.pairing import pair_order, pair_variants
from connectors.vendure.parts import KEY, custom, place
from connectors.vendure.shop import has_keys
from connectors.vendure.wire import WireStock

Names = Callable[[Operation], list[str]]


class Finder:
    """Look-ups on one store, for many records in one request. A failed look-up raises; it is never
    «not found».
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """Matches by source id. Raises `StoreError`."""
        if not operations:
            return {}
        if stream is Stream.INVENTORY:
            return _levels(operations)
        found = await self._by_keys(stream, operations)
        rest = [each for each in operations if each.source_id not in found]
        for by, field, names in _NATURAL.get(stream, ()):
            if rest:
                found |= await self._by_names(stream, rest, by, field, names)
                rest = [each for each in rest if each.source_id not in found]
        return found

    async def by_email(self, email: str) -> Any:
        """The row of the customer who has the email; None where nobody has."""
        rows = await self._rows(Stream.CUSTOMERS, "emailAddress", [email.strip().lower()])
        return rows[0] if rows else None

    async def _by_keys(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        if not has_keys(await self._loader.shop(), KINDS[stream].entity):
            return {}
        rows = await self._rows(stream, KEY, [each.key for each in operations])
        by_key = {custom(row.custom_fields, KEY): row for row in rows}
        return {
            each.source_id: _match(stream, each, by_key[each.key], "key")
            for each in operations
            if each.key in by_key
        }

    async def _by_names(
        self, stream: Stream, operations: Sequence[Operation], by: str, field: str, names: Names
    ) -> dict[str, Match]:
        """By a natural key: the oldest record that has it and is not another's."""
        wanted = sorted({name for each in operations for name in names(each)})
        if not wanted:
            return {}
        found: defaultdict[str, list[Any]] = defaultdict(list)
        if by == "sku":
            for name, row in await self._by_skus(wanted):
                found[name].append(row)
        else:
            for row in await self._rows(stream, field, wanted):
                found[_attribute(row, field).casefold()].append(row)
        matches: dict[str, Match] = {}
        for each in operations:
            rows = [row for name in names(each) for row in found[name.casefold()]]
            rows = [r for r in rows if not is_anothers(custom(r.custom_fields, KEY), each.key)]
            if rows:
                matches[each.source_id] = _match(stream, each, rows[0], by)
        return matches

    async def _by_skus(self, skus: Sequence[str]) -> list[tuple[str, Any]]:
        """Products by the SKUs of their variants; SKUs need not be unique."""
        raws = await self._loader.rows(Stream.INVENTORY, "sku", skus)
        stocks: list[WireStock] = [decoder(WireStock).decode(each) for each in raws]
        products = sorted({each.product_id for each in stocks}, key=place)
        raws = await self._loader.by_ids(Stream.PRODUCTS, products)
        rows = {row.id: row for row in _decoded(Stream.PRODUCTS, raws)}
        return [
            (each.sku.casefold(), rows[each.product_id])
            for each in sorted(stocks, key=lambda each: place(each.product_id))
            if each.product_id in rows
        ]

    async def _rows(self, stream: Stream, field: str, values: Sequence[str]) -> list[Any]:
        return _decoded(stream, await self._loader.rows(stream, field, values))


def _skus(operation: Operation) -> list[str]:
    content = operation.content
    if not isinstance(content, Product):
        return []
    found = [content.sku, *(each.sku for each in content.variants)]
    return list(dict.fromkeys(each for each in found if each))


def _slug(operation: Operation) -> list[str]:
    """The slug of a category, and of a product that has no SKU."""
    content = operation.content
    if isinstance(content, Category):
        return [content.slug] if content.slug else []
    if isinstance(content, Product):
        return [content.slug] if content.slug and not _skus(operation) else []
    return []


def _name(operation: Operation) -> list[str]:
    """The name of a category that has no slug."""
    content = operation.content
    return [content.name] if isinstance(content, Category) and not content.slug else []


def _email(operation: Operation) -> list[str]:
    content = operation.content
    if not isinstance(content, Customer) or not content.email:
        return []
    return [content.email.strip().lower()]


_NATURAL: dict[Stream, tuple[tuple[str, str, Names], ...]] = {
    Stream.CATEGORIES: (("slug", "slug", _slug), ("name", "name", _name)),
    Stream.PRODUCTS: (("sku", "sku", _skus), ("slug", "slug", _slug)),
    Stream.CUSTOMERS: (("email", "emailAddress", _email),),
}


def _attribute(row: Any, field: str) -> str:
    found: str = getattr(row, {"emailAddress": "email_address"}.get(field, field))
    return found


def _match(stream: Stream, operation: Operation, row: Any, by: str) -> Match:
    children: dict[str, str] = {}
    if stream is Stream.PRODUCTS:
        children = pair_variants(operation, row.variants)
    elif stream is Stream.ORDERS and isinstance(operation.content, Order):
        children = pair_order(operation.content, row)
    return Match(target_id=row.id, by=by, children=children)


def _decoded(stream: Stream, raws: Sequence[Any]) -> list[Any]:
    try:
        return [decoder(cast("Hashable", ROWS[stream])).decode(each) for each in raws]
    except msgspec.ValidationError:
        raise BadAnswer("a record has an unknown form", code="record_unmappable") from None


def _levels(operations: Sequence[Operation]) -> dict[str, Match]:
    """A level is where its product is."""
    return {
        each.source_id: Match(target_id=each.content.record_id, by="key")
        for each in operations
        if isinstance(each.content, InventoryLevel) and each.content.product
    }
