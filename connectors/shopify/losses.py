"""What Shopify shows of what it cannot keep: for `Loss.shows`. Pure, but for the clock by which
sales begin and end.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from msgspec.structs import replace

from connectors.base import Hint
from connectors.prices import at_once
from connectors.records import (
    Address,
    Customer,
    Discount,
    FeeLine,
    Money,
    Order,
    OrderLine,
    Product,
    ShippingLine,
    Tax,
    Variant,
)
from connectors.shopify.bodies import COUNTRY, product_status
from connectors.shopify.bodies_orders import is_paid
from connectors.shopify.mapping_products import STATUSES
from connectors.shopify.selling import FOR_SALE, has_prices
from connectors.variants import told_apart

Priced = Product | Variant
_ENDED = frozenset({"completed", "refunded"})


# --- products ------------------------------------------------------------------------------------


def status(product: Product) -> str:
    """Active, draft or archived; what has no price is no more than a draft."""
    return STATUSES[_status(product)]


def visibility(product: Product) -> str:
    """Only what is for sale can be unlisted."""
    return "hidden" if _status(product) == "UNLISTED" else "visible"


def _status(product: Product) -> str:
    found = product_status(product)
    return "DRAFT" if found in FOR_SALE and not has_prices(product, _now()) else found


def variants(product: Product) -> tuple[Variant, ...]:
    """Of variants with the same options one gets a number. A sale that is not on has no price."""
    return at_once(told_apart(product), _now()).variants


def own_regular_price(product: Product) -> Money | Hint | None:
    """A product with variants has no price of its own."""
    return None if product.variants else regular_price(at_once(product, _now()))


def own_sale_price(product: Product) -> Money | None:
    """A product with variants has no price of its own. A sale that is not on has none."""
    return None if product.variants else sale_price(at_once(product, _now()))


def regular_price(priced: Priced) -> Money | Hint:
    """Without any price it is the last one that there was, or nothing, in a currency that only the
    store knows.
    """
    return priced.regular_price or priced.sale_price or Hint.ANYTHING


def sale_price(priced: Priced) -> Money | None:
    """The price of a sale that is one: it is lower than another."""
    regular, sale = priced.regular_price, priced.sale_price
    is_lower = regular is not None and sale is not None and regular.amount > sale.amount
    return sale if is_lower else None


def _now() -> datetime:
    return datetime.now(UTC)


# --- customers -----------------------------------------------------------------------------------


def billing(customer: Customer) -> Address | Hint | None:
    """The first address, without an email."""
    found = _addresses(customer)
    return _told(found[0]) if found else Hint.ANYTHING


def shipping(customer: Customer) -> Address | Hint | None:
    """The second one, where it is another. Without one, any further address of the customer."""
    found = _addresses(customer)
    return _told(found[1]) if len(found) > 1 else Hint.ANYTHING


def _addresses(customer: Customer) -> list[Address]:
    """Those for bills and for goods, as one list of different ones."""
    both = (customer.billing, customer.shipping)
    found = [replace(each, email="") for each in both if each is not None]
    return found[:1] if len(found) > 1 and found[0] == found[1] else found


def _told(where: Address) -> Address | Hint:
    """A country that is no code is left out, and an empty address shows as none."""
    if where == Address() or not COUNTRY.fullmatch(where.country):
        return Hint.ANYTHING
    return where


# --- orders --------------------------------------------------------------------------------------


def no_discounts(_: Order) -> tuple[Discount, ...]:
    """Line totals hold them."""
    return ()


def no_discount_total(order: Order) -> Money:
    """Line totals hold it."""
    return Money(Decimal(0), order.currency)


def prices_include_tax(_: Order) -> bool:
    """Prices are sent without."""
    return False


def taxes(order: Order) -> tuple[Tax, ...] | Hint:
    """Without any tax there is none."""
    parts: list[OrderLine | FeeLine | ShippingLine]
    parts = [*order.lines, *order.fees, *order.shipping_lines]
    is_taxed = order.taxes or any(each.tax.amount for each in parts)
    return Hint.ANYTHING if is_taxed else ()


def refunds(order: Order) -> Hint:
    """What of a refund is worth what, the store reckons; where there is none it shows none."""
    return Hint.ANYTHING if order.refunds else Hint.SAME


def email(order: Order) -> str | Hint:
    """An order without an email shows that of its customer. Shopify writes emails small."""
    is_plain = order.email and order.email == order.email.lower()
    return order.email if is_plain else Hint.ANYTHING


def paid_at(order: Order) -> datetime | Hint | None:
    """Payments are dated: an order that nothing was paid for has no such date, and one that says
    none was paid when it was placed.
    """
    if not order.total.amount or not is_paid(order):
        return None
    return order.paid_at or order.created_at or Hint.ANYTHING


def completed_at(order: Order) -> Hint | None:
    """An order that has not ended has no such date."""
    return Hint.ANYTHING if order.status in _ENDED else None
