"""Shopify's records as its API answers them: only what is asked for in `selections`."""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Struct, field

T = TypeVar("T")


class Wire(Struct, rename="camel"):
    """Field names as Shopify spells them."""


class PageInfo(Wire):
    has_next_page: bool = False
    end_cursor: str | None = None


class Nodes(Wire, Generic[T]):
    """A connection: a page of parts, or of records."""

    nodes: list[T] = field(default_factory=list)
    page_info: PageInfo = field(default_factory=PageInfo)


class WireId(Wire):
    id: str


class WireMark(Wire):
    id: str
    updated_at: str | None = None


class WireCount(Wire):
    count: int
    precision: str = "EXACT"


class WireAmount(Wire):
    amount: str


class WireBag(Wire):
    """An amount in the shop's own currency."""

    shop_money: WireAmount


class WireImage(Wire):
    url: str
    alt_text: str | None = None


class WireSeo(Wire):
    title: str | None = None
    description: str | None = None


class WireMetafield(Wire):
    namespace: str
    key: str
    type: str
    value: str
    id: str = ""


class WireCollection(Wire):
    id: str
    title: str
    handle: str = ""
    description_html: str = ""
    updated_at: str | None = None
    sort_order: str = "BEST_SELLING"
    template_suffix: str | None = None
    image: WireImage | None = None
    seo: WireSeo = field(default_factory=WireSeo)
    sources: list[WireId] = field(default_factory=list)
    metafields: Nodes[WireMetafield] = field(default_factory=Nodes)


# --- products ------------------------------------------------------------------------------------


class WireSelected(Wire):
    name: str
    value: str


class WireOptionValue(Wire):
    name: str


class WireOption(Wire):
    name: str
    position: int = 0
    option_values: list[WireOptionValue] = field(default_factory=list)


class WireWeight(Wire):
    value: Decimal
    unit: str


class WireMeasurement(Wire):
    weight: WireWeight | None = None


class WireItem(Wire):
    id: str
    tracked: bool = False
    requires_shipping: bool = True
    measurement: WireMeasurement = field(default_factory=WireMeasurement)


class WireVariant(Wire):
    id: str
    inventory_item: WireItem
    sku: str | None = None
    barcode: str | None = None
    price: str = "0"
    compare_at_price: str | None = None
    taxable: bool = True
    inventory_policy: str = "DENY"
    position: int = 0
    updated_at: str | None = None
    selected_options: list[WireSelected] = field(default_factory=list)
    image: WireImage | None = None


class WireMedia(Wire):
    id: str
    alt: str | None = None
    media_content_type: str = "IMAGE"
    image: WireImage | None = None


class WireProduct(Wire):
    id: str
    title: str
    handle: str = ""
    description_html: str = ""
    vendor: str = ""
    product_type: str = ""
    status: str = "ACTIVE"
    tags: list[str] = field(default_factory=list)
    created_at: str | None = None
    updated_at: str | None = None
    is_gift_card: bool = False
    template_suffix: str | None = None
    has_only_default_variant: bool = True
    seo: WireSeo = field(default_factory=WireSeo)
    options: list[WireOption] = field(default_factory=list)
    variants_count: WireCount | None = None
    media_count: WireCount | None = None
    resource_publications_count: WireCount | None = None
    variants: Nodes[WireVariant] = field(default_factory=Nodes)
    media: Nodes[WireMedia] = field(default_factory=Nodes)
    collections: Nodes[WireId] = field(default_factory=Nodes)
    metafields: Nodes[WireMetafield] = field(default_factory=Nodes)


class WireOfProduct(Wire):
    """The product that something is of."""

    id: str
    has_only_default_variant: bool = True


class WireQuantity(Wire):
    name: str
    quantity: int


class WireLevel(Wire):
    id: str
    location: WireId
    updated_at: str | None = None
    quantities: list[WireQuantity] = field(default_factory=list)


class WireStockItem(Wire):
    id: str
    tracked: bool = False
    locations_count: WireCount | None = None
    inventory_levels: Nodes[WireLevel] = field(default_factory=Nodes)


class WireStock(Wire):
    id: str
    product: WireOfProduct
    inventory_item: WireStockItem
    sku: str | None = None
    inventory_policy: str = "DENY"


# --- customers -----------------------------------------------------------------------------------


class WireAddress(Wire):
    id: str = ""
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province_code: str | None = None
    zip: str | None = None
    country_code_v2: str | None = field(default=None, name="countryCodeV2")
    phone: str | None = None


class WireEmail(Wire):
    email_address: str
    marketing_state: str = "NOT_SUBSCRIBED"


class WirePhone(Wire):
    phone_number: str


class WireCustomer(Wire):
    id: str
    first_name: str | None = None
    last_name: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    tax_exempt: bool = False
    locale: str = ""
    default_email_address: WireEmail | None = None
    default_phone_number: WirePhone | None = None
    default_address: WireAddress | None = None
    addresses_v2: Nodes[WireAddress] = field(default_factory=Nodes, name="addressesV2")
    metafields: Nodes[WireMetafield] = field(default_factory=Nodes)


# --- the shop ------------------------------------------------------------------------------------


class WirePlan(Wire):
    partner_development: bool = False


class WireShop(Wire):
    name: str
    currency_code: str
    iana_timezone: str = "UTC"
    weight_unit: str = "KILOGRAMS"
    taxes_included: bool = False
    plan: WirePlan = field(default_factory=WirePlan)


class WireScope(Wire):
    handle: str


class WireInstallation(Wire):
    access_scopes: list[WireScope] = field(default_factory=list)


class WireShopAnswer(Wire):
    shop: WireShop
    current_app_installation: WireInstallation


class WireLocation(Wire):
    id: str
    is_active: bool = True


class WireLocations(Wire):
    locations: Nodes[WireLocation]


class WireOperation(Wire):
    """A bulk operation; counts come as text."""

    id: str
    status: str = ""
    error_code: str | None = None
    created_at: str | None = None
    object_count: int = 0
    root_object_count: int = 0
    file_size: int | None = None
    url: str | None = None
    partial_data_url: str | None = None
    query: str = ""
