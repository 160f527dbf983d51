"""What a store says of itself: that it is one, what it is called, and what the app may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.base import StoreReport, TaxBasis
from connectors.errors import SignInAgain
from connectors.records import Stream
from connectors.shopify.api import Api
from connectors.shopify.documents import SHOP
from connectors.shopify.settings import ShopifySettings
from connectors.shopify.wire import WireShopAnswer

READING: Mapping[Stream, frozenset[str]] = {
    Stream.CATEGORIES: frozenset({"read_products"}),
    Stream.PRODUCTS: frozenset({"read_products", "read_publications"}),
    Stream.CUSTOMERS: frozenset({"read_customers"}),
    Stream.ORDERS: frozenset({"read_customers", "read_orders", "read_products"}),
    Stream.INVENTORY: frozenset({"read_inventory", "read_products"}),
}
"""What the documents that read need; a test derives it from Shopify's own schema."""

WRITING: Mapping[Stream, frozenset[str]] = {
    Stream.CATEGORIES: frozenset({"read_publications", "write_products", "write_publications"}),
    Stream.PRODUCTS: frozenset({"write_products", "write_publications"}),
    Stream.CUSTOMERS: frozenset({"write_customers"}),
    Stream.ORDERS: frozenset(
        {
            "read_merchant_managed_fulfillment_orders",
            "write_merchant_managed_fulfillment_orders",
            "write_orders",
        }
    ),
    Stream.INVENTORY: frozenset({"read_locations", "write_inventory", "write_products"}),
}
"""What the documents that write and delete need in addition."""

READ_SCOPES = frozenset[str]().union(*READING.values())
WRITE_SCOPES = frozenset[str]().union(*WRITING.values()) - READ_SCOPES

REDIRECT_SCOPES = frozenset({"write_online_store_navigation"})
"""What redirects need in addition, where they are wanted."""

CONTENT_SCOPES = frozenset({"read_content"})
"""What the documents that list pages and blogs need, where the checks are to look at these."""

ALL_ORDERS = "read_all_orders"


async def examine(api: Api, settings: ShopifySettings, scopes: Iterable[str]) -> StoreReport:
    """Prove that a store answers in the right version and grants `scopes`. Raises `StoreError`."""
    answer = await api.ask(SHOP, WireShopAnswer)
    granted = granted_scopes(answer)
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
        tax_basis=TaxBasis.GROSS if answer.shop.taxes_included else TaxBasis.NET,
        timezone=answer.shop.iana_timezone,
        server_time=api.http.server_now,
        findings=tuple(findings),
    )


def granted_scopes(answer: WireShopAnswer) -> frozenset[str]:
    """The scopes that the app has in this store."""
    return with_reading(each.handle for each in answer.current_app_installation.access_scopes)


def with_reading(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes with all that they imply: to be allowed to write is to be allowed to read."""
    found = frozenset(scopes)
    written = {each.removeprefix("write_") for each in found if each.startswith("write_")}
    return found | {f"read_{each}" for each in written}
