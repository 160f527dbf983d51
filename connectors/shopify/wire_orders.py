"""Shopify's orders as its API answers them: only what is asked for in `selections`."""

from __future__ import annotations

from decimal import Decimal

from msgspec import field

from connectors.shopify.wire import (
    Nodes,
    Wire,
    WireAddress,
    WireBag,
    WireId,
    WireMetafield,
    WireOfProduct,
)


class WireTax(Wire):
    title: str
    price_set: WireBag
    rate_percentage: Decimal | None = None


class WireDiscountApplication(Wire):
    """What a discount came from: a code, or something with a title."""

    code: str | None = None
    title: str | None = None


class WireAllocation(Wire):
    allocated_amount_set: WireBag
    discount_application: WireDiscountApplication


class WireAttribute(Wire):
    key: str
    value: str | None = None


class WireLine(Wire):
    id: str
    name: str
    quantity: int
    original_total_set: WireBag
    current_quantity: int | None = None
    title: str = ""
    sku: str | None = None
    taxable: bool = True
    product: WireOfProduct | None = None
    variant: WireId | None = None
    tax_lines: list[WireTax] = field(default_factory=list)
    discount_allocations: list[WireAllocation] = field(default_factory=list)
    custom_attributes: list[WireAttribute] = field(default_factory=list)


class WireShippingLine(Wire):
    title: str
    original_price_set: WireBag
    id: str | None = None
    code: str | None = None
    source: str | None = None
    is_removed: bool = False
    tax_lines: list[WireTax] = field(default_factory=list)
    discount_allocations: list[WireAllocation] = field(default_factory=list)


class WireFee(Wire):
    id: str
    name: str
    price: WireBag
    tax_lines: list[WireTax] = field(default_factory=list)


class WireTransaction(Wire):
    id: str
    kind: str
    status: str
    amount_set: WireBag
    gateway: str | None = None
    formatted_gateway: str | None = None
    payment_id: str | None = None
    processed_at: str | None = None
    parent_transaction: WireId | None = None


class WireRefundedLine(Wire):
    quantity: int
    line_item: WireId
    subtotal_set: WireBag
    total_tax_set: WireBag
    restock_type: str = ""


class WireShippingRef(Wire):
    id: str | None = None


class WireRefundedShipping(Wire):
    id: str
    shipping_line: WireShippingRef
    subtotal_amount_set: WireBag
    tax_amount_set: WireBag


class WireRefund(Wire):
    id: str
    total_refunded_set: WireBag
    note: str | None = None
    created_at: str | None = None
    processed_at: str | None = None
    refund_line_items: Nodes[WireRefundedLine] = field(default_factory=Nodes)
    refund_shipping_lines: Nodes[WireRefundedShipping] = field(default_factory=Nodes)


class WireTracking(Wire):
    company: str | None = None
    number: str | None = None
    url: str | None = None


class WireShippedLine(Wire):
    line_item: WireId
    quantity: int | None = None
    id: str = ""


class WireFulfilment(Wire):
    id: str
    status: str
    created_at: str | None = None
    tracking_info: list[WireTracking] = field(default_factory=list)
    fulfillment_line_items: Nodes[WireShippedLine] = field(default_factory=Nodes)


class WireNested(Wire):
    """What holds pages in lists, of an order."""

    id: str
    updated_at: str | None = None
    refunds: list[WireRefund] = field(default_factory=list)
    fulfillments: list[WireFulfilment] = field(default_factory=list)


class WireOrder(Wire):
    id: str
    name: str
    currency_code: str
    total_price_set: WireBag
    email: str | None = None
    phone: str | None = None
    note: str | None = None
    tags: list[str] = field(default_factory=list)
    test: bool = False
    created_at: str | None = None
    processed_at: str | None = None
    updated_at: str | None = None
    cancelled_at: str | None = None
    cancel_reason: str | None = None
    closed_at: str | None = None
    presentment_currency_code: str = ""
    taxes_included: bool = False
    display_financial_status: str | None = None
    display_fulfillment_status: str = "UNFULFILLED"
    source_name: str | None = None
    source_identifier: str | None = None
    edited: bool = False
    subtotal_line_items_quantity: int = 0
    customer: WireId | None = None
    billing_address: WireAddress | None = None
    shipping_address: WireAddress | None = None
    total_tax_set: WireBag | None = None
    total_discounts_set: WireBag | None = None
    original_total_duties_set: WireBag | None = None
    tax_lines: list[WireTax] = field(default_factory=list)
    custom_attributes: list[WireAttribute] = field(default_factory=list)
    additional_fees: list[WireFee] = field(default_factory=list)
    transactions: list[WireTransaction] = field(default_factory=list)
    refunds: list[WireRefund] = field(default_factory=list)
    fulfillments: list[WireFulfilment] = field(default_factory=list)
    line_items: Nodes[WireLine] = field(default_factory=Nodes)
    shipping_lines: Nodes[WireShippingLine] = field(default_factory=Nodes)
    metafields: Nodes[WireMetafield] = field(default_factory=Nodes)
