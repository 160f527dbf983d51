"""What a store says of itself: that it is one, what it is called, and what the app may do."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.base import StoreReport
from connectors.errors import SignInAgain
from connectors.shopify.api import Api
from connectors.shopify.documents import SHOP
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.wire import WireShopAnswer

READ_SCOPES = frozenset(
    {
        "read_customers",
        "read_inventory",
        "read_orders",
        "read_products",
        "read_publications",
    }
)
"""What the documents that read need; a test derives them from Shopify's own schema."""

WRITE_SCOPES = frozenset(
    {
        "read_locations",
        "read_merchant_managed_fulfillment_orders",
        "write_customers",
        "write_inventory",
        "write_merchant_managed_fulfillment_orders",
        "write_orders",
        "write_products",
        "write_publications",
    }
)
"""What the documents that write need in addition."""

REDIRECT_SCOPES = frozenset({"write_online_store_navigation"})
"""What redirects need in addition, where they are wanted."""

ALL_ORDERS = "read_all_orders"


async def examine(api: Api, settings: ShopifySettings, scopes: Iterable[str]) -> StoreReport:
    """Prove that a store answers in the right version and grants `scopes`. Raises `StoreError`."""
    answer = await api.ask(SHOP, WireShopAnswer)
    granted = with_reading(each.handle for each in answer.current_app_installation.access_scopes)
    missing = sorted(set(scopes) - granted)
    if missing:
        raise SignInAgain(
            f"the app lacks access scopes: {', '.join(missing)}", code="store_lacks_scopes"
        )
    findings = []
    if ALL_ORDERS not in granted:
        findings.append(
            (
                "old_orders_hidden",
                f"Without the access scope {ALL_ORDERS} Shopify shows no order older than 60 days.",
            )
        )
    if answer.shop.plan.partner_development:
        findings.append(
            ("development_store", "A development store takes five new orders a minute.")
        )
    return StoreReport(
        platform_version=settings.api_version,
        name=answer.shop.name,
        currency=answer.shop.currency_code,
        timezone=answer.shop.iana_timezone,
        server_time=api.http.server_now,
        findings=tuple(findings),
    )


def with_reading(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes with all that they imply: to be allowed to write is to be allowed to read."""
    found = frozenset(scopes)
    written = {each.removeprefix("write_") for each in found if each.startswith("write_")}
    return found | {f"read_{each}" for each in written}
