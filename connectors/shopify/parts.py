"""Small pieces of mapping that several streams share. All functions are pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.records import Address, Image, Money, money
from connectors.shopify.wire import WireAddress, WireBag, WireImage, WireMetafield, WireSeo

NAMESPACE = "recent_sync"
"""The namespace of our metafields."""

KEY = "key"
"""The metafield that carries our external key."""

SKU = "sku"
"""The metafield that carries the SKU of a product whose variants have their own."""

PART = "_recent_sync_part"
"""The property of an order line that says which part of the source it is: `12` or `fee:12`."""

NO_GOODS = "none"
"""The part of a line that stands for nothing, in an order that has shipping or fees alone."""

SUBTOTAL = "_recent_sync_subtotal"
"""The property of an order line that holds what it cost before discounts: amount and tax."""

STATUS = "Original status"
"""The attribute of an order that holds a status which Shopify has no word for."""


class UnmappableError(ValueError):
    """A record holds what has no canonical form. The message names the field, not its value."""


def number(gid: str) -> str:
    """The number in an id such as `gid://shopify/Product/123`."""
    found = gid.rpartition("/")[2].partition("?")[0]
    if not found.isdecimal():
        raise UnmappableError("an id is no number")
    return found


def gid(kind: str, record_id: str) -> str:
    """The way back.

    >>> gid("Product", "123")
    'gid://shopify/Product/123'
    """
    return f"gid://shopify/{kind}/{record_id}"


def utc(moment: str | None) -> datetime | None:
    """A time with its zone as aware UTC."""
    if moment is None:
        return None
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise UnmappableError("a time is no time") from None
    if found.tzinfo is None:
        raise UnmappableError("a time has no zone")
    return found.astimezone(UTC)


def iso(moment: datetime | None) -> str | None:
    """The way back; whole seconds, as Shopify keeps."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def amount(value: str, currency: str) -> Money:
    """An amount. Raises `UnmappableError`."""
    try:
        return money(value, currency)
    except (ArithmeticError, ValueError):
        raise UnmappableError("an amount of money is no number") from None


def shop_amount(bag: WireBag | None, currency: str) -> Money:
    """An amount in the shop's currency; one that is not there is zero."""
    return amount("0" if bag is None else bag.shop_money.amount, currency)


def plain(value: Money) -> str:
    """An amount as Shopify wants it: text without exponent."""
    return f"{value.amount:f}"


def exact(value: Decimal, currency: str) -> Money:
    """An amount that was reckoned here."""
    return money(f"{value:f}", currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum."""
    return exact(sum((each.amount for each in amounts), Decimal(0)), currency)


def address(wire: WireAddress | None) -> Address | None:
    """A postal address; None where all is empty."""
    if wire is None:
        return None
    found = Address(
        first_name=wire.first_name or "",
        last_name=wire.last_name or "",
        company=wire.company or "",
        line1=wire.address1 or "",
        line2=wire.address2 or "",
        city=wire.city or "",
        state=wire.province_code or "",
        postcode=wire.zip or "",
        country=wire.country_code_v2 or "",
        phone=wire.phone or "",
    )
    return None if found == Address() else found


def image(wire: WireImage | None) -> Image | None:
    """An image; None where there is none."""
    return None if wire is None else Image(wire.url, wire.alt_text or "")


def seo(wire: WireSeo) -> dict[str, str]:
    """What search engines are shown, as far as somebody wrote it."""
    found = {"title": wire.title, "description": wire.description}
    return {name: value for name, value in found.items() if value}


def metafields(wire: Iterable[WireMetafield]) -> dict[str, Any]:
    """Metafields by `namespace.key`, without ours."""
    return {
        f"{each.namespace}.{each.key}": {"type": each.type, "value": each.value}
        for each in sorted(wire, key=lambda each: (each.namespace, each.key))
        if each.namespace != NAMESPACE
    }


def own_metafield(wire: Iterable[WireMetafield], key: str) -> str:
    """The value of a metafield of ours, or nothing."""
    return next((e.value for e in wire if (e.namespace, e.key) == (NAMESPACE, key)), "")


def own_key(wire: Iterable[WireMetafield]) -> str:
    """The external key that a record carries, or nothing."""
    return own_metafield(wire, KEY)


def told(fields: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Fields by name that differ from what is usual: (value, usual)."""
    return {name: value for name, (value, usual) in fields.items() if value != usual}
