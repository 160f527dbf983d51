"""Small pieces of mapping that several streams share. All functions are pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from connectors.minor_units import rounded
from connectors.records import Address, Image, Money, money
from connectors.vendure.wire import WireAddress, WireAsset

KEY = "recentSyncKey"
"""The custom field that carries our external key."""

ONCE_PRICED = "statusOncePriced"
"""The custom field that says which status a variant without a price has once it has one."""

IMPORTED_GOODS = "recent-sync-imported"
"""The SKU of the variant that the add-on gives to lines of goods which the store does not have."""

OUR_FACET = "recent-sync-collections"
"""The facet whose values say which of our collections a product is in."""

TAGS_FACET = "tags"

_NUMBER = re.compile(r"[1-9]\d{0,17}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Part(Protocol):
    """What has an id of the store's."""

    @property
    def id(self) -> str:
        """The id."""
        ...


_Part = TypeVar("_Part", bound=Part)


class UnmappableError(ValueError):
    """A record holds what has no canonical form. The message names the field, not its value."""


def is_id(text: str) -> bool:
    """Whether a store may have a record of this id: ids are numbers or UUIDs."""
    return bool(_NUMBER.fullmatch(text) or _UUID.fullmatch(text))


def place(record_id: str) -> tuple[int, str]:
    """Where an id stands in a list that is sorted by ids: numbers by value, UUIDs as text.

    Raises `UnmappableError` for an id of another kind.

    >>> place("9") < place("10")
    True
    """
    if _NUMBER.fullmatch(record_id):
        return int(record_id), ""
    if _UUID.fullmatch(record_id):
        return 0, record_id
    raise UnmappableError("an id is neither a number nor a UUID")


def in_place(parts: Iterable[_Part]) -> list[_Part]:
    """The same in the order of their ids. Raises `UnmappableError` as `place` does."""
    return sorted(parts, key=lambda each: place(each.id))


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


def iso(moment: datetime) -> str:
    """The way back, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def latest(*moments: str | None) -> datetime | None:
    """The last of some times."""
    return max((found for each in moments if (found := utc(each))), default=None)


class Coins:
    """Amounts as a store keeps them: whole numbers of its smallest unit.

    `precision` is the store's number of decimals, the same for all currencies.
    """

    def __init__(self, precision: int, currency: str) -> None:
        self.precision = precision
        self.currency = currency

    def money(self, units: Decimal | int) -> Money:
        """An amount from units, which the store may answer with fractions."""
        return money(f"{Decimal(units).scaleb(-self.precision):f}", self.currency)

    def units(self, value: Money) -> int:
        """The way back, rounded to the currency's minor unit first."""
        return int(rounded(value.amount, value.currency).scaleb(self.precision).to_integral_value())


def asset(wire: WireAsset | None) -> Image | None:
    """An image; None where there is none."""
    return None if wire is None else Image(wire.source, name=wire.name)


def address(wire: WireAddress | None) -> Address | None:
    """A postal address; None where all is empty."""
    if wire is None:
        return None
    custom = wire.custom_fields or {}
    first, last = names(wire.full_name or "", _text(custom.get("firstName")))
    found = Address(
        first_name=first,
        last_name=last,
        company=wire.company or "",
        line1=wire.street_line1 or "",
        line2=wire.street_line2 or "",
        city=wire.city or "",
        state=wire.province or "",
        postcode=wire.postal_code or "",
        country=wire.code,
        phone=wire.phone_number or "",
        email=_text(custom.get("email")),
    )
    return None if found == Address() else found


def names(full: str, first: str = "") -> tuple[str, str]:
    """First and last name of a full one; `first` is the first name where it is known.

    >>> names("Ann Mary Archer"), names("Ann van Dyck", "Ann"), names("Archer")
    (('Ann Mary', 'Archer'), ('Ann', 'van Dyck'), ('', 'Archer'))
    """
    if first and (full == first or full.startswith(f"{first} ")):
        return first, full.removeprefix(first).removeprefix(" ")
    before, _, after = full.rpartition(" ")
    return before, after


def full_name(where: Address) -> str:
    """The way back."""
    return " ".join(each for each in (where.first_name, where.last_name) if each)


def custom(fields: Mapping[str, Any] | None, name: str) -> str:
    """A custom field's text, or nothing."""
    return _text((fields or {}).get(name))


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum."""
    return money(f"{sum((each.amount for each in amounts), Decimal(0)):f}", currency)


def told(fields: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    """Fields by name that differ from what is usual: (value, usual)."""
    return {name: value for name, (value, usual) in fields.items() if value != usual}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
