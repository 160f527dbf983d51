"""Medusa's JSON of orders as typed structs: only what is read."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from connectors.medusa.wire import Metadata, WireAddress, WireId


class WireTaxLine(Struct, gc=False):
    """`rate` is in per cent."""

    rate: Decimal
    code: str = ""
    description: str | None = ""
    metadata: Metadata = None


class WireAdjustment(Struct, gc=False):
    amount: Decimal
    code: str | None = ""
    is_tax_inclusive: bool = False


class WireItem(Struct, gc=False):
    id: str
    quantity: Decimal
    unit_price: Decimal
    title: str = ""
    is_tax_inclusive: bool = False
    product_id: str | None = None
    variant_id: str | None = None
    variant_sku: str | None = ""
    variant_option_values: dict[str, Any] | None = None
    metadata: Metadata = None
    tax_lines: list[WireTaxLine] | None = None
    adjustments: list[WireAdjustment] | None = None


class WireShippingMethod(Struct, gc=False):
    id: str
    amount: Decimal
    name: str = ""
    is_tax_inclusive: bool = False
    shipping_option_id: str | None = None
    metadata: Metadata = None
    tax_lines: list[WireTaxLine] | None = None
    adjustments: list[WireAdjustment] | None = None


class WireCreditLine(Struct, gc=False):
    id: str
    amount: Decimal
    reference: str | None = ""


class WireCapture(Struct, gc=False):
    id: str
    amount: Decimal
    created_at: datetime | None = None


class WireReason(Struct, gc=False):
    label: str = ""


class WireRefund(Struct, gc=False):
    id: str
    amount: Decimal
    note: str | None = ""
    refund_reason: WireReason | None = None
    created_at: datetime | None = None
    metadata: Metadata = None


class WirePayment(Struct, gc=False):
    id: str
    amount: Decimal
    provider_id: str = ""
    data: Metadata = None
    captured_at: datetime | None = None
    canceled_at: datetime | None = None
    updated_at: datetime | None = None
    captures: list[WireCapture] | None = None
    refunds: list[WireRefund] | None = None


class WirePaymentCollection(Struct, gc=False):
    id: str
    amount: Decimal = Decimal(0)
    payments: list[WirePayment] | None = None


class WireLabel(Struct, gc=False):
    tracking_number: str = ""


class WireFulfilmentItem(Struct, gc=False):
    quantity: Decimal
    line_item_id: str | None = None


class WireFulfilment(Struct, gc=False):
    id: str
    packed_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    canceled_at: datetime | None = None
    created_at: datetime | None = None
    labels: list[WireLabel] | None = None
    items: list[WireFulfilmentItem] | None = None
    metadata: Metadata = None


class WireOrder(Struct, gc=False):
    id: str
    status: str
    currency_code: str
    display_id: int | None = None
    custom_display_id: str | None = None
    version: int = 1
    email: str | None = ""
    customer_id: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    payment_status: str = "not_paid"
    fulfillment_status: str = "not_fulfilled"
    billing_address: WireAddress | None = None
    shipping_address: WireAddress | None = None
    items: list[WireItem] | None = None
    shipping_methods: list[WireShippingMethod] | None = None
    credit_lines: list[WireCreditLine] | None = None
    payment_collections: list[WirePaymentCollection | None] | None = None
    fulfillments: list[WireFulfilment | None] | None = None
    metadata: Metadata = None


class WireOrderOf(Struct, gc=False):
    order: WireId | None = None


class WirePaymentStamp(Struct, gc=False):
    """A payment, when it changed, and whose it is."""

    id: str
    updated_at: datetime | None = None
    payment_collection: WireOrderOf | None = None
