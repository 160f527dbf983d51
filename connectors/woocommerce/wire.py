"""WooCommerce's JSON as typed structs: only what is read, as tolerant as PHP makes necessary.

PHP turns an empty object into `[]`, a missing value into `""`, `null` or `false`, and a list
with holes into an object. What the structs do not name is skipped while parsing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Raw, Struct

Amount = str | int | float | None
"""An amount of money: text by contract, a number where an extension meddles."""

Text = str | int | float | bool | None
"""Text by contract."""

Whole = int | str | None
"""A whole number by contract."""


class WireMeta(Struct, gc=False):
    key: str = ""
    value: Raw = Raw(b"null")
    id: int | None = None


Metas = list[WireMeta] | dict[str, WireMeta]


class WireAddress(Struct, gc=False):
    first_name: str | None = ""
    last_name: str | None = ""
    company: str | None = ""
    address_1: str | None = ""
    address_2: str | None = ""
    city: str | None = ""
    state: str | None = ""
    postcode: str | int | None = ""
    country: str | None = ""
    email: str | None = ""
    phone: str | int | None = ""


class WireRef(Struct, gc=False):
    id: int
    name: str = ""
    slug: str = ""


class WireImage(Struct, gc=False):
    src: Text = ""
    name: Text = ""
    alt: Text = ""


class WireId(Struct, gc=False):
    id: int


class WireMetadata(Struct, gc=False):
    id: int
    meta_data: Metas = []


class WireStamp(Struct, gc=False):
    id: int
    status: str = ""
    date_modified_gmt: datetime | None = None


class WirePermalink(Struct, gc=False):
    id: int
    status: str = ""
    permalink: str = ""


class WireCategory(Struct, gc=False):
    id: int
    name: str = ""
    slug: str = ""
    parent: int = 0
    description: str = ""
    display: str = "default"
    image: WireImage | list[Any] | None = None
    menu_order: int = 0


class WireAttribute(Struct, gc=False):
    name: str = ""
    id: int = 0
    position: int = 0
    visible: bool = False
    variation: bool = False
    options: list[Text] = []


class WireOption(Struct, gc=False):
    name: str = ""
    option: Text = ""


class WireDimensions(Struct, gc=False):
    length: Text = ""
    width: Text = ""
    height: Text = ""


class WireStock(Struct, gc=False):
    """The fields of a product or a variation that inventory is made of."""

    id: int
    type: str = ""
    sku: str | None = ""
    manage_stock: bool | str = False
    stock_quantity: int | float | str | None = None
    stock_status: str = "instock"
    backorders: str = "no"
    parent_id: int = 0
    variations: list[int] = []
    date_modified_gmt: datetime | None = None


class WireVariation(Struct, gc=False):
    id: int
    sku: str | None = ""
    status: str = "publish"
    description: str = ""
    regular_price: Amount = ""
    sale_price: Amount = ""
    date_on_sale_from_gmt: datetime | None = None
    date_on_sale_to_gmt: datetime | None = None
    global_unique_id: Text = ""
    weight: Text = ""
    image: WireImage | list[Any] | None = None
    attributes: list[WireOption] = []
    tax_class: str = ""
    virtual: bool = False
    downloadable: bool = False
    shipping_class: str = ""
    menu_order: int = 0
    meta_data: Metas = []


class WireProduct(Struct, gc=False):
    id: int
    name: str = ""
    slug: str = ""
    type: str = "simple"
    status: str = "publish"
    featured: bool = False
    catalog_visibility: str = "visible"
    description: str = ""
    short_description: str = ""
    sku: str | None = ""
    global_unique_id: Text = ""
    regular_price: Amount = ""
    sale_price: Amount = ""
    date_on_sale_from_gmt: datetime | None = None
    date_on_sale_to_gmt: datetime | None = None
    date_created_gmt: datetime | None = None
    date_modified_gmt: datetime | None = None
    virtual: bool = False
    downloadable: bool = False
    external_url: str = ""
    button_text: str = ""
    tax_status: str = "taxable"
    tax_class: str = ""
    sold_individually: bool = False
    weight: Text = ""
    dimensions: WireDimensions | list[Any] | None = None
    shipping_class: str = ""
    reviews_allowed: bool = True
    parent_id: int = 0
    purchase_note: str = ""
    menu_order: int = 0
    categories: list[WireRef] = []
    tags: list[WireRef] = []
    images: list[WireImage] = []
    attributes: list[WireAttribute] = []
    variations: list[int] = []
    meta_data: Metas = []


class WireCustomer(Struct, gc=False):
    id: int
    email: str | None = ""
    username: str | None = ""
    first_name: str | None = ""
    last_name: str | None = ""
    role: str | None = "customer"
    date_created_gmt: datetime | None = None
    date_modified_gmt: datetime | None = None
    billing: WireAddress | list[Any] | None = None
    shipping: WireAddress | list[Any] | None = None
    meta_data: Metas = []


class WireLineTax(Struct, gc=False):
    id: int | str = 0
    total: Amount = ""


class WireLine(Struct, gc=False):
    id: int
    name: Text = ""
    product_id: int | None = 0
    variation_id: int | None = 0
    quantity: int | float | str = 0
    tax_class: str | None = ""
    subtotal: Amount = "0"
    subtotal_tax: Amount = "0"
    total: Amount = "0"
    total_tax: Amount = "0"
    sku: str | None = ""
    taxes: list[WireLineTax] = []
    meta_data: Metas = []


class WireShippingLine(Struct, gc=False):
    id: int
    method_title: Text = ""
    method_id: Text = ""
    total: Amount = "0"
    total_tax: Amount = "0"
    taxes: list[WireLineTax] = []
    meta_data: Metas = []


class WireFee(Struct, gc=False):
    id: int
    name: Text = ""
    total: Amount = "0"
    total_tax: Amount = "0"
    taxes: list[WireLineTax] = []
    meta_data: Metas = []


class WireTaxLine(Struct, gc=False):
    id: int
    rate_code: Text = ""
    label: Text = ""
    compound: bool = False
    tax_total: Amount = "0"
    shipping_tax_total: Amount = "0"
    rate_percent: int | float | str | None = None


class WireCoupon(Struct, gc=False):
    id: int
    code: str = ""
    discount: Amount = "0"
    discount_tax: Amount = "0"


class WireRefundNote(Struct, gc=False):
    """What an order says of its refunds: that there is one."""

    id: int


class WireRefund(Struct, gc=False):
    """`parent_id`, the order's id, stands only in the list across orders."""

    id: int
    parent_id: int = 0
    amount: Amount = "0"
    reason: str | None = ""
    date_created_gmt: datetime | None = None
    line_items: list[WireLine] = []
    shipping_lines: list[WireShippingLine] = []
    fee_lines: list[WireFee] = []
    meta_data: Metas = []


class WireOrder(Struct, gc=False):
    id: int
    status: str
    currency: str = ""
    number: str | int = ""
    prices_include_tax: bool = False
    created_via: str | None = ""
    date_created_gmt: datetime | None = None
    date_modified_gmt: datetime | None = None
    date_paid_gmt: datetime | None = None
    date_completed_gmt: datetime | None = None
    discount_total: Amount = "0"
    shipping_total: Amount = "0"
    total: Amount = "0"
    total_tax: Amount = "0"
    customer_id: int | None = 0
    customer_note: str | None = ""
    billing: WireAddress | list[Any] | None = None
    shipping: WireAddress | list[Any] | None = None
    payment_method: str | None = ""
    payment_method_title: str | None = ""
    transaction_id: Text = ""
    line_items: list[WireLine] = []
    tax_lines: list[WireTaxLine] = []
    shipping_lines: list[WireShippingLine] = []
    fee_lines: list[WireFee] = []
    coupon_lines: list[WireCoupon] = []
    refunds: list[WireRefundNote] = []
    meta_data: Metas = []


class WireSetting(Struct, gc=False):
    id: str
    value: Any = None


class WireGroup(Struct, gc=False):
    id: str


class WireError(Struct, gc=False):
    """An error of the REST API, alone or as an item of a batch's answer."""

    code: str | int = ""
    message: str = ""
    data: Any = None
