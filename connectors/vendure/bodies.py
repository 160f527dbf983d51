"""Collections, products and customers as Vendure's inputs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.changes import Changed, touches
from connectors.records import Address, Category, Customer, Product, Variant
from connectors.vendure.mapping_products import variant as mapped
from connectors.vendure.parts import KEY, ONCE_PRICED, Coins, custom, full_name
from connectors.vendure.shop import Shop
from connectors.vendure.wire import WireVariant

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


def variant_body(
    variant: Variant, found: WireVariant | None, changed: Changed, shop: Shop, coins: Coins
) -> Body:
    """The fields of a variant to write that differ from what is there; all of a new one.

    Vendure has a price for every variant. One without is disabled, at a price of nothing: nobody
    may buy it for that. It is enabled again as soon as it has a price.
    """
    there = mapped(found, coins, shop.tax_classes) if found else None
    price = variant.regular_price
    body: Body = {}
    if there is None or (touches(changed, "sku") and variant.sku != there.sku):
        body["sku"] = variant.sku
    if there is None or (touches(changed, "regular_price") and price != there.regular_price):
        body["price"] = coins.units(price) if price is not None else 0
    if there is None or _may_switch(variant, there, changed):
        body |= _for_sale(variant, found, shop)
    return body


def _may_switch(variant: Variant, there: Variant, changed: Changed) -> bool:
    """Whether it may have to be enabled or disabled."""
    without = variant.regular_price is None or there.regular_price is None
    return touches(changed, "status") or (without and touches(changed, "regular_price"))


def _for_sale(variant: Variant, found: WireVariant | None, shop: Shop) -> Body:
    """Whether it is for sale, and what it will be once it has a price, where the store keeps that;
    the only variant of a product needs no such note, because the product has a status of its own.
    """
    body: Body = {}
    wanted = enabled(variant.status) and variant.regular_price is not None
    if found is None or found.enabled is not wanted:
        body["enabled"] = wanted
    waits_as = variant.status if variant.regular_price is None and variant.options else ""
    noted = custom(found.custom_fields, ONCE_PRICED) if found else ""
    if waits_as != noted and shop.has("ProductVariant", ONCE_PRICED):
        body["customFields"] = {ONCE_PRICED: waits_as or None}
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
