"""Vendure's orders as its API answers them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import field

from connectors.vendure.wire import Custom, Wire, WireAddress, WireId, WireUser


class WireTax(Wire):
    description: str
    tax_rate: Decimal


class WireTaxSum(Wire):
    """What all parts of an order that are taxed alike are taxed with."""

    description: str
    tax_rate: Decimal
    tax_total: Decimal


class WireDiscount(Wire):
    """Part of a price that is not asked for; `amount` is below zero and without tax."""

    adjustment_source: str
    type: str
    description: str
    amount: Decimal
    amount_with_tax: Decimal


class WireSold(Wire):
    """The variant that a line is of; it may have been deleted since."""

    id: str
    product_id: str
    sku: str = ""
    name: str = ""
    options: list[WireId] = field(default_factory=list)


class WireLine(Wire):
    id: str
    quantity: int
    line_price: Decimal
    line_price_with_tax: Decimal
    prorated_line_price: Decimal
    prorated_line_price_with_tax: Decimal
    prorated_unit_price: Decimal
    prorated_unit_price_with_tax: Decimal
    product_variant: WireSold
    discounts: list[WireDiscount] = field(default_factory=list)
    tax_lines: list[WireTax] = field(default_factory=list)
    custom_fields: Custom = None


class WireSurcharge(Wire):
    id: str
    description: str
    price: Decimal
    price_with_tax: Decimal
    sku: str | None = None
    tax_lines: list[WireTax] = field(default_factory=list)


class WireMethod(Wire):
    code: str
    name: str = ""


class WireShippingLine(Wire):
    id: str
    price: Decimal
    price_with_tax: Decimal
    discounted_price: Decimal
    discounted_price_with_tax: Decimal
    shipping_method: WireMethod
    discounts: list[WireDiscount] = field(default_factory=list)
    custom_fields: Custom = None


class WirePart(Wire):
    order_line_id: str
    quantity: int


class WireRefund(Wire):
    id: str
    items: Decimal
    shipping: Decimal
    adjustment: Decimal
    total: Decimal
    state: str
    created_at: str
    reason: str | None = None
    lines: list[WirePart] = field(default_factory=list)
    metadata: Any = None
    custom_fields: Custom = None


class WirePayment(Wire):
    id: str
    method: str
    amount: Decimal
    state: str
    created_at: str
    updated_at: str | None = None
    transaction_id: str | None = None
    metadata: Any = None
    refunds: list[WireRefund] = field(default_factory=list)
    custom_fields: Custom = None


class WireFulfilment(Wire):
    id: str
    state: str
    method: str
    created_at: str
    updated_at: str | None = None
    tracking_code: str | None = None
    lines: list[WirePart] = field(default_factory=list)
    custom_fields: Custom = None


class WireBuyer(Wire):
    id: str
    email_address: str
    user: WireUser | None = None


class WireOrder(Wire):
    id: str
    code: str
    state: str
    currency_code: str
    total: Decimal
    total_with_tax: Decimal
    shipping: Decimal
    type: str = "Regular"
    updated_at: str | None = None
    order_placed_at: str | None = None
    customer: WireBuyer | None = None
    billing_address: WireAddress | None = None
    shipping_address: WireAddress | None = None
    lines: list[WireLine] = field(default_factory=list)
    surcharges: list[WireSurcharge] = field(default_factory=list)
    shipping_lines: list[WireShippingLine] = field(default_factory=list)
    coupon_codes: list[str] = field(default_factory=list)
    discounts: list[WireDiscount] = field(default_factory=list)
    tax_summary: list[WireTaxSum] = field(default_factory=list)
    payments: list[WirePayment] | None = None
    fulfillments: list[WireFulfilment] | None = None
    custom_fields: Custom = None
