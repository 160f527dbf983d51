"""Settings: the groups a migration reads or changes, and facts about the system."""

from typing import Any

from sandbox import cms
from sandbox.effects import MAILS
from sandbox.store import Store
from sandbox.totals import tax_rate
from sandbox.wire import SITE, ApiError, Doc

Setting = tuple[str, str, str, Any]  # id, label, type, default


def _groups(store: Store) -> dict[str, list[Setting]]:
    taxes = "yes" if tax_rate(store) else "no"
    groups: dict[str, list[Setting]] = {
        "general": [
            ("woocommerce_currency", "Currency", "select", store.config.currency),
            ("woocommerce_calc_taxes", "Enable taxes", "checkbox", taxes),
            ("woocommerce_price_num_decimals", "Number of decimals", "number", "2"),
            ("woocommerce_default_country", "Country / State", "select", "GB"),
        ],
        "products": [
            ("woocommerce_manage_stock", "Manage stock", "checkbox", "yes"),
            ("woocommerce_notify_low_stock", "Low stock notifications", "checkbox", "yes"),
            ("woocommerce_weight_unit", "Weight unit", "select", "kg"),
            ("woocommerce_dimension_unit", "Dimensions unit", "select", "cm"),
        ],
        "tax": [
            ("woocommerce_prices_include_tax", "Prices entered with tax", "radio", "no"),
            ("woocommerce_tax_round_at_subtotal", "Rounding", "checkbox", "no"),
            ("woocommerce_tax_display_shop", "Display prices in the shop", "select", "excl"),
        ],
    }
    for number, (title, group_id, setting_id) in cms.OWN.items():
        page = (setting_id, f"{title} page", "select", str(number))
        groups.setdefault(group_id, []).append(page)
    for mail_type in MAILS:
        label = mail_type.replace("_", " ").capitalize()
        groups[f"email_{mail_type}"] = [
            ("enabled", f"Enable/Disable {label}", "checkbox", "yes"),
            ("subject", "Subject", "text", ""),
            ("heading", "Email heading", "text", ""),
            ("email_type", "Email type", "select", "html"),
        ]
    return groups


def groups(store: Store) -> list[Doc]:
    """Every settings group."""
    return [
        {
            "id": name,
            "label": name.replace("_", " ").capitalize(),
            "description": "",
            "parent_id": "email" if name.startswith("email_") else "",
            "sub_groups": [],
        }
        for name in _groups(store)
    ]


def group(store: Store, name: str) -> list[Doc]:
    """The settings of one group; 404 when there is none."""
    found = _groups(store).get(name)
    if found is None:
        raise ApiError(404, "rest_setting_setting_group_invalid", "Invalid setting group.")
    return [_doc(store, name, setting) for setting in found]


def one(store: Store, name: str, setting_id: str) -> Doc:
    """One setting; 404 when there is none."""
    found = next((doc for doc in group(store, name) if doc["id"] == setting_id), None)
    if found is None:
        raise ApiError(404, "rest_setting_setting_invalid", "Invalid setting.")
    return found


def change(store: Store, name: str, setting_id: str, payload: Doc) -> Doc:
    """Set a value; a checkbox takes only yes and no."""
    doc = one(store, name, setting_id)
    if "value" not in payload:
        return doc
    value = payload["value"]
    if doc["type"] == "checkbox" and value not in ("yes", "no"):
        message = "An invalid setting value was passed."
        raise ApiError(400, "rest_setting_value_invalid", message)
    store.storage.set_fact(f"setting {name} {setting_id}", value)
    return {**doc, "value": value}


def _doc(store: Store, name: str, setting: Setting) -> Doc:
    setting_id, label, kind, default = setting
    href = f"{SITE}/wp-json/wc/v3/settings/{name}/{setting_id}"
    return {
        "id": setting_id,
        "label": label,
        "description": "",
        "type": kind,
        "default": default,
        "tip": "",
        "value": store.setting(name, setting_id, default),
        "group_id": name,
        "_links": {"self": [{"href": href}]},
    }


def index(store: Store) -> Doc:
    """What `/wp-json/` tells anybody about the site."""
    own = ["recent-sync/v1"] if store.config.addon else []
    return {
        "name": store.config.name,
        "description": "",
        "url": SITE,
        "home": SITE,
        "gmt_offset": store.clock.gmt_offset(),
        "timezone_string": store.clock.zone_name,
        "namespaces": ["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wc-analytics", "wp/v2", *own],
        "authentication": [],
        "routes": {},
    }


def system_status(store: Store) -> Doc:
    """Versions and main settings."""
    return {
        "environment": {
            "home_url": SITE,
            "site_url": SITE,
            "version": store.config.version,
            "wp_version": "6.8.8",
            "php_version": "8.2.29",
            "default_timezone": "UTC",
        },
        "database": {"wc_database_version": store.config.version, "database_prefix": "wp_"},
        "active_plugins": [],
        "settings": {
            "api_enabled": True,
            "currency": store.config.currency,
            "number_of_decimals": 2,
            "HPOS_enabled": True,
        },
    }


STATUS_NAMES = {
    "pending": "Pending payment",
    "processing": "Processing",
    "on-hold": "On hold",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
    "failed": "Failed",
    "checkout-draft": "Draft",
}


def statuses() -> list[Doc]:
    """The order statuses that are registered."""
    return [{"slug": slug, "name": name} for slug, name in STATUS_NAMES.items()]
