"""Records in a form that two stores share: without ids, references by natural keys. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.minor_units import rounded
from connectors.records import (
    Address,
    Category,
    Content,
    Customer,
    InventoryLevel,
    Money,
    Order,
    Product,
    Record,
    Refund,
    Stream,
    Variant,
)

Form = dict[str, Any]
"""A record's fields by name, each as plain values."""


class Names:
    """Natural keys of one store's records, by their ids. With `flat` a category is called by its
    own name alone, for a store whose categories have no parents.
    """

    def __init__(self, *, flat: bool = False) -> None:
        self._flat = flat
        self.categories: dict[str, str] = {}
        self.products: dict[str, str] = {}
        self.variants: dict[tuple[str, str], str] = {}
        self.customers: dict[str, str] = {}

    def add(self, stream: Stream, record: Record) -> None:
        """Remember how a product or customer is called."""
        match record.content:
            case Product() as product if stream is Stream.PRODUCTS:
                self.products[record.id] = product_key(product)
                for variant in product.variants:
                    self.variants[record.id, variant.id] = variant_key(variant)
            case Customer() as customer:
                self.customers[record.id] = customer.email.casefold()

    def add_categories(self, records: Iterable[Record]) -> None:
        """Remember the paths of categories, from the root down."""
        found = {
            record.id: record.content for record in records if isinstance(record.content, Category)
        }
        for category_id in found:
            parts: list[str] = []
            step: str | None = category_id
            while step is not None and step in found and len(parts) < len(found):
                parts.append(found[step].slug or found[step].name.casefold())
                step = None if self._flat else found[step].parent
            self.categories[category_id] = "/".join(reversed(parts))


def natural_key(record: Record, names: Names) -> str:
    """What a record is called in every store. Orders have no such name."""
    match record.content:
        case Category():
            return names.categories.get(record.id, "")
        case Product() as product:
            return product_key(product)
        case Customer() as customer:
            return customer.email.casefold()
        case InventoryLevel() as level:
            return level_key(level, names)
        case _:
            return record.id


def product_key(product: Product) -> str:
    """A product's SKU, else its slug, else its name."""
    if product.sku:
        return f"sku:{product.sku.casefold()}"
    return f"slug:{product.slug}" if product.slug else f"name:{product.name.casefold()}"


def variant_key(variant: Variant) -> str:
    """A variant's SKU, else its options."""
    if variant.sku:
        return f"sku:{variant.sku.casefold()}"
    return "|".join(sorted(f"{each.name}={each.value}".casefold() for each in variant.options))


def level_key(level: InventoryLevel, names: Names) -> str:
    """The name of what the stock is of."""
    if level.variant is None:
        return names.products.get(level.product, f"sku:{level.sku.casefold()}")
    variant = names.variants.get((level.product, level.variant))
    own = variant or f"sku:{level.sku.casefold()}"
    return own if own.startswith("sku:") else f"{names.products.get(level.product)}:{own}"


def external_source_id(content: Content, prefix: str | None) -> str | None:
    """The source's id of an order, from the external key `prefix:orders:id` that it carries."""
    key = content.extra.get("external_key") if isinstance(content, Order) else None
    if not isinstance(key, str):
        return None
    begin, _, source_id = key.rpartition(":")
    if not begin.endswith(f":{Stream.ORDERS}"):
        return None
    return source_id if prefix is None or begin == f"{prefix}:{Stream.ORDERS}" else None


def comparable(content: Content, names: Names) -> Form:
    """A content's fields as both stores should show them; always the same names in one order."""
    match content:
        case Category():
            return _category(content, names)
        case Product():
            return _product(content, names)
        case Customer():
            return _customer(content)
        case Order():
            return _order(content, names)
        case InventoryLevel():
            return {
                "counted": content.counted,
                "quantity": _count(content.quantity),
                "availability": content.availability,
                "backorders": content.backorders if content.counted else None,
                "shared": content.shared,
            }


def _category(category: Category, names: Names) -> Form:
    return {
        "name": category.name,
        "slug": category.slug,
        "parent": category.parent and names.categories.get(category.parent),
        "description": category.description,
        "image": category.image and category.image.alt,
        "position": category.position,
    }


def _product(product: Product, names: Names) -> Form:
    return {
        "name": product.name,
        "sku": product.sku,
        "slug": product.slug,
        "kind": product.kind,
        "status": product.status,
        "visibility": product.visibility,
        "featured": product.featured,
        "description": product.description,
        "short_description": product.short_description,
        "regular_price": _money(product.regular_price),
        "sale_price": _money(product.sale_price),
        "sale_from": _moment(product.sale_from),
        "sale_to": _moment(product.sale_to),
        "categories": sorted(names.categories.get(each, "?") for each in product.categories),
        "tags": sorted(product.tags),
        "images": len(product.images),
        "attributes": [
            (each.name, each.values, each.visible, each.varies) for each in product.attributes
        ],
        "variants": sorted(_variant(each) for each in product.variants),
        "barcode": product.barcode,
        "weight": _measure(product.weight),
        "dimensions": tuple(_measure(each) for each in product.dimensions),
        "tax_class": product.tax_class,
        "taxable": product.taxable,
        "created_at": _moment(product.created_at),
    }


def variant_form(variant: Variant) -> Form:
    """A variant's fields as both stores should show them."""
    return {
        "sku": variant.sku.casefold(),
        "options": "|".join(sorted(f"{each.name}={each.value}" for each in variant.options)),
        "status": variant.status,
        "regular_price": _money(variant.regular_price),
        "sale_price": _money(variant.sale_price),
        "sale_from": _moment(variant.sale_from),
        "sale_to": _moment(variant.sale_to),
        "description": variant.description,
        "barcode": variant.barcode,
        "weight": _measure(variant.weight),
    }


def _variant(variant: Variant) -> tuple[str, ...]:
    shown = [str(value) for name, value in variant_form(variant).items() if name != "sku"]
    return (variant_key(variant), *shown)


def _customer(customer: Customer) -> Form:
    return {
        "email": customer.email.casefold(),
        "username": customer.username,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "role": customer.role,
        "billing": _address(customer.billing),
        "shipping": _address(customer.shipping),
        "created_at": _moment(customer.created_at),
    }


def _order(order: Order, names: Names) -> Form:
    return {
        "number": order.number,
        "status": order.status,
        "currency": order.currency,
        "total": _money(order.total),
        "tax_total": _money(order.tax_total),
        "shipping_total": _money(order.shipping_total),
        "discount_total": _money(order.discount_total),
        "prices_include_tax": order.prices_include_tax,
        "customer": order.customer and names.customers.get(order.customer),
        "email": order.email,
        "billing": _address(order.billing),
        "shipping": _address(order.shipping),
        "lines": sorted(lines_of(order)),
        "shipping_lines": sorted(
            (each.title, each.method, _money(each.total)) for each in order.shipping_lines
        ),
        "fees": sorted((each.name, _money(each.total)) for each in order.fees),
        # Nobody has to type a code as it was written.
        "discounts": sorted(each.code.casefold() for each in order.discounts),
        "taxes": _taxes(order),
        "transactions": [(each.gateway, each.title, each.reference) for each in order.transactions],
        "refunds": sorted(_refund(each, order) for each in order.refunds),
        "note": order.note,
        "created_at": _moment(order.created_at),
        "paid_at": _moment(order.paid_at),
        "completed_at": _moment(order.completed_at),
    }


def lines_of(order: Order) -> list[tuple[str, ...]]:
    """What each line says itself, in the order's own order; `connectors.goods` tells of what."""
    return [
        (each.name, str(each.quantity), str(_money(each.total)), str(_money(each.subtotal)))
        for each in order.lines
    ]


def _taxes(order: Order) -> list[Any]:
    """By rate, and of every line: all of it is reckoned by the store."""
    rates = [each for each in order.taxes if each.amount.amount]
    lines = [each for each in order.lines if each.tax.amount]
    return [
        sorted((each.label, _measure(str(each.rate)), str(_money(each.amount))) for each in rates),
        sorted((each.name, str(_money(each.tax))) for each in lines),
    ]


def _refund(refund: Refund, order: Order) -> tuple[str, str, str]:
    """What was given back of which part; a part that the other store has not is no part."""
    parts = {each.id: each.name for each in order.lines}
    parts |= {f"shipping:{each.id}": each.title for each in order.shipping_lines}
    parts |= {f"fee:{each.id}": each.name for each in order.fees}
    lines = sorted(
        f"{parts[each.line]} {each.quantity} {_money(each.total)}"
        for each in refund.lines
        if each.line in parts and (each.quantity or each.total.amount)
    )
    return (str(_money(refund.amount)), refund.reason, "|".join(lines))


def _money(value: Money | None) -> str | None:
    return None if value is None else f"{rounded(value.amount, value.currency)} {value.currency}"


def _count(quantity: Decimal | None) -> str | None:
    return None if quantity is None else _measure(str(quantity))


def _measure(text: str) -> str:
    """A number without superfluous zeros: 1.50 is 1.5."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return text
    return f"{found.normalize():f}" if found.is_finite() else text


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.replace(microsecond=0).isoformat()


def _address(where: Address | None) -> tuple[str, ...] | None:
    if where is None:
        return None
    return (
        where.first_name,
        where.last_name,
        where.company,
        where.line1,
        where.line2,
        where.city,
        where.state,
        where.postcode,
        where.country,
        where.phone,
        where.email,
    )
