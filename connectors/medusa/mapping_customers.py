"""Customers: Medusa's JSON into canonical records. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.medusa.parts import PART, UnmappableError, address, kept, text_of, told, utc
from connectors.medusa.wire import WireAddress, WireCustomer
from connectors.records import Customer, Record

BILLING = "billing"
SHIPPING = "shipping"
PARTS = (BILLING, SHIPPING)


def customer(wire: WireCustomer) -> Record:
    """A customer. Raises `UnmappableError` where there is no email: nothing could pair it."""
    if not wire.email:
        raise UnmappableError("the customer has no email")
    found = {part: place(wire.addresses or (), part) for part in PARTS}
    content = Customer(
        email=wire.email,
        first_name=wire.first_name or "",
        last_name=wire.last_name or "",
        billing=address(found[BILLING]),
        shipping=address(found[SHIPPING]),
        created_at=utc(wire.created_at),
        extra=_extra(wire, [each.id for each in found.values() if each]),
    )
    return Record(wire.id, utc(wire.updated_at), content)


def place(addresses: Sequence[WireAddress], part: str) -> WireAddress | None:
    """The address for bills or for goods: ours, or the one that is marked as such."""
    ours = [each for each in addresses if text_of(each.metadata, PART) == part]
    marked = [each for each in addresses if getattr(each, f"is_default_{part}")]
    # Of doubles always the same one.
    return min(ours or marked, key=lambda each: each.id, default=None)


def _extra(wire: WireCustomer, shown: Sequence[str]) -> dict[str, Any]:
    others = [
        [each.address_1 or "", each.postal_code or "", each.city or ""]
        for each in sorted(wire.addresses or (), key=lambda each: each.id)
        if each.id not in shown
    ]
    return told(
        {
            "company": (wire.company_name or "", ""),
            "phone": (wire.phone or "", ""),
            "account": (wire.has_account, False),
            "other_addresses": (others, []),
            "metadata": (kept(wire.metadata), {}),
        }
    )
