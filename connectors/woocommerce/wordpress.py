"""What a store says of itself: is it WooCommerce at all, which one, in which zone and currency."""

from __future__ import annotations

import re
from typing import Any

from connectors.base import StoreReport, TaxBasis
from connectors.errors import BadAnswer, SignInAgain, StoreError
from connectors.woocommerce.addon import Addon, Hindrance
from connectors.woocommerce.api import Api, RefusedRequest
from connectors.woocommerce.settings import WooCommerceSettings
from connectors.woocommerce.wire import WireId, WireSetting


async def examine(api: Api, settings: WooCommerceSettings) -> StoreReport:
    """Prove that a WooCommerce answers and that our key may read. Raises `StoreError`."""
    index = await api.index()
    namespaces = index.get("namespaces")
    if not isinstance(namespaces, list) or "wc/v3" not in namespaces:
        raise BadAnswer(
            "the address answers, but not as a WooCommerce with REST API version 3",
            code="store_not_woocommerce",
        )
    for path in ("products", "orders", "customers"):
        await api.list(path, {"per_page": 1, "_fields": "id"}, WireId)
    version, currency = await _system(api)
    findings = list(_findings(settings, version, currency))
    return StoreReport(
        platform_version=version,
        name=str(index.get("name", "")),
        currency=currency or settings.currency,
        tax_basis=await _tax_basis(api),
        timezone=zone(index),
        server_time=api.http.server_now,
        findings=tuple(findings),
    )


def zone(index: dict[str, Any]) -> str:
    """The site's time zone: a name, or a fixed offset such as `UTC+05:30`."""
    name = index.get("timezone_string")
    if isinstance(name, str) and name:
        return name
    try:
        minutes = round(float(index.get("gmt_offset") or 0) * 60)
    except (TypeError, ValueError):
        return "UTC"
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "UTC"


async def _system(api: Api) -> tuple[str, str]:
    """Version and currency, as far as the key may ask for them."""
    version = ""
    try:
        status = await api.get("system_status", dict[str, Any], {"_fields": "environment,settings"})
    except (SignInAgain, RefusedRequest, BadAnswer):
        status = {}
    environment, shop = status.get("environment"), status.get("settings")
    if isinstance(environment, dict):
        version = str(environment.get("version", ""))
    if isinstance(shop, dict) and shop.get("currency"):
        return version, str(shop["currency"])
    return version, await _currency_setting(api) or ""


async def store_currency(api: Api, settings: WooCommerceSettings) -> str:
    """The currency of product prices. Raises `BadAnswer` where nobody says it, `SignInAgain` where
    that is because nothing at all is told.
    """
    if settings.currency:
        return settings.currency
    found = await _currency_setting(api)
    if not found:
        await api.list("products", {"per_page": 1, "_fields": "id"}, WireId)
        raise BadAnswer(
            "the store does not say its currency: enter it in the store's settings",
            code="store_currency_unknown",
        )
    return found


async def _currency_setting(api: Api) -> str | None:
    for path, field in (
        ("settings/general/woocommerce_currency", "value"),
        ("data/currencies/current", "code"),
    ):
        try:
            answer = await api.get(path, dict[str, Any])
        except (SignInAgain, RefusedRequest, BadAnswer):
            continue
        found = answer.get(field)
        if isinstance(found, str) and found:
            return found
    return None


async def _tax_basis(api: Api) -> TaxBasis | None:
    """What entered prices are; None where the key may not ask. Of a shop whose taxes are turned off
    WooCommerce takes no notice of the rest.
    """
    try:
        if not await _is_on(api, "general/woocommerce_calc_taxes"):
            return TaxBasis.UNTAXED
        is_gross = await _is_on(api, "tax/woocommerce_prices_include_tax")
    except (SignInAgain, RefusedRequest, BadAnswer):
        return None
    return TaxBasis.GROSS if is_gross else TaxBasis.NET


async def _is_on(api: Api, setting: str) -> bool:
    return bool((await api.get(f"settings/{setting}", WireSetting)).value == "yes")


def _findings(settings: WooCommerceSettings, version: str, currency: str) -> list[tuple[str, str]]:
    found = []
    if not settings.signs_by_oauth and settings.url.startswith("http://"):
        found.append(("credentials_in_clear", "The key travels unencrypted: use https."))
    if not settings.verify_tls:
        found.append(("tls_not_verified", "The store's certificate is not checked."))
    if not version:
        found.append(("version_unknown", "The key may not read the store's version."))
    if not currency and not settings.currency:
        found.append(("currency_unknown", "The key may not read the store's currency: enter it."))
    return found


async def examine_writing(api: Api) -> list[tuple[str, str]]:
    """Prove that our key may write, by a batch that holds nothing; and that mails can be seen.

    Raises `SignInAgain` where it may not write.
    """
    # PHP makes a list of an answer that holds nothing.
    await api.send("POST", "products/batch", {"update": []}, Any, repeatable=True)
    try:
        await api.list("settings", {}, WireSetting)
    except StoreError:
        return [("settings_forbidden", "The key may not read settings: mails cannot be muted.")]
    return []


def examine_keys(version: str, addon: str) -> list[tuple[str, str]]:
    """Whether orders can be written: an older WooCommerce keeps our key of one by the add-on only.
    Empty versions are not known, and of no add-on.
    """
    numbers = tuple(int(each) for each in re.findall(r"\d+", version)[:2])
    if addon or not numbers or numbers >= _KEEPS_KEYS:
        return []
    text = (
        "Before WooCommerce 9.9 orders are made with the add-on only: update it, or install that."
    )
    return [("orders_not_keyed", text)]


_KEEPS_KEYS = (9, 9)
_HINDRANCES = {
    Hindrance.ABSENT: "Without the add-on orders lose dates, taxes, totals and numbers in part,"
    " mails have to be turned off for everybody, and old paths cannot be redirected by a push.",
    Hindrance.FORBIDDEN: "The add-on may not be used: the key's user does not manage the shop.",
    Hindrance.OTHER: "The add-on is of another version than recent-sync: replace its file.",
    Hindrance.UNMARKED: "The add-on does not see the header X-Recent-Sync: let a proxy pass it.",
}
_OUTDATED = (
    "addon_outdated",
    "The add-on is of an earlier release, which takes no redirects: replace its files.",
)
_LEFT_UNSEEN = {
    Hindrance.ABSENT: "Without the add-on deletions, deleted refunds and stock written past"
    " WooCommerce are seen by full reads alone.",
}


async def examine_addon(addon: Addon, *, reads: bool = False) -> tuple[str, list[tuple[str, str]]]:
    """The add-on's version, empty where it is not used; and what that means. `reads`: the store
    is one to read from.
    """
    status = await addon.status()
    if not isinstance(status, Hindrance):
        return status.version, [] if reads or status.redirects else [_OUTDATED]
    told = (_HINDRANCES | _LEFT_UNSEEN) if reads else _HINDRANCES
    return "", [(str(status), told[status])]
