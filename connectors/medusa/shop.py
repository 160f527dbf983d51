"""What has to be known of a store as a whole, asked once."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TypeVar

from msgspec import Struct

from connectors.base import StoreReport, TaxBasis
from connectors.errors import BadAnswer, SignInAgain
from connectors.medusa.api import Api, Asked, RefusedRequest
from connectors.medusa.settings import MedusaSettings
from connectors.medusa.wire import WireLocation, WirePricePreference, WireProfile, WireStore

T = TypeVar("T")

ADDON = "recent-sync/orders"
ADDON_VERSION = 2

_READ = "addons/medusa/README.md"
_NO_ADDON = (
    "The add-on is not installed in this store: orders cannot be written. Medusa's own way, drafts "
    "that are converted, would give them new numbers and today's date, reserve stock and announce "
    f"them to customers. See {_READ}."
)
_OTHER_ADDON = (
    "The add-on of this store is of another version than this connector: orders cannot be written. "
    f"Copy it again as {_READ} says."
)
_NO_LOCATION = (
    "The store has no stock location: stock cannot be written. Make one under Settings, Locations."
)


class _Addon(Struct):
    version: int


class Shop:
    """One store's own facts. Raises `StoreError`."""

    def __init__(self, api: Api, settings: MedusaSettings) -> None:
        self._api = api
        self._settings = settings
        self._asking = asyncio.Lock()
        self._store: WireStore | None = None
        self._location: str | None = None
        self._profile: str | None = None
        self._addon: int | None = None

    async def store(self) -> WireStore:
        """The store itself."""
        async with self._asking:
            if self._store is None:
                query: Asked = {"fields": "id,name,default_sales_channel_id,*supported_currencies"}
                page = await self._api.list("stores", query, WireStore)
                if not page.rows:
                    raise BadAnswer("there is no store behind this address")
                self._store = page.rows[0]
            return self._store

    async def currency(self) -> str:
        """The currency of prices: the store's default one, or its first."""
        found = (await self.store()).supported_currencies or []
        chosen = [each for each in found if each.is_default] or found
        if not chosen:
            raise BadAnswer("the store has no currency", code="store_no_currency")
        return chosen[0].currency_code.upper()

    async def location(self) -> str:
        """The stock location that is written to, empty where there is none."""
        if self._settings.location_ids:
            return self._settings.location_ids[0]
        async with self._asking:
            if self._location is None:
                query: Asked = {"fields": "id,created_at", "order": "created_at", "limit": 1}
                page = await self._api.list("stock-locations", query, WireLocation)
                self._location = page.ids[0] if page.ids else ""
            return self._location

    async def profile(self) -> str:
        """The shipping profile of goods that have no other, empty where there is none."""
        async with self._asking:
            if self._profile is None:
                query: Asked = {"fields": "id,type", "limit": 100}
                page = await self._api.list("shipping-profiles", query, WireProfile)
                found = [each for each in page.rows if each.type == "default"] or page.rows
                self._profile = found[0].id if found else ""
            return self._profile

    async def addon(self) -> int:
        """The version of our add-on in the store, 0 where it is not installed."""
        async with self._asking:
            if self._addon is None:
                try:
                    self._addon = (await self._api.get(ADDON, _Addon)).version
                except RefusedRequest as error:
                    if error.status != HTTPStatus.NOT_FOUND:
                        raise
                    self._addon = 0
            return self._addon

    async def report(self) -> StoreReport:
        """What there is to tell about the store."""
        try:
            store = await self.store()
        except RefusedRequest as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            text = "there is no Medusa server at this address"
            raise BadAnswer(text, code="store_not_medusa") from None
        return StoreReport(
            platform_version="2",
            name=store.name,
            currency=await self.currency(),
            tax_basis=await self._tax_basis(),
            server_time=self._api.http.server_now,
        )

    async def _tax_basis(self) -> TaxBasis | None:
        """What prices of the store's currency are; those of a region of its own are not written.

        Medusa takes them for net where nobody has said anything.
        """
        wanted = (await self.currency()).lower()
        query: Asked = {"attribute": "currency_code", "value": wanted, "limit": 1}
        try:
            page = await self._api.list("price-preferences", query, WirePricePreference)
        except (RefusedRequest, SignInAgain):
            return None  # a role may not look at it: everything else can go on
        is_gross = any(
            each.is_tax_inclusive
            for each in page.rows
            if each.attribute == "currency_code" and each.value == wanted
        )
        return TaxBasis.GROSS if is_gross else TaxBasis.NET

    async def findings(self) -> tuple[tuple[str, str], ...]:
        """What stands in the way of writing."""
        version = await self.addon()
        found = []
        if version != ADDON_VERSION:
            found.append(
                ("addon_other_version", _OTHER_ADDON) if version else ("addon_missing", _NO_ADDON)
            )
        if not await self.location():
            found.append(("no_stock_location", _NO_LOCATION))
        return tuple(found)
