"""From rows of a list to records: fetches what hangs on them (variations, refunds) and maps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from connectors.concurrency import together
from connectors.records import Record, Stream
from connectors.woocommerce.api import Api, RefusedRequest
from connectors.woocommerce.lists import BY_ID, PAGE, VARIATION_STOCK_FIELDS
from connectors.woocommerce.mapping_customers import customer
from connectors.woocommerce.mapping_orders import IGNORED, order
from connectors.woocommerce.mapping_products import category, has_variants, level, product
from connectors.woocommerce.parts import UnmappableError
from connectors.woocommerce.reading import everything
from connectors.woocommerce.settings import WooCommerceSettings
from connectors.woocommerce.wire import (
    WireOrder,
    WireProduct,
    WireRefund,
    WireStock,
    WireVariation,
)
from connectors.woocommerce.wordpress import store_currency

W = TypeVar("W", WireProduct, WireOrder, WireStock)
C = TypeVar("C", WireVariation, WireRefund, WireStock)


class Loaded(NamedTuple):
    """Records, and (id, reason) of those that could not be mapped."""

    records: list[Record]
    failed: list[tuple[str, str]]


class Loader:
    """Turns rows into records, with as many side requests as they need, side by side."""

    def __init__(self, api: Api, settings: WooCommerceSettings) -> None:
        self._api = api
        self._settings = settings
        self._currency = ""
        self._lists_refunds = True
        self._asking = asyncio.Lock()

    async def load(self, stream: Stream, rows: Sequence[Any]) -> Loaded:
        """Records of a stream's rows. Rows whose record is gone meanwhile are left out."""
        match stream:
            case Stream.CATEGORIES:
                return _mapped(rows, lambda row: [category(row)])
            case Stream.CUSTOMERS:
                return _mapped(rows, lambda row: [customer(row)])
            case Stream.ORDERS:
                return await self._orders(rows)
            case Stream.PRODUCTS:
                return await self._products(rows)
            case Stream.INVENTORY:
                return await self._levels(rows)

    async def _orders(self, rows: Sequence[WireOrder]) -> Loaded:
        placed = [row for row in rows if row.status not in IGNORED]
        refunded = [row for row in placed if row.refunds]
        if not refunded:
            return _mapped(placed, lambda row: [order(row)])
        refunds = await self._refunds_of(refunded)
        return _mapped(placed, lambda row: _order_records(row, refunds))

    async def _refunds_of(self, rows: Sequence[WireOrder]) -> dict[int, list[Any] | None]:
        """The refunds of each order, by its id: of many orders at once, where the store lists
        refunds across orders. What that list does not show in full is asked of the order itself.
        """
        listed = await self._listed_refunds(rows) if len(rows) > 1 else {}
        whole: dict[int, list[Any] | None] = {}
        for row in rows:
            found = listed.get(row.id, [])
            if {each.id for each in found} == {each.id for each in row.refunds}:
                whole[row.id] = found
        return whole | await self._children(
            [row for row in rows if row.id not in whole], self.refunds
        )

    async def _listed_refunds(self, rows: Sequence[WireOrder]) -> dict[int, list[WireRefund]]:
        if not self._lists_refunds:
            return {}
        wanted = sorted({refund.id for row in rows for refund in row.refunds})
        asked = [
            {**BY_ID, "include": ",".join(map(str, wanted[start : start + PAGE])), "per_page": PAGE}
            for start in range(0, len(wanted), PAGE)
        ]
        try:
            pages = await together([self._api.list("refunds", each, WireRefund) for each in asked])
        except RefusedRequest as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            # A WooCommerce before 9.0 lists refunds by the order only.
            self._lists_refunds = False
            return {}
        found: dict[int, list[WireRefund]] = {}
        for page in pages:
            for refund in page.rows:
                found.setdefault(refund.parent_id, []).append(refund)
        return found

    async def _products(self, rows: Sequence[WireProduct]) -> Loaded:
        currency = await self.currency()
        wanted = [row for row in rows if row.type != "variation"]
        parents = [row for row in wanted if row.variations]
        children = await self._children(parents, self.variations)

        def records(row: WireProduct) -> list[Record]:
            variations = children.get(row.id, [])
            return [] if variations is None else [product(row, variations, currency)]

        return _mapped(wanted, records)

    async def _levels(self, rows: Sequence[WireStock]) -> Loaded:
        wanted = [row for row in rows if row.type not in ("variation", "external")]
        parents = [row for row in wanted if row.variations]
        children = await self._children(parents, self._variation_levels)

        def records(row: WireStock) -> list[Record]:
            variations = children.get(row.id, [])
            if variations is None:
                return []
            # A variable product only sums up its variations, or counts for those that share it.
            own = [] if has_variants(row) else [level(row)]
            return own + [level(each, row) for each in variations]

        return _mapped(wanted, records)

    async def currency(self) -> str:
        """The currency of product prices, asked once."""
        async with self._asking:
            if not self._currency:
                self._currency = await store_currency(self._api, self._settings)
        return self._currency

    async def refunds(self, row: WireOrder) -> list[WireRefund]:
        """All refunds of an order, by id."""
        return await everything(self._fetch(f"orders/{row.id}/refunds", WireRefund))

    async def variations(self, row: WireProduct) -> list[WireVariation]:
        """All variations of a product, by id."""
        return await everything(
            self._fetch(
                f"products/{row.id}/variations",
                WireVariation,
                {"include_status": "any,trash"} if row.status == "trash" else {},
            )
        )

    async def _variation_levels(self, row: WireStock) -> list[WireStock]:
        path = f"products/{row.id}/variations"
        return await everything(self._fetch(path, WireStock, {"_fields": VARIATION_STOCK_FIELDS}))

    def _fetch(self, path: str, kind: type[C], query: dict[str, str] | None = None) -> Any:
        fixed: dict[str, str | int] = {**BY_ID, **(query or {})}

        async def fetch(offset: int, size: int) -> Any:
            return await self._api.list(path, fixed | {"offset": offset, "per_page": size}, kind)

        return fetch

    async def _children(
        self, rows: Iterable[W], load: Callable[[W], Any]
    ) -> dict[int, list[Any] | None]:
        """What hangs on each row, by its id; None where the row's record is gone meanwhile."""

        async def one(row: W) -> tuple[int, list[Any] | None]:
            try:
                return row.id, await load(row)
            except RefusedRequest as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    raise
                return row.id, None

        return dict(await together([one(row) for row in rows]))


def _order_records(row: WireOrder, refunds: dict[int, list[Any] | None]) -> list[Record]:
    found = refunds.get(row.id, [])
    return [] if found is None else [order(row, found)]


def _mapped(rows: Iterable[Any], records: Callable[[Any], list[Record]]) -> Loaded:
    loaded: list[Record] = []
    failed: list[tuple[str, str]] = []
    for row in rows:
        try:
            loaded += records(row)
        except UnmappableError as error:
            failed.append((str(row.id), str(error)))
    return Loaded(loaded, failed)
