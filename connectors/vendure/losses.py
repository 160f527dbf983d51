"""What Vendure shows of what it cannot keep: for `Loss.shows`. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from connectors.base import Hint
from connectors.records import Address, Customer, Money, Product, Variant
from connectors.vendure.bodies import enabled
from connectors.vendure.parts import full_name, names


def kind(product: Product) -> str | Hint:
    """A lone variant without options stands for the whole product."""
    if any(not each.options for each in product.variants):
        return Hint.ANYTHING
    return "variable" if product.variants else "simple"


def status(product: Product) -> str | Hint:
    """Enabled or not. What has no price is not for sale."""
    if not product.variants and product.regular_price is None:
        return Hint.ANYTHING
    return _status(product.status)


def variant_status(variant: Variant) -> str | Hint:
    """Enabled or not. What has no price is not for sale."""
    return Hint.ANYTHING if variant.regular_price is None else _status(variant.status)


def variant_price(variant: Variant) -> Money | Hint:
    """What has no price costs nothing, in a currency that only the store knows."""
    return Hint.ANYTHING if variant.regular_price is None else variant.regular_price


def billing(customer: Customer) -> Address | None:
    """Without the add-on."""
    return _address(customer.billing)


def shipping(customer: Customer) -> Address | None:
    """Without the add-on."""
    return _address(customer.shipping)


def _status(status: str) -> str:
    return "published" if enabled(status) else "draft"


def _address(where: Address | None) -> Address | None:
    """One field holds the whole name, and none an email."""
    if where is None:
        return None
    first, last = names(full_name(where))
    found = replace(where, first_name=first, last_name=last, email="")
    return None if found == Address() else found
