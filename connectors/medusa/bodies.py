"""Categories, products, customers and stock as Medusa wants them written. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.base import Operation
from connectors.medusa.mapping_customers import BILLING
from connectors.medusa.mapping_products import (
    DEFAULT_OPTION,
    DEFAULT_VALUE,
    STATUSES,
    is_for_all,
)
from connectors.medusa.parts import KEY, PART, SKU, kept, wire_address
from connectors.medusa.wire import WirePrice
from connectors.records import Address, Category, Customer, Product, Variant

Body = dict[str, Any]
Fields = dict[str, Callable[[], Body]]

_HANDLE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_STATUSES = {canonical: wire for wire, canonical in STATUSES.items()}
_TAKEN_AS_THEY_ARE = frozenset({"published", "draft", "rejected"})
_ANY = "Any"
"""The value of an option that a variant leaves open: Medusa's variants have one of each."""

_NAMELESS = "Variant"


def chosen(fields: Fields, changed: frozenset[str] | None) -> Body:
    """The bodies of the changed fields, or of all, in one; their metadata together."""
    body: Body = {}
    noted: Body = {}
    for field, values in fields.items():
        if changed is None or field in changed:
            found = values()
            noted |= found.get("metadata", {})
            body |= found
    return body | ({"metadata": noted} if noted else {})


def metadata(extra: Mapping[str, Any], **ours: str) -> Body:
    """Metadata of a record: what its store kept there, and ours. Medusa merges it by name."""
    found: Body = {}
    for name in ("meta", "metadata"):
        others = extra.get(name)
        found |= kept(others) if isinstance(others, dict) else {}
    return {"metadata": found | ours} if found or ours else {}


def handle_of(slug: str) -> str:
    """A slug where Medusa takes it as a handle, else nothing: it makes one of the name."""
    return slug if _HANDLE.fullmatch(slug) else ""


# --- categories ----------------------------------------------------------------------------------


def category_body(content: Category, changed: frozenset[str] | None) -> Body:
    """The changed fields of a category, or all."""
    handle = handle_of(content.slug)
    fields: Fields = {
        "name": lambda: {"name": content.name},
        "slug": lambda: {"handle": handle} if handle else {},
        "parent": lambda: {"parent_category_id": content.parent},
        "description": lambda: {"description": content.description},
        "extra": lambda: (
            {
                "is_active": bool(content.extra.get("active", True)),
                "is_internal": bool(content.extra.get("internal", False)),
            }
            | metadata(content.extra)
        ),
    }
    return chosen(fields, changed)


# --- products ------------------------------------------------------------------------------------


def product_body(content: Product, changed: frozenset[str] | None, tags: Mapping[str, str]) -> Body:
    """The changed fields of a product, or all, without its variants. `tags` gives ids by name."""
    handle = handle_of(content.slug)
    sides = zip(("length", "width", "height"), content.dimensions, strict=True)
    fields: Fields = {
        "name": lambda: {"title": content.name},
        "slug": lambda: {"handle": handle} if handle else {},
        "sku": lambda: {"metadata": {SKU: content.sku}} if content.variants else {},
        "status": lambda: {"status": wire_status(content.status)},
        "description": lambda: {"description": content.description},
        "short_description": lambda: {"subtitle": content.short_description},
        "categories": lambda: {"categories": [{"id": each} for each in content.categories]},
        "tags": lambda: {"tags": [{"id": tags[name]} for name in content.tags if name in tags]},
        "images": lambda: _images(content),
        "weight": lambda: {"weight": number(content.weight)},
        "dimensions": lambda: {name: number(value) for name, value in sides},
        "extra": lambda: _product_extra(content),
    }
    return chosen(fields, changed)


def wire_status(status: str) -> str:
    """A canonical status of a product in Medusa's words: what it does not know is not shown."""
    found = _STATUSES.get(status, status)
    return found if found in _TAKEN_AS_THEY_ARE | set(STATUSES) else "draft"


def number(text: str) -> Decimal | None:
    """A measure as a number, None where it is none."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _images(content: Product) -> Body:
    urls = [each.src for each in content.images]
    return {"images": [{"url": url} for url in urls], "thumbnail": urls[0] if urls else None}


def _product_extra(content: Product) -> Body:
    extra = content.extra
    details = extra.get("details")
    body: Body = {
        "discountable": bool(extra.get("discountable", True)),
        "is_giftcard": bool(extra.get("giftcard", False)),
    }
    if isinstance(details, dict):
        body |= details
    if "thumbnail" in extra:
        body["thumbnail"] = extra["thumbnail"]
    return body | metadata(extra)


def new_product_body(
    operation: Operation,
    content: Product,
    tags: Mapping[str, str],
    *,
    channel: str,
    profile: str,
    currency: str,
) -> Body:
    """A whole product with its variants, on the store's own sales channel. It counts its stock
    until the levels tell otherwise: nothing can be sold that is not there.
    """
    body = product_body(content, None, tags)
    bodies = VariantBodies(operation, content, currency)
    body |= {
        "external_id": operation.key,
        "options": [
            {"title": title, "values": list(values)} for title, values in options(content).items()
        ],
        "variants": [bodies.body(each) for each in variants(content)],
    }
    if channel:
        body["sales_channels"] = [{"id": channel}]
    if profile:
        body["shipping_profile_id"] = profile
    return {name: value for name, value in body.items() if value is not None}


def variants(content: Product) -> Sequence[Variant]:
    """The variants of a product; of a simple one the only one, whose id is empty."""
    if content.variants:
        return content.variants
    extra = {"prices": content.extra["prices"]} if "prices" in content.extra else {}
    return (
        Variant(
            id="",
            sku=content.sku,
            regular_price=content.regular_price,
            barcode=content.barcode,
            extra=extra,
        ),
    )


def options(content: Product) -> dict[str, tuple[str, ...]]:
    """What the variants of a product differ in: values by title. Never empty."""
    found: dict[str, dict[str, None]] = {}
    for attribute in content.attributes:
        if attribute.varies:
            found[attribute.name] = dict.fromkeys(attribute.values)
    for variant in content.variants:
        for title in [each.name for each in variant.options]:
            found.setdefault(title, {})
    if not content.variants:
        # A product whose variants are still to come is simple until then.
        return {DEFAULT_OPTION: (DEFAULT_VALUE,)}
    if not found:
        found[_NAMELESS] = {}
    for variant in content.variants:
        for title, value in values_of(content, variant, tuple(found)).items():
            found[title].setdefault(value)
    return {title: tuple(values) for title, values in found.items()}


def values_of(content: Product, variant: Variant, titles: Sequence[str]) -> dict[str, str]:
    """The values of one variant by title."""
    if not content.variants:
        return {DEFAULT_OPTION: DEFAULT_VALUE}
    if tuple(titles) == (_NAMELESS,) and not variant.options:
        return {_NAMELESS: variant.sku or variant.id}
    own = {each.name: each.value for each in variant.options}
    return {title: own.get(title) or _ANY for title in titles}


def variant_key(operation: Operation, variant: Variant) -> str:
    """Our key of a variant."""
    return f"{operation.key}:{variant.id}"


class VariantBodies:
    """Bodies of the variants of one product. `currency` is the store's own."""

    def __init__(self, operation: Operation, content: Product, currency: str) -> None:
        self._operation = operation
        self._content = content
        self._currency = currency
        self._titles = tuple(options(content))
        self._ranks = {each.id: rank for rank, each in enumerate(variants(content))}

    def body(
        self,
        variant: Variant,
        changed: frozenset[str] | None = None,
        there: Sequence[WirePrice] = (),
    ) -> Body:
        """The changed fields of a variant, or a whole one with our key. `there` are the prices
        that it has: Medusa replaces them all.
        """
        own = values_of(self._content, variant, self._titles)
        fields: Fields = {
            "sku": lambda: {"sku": variant.sku or None},
            "options": lambda: {"options": own, "title": _title(self._content, own)},
            "regular_price": lambda: {"prices": _prices(variant, there, self._currency)},
            "barcode": lambda: {"barcode": variant.barcode or None},
            "weight": lambda: {"weight": number(variant.weight)},
            "extra": lambda: _variant_extra(variant),
        }
        body = chosen(fields, changed)
        if changed is not None:
            return body
        key = {KEY: variant_key(self._operation, variant)}
        found = body.get("metadata", {})
        return body | {"variant_rank": self._ranks[variant.id], "metadata": found | key}


def _title(content: Product, own: Mapping[str, str]) -> str:
    return " / ".join(own.values()) if content.variants else "Default variant"


def _variant_extra(variant: Variant) -> Body:
    sides = variant.extra.get("dimensions")
    body: Body = {}
    if isinstance(sides, list):
        names = ("length", "width", "height")
        body = {name: number(str(value)) for name, value in zip(names, sides, strict=False)}
    return body | metadata(variant.extra)


def _prices(variant: Variant, there: Sequence[WirePrice], currency: str) -> list[Body]:
    """All prices of a variant: ours, and whatever else it has there. One that the source has no
    price of any more goes from the store's own `currency`, or it would be sold at the old one.
    """
    price, others = variant.regular_price, variant.extra.get("prices")
    own = {price.currency.lower(): price.amount} if price else {}
    if isinstance(others, dict):
        own |= {code: Decimal(str(amount)) for code, amount in others.items()}
    ids = {each.currency_code: each.id for each in there if is_for_all(each)}
    ours = [
        {"currency_code": code, "amount": amount} | ({"id": ids[code]} if code in ids else {})
        for code, amount in own.items()
    ]
    written = own.keys() | {currency.lower()}
    kept_there = [e for e in there if not (is_for_all(e) and e.currency_code in written)]
    return [*ours, *map(_kept_price, kept_there)]


def _kept_price(price: WirePrice) -> Body:
    found: Body = {"id": price.id, "currency_code": price.currency_code, "amount": price.amount}
    for name in ("min_quantity", "max_quantity"):
        if (bound := getattr(price, name)) is not None:
            found[name] = bound
    return found | ({"rules": price.rules} if price.rules else {})


# --- customers -----------------------------------------------------------------------------------


def customer_body(content: Customer, changed: frozenset[str] | None, **ours: str) -> Body:
    """The changed fields of a customer, or all, without its addresses."""
    billing = content.billing or Address()
    fields: Fields = {
        "email": lambda: {"email": content.email},
        "first_name": lambda: {"first_name": content.first_name},
        "last_name": lambda: {"last_name": content.last_name},
        "extra": lambda: {
            "company_name": str(content.extra.get("company") or billing.company) or None,
            "phone": str(content.extra.get("phone") or billing.phone) or None,
        },
    }
    body = chosen(fields, changed)
    if changed is None or "extra" in changed:
        body |= metadata(content.extra, **ours)
    return body


def new_customer_body(content: Customer, key: str) -> Body:
    """A whole customer with our key."""
    return customer_body(content, None, **{KEY: key})


def address_body(part: str, where: Address) -> Body:
    """An address of a customer: the one for bills, or the one for goods."""
    body = wire_address(where)
    marks = {"is_default_billing": True} if part == BILLING else {"is_default_shipping": True}
    return body | marks | {"address_name": part, "metadata": body["metadata"] | {PART: part}}
