"""Finding records on the target before anything is created: by our key, then by natural key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from msgspec import Struct

from connectors.base import Match, Operation
from connectors.concurrency import together
from connectors.keys import is_anothers
from connectors.medusa.api import Api, Asked, Listing
from connectors.medusa.bodies import variant_key
from connectors.medusa.bodies_orders import order_id, parts_of
from connectors.medusa.fields import ALL
from connectors.medusa.parts import KEY, text_of
from connectors.medusa.reading import rows_of
from connectors.medusa.wire import WireCustomer, WireProduct, WireVariant
from connectors.records import Category, Customer, InventoryLevel, Product, Stream, Variant

T = TypeVar("T")

_AT_ONCE = 50
_PRODUCT = "id,external_id,handle,status"


class _Category(Struct):
    id: str
    name: str = ""
    handle: str | None = ""
    external_id: str | None = None
    parent_category_id: str | None = None


class _Product(Struct):
    id: str
    external_id: str | None = None
    handle: str | None = ""


class _Variant(Struct):
    id: str
    product_id: str | None = None


class Finder:
    """Look-ups on one store. A failed look-up raises; it is never «not found»."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """Matches by source id. Raises `StoreError`."""
        if not operations:
            return {}
        match stream:
            case Stream.CATEGORIES:
                return await self._categories(operations)
            case Stream.PRODUCTS:
                return await self._products(operations)
            case Stream.CUSTOMERS:
                found = await together([self._customer(each) for each in operations])
                pairs = zip(operations, found, strict=True)
                return {operation.source_id: match for operation, match in pairs if match}
            case Stream.ORDERS:
                return await self._orders(operations)
            case Stream.INVENTORY:
                return _levels(operations)

    async def one(self, stream: Stream, operation: Operation) -> Match | None:
        """The match of one operation. Raises `StoreError`."""
        return (await self.find(stream, [operation])).get(operation.source_id)

    async def _all(self, path: str, row: type[T], fields: str, **values: Iterable[str]) -> list[T]:
        """All rows that have one of the values in the named field."""
        [(name, wanted)] = values.items()
        texts = sorted({each for each in wanted if each})
        pages: list[Listing[T]] = await together(
            [
                self._api.list(
                    path,
                    {
                        f"{name}[]": texts[start : start + _AT_ONCE],
                        "fields": fields,
                        "limit": ALL,
                    },
                    row,
                )
                for start in range(0, len(texts), _AT_ONCE)
            ]
        )
        return [row for page in pages for row in page.rows]

    # --- categories -----------------------------------------------------------------------------

    async def _categories(self, operations: Sequence[Operation]) -> dict[str, Match]:
        """By our key, by handle, which is unique, else by name below the same parent."""
        fields = "id,name,handle,external_id,parent_category_id"
        page = await self._api.list(
            "product-categories", {"fields": fields, "limit": ALL}, _Category
        )
        rows = sorted(page.rows, key=lambda each: each.id, reverse=True)
        by_key = {row.external_id: row for row in rows if row.external_id}
        by_handle = {row.handle: row for row in rows}
        by_name = {(row.name, row.parent_category_id): row for row in rows}
        found = {}
        for operation in operations:
            content = operation.content
            if not isinstance(content, Category):
                continue
            for by, row in (
                ("key", by_key.get(operation.key)),
                ("slug", by_handle.get(content.slug)),
                ("name", by_name.get((content.name, content.parent))),
            ):
                if row is not None and not is_anothers(row.external_id, operation.key):
                    found[operation.source_id] = Match(target_id=row.id, by=by)
                    break
        return found

    # --- products -------------------------------------------------------------------------------

    async def _products(self, operations: Sequence[Operation]) -> dict[str, Match]:
        """By our key, by SKU, else by handle."""
        keyed = await self._all("products", _Product, _PRODUCT, external_id=_keys(operations))
        by_key = {row.external_id: row for row in reversed(keyed)}
        hits = {e.source_id: (by_key[e.key], "key") for e in operations if e.key in by_key}
        unfound = [each for each in operations if each.source_id not in hits]
        hits |= await self._by_sku(unfound)
        unfound = [each for each in unfound if each.source_id not in hits]
        hits |= await self._by_handle(unfound)
        rows = await rows_of(self._api, Stream.PRODUCTS, sorted({r.id for r, _ in hits.values()}))
        whole: dict[str, WireProduct] = {row.id: row for row in rows.rows}
        return {
            each.source_id: Match(
                target_id=hits[each.source_id][0].id,
                by=hits[each.source_id][1],
                children=pair_variants(each, whole[hits[each.source_id][0].id]),
            )
            for each in operations
            if each.source_id in hits and hits[each.source_id][0].id in whole
        }

    async def _by_sku(self, operations: Sequence[Operation]) -> dict[str, tuple[_Product, str]]:
        wanted = {sku for each in operations for sku in _skus(each)}
        variants = await self._all("product-variants", _SkuRow, "id,sku,product_id", sku=wanted)
        owners = {each.sku: each.product_id or "" for each in variants}
        rows = await self._all("products", _Product, _PRODUCT, id=owners.values())
        by_id = {row.id: row for row in rows}
        found: dict[str, tuple[_Product, str]] = {}
        for operation in operations:
            for sku in _skus(operation):
                row = by_id.get(owners.get(sku, ""))
                if row is not None and not is_anothers(row.external_id, operation.key):
                    found.setdefault(operation.source_id, (row, "sku"))
        return found

    async def _by_handle(self, operations: Sequence[Operation]) -> dict[str, tuple[_Product, str]]:
        """By handle, where there is no SKU to go by."""
        slugs = {
            each.source_id: each.content.slug
            for each in operations
            if isinstance(each.content, Product) and not _skus(each) and each.content.slug
        }
        rows = await self._all("products", _Product, _PRODUCT, handle=slugs.values())
        by_handle = {row.handle: row for row in rows}
        found = {}
        for operation in operations:
            row = by_handle.get(slugs.get(operation.source_id, ""))
            if row is not None and not is_anothers(row.external_id, operation.key):
                found[operation.source_id] = (row, "slug")
        return found

    # --- customers and orders -------------------------------------------------------------------

    async def _customer(self, operation: Operation) -> Match | None:
        """By email without case, which Medusa tells apart. Ours come first, then the exact one."""
        content = operation.content
        if not isinstance(content, Customer) or not content.email:
            return None
        asked: Asked = {"q": content.email, "fields": "id,email,metadata", "limit": ALL}
        page = await self._api.list("customers", asked, WireCustomer)
        rows = [
            row
            for row in page.rows
            if (row.email or "").casefold() == content.email.casefold()
            and not is_anothers(text_of(row.metadata, KEY) or None, operation.key)
        ]
        if not rows:
            return None
        best = min(
            rows,
            key=lambda row: (
                text_of(row.metadata, KEY) != operation.key,
                row.email != content.email,
                row.id,
            ),
        )
        by = "key" if text_of(best.metadata, KEY) == operation.key else "email"
        return Match(target_id=best.id, by=by)

    async def _orders(self, operations: Sequence[Operation]) -> dict[str, Match]:
        """By the id that our key makes."""
        ids = {order_id(each.key): each for each in operations}
        page = await rows_of(self._api, Stream.ORDERS, sorted(ids))
        return {
            ids[row.id].source_id: Match(target_id=row.id, by="key", children=parts_of(row))
            for row in page.rows
        }


class _SkuRow(_Variant):
    sku: str | None = ""


def _keys(operations: Sequence[Operation]) -> list[str]:
    return [each.key for each in operations]


def _skus(operation: Operation) -> list[str]:
    content = operation.content
    if not isinstance(content, Product):
        return []
    return [sku for sku in (content.sku, *(each.sku for each in content.variants)) if sku]


def pair_variants(operation: Operation, row: WireProduct) -> dict[str, str]:
    """Variants of the target by the source's ids: by our key, by SKU, by their options."""
    content = operation.content
    if not isinstance(content, Product):
        return {}
    found = row.variants or []
    by_key = {text_of(each.metadata, KEY): each.id for each in found}
    by_sku = {(each.sku or "").casefold(): each.id for each in found if each.sku}
    by_options: defaultdict[Any, str] = defaultdict(str, {_options(e): e.id for e in found})
    pairs = {}
    for variant in content.variants:
        target = (
            by_key.get(variant_key(operation, variant))
            or (by_sku.get(variant.sku.casefold()) if variant.sku else "")
            or by_options[_wanted(variant)]
        )
        if target:
            pairs[variant.id] = target
    return pairs


def _options(wire: WireVariant) -> frozenset[tuple[str, str]]:
    pairs = ((e.option.title, e.value) for e in wire.options or () if e.option)
    return frozenset((title.casefold(), value.casefold()) for title, value in pairs)


def _wanted(variant: Variant) -> frozenset[tuple[str, str]]:
    return frozenset((each.name.casefold(), each.value.casefold()) for each in variant.options)


def _levels(operations: Sequence[Operation]) -> dict[str, Match]:
    """A level is there where its product is."""
    return {
        each.source_id: Match(target_id=each.content.record_id, by="key")
        for each in operations
        if isinstance(each.content, InventoryLevel) and each.content.product
    }
