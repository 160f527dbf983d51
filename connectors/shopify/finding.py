"""Finding records on the target before anything is created: by our key, then by natural key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, cast

from msgspec import Raw

from connectors.base import Match, Operation
from connectors.concurrency import together
from connectors.errors import BadAnswer
from connectors.keys import is_anothers
from connectors.records import Category, Customer, InventoryLevel, Order, Product, Stream
from connectors.shopify.api import Api, decoder
from connectors.shopify.documents_writing import FIND_BY_SKU, FIND_BY_TITLE, find_one
from connectors.shopify.keys import Keys, custom_id
from connectors.shopify.loading import Loader
from connectors.shopify.pairing import pair_order, pair_variants
from connectors.shopify.parts import number, own_key
from connectors.shopify.wire import Nodes, Wire, WireId, WireMetafield, WireOfProduct, WireProduct
from connectors.shopify.wire_orders import WireOrder

_Found = dict[str, Raw]


class _Carrier(Wire):
    """A record with its metafields, and its handle where it has one."""

    id: str
    metafields: Nodes[WireMetafield]
    handle: str = ""


class _Variant(Wire):
    id: str
    product: WireOfProduct
    sku: str | None = None


class _Title(Wire):
    id: str
    title: str
    handle: str = ""


class Finder:
    """Look-ups on one store. A failed look-up raises; it is never «not found»."""

    def __init__(self, api: Api, loader: Loader, keys: Keys) -> None:
        self._api = api
        self._loader = loader
        self._keys = keys

    async def find(self, stream: Stream, operations: Sequence[Operation]) -> dict[str, Match]:
        """Matches by source id. Raises `StoreError`."""
        if stream is Stream.INVENTORY:
            return _levels(operations)
        find: Callable[[Operation], Awaitable[Match | None]] = {
            Stream.CATEGORIES: self._category,
            Stream.PRODUCTS: self._product,
            Stream.CUSTOMERS: self._customer,
            Stream.ORDERS: self._order,
        }[stream]
        # Asked once, not by every look-up.
        await self._keys.defined(stream)
        found = await together([_coroutine(find, each) for each in operations])
        pairs = zip(operations, found, strict=True)
        return {operation.source_id: match for operation, match in pairs if match}

    async def by_email(self, operation: Operation) -> str | None:
        """The id of the customer who has the email. Emails are compared without case."""
        content = operation.content
        if not isinstance(content, Customer) or not content.email:
            return None
        found = await self._one(Stream.CUSTOMERS, {"emailAddress": content.email}, WireId)
        return number(found.id) if found else None

    async def _category(self, operation: Operation) -> Match | None:
        """By our key, by handle, which is unique, else by title."""
        content = operation.content
        if not isinstance(content, Category):
            return None
        found = await self._by_key(Stream.CATEGORIES, operation, WireId)
        if found:
            return Match(target_id=number(found.id), by="key")
        if content.slug:
            row = await self._one(Stream.CATEGORIES, {"handle": content.slug}, _Carrier)
            if row and not is_anothers(own_key(row.metafields.nodes), operation.key):
                return Match(target_id=number(row.id), by="slug")
            if row:
                return None
        asked = {"search": f"title:{quoted(content.name)}"}
        answer = await self._api.ask(FIND_BY_TITLE, dict[str, Nodes[_Title]], asked)
        for each in answer["collections"].nodes:
            # A search finds words, and what only looks alike.
            if each.title == content.name and not content.slug:
                return Match(target_id=number(each.id), by="name")
        return None

    async def _product(self, operation: Operation) -> Match | None:
        """By our key, by SKU, else by handle where there is no SKU."""
        content = operation.content
        if not isinstance(content, Product):
            return None
        row = await self._by_key(Stream.PRODUCTS, operation, WireProduct)
        by = "key"
        if row is None:
            skus = _skus(content)
            row, by = await self._by_sku(operation, skus), "sku"
            if row is None and not skus and content.slug:
                row, by = (
                    await self._one(Stream.PRODUCTS, {"handle": content.slug}, WireProduct),
                    "slug",
                )
                if row and is_anothers(own_key(row.metafields.nodes), operation.key):
                    return None
        if row is None:
            return None
        whole = await self._loader.completed(Stream.PRODUCTS, row)
        if whole is None:
            return None
        children = pair_variants(operation, whole.variants.nodes)
        return Match(target_id=number(row.id), by=by, children=children)

    async def _by_sku(self, operation: Operation, skus: Sequence[str]) -> WireProduct | None:
        """The product of the first SKU that is there; SKUs need not be unique on Shopify."""
        for sku in skus:
            asked = {"search": f"sku:{quoted(sku)}"}
            answer = await self._api.ask(FIND_BY_SKU, dict[str, Nodes[_Variant]], asked)
            found = answer["productVariants"]
            products = {
                each.product.id
                for each in found.nodes
                if (each.sku or "").casefold() == sku.casefold()
            }
            for product in sorted(products, key=_age):
                rows, failed = await self._loader.single(Stream.PRODUCTS, [product])
                if failed:
                    raise BadAnswer("a product has an unknown form", code="record_unmappable")
                row: WireProduct
                for row in rows:
                    if not is_anothers(own_key(row.metafields.nodes), operation.key):
                        return row
        return None

    async def _customer(self, operation: Operation) -> Match | None:
        """By our key, else by email."""
        found = await self._by_key(Stream.CUSTOMERS, operation, WireId)
        if found:
            return Match(target_id=number(found.id), by="key")
        target = await self.by_email(operation)
        return Match(target_id=target, by="email") if target else None

    async def _order(self, operation: Operation) -> Match | None:
        content = operation.content
        row = await self._by_key(Stream.ORDERS, operation, WireOrder)
        if row is None or not isinstance(content, Order):
            return None
        whole = await self._loader.completed(Stream.ORDERS, row)
        if whole is None:
            return None
        return Match(target_id=number(row.id), by="key", children=pair_order(content, whole))

    async def _by_key(self, stream: Stream, operation: Operation, kind: type[Any]) -> Any:
        if not await self._keys.defined(stream):
            return None
        return await self._one(stream, custom_id(operation.key), kind)

    async def _one(self, stream: Stream, identifier: Any, kind: type[Any]) -> Any:
        answer = await self._api.ask(find_one(stream), _Found, {"identifier": identifier})
        raw = answer["found"]
        if bytes(raw) == b"null":
            return None
        return decoder(cast("Hashable", kind)).decode(raw)


def _age(gid: str) -> int:
    return int(number(gid))


async def _coroutine(
    find: Callable[[Operation], Awaitable[Match | None]], operation: Operation
) -> Match | None:
    return await find(operation)


def quoted(text: str) -> str:
    """A text for a search, taken as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _skus(content: Product) -> list[str]:
    found = [content.sku, *(each.sku for each in content.variants)]
    return list(dict.fromkeys(each for each in found if each))


def _levels(operations: Sequence[Operation]) -> dict[str, Match]:
    """A level is where its product is."""
    return {
        each.source_id: Match(target_id=each.content.record_id, by="key")
        for each in operations
        if isinstance(each.content, InventoryLevel) and each.content.product
    }
