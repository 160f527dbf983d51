"""Canonical records: what every platform's data is turned into and written from.

All are frozen, typed and platform-free. Times are aware and in UTC, amounts are `Money` with a
`Decimal` in plain notation and an ISO 4217 currency, ids are the platform's own as text. A
record's own id and its timestamp are not part of its content: they stand in `Record`, so that
the same content gives the same digest whatever the store says about when it changed.

Fields that name another record (`Product.categories`, `Order.customer`, `OrderLine.product`,
...) hold ids of the store the record was read from; `connectors.references` lists them and
replaces them by ids of the target. `extra` holds what one platform has alone.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any

from msgspec import Struct, field


class Stream(StrEnum):
    """One kind of record. The order of the members is the order in which they are applied."""

    CATEGORIES = "categories"
    PRODUCTS = "products"
    CUSTOMERS = "customers"
    ORDERS = "orders"
    INVENTORY = "inventory"


class Money(Struct, frozen=True, gc=False):
    """An exact amount. `amount` has no exponent and no superfluous zeros; build it by `money`."""

    amount: Decimal
    currency: str


@lru_cache(maxsize=65_536)
def money(amount: str, currency: str) -> Money:
    """`Money` from a platform's text, so that 10, 10.0 and 10.00 are one content, and so are 0 and
    the -0 of what was reckoned or counted below zero.

    Raises `decimal.InvalidOperation` where the text is no number.
    """
    value = Decimal(amount).normalize() or Decimal(0)
    # normalize() turns 1000 into 1E+3, which few readers of JSON expect.
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("an amount of money is a finite number")
    return Money(value.quantize(Decimal(1)) if exponent > 0 else value, currency)


class Image(Struct, frozen=True, gc=False):
    src: str
    alt: str = ""
    name: str = ""


class Address(Struct, frozen=True, gc=False):
    """A postal address. All parts are text; `country` and `state` are codes where known."""

    first_name: str = ""
    last_name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""
    email: str = ""


class Category(Struct, frozen=True, kw_only=True, gc=False):
    name: str
    slug: str = ""
    parent: str | None = None
    description: str = ""
    image: Image | None = None
    position: int = 0
    extra: dict[str, Any] = field(default_factory=dict)


class Option(Struct, frozen=True, gc=False):
    """What makes a variant itself: Colour = Red."""

    name: str
    value: str


class Attribute(Struct, frozen=True, gc=False):
    """A product's attribute with its values; `varies` where variants are told apart by it."""

    name: str
    values: tuple[str, ...] = ()
    visible: bool = True
    varies: bool = False


class Variant(Struct, frozen=True, kw_only=True, gc=False):
    """A part of a product that is bought. A sale of it without dates has those of the product."""

    id: str
    sku: str = ""
    options: tuple[Option, ...] = ()
    status: str = "published"
    regular_price: Money | None = None
    sale_price: Money | None = None
    sale_from: datetime | None = None
    sale_to: datetime | None = None
    description: str = ""
    barcode: str = ""
    weight: str = ""
    image: Image | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Product(Struct, frozen=True, kw_only=True, gc=False):
    """A product with its variants. Stock is not here but in `InventoryLevel`.

    `kind` is `simple`, `variable`, `grouped`, `external` or the platform's own word;
    `status` is `published`, `draft`, `private`, `pending` or `archived`.
    """

    name: str
    sku: str = ""
    slug: str = ""
    kind: str = "simple"
    status: str = "published"
    visibility: str = "visible"
    featured: bool = False
    description: str = ""
    short_description: str = ""
    regular_price: Money | None = None
    sale_price: Money | None = None
    sale_from: datetime | None = None
    sale_to: datetime | None = None
    categories: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    images: tuple[Image, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    variants: tuple[Variant, ...] = ()
    barcode: str = ""
    weight: str = ""
    dimensions: tuple[str, str, str] = ("", "", "")
    tax_class: str = ""
    taxable: bool = True
    created_at: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class InventoryLevel(Struct, frozen=True, kw_only=True, gc=False):
    """Stock of a product or, with `variant`, of one of its variants.

    Its record id is `product` or `product:variant`. `quantity` is None where the store does not
    count; `availability` is `in_stock`, `out_of_stock` or `on_backorder`.

    `shared`: the variant takes from the stock that its product counts for all of those that do so.
    All their levels then say the same, and that stock has no level of its own: it is read and
    written with theirs.
    """

    product: str
    variant: str | None = None
    sku: str = ""
    counted: bool = False
    quantity: Decimal | None = None
    availability: str = "in_stock"
    backorders: str = "no"
    shared: bool = False

    @property
    def record_id(self) -> str:
        """The id of the level as a record."""
        return f"{self.product}:{self.variant}" if self.variant else self.product


class Customer(Struct, frozen=True, kw_only=True, gc=False):
    email: str
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    role: str = "customer"
    billing: Address | None = None
    shipping: Address | None = None
    created_at: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)


class Tax(Struct, frozen=True, kw_only=True, gc=False):
    label: str
    code: str = ""
    rate: Decimal | None = None
    amount: Money
    shipping_amount: Money | None = None
    compound: bool = False


class OrderLine(Struct, frozen=True, kw_only=True, gc=False):
    """`subtotal` is before, `total` after discounts, both without tax; `tax` is of `total`."""

    id: str
    name: str
    quantity: int
    total: Money
    subtotal: Money
    tax: Money
    subtotal_tax: Money
    product: str | None = None
    variant: str | None = None
    sku: str = ""
    tax_class: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


class ShippingLine(Struct, frozen=True, kw_only=True, gc=False):
    id: str
    title: str
    total: Money
    tax: Money
    method: str = ""


class FeeLine(Struct, frozen=True, kw_only=True, gc=False):
    id: str
    name: str
    total: Money
    tax: Money


class Discount(Struct, frozen=True, kw_only=True, gc=False):
    code: str
    amount: Money
    tax: Money | None = None


class Transaction(Struct, frozen=True, kw_only=True, gc=False):
    """A payment. `reference` is the gateway's own id of it."""

    gateway: str
    title: str = ""
    reference: str = ""
    amount: Money | None = None
    at: datetime | None = None


class RefundLine(Struct, frozen=True, kw_only=True, gc=False):
    """`line` is the id of the order line given back; `quantity` and amounts are positive, those of
    a fee that was a discount negative.
    """

    line: str
    quantity: int
    total: Money
    tax: Money


class Refund(Struct, frozen=True, kw_only=True, gc=False):
    """Money given back; `amount` is positive and includes tax."""

    id: str
    amount: Money
    reason: str = ""
    lines: tuple[RefundLine, ...] = ()
    created_at: datetime | None = None


class Fulfilment(Struct, frozen=True, kw_only=True, gc=False):
    id: str
    status: str
    tracking: str = ""
    lines: tuple[tuple[str, int], ...] = ()
    at: datetime | None = None


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """An order with everything that belongs to it.

    `status` is `pending`, `on_hold`, `processing`, `completed`, `cancelled`, `refunded`,
    `failed`, or the platform's own word. `total` includes tax and shipping and is before
    refunds.
    """

    number: str
    status: str
    currency: str
    total: Money
    tax_total: Money
    shipping_total: Money
    discount_total: Money
    prices_include_tax: bool = False
    customer: str | None = None
    email: str = ""
    billing: Address | None = None
    shipping: Address | None = None
    lines: tuple[OrderLine, ...] = ()
    shipping_lines: tuple[ShippingLine, ...] = ()
    fees: tuple[FeeLine, ...] = ()
    discounts: tuple[Discount, ...] = ()
    taxes: tuple[Tax, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    refunds: tuple[Refund, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()
    note: str = ""
    created_at: datetime | None = None
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)


Content = Category | Product | Customer | Order | InventoryLevel

CONTENT_TYPES: dict[Stream, type[Content]] = {
    Stream.CATEGORIES: Category,
    Stream.PRODUCTS: Product,
    Stream.CUSTOMERS: Customer,
    Stream.ORDERS: Order,
    Stream.INVENTORY: InventoryLevel,
}


class Record(Struct, frozen=True, gc=False):
    """A record as a store showed it: its id, when the store says it changed, its content.

    `stamp` is a hint: None where the platform has none, wrong where the platform lies.
    """

    id: str
    stamp: datetime | None
    content: Content
