"""Collections, products and customers as Vendure's inputs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.changes import Changed, touches
from connectors.records import Address, Category, Customer, Product, Variant
from connectors.vendure.parts import KEY, Coins, full_name
from connectors.vendure.shop import Shop

Body = dict[str, Any]


def keyed(shop: Shop, entity: str, key: str, **more: str) -> Body:
    """The custom fields of a new record, as far as the store has them."""
    fields = {KEY: key, **more}
    there = {name: value for name, value in fields.items() if shop.has(entity, name) and value}
    return {"customFields": there} if there else {}


def texts(language: str, fields: Mapping[str, str | None]) -> Body:
    """Texts in the language that is written; none where none is given."""
    given = {name: value for name, value in fields.items() if value is not None}
    return {"translations": [{"languageCode": language, **given}]} if given else {}


def new_texts(
    content: Category | Product, there: Category | Product | None, changed: Changed
) -> dict[str, str]:
    """Those texts that are to be written and differ from what is there; all of a new record."""
    names = ("name", "slug", "description")
    return {
        name: wanted
        for name in names
        if (wanted := getattr(content, name)) != (there and getattr(there, name))
        and (there is None or (touches(changed, name) and (wanted or name != "slug")))
    }


def enabled(status: str) -> bool:
    """Whether shoppers see it."""
    return status == "published"


def variant_body(variant: Variant, there: Variant | None, changed: Changed, coins: Coins) -> Body:
    """The fields of a variant to write that differ from what is there; all of a new one."""
    body: Body = {}

    def differs(name: str) -> bool:
        if there is None:
            return True
        return touches(changed, name) and getattr(variant, name) != getattr(there, name)

    if differs("sku"):
        body["sku"] = variant.sku
    if differs("status"):
        body["enabled"] = enabled(variant.status)
    if differs("regular_price"):
        price = variant.regular_price
        if price is not None:
            body["price"] = coins.units(price)
        elif there is None:
            # Without a price nobody may buy it for nothing.
            body |= {"price": 0, "enabled": False}
    return body


def own_variant(content: Product) -> Variant:
    """What the only variant of a product without options is."""
    return Variant(
        id="",
        sku=content.sku,
        regular_price=content.regular_price,
        extra={"tax_class": content.tax_class} if content.tax_class else {},
    )


# --- customers -----------------------------------------------------------------------------------


def customer_body(content: Customer, there: Customer | None, changed: Changed) -> Body:
    """Fields of a customer to write that differ from what is there, addresses apart."""
    fields = {
        "email": ("emailAddress", content.email),
        "first_name": ("firstName", content.first_name),
        "last_name": ("lastName", content.last_name),
    }
    body: Body = {
        wire: value
        for name, (wire, value) in fields.items()
        if there is None or (touches(changed, name) and getattr(there, name) != value)
    }
    if there is None and (phone := content.extra.get("phone")):
        body["phoneNumber"] = phone
    return body


def address_body(where: Address, shop: Shop) -> Body:
    """A customer's address."""
    own = {"firstName": where.first_name, "email": where.email}
    custom = {name: value for name, value in own.items() if shop.has("Address", name)}
    return {
        "fullName": full_name(where),
        "company": where.company,
        "streetLine1": where.line1,
        "streetLine2": where.line2,
        "city": where.city,
        "province": where.state,
        "postalCode": where.postcode,
        "phoneNumber": where.phone,
        "countryCode": where.country,
    } | ({"customFields": custom} if custom else {})


def order_address(where: Address, countries: Mapping[str, str], shop: Shop) -> Body:
    """An order's address: it holds its country's name as well. `countries` are names by code."""
    return address_body(where, shop) | {"country": countries.get(where.country, where.country)}
