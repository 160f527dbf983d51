"""Small pieces of mapping that several streams share. All functions are pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from connectors.medusa.wire import Metadata, WireAddress
from connectors.records import Address, Money, money

OURS = "recent_sync_"
"""How the names of our own metadata begin."""

KEY = "recent_sync_key"
"""Metadata that carries our external key. Products and categories carry it in `external_id`."""

PART = "recent_sync_part"
"""Metadata that carries the source's id of a part: `12`, `fee:12`, `billing`."""

SKU = "recent_sync_sku"
"""Metadata with the SKU of a product whose variants have their own: Medusa has only these."""

NOTE = "note"
"""Metadata of an order that people write notes into: Medusa has no field for them."""

STATUS = "recent_sync_status"
"""Metadata with the status of an imported order that Medusa shows as another."""

_EMAIL = "email"
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_STEPS = Decimal("0.000001")


class UnmappableError(ValueError):
    """A record holds what has no canonical form. The message names the field, not its value."""


def utc(moment: datetime | None) -> datetime | None:
    """A time of Medusa, which says its zone, in UTC."""
    return None if moment is None else moment.astimezone(UTC)


def iso(moment: datetime | None) -> str | None:
    """The way back."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def exact(amount: Decimal, currency: str) -> Money:
    """An amount. Medusa reckons with far more digits than money has: six of them are kept."""
    return money(f"{amount.quantize(_STEPS):f}", currency)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The sum of some amounts."""
    return sum(amounts, Decimal(0))


def measure(value: Decimal | None) -> str:
    """A weight or a length as text: 1.5, not 1.50."""
    if value is None:
        return ""
    plain = value.normalize()
    return f"{plain:f}"


def kept(metadata: Metadata) -> dict[str, Any]:
    """Metadata that people and programs of the store keep; ours is not content."""
    return {name: value for name, value in (metadata or {}).items() if not name.startswith(OURS)}


def told(fields: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """What differs from what is usual: (value, usual value) by name."""
    return {name: value for name, (value, usual) in fields.items() if value != usual}


def text_of(metadata: Metadata, name: str) -> str:
    """The text under a name, empty where there is none."""
    found = (metadata or {}).get(name)
    return found if isinstance(found, str) else ""


def address(wire: WireAddress | None) -> Address | None:
    """A postal address; None where all is empty."""
    if wire is None:
        return None
    found = Address(
        wire.first_name or "",
        wire.last_name or "",
        wire.company or "",
        wire.address_1 or "",
        wire.address_2 or "",
        wire.city or "",
        wire.province or "",
        wire.postal_code or "",
        (wire.country_code or "").upper(),
        wire.phone or "",
        text_of(wire.metadata, _EMAIL),
    )
    return None if found == _NOWHERE else found


_NOWHERE = Address()


def wire_address(where: Address | None) -> dict[str, Any]:
    """The way back. Medusa's addresses have no email: it stands in their metadata."""
    source = where or _NOWHERE
    return {
        "first_name": source.first_name,
        "last_name": source.last_name,
        "company": source.company,
        "address_1": source.line1,
        "address_2": source.line2,
        "city": source.city,
        "province": source.state,
        "postal_code": source.postcode,
        "country_code": source.country.lower() or None,
        "phone": source.phone,
        "metadata": {_EMAIL: source.email},
    }


def own_id(prefix: str, *names: str) -> str:
    """An id in Medusa's form that is the same for the same names every time."""
    number = int.from_bytes(hashlib.sha256("\n".join(names).encode()).digest()[:16])
    letters = [_LETTERS[number >> 5 * place & 31] for place in reversed(range(26))]
    return f"{prefix}_{''.join(letters)}"
