"""Finding records on the target before anything is created: by our key, then by natural key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from connectors.base import Match, Operation
from connectors.concurrency import together
from connectors.keys import is_anothers
from connectors.records import Category, Customer, InventoryLevel, Order, Product, Stream
from connectors.woocommerce.addon import Addon
from connectors.woocommerce.api import Api, RefusedRequest
from connectors.woocommerce.finding_by_key import KEYED, find_by_key
from connectors.woocommerce.lists import BY_ID
from connectors.woocommerce.loading import Loader
from connectors.woocommerce.pairing import (
    carried_key,
    pair_parts,
    pair_refunds,
    pair_variations,
)
from connectors.woocommerce.reading import everything
from connectors.woocommerce.wire import WireCategory, WireCustomer, WireOrder, WireProduct

Row = TypeVar("Row", WireCategory, WireProduct, WireCustomer, WireOrder)

_LIST_LENGTH = 3000
"""Characters of a comma list in an address; servers refuse addresses over 8000 or so."""

_PRODUCT_FIELDS = "id,type,status,sku,slug,parent_id,variations,meta_data"
_ORDER_FIELDS = "id,status,created_via,line_items,shipping_lines,fee_lines,refunds,currency"


class Finder:
    """Look-ups on one store. A failed look-up raises; it is never «not found»."""

    def __init__(self, api: Api, loader: Loader, addon: Addon) -> None:
        self._api = api
        self._loader = loader
        self._addon = addon

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """Matches by source id. Raises `StoreError`."""
        if stream not in KEYED or not await self._addon.is_usable():
            return await self._natural(stream, operations)
        known = await find_by_key(self._addon, stream, operations)
        known |= await self._with_unkeyed_variations(operations, known)
        if stream is Stream.ORDERS:
            return known
        rest = [each for each in operations if each.source_id not in known]
        return known | (await self._natural(stream, rest) if rest else {})

    async def _with_unkeyed_variations(
        self, operations: Sequence[Operation], known: Mapping[str, Match]
    ) -> dict[str, Match]:
        """Products some of whose variations do not carry our key: somebody else made them."""
        unpaired = [
            each
            for each in operations
            if isinstance(each.content, Product)
            and each.source_id in known
            and len(known[each.source_id].children) < len(each.content.variants)
        ]
        found = await together(
            [
                self._with_variations(each, int(known[each.source_id].target_id), "key")
                for each in unpaired
            ]
        )
        return {each.source_id: match for each, match in zip(unpaired, found, strict=True)}

    async def _natural(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        match stream:
            case Stream.CATEGORIES:
                return await self._categories(operations)
            case Stream.PRODUCTS:
                return await self._products(operations)
            case Stream.CUSTOMERS:
                return await self._each(operations, self.customer)
            case Stream.ORDERS:
                return await self._orders(operations)
            case Stream.INVENTORY:
                return _levels(operations)

    async def _each(self, operations: Sequence[Operation], find: Any) -> dict[str, Match]:
        found = await together([find(operation) for operation in operations])
        pairs = zip(operations, found, strict=True)
        return {operation.source_id: match for operation, match in pairs if match}

    # --- categories -----------------------------------------------------------------------------

    async def _categories(self, operations: Sequence[Operation]) -> dict[str, Match]:
        """By slug, which is unique, else by name below the same parent."""
        rows = await self._all("products/categories", {}, WireCategory)
        by_slug = {row.slug: row.id for row in rows}
        by_name = {(row.name, row.parent): row.id for row in reversed(rows)}
        found = {}
        for operation in operations:
            content = operation.content
            if not isinstance(content, Category):
                continue
            if content.slug in by_slug:
                match = Match(target_id=str(by_slug[content.slug]), by="slug")
            elif (place := (content.name, int(content.parent or 0))) in by_name:
                match = Match(target_id=str(by_name[place]), by="name")
            else:
                continue
            found[operation.source_id] = match
        return found

    # --- products -------------------------------------------------------------------------------

    async def _products(self, operations: Sequence[Operation]) -> dict[str, Match]:
        wanted = {sku for operation in operations for sku in _skus(operation)}
        rows = await self._by_sku(wanted)
        by_sku: defaultdict[str, list[WireProduct]] = defaultdict(list)
        # A SKU may be in the trash once more: what is alive comes first.
        for row in sorted(rows, key=lambda each: each.status == "trash"):
            by_sku[(row.sku or "").casefold()].append(row)
        found: dict[str, tuple[int, str]] = {}
        unfound = []
        for operation in operations:
            hit = _hit(operation, by_sku)
            if hit:
                found[operation.source_id] = hit
            else:
                unfound.append(operation)
        slugs = await together([self._by_slug(operation) for operation in unfound])
        for operation, by_slug in zip(unfound, slugs, strict=True):
            if by_slug:
                found[operation.source_id] = by_slug
        hits = [each for each in operations if each.source_id in found]
        matches = await together(
            [self._with_variations(each, *found[each.source_id]) for each in hits]
        )
        return {each.source_id: match for each, match in zip(hits, matches, strict=True)}

    async def _by_sku(self, skus: Iterable[str]) -> list[WireProduct]:
        # A SKU with a comma would be taken for two: it is asked for alone.
        plain = sorted(sku for sku in skus if "," not in sku)
        asked = [",".join(some) for some in _portions(plain)]
        asked += sorted(sku for sku in skus if "," in sku)
        fixed = {"include_status": "any,trash", "_fields": _PRODUCT_FIELDS}
        lists = await together(
            [self._all("products", fixed | {"sku": each}, WireProduct) for each in asked]
        )
        return [row for rows in lists for row in rows]

    async def _all(self, path: str, query: dict[str, str], row: type[Row]) -> list[Row]:
        """A whole list, however many pages it has. What cannot be understood raises."""

        async def fetch(offset: int, size: int) -> Any:
            asked = BY_ID | query | {"offset": offset, "per_page": size}
            return await self._api.list(path, asked, row)

        return await everything(fetch)

    async def _by_slug(self, operation: Operation) -> tuple[int, str] | None:
        """By slug, where there is no SKU to go by."""
        content = operation.content
        if not isinstance(content, Product) or not content.slug or _skus(operation):
            return None
        asked = {"slug": content.slug, "include_status": "any,trash", "_fields": _PRODUCT_FIELDS}
        for row in await self._all("products", asked, WireProduct):
            key = carried_key(row.meta_data)
            if key == operation.key:
                return row.id, "key"
            if row.slug == content.slug and not is_anothers(key, operation.key):
                return row.id, "slug"
        return None

    async def _with_variations(self, operation: Operation, target: int, by: str) -> Match:
        content = operation.content
        if not isinstance(content, Product) or not content.variants:
            return Match(target_id=str(target), by=by)
        try:
            rows = await self._loader.variations(WireProduct(id=target))
        except RefusedRequest as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            rows = []
        return Match(target_id=str(target), by=by, children=pair_variations(operation, rows))

    # --- customers ------------------------------------------------------------------------------

    async def customer(self, operation: Operation) -> Match | None:
        """By email, whatever the role. Emails are compared without case."""
        content = operation.content
        if not isinstance(content, Customer):
            return None
        asked = {"email": content.email, "role": "all"}
        for row in await self._all("customers", asked, WireCustomer):
            if (row.email or "").casefold() == content.email.casefold():
                by = "key" if carried_key(row.meta_data) == operation.key else "email"
                return Match(target_id=str(row.id), by=by)
        return None

    # --- orders ---------------------------------------------------------------------------------

    async def _orders(self, operations: Sequence[Operation]) -> dict[str, Match]:
        by_key = {operation.key: operation for operation in operations}
        rows = await self._by_created_via(sorted(by_key))
        found: dict[str, WireOrder] = {}
        # The last one put in stays: of doubles the oldest, and what is alive before the trash.
        for row in sorted(rows, key=lambda each: (each.status != "trash", -each.id)):
            if row.created_via in by_key:
                found[by_key[row.created_via].source_id] = row
        hits = [each for each in operations if each.source_id in found]
        matches = await together([self._with_parts(each, found[each.source_id]) for each in hits])
        return {each.source_id: match for each, match in zip(hits, matches, strict=True)}

    async def _by_created_via(self, keys: Sequence[str]) -> list[WireOrder]:
        asked = [
            {"created_via": ",".join(some), "status": status}
            for some in _portions(keys)
            for status in ("any", "trash")
        ]
        fields = {"_fields": _ORDER_FIELDS}
        lists = await together([self._all("orders", fields | each, WireOrder) for each in asked])
        return [row for rows in lists for row in rows]

    async def _with_parts(self, operation: Operation, row: WireOrder) -> Match:
        children: dict[str, str] = {}
        content = operation.content
        if isinstance(content, Order):
            children = pair_parts(content, row)
        if row.refunds:
            children |= pair_refunds(await self._loader.refunds(row))
        return Match(target_id=str(row.id), by="key", children=children)


def _portions(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """At most 100 values, and not more than an address can hold, at a time."""
    some: list[str] = []
    length = 0
    for value in values:
        if some and (length + len(value) >= _LIST_LENGTH or len(some) >= 100):  # noqa: PLR2004
            yield some
            some, length = [], 0
        some.append(value)
        length += len(value) + 1
    if some:
        yield some


def _skus(operation: Operation) -> list[str]:
    content = operation.content
    if not isinstance(content, Product):
        return []
    return [sku for sku in (content.sku, *(each.sku for each in content.variants)) if sku]


def _hit(
    operation: Operation, by_sku: Mapping[str, Sequence[WireProduct]]
) -> tuple[int, str] | None:
    """The product that has one of the SKUs, itself or in a variation."""
    rows = [row for sku in _skus(operation) for row in by_sku.get(sku.casefold(), ())]
    for row in rows:
        key = carried_key(row.meta_data)
        product = row.id
        if row.type == "variation" and row.parent_id:
            product = row.parent_id
            # The key of a variation begins with its product's.
            key = None if key is None else key.rpartition(":")[0]
        if key == operation.key:
            return product, "key"
        if not is_anothers(key, operation.key):
            return product, "sku"
    return None


def _levels(operations: Sequence[Operation]) -> dict[str, Match]:
    """Stock is never created: it belongs to a product that is there."""
    found = {}
    for operation in operations:
        content = operation.content
        if isinstance(content, InventoryLevel) and content.product:
            found[operation.source_id] = Match(target_id=content.record_id, by="key")
    return found
