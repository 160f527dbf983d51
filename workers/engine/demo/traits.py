"""What is special about a record: the reasons for which a demo may choose it. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from connectors.records import Category, Content, Customer, Order, Product, Record

Traits = dict[str, float]
"""Reasons, each with how much of it there is; the record that has most of it is chosen."""

FIRST = (
    "newest",
    "oldest",
    "most_lines",
    "most_variants",
    "largest_total",
    "most_refunds",
    "longest_text",
    "non_ascii",
    "extra_fields",
)
"""Reasons that come before all others; of the others those come first that few records have."""


def traits(record: Record) -> Traits:
    """The traits of a record."""
    match record.content:
        case Order() as order:
            own = _order(order)
        case Product() as product:
            own = _product(product)
        case Customer() as customer:
            own = _customer(customer)
        case Category() as category:
            own = _category(category)
        case _:
            own = {}
    return _there(own | _common(record.content))


def _there(found: Traits) -> Traits:
    return {reason: amount for reason, amount in found.items() if amount}


def _common(content: Content) -> Traits:
    encoded = msgspec.json.encode(content)
    made = getattr(content, "created_at", None)
    texts = [value for name in content.__struct_fields__ if (value := getattr(content, name))]
    return {
        **_ages(made),
        "longest_text": max((len(each) for each in texts if isinstance(each, str)), default=0),
        "non_ascii": len(encoded) - len(encoded.decode("ascii", "ignore")),
        "extra_fields": len(getattr(content, "extra", {})),
    }


def _ages(made: datetime | None) -> Traits:
    if made is None:
        return {}
    return {"newest": made.timestamp(), "oldest": -made.timestamp()}


def _order(order: Order) -> Traits:
    return {
        "most_lines": len(order.lines),
        "largest_total": float(order.total.amount),
        "most_refunds": len(order.refunds),
        "guest": order.customer is None,
        "no_email": not order.email,
        "discounts": len(order.discounts),
        "fees": len(order.fees),
        "several_shippings": len(order.shipping_lines) > 1,
        "no_shipping": not order.shipping_lines,
        "several_taxes": len(order.taxes) > 1,
        "fulfilments": len(order.fulfilments),
        "free": not order.total.amount,
        "line_without_product": any(each.product is None for each in order.lines),
        f"currency:{order.currency}": 1,
        f"status:{order.status}": 1,
    }


def _product(product: Product) -> Traits:
    return {
        "most_variants": len(product.variants),
        "most_images": len(product.images),
        "most_categories": len(product.categories),
        "most_attributes": len(product.attributes),
        "on_sale": product.sale_price is not None,
        "no_sku": not product.sku,
        "no_price": product.regular_price is None and not product.variants,
        f"kind:{product.kind}": 1,
        f"status:{product.status}": 1,
        f"visibility:{product.visibility}": 1,
    }


def _customer(customer: Customer) -> Traits:
    return {
        "no_email": not customer.email,
        "no_name": not (customer.first_name or customer.last_name),
        "no_address": customer.billing is None and customer.shipping is None,
        "two_addresses": customer.billing not in (None, customer.shipping),
        f"role:{customer.role}": 1,
    }


def _category(category: Category) -> Traits:
    return {"nested": category.parent is not None, "image": category.image is not None}
