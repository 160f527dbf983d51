"""Customers: Shopify's JSON into canonical records. Pure."""

from __future__ import annotations

from msgspec import to_builtins

from connectors.records import Customer, Record
from connectors.shopify.parts import UnmappableError, address, metafields, number, told, utc
from connectors.shopify.wire import WireCustomer


def customer(wire: WireCustomer) -> Record:
    """A customer. Shopify knows addresses of one kind: the default one is where bills go, the
    first other one where goods go. Raises `UnmappableError` where there is no email: nothing
    could pair it.
    """
    if wire.default_email_address is None or not wire.default_email_address.email_address:
        raise UnmappableError("the customer has no email")
    default, phone = wire.default_address, wire.default_phone_number
    others = [each for each in wire.addresses_v2.nodes if default is None or each.id != default.id]
    mapped = [found for each in others if (found := address(each))]
    content = Customer(
        email=wire.default_email_address.email_address,
        first_name=wire.first_name or "",
        last_name=wire.last_name or "",
        billing=address(default),
        shipping=mapped[0] if mapped else None,
        created_at=utc(wire.created_at),
        extra=told(
            {
                "phone": (phone.phone_number if phone else "", ""),
                "note": (wire.note or "", ""),
                "tags": (sorted(wire.tags), []),
                "tax_exempt": (wire.tax_exempt, False),
                "locale": (wire.locale, ""),
                "marketing": (
                    wire.default_email_address.marketing_state.lower(),
                    "not_subscribed",
                ),
                "addresses": (to_builtins(mapped[1:]), []),
                "metafields": (metafields(wire.metafields.nodes), {}),
            }
        ),
    )
    return Record(number(wire.id), utc(wire.updated_at), content)
