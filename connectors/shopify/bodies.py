"""Collections, products and customers as Shopify's inputs. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from connectors.changes import Changed, touches
from connectors.prices import SALE_DATES
from connectors.records import (
    Address,
    Attribute,
    Category,
    Customer,
    Image,
    Money,
    Option,
    Product,
    Variant,
)
from connectors.shopify.parts import plain
from connectors.shopify.wire import WireAddress, WireVariant

Body = dict[str, Any]
_STATUSES = {"published": "ACTIVE", "archived": "ARCHIVED"}
_UNITS = frozenset({"GRAMS", "KILOGRAMS", "OUNCES", "POUNDS"})
_DEFAULT_OPTION = ("Title", "Default Title")
COUNTRY = re.compile(r"[A-Z]{2}")
OWN_VARIANT = SALE_DATES | {
    "sku",
    "regular_price",
    "sale_price",
    "barcode",
    "weight",
    "taxable",
    "extra",
}
"""Fields of a simple product that Shopify keeps in its default variant."""


# --- collections ---------------------------------------------------------------------------------


def collection_body(content: Category, changed: Changed) -> Body:
    """A collection's own fields; its products say that they are in it."""
    body: Body = {}
    if touches(changed, "name"):
        body["title"] = content.name
    if touches(changed, "slug") and content.slug:
        body["handle"] = content.slug
    if touches(changed, "description"):
        body["descriptionHtml"] = content.description
    if touches(changed, "image") and content.image:
        body["image"] = {"src": content.image.src, "altText": content.image.alt}
    if touches(changed, "extra") and "seo" in content.extra:
        body["seo"] = _seo(content.extra)
    return body


def _seo(extra: Mapping[str, Any]) -> Body:
    found = extra.get("seo")
    texts = found if isinstance(found, dict) else {}
    return {name: str(texts.get(name, "")) for name in ("title", "description")}


# --- products ------------------------------------------------------------------------------------


def product_body(content: Product, changed: Changed, *, images: bool = True) -> Body:
    """A product's fields without its variants."""
    body: Body = {}
    if touches(changed, "name"):
        body["title"] = content.name
    if touches(changed, "slug") and content.slug:
        body["handle"] = content.slug
    if touches(changed, "description"):
        body["descriptionHtml"] = content.description
    if touches(changed, "status", "visibility"):
        body["status"] = product_status(content)
    if touches(changed, "tags"):
        body["tags"] = list(content.tags)
    if touches(changed, "categories"):
        body["collections"] = [f"gid://shopify/Collection/{each}" for each in content.categories]
    if images and touches(changed, "images") and (content.images or changed is not None):
        body["files"] = [_file(each) for each in content.images]
    if touches(changed, "extra"):
        body |= _extra_fields(content.extra)
    return body


def product_status(content: Product) -> str:
    """A product's status in Shopify's words: what it does not know is not shown."""
    found = _STATUSES.get(content.status, "DRAFT")
    return "UNLISTED" if found == "ACTIVE" and content.visibility == "hidden" else found


def _file(image: Image) -> Body:
    return {"originalSource": image.src, "alt": image.alt, "contentType": "IMAGE"}


def _extra_fields(extra: Mapping[str, Any]) -> Body:
    names = {"vendor": "vendor", "product_type": "productType", "template": "templateSuffix"}
    body = {wire: str(extra[name]) for name, wire in names.items() if name in extra}
    return body | ({"seo": _seo(extra)} if "seo" in extra else {})


def other_metafields(extra: Mapping[str, Any]) -> list[Body]:
    """Metafields that another Shopify store had."""
    found = extra.get("metafields")
    fields = found if isinstance(found, dict) else {}
    return [
        {"namespace": name.partition(".")[0], "key": name.partition(".")[2], **value}
        for name, value in fields.items()
    ]


def option_bodies(options: Iterable[Attribute]) -> list[Body]:
    """The options of a product, or the one that a product without variants has."""
    found = [
        {"name": each.name, "values": [{"name": value} for value in each.values]}
        for each in options
    ]
    name, value = _DEFAULT_OPTION
    return found or [{"name": name, "values": [{"name": value}]}]


def own_variant(content: Product, changed: Changed, unit: str) -> Body:
    """The default variant of a product that has no others."""
    stands_for = Variant(
        id="",
        sku=content.sku,
        regular_price=content.regular_price,
        sale_price=content.sale_price,
        barcode=content.barcode,
        weight=content.weight,
        extra={**content.extra, "taxable": content.taxable},
    )
    return variant_body(stands_for, changed, unit)


def inheriting(variant: Variant, content: Product) -> Variant:
    """A variant with what it has from its product, where it says nothing of its own."""
    extra = {"taxable": content.taxable} | variant.extra
    if variant.weight or not content.weight:
        return replace(variant, extra=extra)
    unit = content.extra.get("weight_unit", "")
    return replace(variant, weight=content.weight, extra={"weight_unit": unit} | extra)


def variant_body(variant: Variant, changed: Changed, unit: str) -> Body:
    """One variant with the fields to write. `unit` is the shop's own for weights."""
    name, value = _DEFAULT_OPTION
    options = variant.options or (Option(name, value),)
    body: Body = {"optionValues": [{"optionName": e.name, "name": e.value} for e in options]}
    if touches(changed, "sku"):
        body["sku"] = variant.sku
    if touches(changed, "barcode"):
        body["barcode"] = variant.barcode or None
    if touches(changed, "regular_price", "sale_price", *SALE_DATES):
        body |= _prices(variant.regular_price, variant.sale_price)
    if touches(changed, "taxable", "extra"):
        body["taxable"] = bool(variant.extra.get("taxable", True))
    item = _item(variant, changed, unit)
    return body | ({"inventoryItem": item} if item else {})


def _prices(regular: Money | None, sale: Money | None) -> Body:
    """Without any price nothing is said: a free one would be the wrong one."""
    price = sale or regular
    if price is None:
        return {}
    compared = regular if sale is not None and regular is not None else None
    return {
        "price": plain(price),
        "compareAtPrice": plain(compared) if compared else None,
    }


def _item(variant: Variant, changed: Changed, unit: str) -> Body:
    body: Body = {}
    if touches(changed, "weight", "extra") and variant.weight:
        named = str(variant.extra.get("weight_unit", "")).upper()
        weight = {
            "value": float(Decimal(variant.weight)),
            "unit": named if named in _UNITS else unit,
        }
        body["measurement"] = {"weight": weight}
    if touches(changed, "extra") and "requires_shipping" in variant.extra:
        body["requiresShipping"] = bool(variant.extra["requires_shipping"])
    return body


def kept_variant(row: WireVariant) -> Body:
    """A variant of the target that nothing is said about: named, so that it stays."""
    options = [{"optionName": each.name, "name": each.value} for each in row.selected_options]
    return {"id": row.id, "optionValues": options}


def prices_of(content: Product) -> list[Money]:
    """All prices of a product and its variants."""
    found = [content.regular_price, content.sale_price]
    for variant in content.variants:
        found += [variant.regular_price, variant.sale_price]
    return [each for each in found if each is not None]


# --- customers -----------------------------------------------------------------------------------


def customer_body(content: Customer, changed: Changed, others: Sequence[WireAddress] = ()) -> Body:
    """A customer's fields. Addresses are one list, the default one first; `others` stay in it."""
    body: Body = {}
    if touches(changed, "email"):
        body["email"] = content.email
    if touches(changed, "first_name"):
        body["firstName"] = content.first_name
    if touches(changed, "last_name"):
        body["lastName"] = content.last_name
    if touches(changed, "billing", "shipping"):
        body["addresses"] = _addresses(content, others)
    if touches(changed, "extra"):
        body |= _customer_extra(content.extra)
    return body


def _addresses(content: Customer, others: Sequence[WireAddress]) -> list[Body]:
    found = [address_body(each) for each in (content.billing, content.shipping) if each]
    if changed_extra := content.extra.get("addresses"):
        found += [address_body(Address(**each)) for each in changed_extra]
    found += [_wire_address(each) for each in others]
    return [each for index, each in enumerate(found) if each not in found[:index]]


def _customer_extra(extra: Mapping[str, Any]) -> Body:
    names = {"phone": "phone", "note": "note", "tags": "tags", "locale": "locale"}
    body = {wire: extra[name] for name, wire in names.items() if extra.get(name)}
    return body | ({"taxExempt": True} if extra.get("tax_exempt") else {})


def address_body(address: Address) -> Body:
    """A postal address. A country that is no code is left out: it would spoil the whole input."""
    country = address.country.upper()
    return {
        "firstName": address.first_name,
        "lastName": address.last_name,
        "company": address.company,
        "address1": address.line1,
        "address2": address.line2,
        "city": address.city,
        "provinceCode": address.state or None,
        "zip": address.postcode,
        "countryCode": country if COUNTRY.fullmatch(country) else None,
        "phone": address.phone or None,
    }


def _wire_address(wire: WireAddress) -> Body:
    """An address that stays, in the form of ours: the same one is not to come twice."""
    return {
        "firstName": wire.first_name or "",
        "lastName": wire.last_name or "",
        "company": wire.company or "",
        "address1": wire.address1 or "",
        "address2": wire.address2 or "",
        "city": wire.city or "",
        "provinceCode": wire.province_code or None,
        "zip": wire.zip or "",
        "countryCode": wire.country_code_v2,
        "phone": wire.phone or None,
    }
