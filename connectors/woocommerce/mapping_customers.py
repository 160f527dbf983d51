"""Customers: WooCommerce's JSON into canonical records and back. Pure."""

from __future__ import annotations

from typing import Any

from connectors.records import Customer, Record
from connectors.woocommerce.parts import (
    CUSTOMER_KEY_META,
    UnmappableError,
    address,
    kept_metas,
    utc,
    wire_address,
    wire_metas,
)
from connectors.woocommerce.wire import WireCustomer


def customer(wire: WireCustomer) -> Record:
    """A customer. Raises `UnmappableError` where there is no email: nothing could pair it."""
    if not wire.email:
        raise UnmappableError("the customer has no email")
    kept = kept_metas(wire.meta_data)
    content = Customer(
        email=wire.email,
        username=wire.username or "",
        first_name=wire.first_name or "",
        last_name=wire.last_name or "",
        role=wire.role or "customer",
        billing=address(wire.billing),
        shipping=address(wire.shipping),
        created_at=utc(wire.date_created_gmt),
        extra={"meta": kept} if kept else {},
    )
    return Record(str(wire.id), utc(wire.date_modified_gmt), content)


def new_customer(content: Customer, key: str, password: str) -> dict[str, Any]:
    """The body that creates a customer. Passwords cannot be read, so each gets a random one."""
    body = customer_changes(content, None)
    body["meta_data"] = [*body.get("meta_data", []), {"key": CUSTOMER_KEY_META, "value": key}]
    body["password"] = password
    if content.username:
        body["username"] = content.username
    return body


def customer_changes(content: Customer, changed: frozenset[str] | None) -> dict[str, Any]:
    """The body that updates the `changed` fields, or all. The username can never be changed."""
    fields: dict[str, tuple[str, Any]] = {
        "email": ("email", content.email),
        "first_name": ("first_name", content.first_name),
        "last_name": ("last_name", content.last_name),
        "billing": ("billing", _billing(content)),
        "shipping": ("shipping", wire_address(content.shipping)),
    }
    metas = wire_metas(content.extra.get("meta"))
    if metas:
        fields["extra"] = ("meta_data", metas)
    return {
        name: value
        for field, (name, value) in fields.items()
        if changed is None or field in changed
    }


def _billing(content: Customer) -> dict[str, Any]:
    """Only where the billing address has an email of its own is one written."""
    body = wire_address(content.billing, content.billing.email if content.billing else "")
    if not body["email"]:
        del body["email"]
    return body
