"""What a store says of itself: its channel, its custom fields, and whether it has the add-on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from connectors.base import StoreReport, TaxBasis
from connectors.errors import BadAnswer, SignInAgain
from connectors.vendure.api import Api, Document, NoSuchFieldError
from connectors.vendure.parts import KEY, place, utc
from connectors.vendure.settings import VendureSettings
from connectors.vendure.wire import (
    Wire,
    WireChannel,
    WireImporter,
    WireImporterAnswer,
    WireMark,
    WireShop,
    WireTaxCategory,
)

_FIELDS = "... on CustomField { name }"
SHOP = Document(
    "query Shop { activeChannel { id code defaultCurrencyCode defaultLanguageCode "
    "pricesIncludeTax } globalSettings { trackInventory outOfStockThreshold serverConfig { "
    f"moneyStrategyPrecision entityCustomFields {{ entityName customFields {{ {_FIELDS} }} }} "
    "} } taxCategories(options: { take: 100 }) { items { id name isDefault } } }"
)
IMPORTER = Document("query Importer { recentSyncImporter { version vendure } }")
OURSELVES = Document("query Ourselves { activeAdministrator { user { id updatedAt } } }")
IMPORTER_VERSION = 2
_LONG = timedelta(minutes=15)

_WITHOUT = (
    "addon_missing",
    (
        "Without the add-on for Vendure, or its permission RecentSyncImport, orders cannot be "
        "written, records carry no key of ours, and creating customers may mail them."
    ),
)


class _User(Wire):
    user: WireMark


class _Ourselves(Wire):
    active_administrator: _User


class Shop(Struct, frozen=True):
    """What does not change while a store is open. `custom` are names of custom fields by entity;
    `importer` is the add-on, or None; `tax_classes` are what tax categories are called elsewhere,
    by their ids: nothing for the usual one.
    """

    channel: WireChannel
    language: str
    precision: int
    tracks: bool
    threshold: int
    custom: Mapping[str, frozenset[str]]
    importer: WireImporter | None
    tax_classes: Mapping[str, str]

    def has(self, entity: str, name: str) -> bool:
        """Whether records of this kind have a custom field."""
        return name in self.custom.get(entity, frozenset())


class Shops:
    """Asks a store once who it is."""

    def __init__(self, api: Api, settings: VendureSettings) -> None:
        self._api = api
        self._settings = settings
        self._asking = asyncio.Lock()
        self._found: Shop | None = None

    async def shop(self) -> Shop:
        """The store. Raises `StoreError`."""
        async with self._asking:
            if self._found is None:
                self._found = await self._ask()
            return self._found

    async def examine(self, *, writing: bool) -> StoreReport:
        """Prove that the store answers and lets us in. Raises `StoreError`."""
        shop = await self._ask()
        if shop.importer is not None and shop.importer.version != IMPORTER_VERSION:
            raise BadAnswer(
                f"the store's add-on has version {shop.importer.version}, not {IMPORTER_VERSION}",
                code="addon_version",
            )
        findings = [_WITHOUT] if writing and shop.importer is None else []
        findings += await self._clock()
        return StoreReport(
            platform_version=shop.importer.vendure if shop.importer else "",
            name=shop.channel.code,
            currency=shop.channel.default_currency_code,
            tax_basis=TaxBasis.GROSS if shop.channel.prices_include_tax else TaxBasis.NET,
            server_time=self._api.http.server_now,
            findings=tuple(findings),
            addon=str(shop.importer.version) if shop.importer else "",
        )

    async def _ask(self) -> Shop:
        found = await self._api.ask(SHOP, WireShop)
        config = found.global_settings.server_config
        channel = found.active_channel
        return Shop(
            channel=channel,
            language=self._settings.language or channel.default_language_code,
            precision=config.money_strategy_precision,
            tracks=found.global_settings.track_inventory,
            threshold=found.global_settings.out_of_stock_threshold,
            custom={
                each.entity_name: frozenset(field.name for field in each.custom_fields)
                for each in config.entity_custom_fields
            },
            importer=await self._importer(),
            tax_classes=_tax_classes(found.tax_categories.items),
        )

    async def _clock(self) -> list[tuple[str, str]]:
        """Whether the store dates what it just did as now: to let us in, it changed its user."""
        if not self._api.signs_in:
            return []
        answer = await self._api.ask(OURSELVES, _Ourselves)
        return zone_findings(utc(answer.active_administrator.user.updated_at), self._api.now)

    async def _importer(self) -> WireImporter | None:
        """The add-on; None where there is none, or where it is not for us."""
        try:
            answer = await self._api.ask(IMPORTER, WireImporterAnswer)
        except (NoSuchFieldError, SignInAgain):
            return None
        return answer.recent_sync_importer


def zone_findings(stamp: datetime | None, now: datetime | None) -> list[tuple[str, str]]:
    """What is wrong where the store dates as `stamp` what happened some moments before `now`."""
    if stamp is None or now is None or abs(now - stamp) < _LONG:
        return []
    hours = round((now - stamp).total_seconds() / 3600)
    return [
        (
            "database_zone",
            (
                f"The store's dates are {hours} hours behind its clock: its database and "
                "dbConnectionOptions.timezone have to be of one time zone, or windows lose changes."
            ),
        )
    ]


def has_keys(shop: Shop, entity: str) -> bool:
    """Whether records of this kind carry our key."""
    return shop.has(entity, KEY)


def _tax_classes(rows: Sequence[WireTaxCategory]) -> dict[str, str]:
    """The usual tax category is the store's default one, or the oldest where it names none."""
    ordered = sorted(rows, key=lambda each: (not each.is_default, place(each.id)))
    return {each.id: "" if index == 0 else each.name for index, each in enumerate(ordered)}
