"""What a key has to be allowed, and how a shop's administrator makes one."""

from __future__ import annotations

from connectors.base import Permission

PERMISSIONS = (
    Permission("Read", "A shop that is only read: products, orders, customers and their settings."),
    Permission(
        "Read/Write",
        "A shop that is written, and whose mails are turned off while a job writes.",
        writing=True,
    ),
    Permission(
        "Administrator",
        "The role of the key's user: a shop manager may not see customers of every role, nor the "
        "settings of mails.",
    ),
)

STEPS = (
    "Sign in to WordPress as an administrator.",
    "Under Settings → Permalinks choose any structure but Plain: the REST API needs one.",
    "Open WooCommerce → Settings → Advanced → REST API and click Add key.",
    "Name it, for example recent-sync, and choose yourself as its user.",
    "Choose the permission Read, or Read/Write where the shop is to be written.",
    "Click Generate API key and copy both values at once: the secret is never shown again.",
    "Let requests to /wp-json/ pass a firewall, CDN or security plugin, with their headers.",
    "For exact orders, copy all of `addons/woocommerce` but its README to wp-content/mu-plugins.",
    "After the launch, revoke the key on the same page.",
)
