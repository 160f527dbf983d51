"""What an app has to be allowed, and how a store's owner installs one."""

from __future__ import annotations

from connectors.base import Permission
from connectors.shopify.shop import (
    ALL_ORDERS,
    CONTENT_SCOPES,
    READ_SCOPES,
    REDIRECT_SCOPES,
    WRITE_SCOPES,
)

PURPOSES = {
    ALL_ORDERS: "Orders older than 60 days; Shopify grants it to an app on request.",
    "read_content": (
        "Addresses of pages and blog posts; only where the URL checks are to look at them."
    ),
    "read_customers": "Customers and their addresses; Shopify asks what the data is for.",
    "read_inventory": "Stock at every location.",
    "read_orders": "Orders of the last 60 days, with payments, refunds and shipments.",
    "read_products": "Products, variants and collections.",
    "read_publications": "Whether a product is on any sales channel.",
    "read_locations": "Where stock is written to.",
    "read_merchant_managed_fulfillment_orders": "Goods of an order that are still to be sent.",
    "write_customers": "Customers are made and changed.",
    "write_inventory": "Stock is set.",
    "write_merchant_managed_fulfillment_orders": "Orders are marked as sent, without a mail.",
    "write_online_store_navigation": (
        "Old paths are redirected to new ones; only where redirects are wanted."
    ),
    "write_orders": "Orders are made as they were, with refunds and cancellations.",
    "write_products": "Products and collections are made and changed.",
    "write_publications": "New products and collections are put on sales channels.",
}

PERMISSIONS = (
    *(Permission(each, PURPOSES[each]) for each in sorted(READ_SCOPES)),
    Permission(ALL_ORDERS, PURPOSES[ALL_ORDERS]),
    *(Permission(each, PURPOSES[each], optional=True) for each in sorted(CONTENT_SCOPES)),
    *(
        Permission(each, PURPOSES[each], writing=True, optional=each in REDIRECT_SCOPES)
        for each in sorted(WRITE_SCOPES | REDIRECT_SCOPES)
    ),
)

STEPS = (
    "Open the Dev Dashboard of the organisation that owns the store and create an app.",
    "Give its version the access scopes that are listed here, and release the version.",
    "Ask for access to protected customer data, with the reason: moving the store.",
    "Where orders older than 60 days are to be moved, ask for read_all_orders as well.",
    "Install the app in the store.",
    "Copy the client id and the client secret, or the access token of an older custom app.",
    "Enter the store's own address, which ends in myshopify.com.",
    "After the launch, uninstall the app.",
)
