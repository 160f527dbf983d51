"""Medusa's JSON as typed structs: only what is read. Amounts and quantities are decimals."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

Metadata = dict[str, Any] | None


class WireId(Struct, gc=False):
    id: str


class WireStamp(Struct, gc=False):
    id: str
    updated_at: datetime | None = None


class WireError(Struct, gc=False):
    """Why a request was refused. The message may hold what was sent: it goes nowhere."""

    type: str = ""
    message: str = ""


class WireCategory(Struct, gc=False):
    id: str
    name: str = ""
    handle: str | None = ""
    description: str | None = ""
    is_active: bool = True
    is_internal: bool = False
    rank: int | None = 0
    external_id: str | None = None
    parent_category_id: str | None = None
    metadata: Metadata = None
    updated_at: datetime | None = None


# --- products ------------------------------------------------------------------------------------


class WireTag(Struct, gc=False):
    id: str
    value: str = ""


class WireImage(Struct, gc=False):
    url: str = ""
    id: str = ""
    rank: int | None = 0


class WireValue(Struct, gc=False):
    id: str
    value: str = ""
    rank: int | None = None


class WireOption(Struct, gc=False):
    id: str
    title: str = ""
    values: list[WireValue] = []


class WireOptionTitle(Struct, gc=False):
    title: str = ""


class WireVariantOption(Struct, gc=False):
    value: str = ""
    option: WireOptionTitle | None = None


class WirePrice(Struct, gc=False):
    """A price of a variant. `rules` narrow it to some buyers; the empty ones hold for all."""

    id: str
    amount: Decimal
    currency_code: str = ""
    min_quantity: Decimal | None = None
    max_quantity: Decimal | None = None
    rules: dict[str, str] = {}


class WireVariant(Struct, gc=False):
    id: str
    title: str | None = ""
    sku: str | None = ""
    barcode: str | None = ""
    ean: str | None = ""
    upc: str | None = ""
    weight: Decimal | None = None
    length: Decimal | None = None
    width: Decimal | None = None
    height: Decimal | None = None
    variant_rank: int | None = 0
    thumbnail: str | None = None
    options: list[WireVariantOption] | None = None
    prices: list[WirePrice] | None = None
    metadata: Metadata = None


class WireNamed(Struct, gc=False):
    """A type (`value`) or a collection (`title`) of products."""

    value: str = ""
    title: str = ""


class WireProduct(Struct, gc=False):
    id: str
    title: str = ""
    subtitle: str | None = ""
    handle: str | None = ""
    description: str | None = ""
    status: str = "draft"
    external_id: str | None = None
    discountable: bool = True
    is_giftcard: bool = False
    thumbnail: str | None = None
    weight: Decimal | None = None
    length: Decimal | None = None
    width: Decimal | None = None
    height: Decimal | None = None
    origin_country: str | None = None
    hs_code: str | None = None
    mid_code: str | None = None
    material: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    type: WireNamed | None = None
    collection: WireNamed | None = None
    categories: list[WireId | None] | None = None
    tags: list[WireTag] | None = None
    images: list[WireImage] | None = None
    options: list[WireOption] | None = None
    variants: list[WireVariant] | None = None
    metadata: Metadata = None


# --- stock ---------------------------------------------------------------------------------------


class WireLocationLevel(Struct, gc=False):
    id: str
    location_id: str
    stocked_quantity: Decimal = Decimal(0)
    reserved_quantity: Decimal = Decimal(0)


class WireInventoryItem(Struct, gc=False):
    id: str
    sku: str | None = None
    location_levels: list[WireLocationLevel] | None = None


class WireInventoryLink(Struct, gc=False):
    """What a variant is made of: so many pieces of an inventory item."""

    required_quantity: Decimal = Decimal(1)
    inventory: WireInventoryItem | None = None


class WireStockVariant(Struct, gc=False):
    id: str
    sku: str | None = ""
    manage_inventory: bool = True
    allow_backorder: bool = False
    options: list[WireVariantOption] | None = None
    inventory_items: list[WireInventoryLink | None] | None = None


class WireStock(Struct, gc=False):
    """The fields of a product that inventory is made of."""

    id: str
    updated_at: datetime | None = None
    options: list[WireOption] | None = None
    variants: list[WireStockVariant] | None = None


# --- customers -----------------------------------------------------------------------------------


class WireAddress(Struct, gc=False):
    """An address of a customer or of an order."""

    id: str = ""
    first_name: str | None = ""
    last_name: str | None = ""
    company: str | None = ""
    address_1: str | None = ""
    address_2: str | None = ""
    city: str | None = ""
    province: str | None = ""
    postal_code: str | None = ""
    country_code: str | None = ""
    phone: str | None = ""
    is_default_billing: bool = False
    is_default_shipping: bool = False
    metadata: Metadata = None


class WireCustomer(Struct, gc=False):
    id: str
    email: str | None = ""
    first_name: str | None = ""
    last_name: str | None = ""
    company_name: str | None = ""
    phone: str | None = ""
    has_account: bool = False
    created_at: datetime | None = None
    updated_at: datetime | None = None
    addresses: list[WireAddress] | None = None
    metadata: Metadata = None


# --- the store -----------------------------------------------------------------------------------


class WireCurrency(Struct, gc=False):
    currency_code: str
    is_default: bool = False


class WireStore(Struct, gc=False):
    id: str
    name: str = ""
    default_sales_channel_id: str | None = None
    supported_currencies: list[WireCurrency] | None = None


class WireLocation(Struct, gc=False):
    id: str
    created_at: datetime | None = None


class WirePricePreference(Struct, gc=False):
    id: str
    attribute: str = ""
    value: str | None = None
    is_tax_inclusive: bool = False


class WireProfile(Struct, gc=False):
    id: str
    type: str = ""
