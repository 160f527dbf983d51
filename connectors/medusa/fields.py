"""Which lists there are, and which fields are asked for: Medusa's own choice leaves much out."""

from __future__ import annotations

from connectors.medusa.wire import WireCategory, WireCustomer, WireProduct, WireStock
from connectors.medusa.wire_orders import WireOrder
from connectors.records import Stream

PATHS: dict[Stream, str] = {
    Stream.CATEGORIES: "product-categories",
    Stream.PRODUCTS: "products",
    Stream.CUSTOMERS: "customers",
    Stream.ORDERS: "orders",
    Stream.INVENTORY: "products",
}

ROWS: dict[Stream, type] = {
    Stream.CATEGORIES: WireCategory,
    Stream.PRODUCTS: WireProduct,
    Stream.CUSTOMERS: WireCustomer,
    Stream.ORDERS: WireOrder,
    Stream.INVENTORY: WireStock,
}

_CATEGORY = (
    "id,name,handle,description,is_active,is_internal,rank,external_id,parent_category_id,metadata,"
    "updated_at"
)
_PRODUCT = (
    "id,title,subtitle,handle,description,status,external_id,discountable,is_giftcard,thumbnail,"
    "weight,length,width,height,origin_country,hs_code,mid_code,material,created_at,updated_at,"
    "metadata,type.value,collection.title,categories.id,*tags,*images,*options,*options.values,"
    "*variants,*variants.prices,variants.prices.price_rules.value,"
    "variants.prices.price_rules.attribute,*variants.options,variants.options.option.title"
)
_CUSTOMER = (
    "id,email,first_name,last_name,company_name,phone,has_account,created_at,updated_at,metadata,"
    "*addresses"
)
_ORDER = (
    "id,status,display_id,custom_display_id,version,email,customer_id,currency_code,created_at,"
    "updated_at,metadata,*billing_address,*shipping_address,*items,*items.tax_lines,"
    "*items.adjustments,*shipping_methods,*shipping_methods.tax_lines,"
    "*shipping_methods.adjustments,*credit_lines,*payment_collections,"
    "*payment_collections.payments,*payment_collections.payments.captures,"
    "*payment_collections.payments.refunds,*payment_collections.payments.refunds.refund_reason,"
    "*fulfillments,*fulfillments.items,*fulfillments.labels"
)
_STOCK = (
    "id,updated_at,options.id,options.title,variants.id,variants.sku,variants.manage_inventory,"
    "variants.allow_backorder,variants.inventory_items.required_quantity,"
    "variants.inventory_items.inventory.id,*variants.inventory_items.inventory.location_levels"
)

FIELDS: dict[Stream, str] = {
    Stream.CATEGORIES: _CATEGORY,
    Stream.PRODUCTS: _PRODUCT,
    Stream.CUSTOMERS: _CUSTOMER,
    Stream.ORDERS: _ORDER,
    Stream.INVENTORY: _STOCK,
}

WALKED = frozenset({Stream.CUSTOMERS, Stream.ORDERS})
"""Streams whose lists can be walked by id; of the others all ids are asked for at once."""

ALL = 1_000_000
"""A limit that no list reaches: Medusa has no highest one, and its pages lose records."""

IDS = "id,updated_at"
