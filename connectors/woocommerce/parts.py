"""Small pieces of mapping that several streams share. All functions are pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from connectors.records import Address, Image, Money, money
from connectors.woocommerce.wire import Amount, Metas, Text, WireAddress, WireImage, WireMeta

KEY_META = "_recent_sync_key"
"""Meta that carries our external key."""

CUSTOMER_KEY_META = "recent_sync_key"
"""The same for customers: WooCommerce drops their meta data that begin with `_` without a word."""

PART_META = "_recent_sync_part"
"""Meta that carries the source id of a part: `12`, `shipping:12`, `fee:12`, `fee:tax`."""

TAX_FEE = "fee:tax"
"""The part of an order that holds taxes which the target reckons otherwise."""

REFUND_META = "_recent_sync_refund"
"""Meta that carries the source id of a refund."""

_decode_value = msgspec.json.Decoder().decode


class UnmappableError(ValueError):
    """A record holds what has no canonical form. The message names the field, not its value."""


def utc(moment: datetime | None) -> datetime | None:
    """A `*_gmt` time, which comes without a zone, as aware UTC."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def gmt(moment: datetime | None) -> str | None:
    """The way back: a `*_gmt` field as WooCommerce writes it."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def amount(value: Amount, currency: str) -> Money:
    """An amount that is always there; an empty one is zero."""
    if type(value) is not str:
        value = "0" if value is None else str(value)
    try:
        return money(value or "0", currency)
    except (ArithmeticError, ValueError):
        raise UnmappableError("an amount of money is no number") from None


def price(value: Amount, currency: str) -> Money | None:
    """A price that may be missing; an empty one is none."""
    return None if value is None or value == "" else amount(value, currency)


def plain(value: Money) -> str:
    """An amount as WooCommerce wants it: text without exponent."""
    return f"{value.amount:f}"


def text(value: Text) -> str:
    """Text, whatever PHP made of it: `false` and `null` mean none."""
    if type(value) is str:
        return value
    return "" if value is None or value is False else str(value)


def address(wire: WireAddress | list[Any] | None) -> Address | None:
    """A postal address; None where all is empty."""
    if not isinstance(wire, WireAddress):
        return None
    found = Address(
        wire.first_name or "",
        wire.last_name or "",
        wire.company or "",
        wire.address_1 or "",
        wire.address_2 or "",
        wire.city or "",
        wire.state or "",
        text(wire.postcode),
        wire.country or "",
        text(wire.phone),
        wire.email or "",
    )
    return None if found == _NOWHERE else found


_NOWHERE = Address()


def wire_address(where: Address | None, email: str | None = None) -> dict[str, Any]:
    """An address as WooCommerce wants it; `email` is text for billing, None for shipping."""
    source = where or _NOWHERE
    body: dict[str, Any] = {
        "first_name": source.first_name,
        "last_name": source.last_name,
        "company": source.company,
        "address_1": source.line1,
        "address_2": source.line2,
        "city": source.city,
        "state": source.state,
        "postcode": source.postcode,
        "country": source.country,
    }
    # The published schema knows no phone of a shipping address, though the store keeps it.
    if source.phone or email is not None:
        body["phone"] = source.phone
    if email is not None:
        # An empty text would be refused as no email.
        body["email"] = email or None
    return body


def image(wire: WireImage | list[Any] | None) -> Image | None:
    """An image; None where there is none."""
    if not isinstance(wire, WireImage) or not wire.src:
        return None
    return Image(text(wire.src), text(wire.alt), text(wire.name))


def wire_image(picture: Image) -> dict[str, Any]:
    """The way back: the store fetches the image from its address."""
    return {"src": picture.src, "alt": picture.alt, "name": picture.name}


def metas(wire: Metas) -> Iterable[WireMeta]:
    """Meta data; PHP makes an object of a list with holes."""
    return wire.values() if isinstance(wire, dict) else wire


def meta_value(wire: Metas, key: str) -> str | None:
    """The text of one meta field."""
    for each in metas(wire):
        if each.key == key:
            return str(_decode_value(each.value))
    return None


@lru_cache(maxsize=4096)
def _is_kept(key: str) -> bool:
    return not key.startswith("_") and key not in _VOLATILE


_VOLATILE = frozenset(
    {
        CUSTOMER_KEY_META,
        "is_vat_exempt",
        "total_sales",
        "post_views_count",
        "views",
        "slide_template",
    }
)


def kept_metas(wire: Metas) -> dict[str, Any]:
    """Meta data that people and extensions show; private ones (with `_`) belong to the store."""
    return {each.key: _decode_value(each.value) for each in metas(wire) if _is_kept(each.key)}


def line_metas(wire: Metas) -> dict[str, Any]:
    """As `kept_metas`, of a part of an order. Extensions write one field for each of several
    choices, all of one name, which the REST API does not let anybody write: such texts become one.
    """
    found: dict[str, Any] = {}
    for each in metas(wire):
        if not _is_kept(each.key):
            continue
        value, before = _decode_value(each.value), found.get(each.key)
        is_choice = _is_plain(before) and _is_plain(value)
        found[each.key] = f"{before}, {value}" if is_choice else value
    return found


def _is_plain(value: Any) -> bool:
    """Whether a value is a text or a number, which people read as it stands."""
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def plain_metas(wire: Metas, keys: Collection[str]) -> dict[str, str]:
    """Those of the meta data with these keys that are a text or a number."""
    found = {each.key: _decode_value(each.value) for each in metas(wire) if each.key in keys}
    return {key: str(value) for key, value in found.items() if isinstance(value, str | int)}


def wire_metas(found: Any) -> list[dict[str, Any]]:
    """The way back, from `extra["meta"]`."""
    if not isinstance(found, dict):
        return []
    return [{"key": key, "value": value} for key, value in found.items()]
