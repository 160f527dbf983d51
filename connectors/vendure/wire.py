"""Vendure's catalogue and customers as its API answers them: only what is asked for in `documents`.

Money is in whole units of the store's smallest one.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")
Custom = dict[str, Any] | None
"""A record's custom fields by name; none where the store has none for it."""


class Wire(Struct, rename="camel"):
    """Field names as Vendure spells them."""


class Listed(Wire, Generic[T]):
    """Part of a list, and how long all of it is."""

    items: list[T]
    total_items: int = 0


class WireId(Wire):
    id: str


class WireMark(Wire):
    id: str
    updated_at: str | None = None


class WireAsset(Wire):
    id: str
    source: str
    name: str = ""


class WireArgument(Wire):
    name: str
    value: str


class WireFilter(Wire):
    code: str
    args: list[WireArgument] = field(default_factory=list)


class WireFiltered(Wire):
    """A collection and who is in it."""

    id: str
    filters: list[WireFilter] = field(default_factory=list)


class WireCollection(Wire):
    id: str
    name: str
    slug: str = ""
    description: str = ""
    position: int = 0
    is_private: bool = False
    inherit_filters: bool = True
    updated_at: str | None = None
    parent: WireNamed | None = None
    featured_asset: WireAsset | None = None
    filters: list[WireFilter] = field(default_factory=list)
    custom_fields: Custom = None


class WireNamed(Wire):
    id: str
    name: str = ""
    code: str = ""


# --- products ------------------------------------------------------------------------------------


class WireOption(Wire):
    id: str
    name: str
    code: str = ""
    group: WireNamed | None = None


class WireGroup(Wire):
    id: str
    name: str
    code: str = ""
    options: list[WireOption] = field(default_factory=list)


class WireFacet(Wire):
    id: str
    name: str
    code: str
    is_private: bool = False


class WireFacetValue(Wire):
    id: str
    name: str
    code: str
    facet: WireFacet


class WirePrice(Wire):
    price: Decimal
    currency_code: str


class WireVariant(Wire):
    id: str
    sku: str = ""
    name: str = ""
    enabled: bool = True
    updated_at: str | None = None
    prices: list[WirePrice] = field(default_factory=list)
    options: list[WireOption] = field(default_factory=list)
    featured_asset: WireAsset | None = None
    tax_category: WireId | None = None
    custom_fields: Custom = None


class WireTaxCategory(Wire):
    id: str
    name: str
    is_default: bool = False


class WireProduct(Wire):
    id: str
    name: str
    slug: str = ""
    description: str = ""
    enabled: bool = True
    created_at: str | None = None
    updated_at: str | None = None
    featured_asset: WireAsset | None = None
    assets: list[WireAsset] = field(default_factory=list)
    option_groups: list[WireGroup] = field(default_factory=list)
    facet_values: list[WireFacetValue] = field(default_factory=list)
    collections: list[WireId] = field(default_factory=list)
    variants: list[WireVariant] = field(default_factory=list)
    custom_fields: Custom = None


class WireLevel(Wire):
    stock_location_id: str
    stock_on_hand: int
    stock_allocated: int
    updated_at: str | None = None


class WireStock(Wire):
    """A variant with its stock. `track_inventory` is `TRUE`, `FALSE` or `INHERIT`."""

    id: str
    product_id: str
    sku: str = ""
    options: list[WireId] = field(default_factory=list)
    track_inventory: str = "INHERIT"
    out_of_stock_threshold: int = 0
    use_global_out_of_stock_threshold: bool = True
    stock_levels: list[WireLevel] = field(default_factory=list)


# --- customers -----------------------------------------------------------------------------------


class WireCountry(Wire):
    code: str
    name: str = ""


class WireAddress(Wire):
    """An address of a customer, or of an order; of the latter the country's code stands apart."""

    id: str = ""
    full_name: str | None = None
    company: str | None = None
    street_line1: str | None = None
    street_line2: str | None = None
    city: str | None = None
    province: str | None = None
    postal_code: str | None = None
    country: WireCountry | str | None = None
    country_code: str | None = None
    phone_number: str | None = None
    default_shipping_address: bool | None = None
    default_billing_address: bool | None = None
    custom_fields: Custom = None

    @property
    def code(self) -> str:
        """The country's code."""
        if isinstance(self.country, WireCountry):
            return self.country.code
        return self.country_code or ""


class WireUser(Wire):
    id: str
    verified: bool = False


class WireCustomer(Wire):
    id: str
    email_address: str
    first_name: str = ""
    last_name: str = ""
    title: str | None = None
    phone_number: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    user: WireUser | None = None
    addresses: list[WireAddress] | None = None
    custom_fields: Custom = None


# --- the store -----------------------------------------------------------------------------------


class WireChannel(Wire):
    id: str
    code: str
    default_currency_code: str
    default_language_code: str
    prices_include_tax: bool = False


class WireCustomField(Wire):
    name: str = ""


class WireEntityFields(Wire):
    entity_name: str
    custom_fields: list[WireCustomField] = field(default_factory=list)


class WireServer(Wire):
    money_strategy_precision: int = 2
    entity_custom_fields: list[WireEntityFields] = field(default_factory=list)


class WireGlobals(Wire):
    track_inventory: bool = True
    out_of_stock_threshold: int = 0
    server_config: WireServer = field(default_factory=WireServer)


class WireShop(Wire):
    active_channel: WireChannel
    global_settings: WireGlobals
    tax_categories: Listed[WireTaxCategory]


class WireImporter(Wire):
    version: int
    vendure: str = ""


class WireImporterAnswer(Wire):
    recent_sync_importer: WireImporter
