"""Customers: Vendure's JSON into canonical records. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from connectors.records import Address, Customer, Record
from connectors.vendure.parts import UnmappableError, address, place, told, utc
from connectors.vendure.wire import WireAddress, WireCustomer


def customer(wire: WireCustomer) -> Record:
    """A customer with the addresses that bills and goods go to by default; others are in `extra`.

    Raises `UnmappableError` where there is no email: nothing could pair it.
    """
    if not wire.email_address:
        raise UnmappableError("the customer has no email")
    places = wire.addresses or []
    billing, shipping = default_billing(places), default_shipping(places)
    content = Customer(
        email=wire.email_address,
        first_name=wire.first_name,
        last_name=wire.last_name,
        role="customer" if wire.user else "guest",
        billing=address(billing),
        shipping=shipping_address(billing, shipping),
        created_at=utc(wire.created_at),
        extra=told(
            {
                "title": (wire.title or "", ""),
                "phone": (wire.phone_number or "", ""),
                "addresses": (_others(places, billing, shipping), []),
            }
        ),
    )
    return Record(wire.id, utc(wire.updated_at), content)


def default_billing(places: Sequence[WireAddress]) -> WireAddress | None:
    """The address of bills."""
    return next((each for each in places if each.default_billing_address), None)


def default_shipping(places: Sequence[WireAddress]) -> WireAddress | None:
    """The address of goods."""
    return next((each for each in places if each.default_shipping_address), None)


def shipping_address(billing: WireAddress | None, shipping: WireAddress | None) -> Address | None:
    """The address of goods; an email of an address that serves both is that of the bills."""
    found = address(shipping)
    if found is not None and shipping is billing:
        return replace(found, email="")
    return found


def _others(
    places: Sequence[WireAddress], billing: WireAddress | None, shipping: WireAddress | None
) -> list[dict[str, Any]]:
    others = [each for each in places if each is not billing and each is not shipping]
    found = [address(each) for each in sorted(others, key=lambda each: place(each.id))]
    return [told_address(each) for each in found if each]


def told_address(where: Address) -> dict[str, Any]:
    """The parts of an address that are not empty."""
    parts: dict[str, Any] = msgspec.to_builtins(where)
    return {name: value for name, value in parts.items() if value}
