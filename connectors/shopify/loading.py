"""Making whole records of what a page shows of them: further pages of their parts are fetched."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, cast

import msgspec
from msgspec import Raw

from connectors.concurrency import together
from connectors.errors import BadAnswer
from connectors.records import Record, Stream
from connectors.shopify.api import Api, Document, TooCostlyError, decoder
from connectors.shopify.documents import KINDS, NESTED, SHOP, further, single
from connectors.shopify.mapping_customers import customer
from connectors.shopify.mapping_orders import order
from connectors.shopify.mapping_products import category, level, product
from connectors.shopify.parts import UnmappableError, number
from connectors.shopify.selections import (
    LEVELS,
    REFUNDED_LINES,
    REFUNDED_SHIPPING,
    SHIPPED_LINES,
    Parts,
)
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.wire import (
    Nodes,
    Wire,
    WireAddress,
    WireCollection,
    WireCustomer,
    WireId,
    WireLevel,
    WireMedia,
    WireMetafield,
    WireProduct,
    WireShop,
    WireShopAnswer,
    WireStock,
    WireVariant,
)
from connectors.shopify.wire_orders import (
    WireLine,
    WireNested,
    WireOrder,
    WireRefundedLine,
    WireRefundedShipping,
    WireShippedLine,
    WireShippingLine,
)

ROWS: dict[Stream, type[Any]] = {
    Stream.CATEGORIES: WireCollection,
    Stream.PRODUCTS: WireProduct,
    Stream.CUSTOMERS: WireCustomer,
    Stream.ORDERS: WireOrder,
    Stream.INVENTORY: WireStock,
}
PARTS: dict[str, tuple[str, type[Any]]] = {
    "variants": ("variants", WireVariant),
    "media": ("media", WireMedia),
    "collections": ("collections", WireId),
    "metafields": ("metafields", WireMetafield),
    "addressesV2": ("addresses_v2", WireAddress),
    "lineItems": ("line_items", WireLine),
    "shippingLines": ("shipping_lines", WireShippingLine),
    "refundLineItems": ("refund_line_items", WireRefundedLine),
    "refundShippingLines": ("refund_shipping_lines", WireRefundedShipping),
    "fulfillmentLineItems": ("fulfillment_line_items", WireShippedLine),
    "inventoryLevels": ("inventory_levels", WireLevel),
}
"""By the name of a connection: the attribute that holds it, and what its nodes are."""

Failed = tuple[str, str]


class _Further(Wire):
    node: dict[str, Raw] | None = None


class _Single(Wire):
    nodes: list[Raw]


class Loader:
    """Turns rows of a list into records. Remembers the shop."""

    def __init__(self, api: Api, settings: ShopifySettings) -> None:
        self._api = api
        self._locations = frozenset(settings.location_ids)
        self._most = settings.page_size
        self._shop: WireShop | None = None

    async def shop(self) -> WireShop:
        """What never changes of the shop: its currency, which all prices are in, and its units."""
        if self._shop is None:
            self._shop = (await self._api.ask(SHOP, WireShopAnswer)).shop
        return self._shop

    async def completed(self, stream: Stream, row: Any) -> Any:
        """A row with all its parts; None where its record was deleted meanwhile."""
        return row if await self._complete(stream, row) else None

    async def load(self, stream: Stream, rows: Sequence[Any]) -> tuple[list[Record], list[Failed]]:
        """Records, and (id, reason) of those that could not be understood or are not whole.

        A row whose record was deleted while its parts were read is left out. Raises `StoreError`.
        """
        currency = (await self.shop()).currency_code if stream is Stream.PRODUCTS else ""
        found = await together([self._whole(stream, row) for row in rows])
        records: list[Record] = []
        failed: list[Failed] = []
        for row in found:
            if row is None:
                continue
            try:
                _require_parts(row)
                records.append(self._record(stream, row, currency))
            except UnmappableError as error:
                failed.append((number(row.id), str(error)))
        return records, failed

    async def single(self, stream: Stream, gids: Sequence[str]) -> tuple[list[Any], list[Failed]]:
        """Rows by the store's own ids; those that are not there are left out."""
        return await self._by_ids(single(stream), ROWS[stream], gids, min(10, self._most))

    async def orders(self, gids: Sequence[str]) -> tuple[list[WireOrder], list[Failed]]:
        """Whole orders by their ids; those that are not there are left out. Raises `StoreError`."""
        rows, failed = await self.single(Stream.ORDERS, gids)
        return [row for row in rows if await self._complete(Stream.ORDERS, row)], failed

    async def nested_of_orders(self, gids: Sequence[str]) -> tuple[list[WireNested], list[Failed]]:
        """Refunds and shipments of orders, with all their lines. Raises `StoreError`."""
        rows, failed = await self._by_ids(NESTED, WireNested, gids, min(25, self._most))
        return [row for row in rows if await self._complete(None, row)], failed

    async def _by_ids(
        self, document: Document, kind: type[Any], gids: Sequence[str], size: int
    ) -> tuple[list[Any], list[Failed]]:
        rows: list[Any] = []
        failed: list[Failed] = []
        start = 0
        while start < len(gids):
            try:
                answer = await self._api.ask(document, _Single, {"ids": gids[start : start + size]})
            except TooCostlyError as error:
                size = smaller(size, error)
                continue
            some, broken = decoded(kind, answer.nodes)
            rows += some
            failed += broken
            start += size
        return rows, failed

    async def parts_of(self, parts: Parts, owner: str, kind: type[Any]) -> list[Any]:
        """All parts of one owner, page by page; none where it is gone. Raises `StoreError`."""
        found: list[Any] = []
        after: str | None = None
        while (some := await self._further(parts, owner, after, kind)) is not None:
            found += some.nodes
            after = some.page_info.end_cursor
            if not some.page_info.has_next_page:
                break
        return found

    def _record(self, stream: Stream, row: Any, currency: str) -> Record:
        match stream:
            case Stream.CATEGORIES:
                return category(row)
            case Stream.PRODUCTS:
                return product(row, currency)
            case Stream.CUSTOMERS:
                return customer(row)
            case Stream.ORDERS:
                return order(row)
            case Stream.INVENTORY:
                return level(row, self._locations)

    async def _whole(self, stream: Stream, row: Any) -> Any:
        """The row with all its parts; asked for once more where they do not add up."""
        if not await self._complete(stream, row):
            return None
        if _adds_up(row):
            return row
        again, _ = await self.single(stream, [row.id])
        if not again:
            return None
        return again[0] if await self._complete(stream, again[0]) else None

    async def _complete(self, stream: Stream | None, row: Any) -> bool:
        """Fetch all further parts; whether the record is still there."""
        for owner, parts in _owners(stream, row):
            name, kind = PARTS[parts.name]
            nodes: Nodes[Any] = getattr(owner, name)
            while nodes.page_info.has_next_page:
                more = await self._further(parts, owner.id, nodes.page_info.end_cursor, kind)
                if more is None:
                    return False
                nodes.nodes += more.nodes
                nodes.page_info = more.page_info
        return True

    async def _further(
        self, parts: Parts, owner: str, after: str | None, kind: type[Any]
    ) -> Nodes[Any] | None:
        answer = await self._api.ask(further(parts), _Further, {"id": owner, "after": after})
        if answer.node is None:
            return None
        found: Nodes[Any] = decoder(cast("Hashable", Nodes[kind])).decode(answer.node[parts.name])  # type: ignore[valid-type]
        if found.page_info.has_next_page and found.page_info.end_cursor in (None, after):
            raise BadAnswer("a list of parts has no end", code="store_repeats_page")
        return found


def decoded(kind: type[Any], nodes: Sequence[Raw]) -> tuple[list[Any], list[Failed]]:
    """Rows of a list, as wire records of a kind. One of an unknown form is kept apart and spoils no
    other; null and what is of another type are left out.
    """
    decode = decoder(cast("Hashable", kind)).decode
    rows: list[Any] = []
    failed: list[Failed] = []
    for raw in nodes:
        if bytes(raw) in (b"null", b"{}"):
            continue
        try:
            rows.append(decode(raw))
        except msgspec.ValidationError as error:
            row: WireId = decoder(WireId).decode(raw)
            failed.append((number(row.id), str(error)))
    return rows, failed


def smaller(size: int, error: TooCostlyError) -> int:
    """How many records to ask for instead. Raises the error where one is too costly already."""
    if size <= 1:
        raise error
    share = error.most / error.cost if error.cost > 0 < error.most else 0.5
    return max(1, min(size - 1, int(size * share)))


def _owners(stream: Stream | None, row: Any) -> Iterator[tuple[Any, Parts]]:
    """All connections of a record, those of its parts included; without a stream these alone."""
    for parts in KINDS[stream].parts if stream else ():
        yield row, parts
    if isinstance(row, WireOrder | WireNested):
        for refund in row.refunds:
            yield refund, REFUNDED_LINES
            yield refund, REFUNDED_SHIPPING
        for fulfilment in row.fulfillments:
            yield fulfilment, SHIPPED_LINES
    elif isinstance(row, WireStock):
        yield row.inventory_item, LEVELS


def _require_parts(row: Any) -> None:
    if not _adds_up(row):
        raise UnmappableError("the store shows fewer parts than it counts")


def _adds_up(row: Any) -> bool:
    """Whether a product has as many variants and media as it says."""
    if not isinstance(row, WireProduct):
        return True
    pairs = ((row.variants_count, row.variants.nodes), (row.media_count, row.media.nodes))
    return all(
        counted is None or counted.precision != "EXACT" or counted.count == len(nodes)
        for counted, nodes in pairs
    )
