"""From rows of a list to records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from connectors.errors import BadAnswer
from connectors.medusa.api import Api, Listing
from connectors.medusa.mapping_customers import customer
from connectors.medusa.mapping_orders import order
from connectors.medusa.mapping_products import category, level, product
from connectors.medusa.parts import UnmappableError
from connectors.medusa.reading import rows_of
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.shop import Shop
from connectors.records import Record, Stream


class Loaded(NamedTuple):
    """Records, and (id, reason) of those that could not be mapped."""

    records: list[Record]
    failed: list[tuple[str, str]]


class Loader:
    """Turns rows of one store into records."""

    def __init__(self, api: Api, shop: Shop, settings: MedusaSettings) -> None:
        self._api = api
        self._shop = shop
        self._places = settings.location_ids

    async def load(self, stream: Stream, rows: Sequence[Any]) -> Loaded:
        """Records of a stream's rows. Raises `StoreError`."""
        match stream:
            case Stream.CATEGORIES:
                return _mapped(rows, lambda row: [category(row)])
            case Stream.CUSTOMERS:
                return _mapped(rows, lambda row: [customer(row)])
            case Stream.ORDERS:
                return _mapped(rows, lambda row: [order(row)])
            case Stream.PRODUCTS:
                currency = await self._shop.currency()
                return _mapped(rows, lambda row: [product(row, currency)])
            case Stream.INVENTORY:
                return _mapped(rows, self._levels)

    def _levels(self, row: Any) -> list[Record]:
        return [level(row.id, each, row, self._places) for each in row.variants or ()]

    async def get(self, stream: Stream, ids: Sequence[str]) -> dict[str, Record]:
        """Single records that are there. Raises `BadAnswer` for one that cannot be understood."""
        asked = set(ids)
        page: Listing[Any] = await rows_of(
            self._api, stream, sorted({each.partition(":")[0] for each in asked})
        )
        records, failed = await self.load(stream, page.rows)
        for found, reason in [*page.failed, *failed]:
            raise BadAnswer(f"record {found}: {reason}", code="record_unmappable")
        return {record.id: record for record in records if record.id in asked}


def _mapped(rows: Iterable[Any], records: Callable[[Any], list[Record]]) -> Loaded:
    loaded: list[Record] = []
    failed: list[tuple[str, str]] = []
    for row in rows:
        try:
            loaded += records(row)
        except UnmappableError as error:
            failed.append((row.id, str(error)))
    return Loaded(loaded, failed)
