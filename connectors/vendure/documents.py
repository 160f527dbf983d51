"""The GraphQL documents that read. Custom fields are asked for where the store has them."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from connectors.records import Stream
from connectors.vendure.api import Document
from connectors.vendure.parts import OUR_FACET
from connectors.vendure.shop import Shop


class Kind(NamedTuple):
    """How a stream's records are listed: the list, its type of options, and what each shows."""

    list: str
    options: str
    entity: str


KINDS: dict[Stream, Kind] = {
    Stream.CATEGORIES: Kind("collections", "CollectionListOptions", "Collection"),
    Stream.PRODUCTS: Kind("products", "ProductListOptions", "Product"),
    Stream.CUSTOMERS: Kind("customers", "CustomerListOptions", "Customer"),
    Stream.ORDERS: Kind("orders", "OrderListOptions", "Order"),
    Stream.INVENTORY: Kind("productVariants", "ProductVariantListOptions", "ProductVariant"),
}

_ASSET = "{ id source name }"
_COLLECTION = (
    "id name slug description position isPrivate inheritFilters updatedAt parent { id name } "
    f"featuredAsset {_ASSET} filters {{ code args {{ name value }} }}"
)
_VARIANT = (
    "id sku name enabled updatedAt prices { price currencyCode } "
    f"options {{ id name code group {{ id name code }} }} featuredAsset {_ASSET} "
    "taxCategory { id }"
)
_PRODUCT = (
    f"id name slug description enabled createdAt updatedAt featuredAsset {_ASSET} "
    f"assets {_ASSET} optionGroups {{ id name code options {{ id name code }} }} "
    "facetValues { id name code facet { id name code isPrivate } } collections { id }"
)
STOCK = (
    "id productId sku options { id } trackInventory outOfStockThreshold "
    "useGlobalOutOfStockThreshold "
    "stockLevels { stockLocationId stockOnHand stockAllocated updatedAt }"
)
_PLACE = "fullName company streetLine1 streetLine2 city province postalCode phoneNumber"
_DISCOUNT = "{ adjustmentSource type description amount amountWithTax }"
_TAX = "{ description taxRate }"
_PARTS = "lines { orderLineId quantity }"


def selection(stream: Stream, shop: Shop) -> str:
    """What is asked for of each record of a stream."""
    match stream:
        case Stream.CATEGORIES:
            return f"{_COLLECTION} {_custom(shop, 'Collection')}"
        case Stream.PRODUCTS:
            variants = f"variants {{ {_VARIANT} {_custom(shop, 'ProductVariant')} }}"
            return f"{_PRODUCT} {variants} {_custom(shop, 'Product')}"
        case Stream.CUSTOMERS:
            return _customer(shop)
        case Stream.ORDERS:
            return _order(shop)
        case Stream.INVENTORY:
            return STOCK


_OURS: dict[str, tuple[str, ...]] = {
    "Address": ("firstName", "email"),
    "Collection": ("recentSyncKey",),
    "Customer": ("recentSyncKey",),
    "Fulfillment": ("importedId",),
    "Order": ("recentSyncKey", "customerNote", "importedAs"),
    "OrderLine": ("importedId", "importedName", "importedSku"),
    "Payment": ("importedId",),
    "Product": ("recentSyncKey", "productSku"),
    "ProductVariant": ("statusOncePriced",),
    "Refund": ("importedId",),
    "ShippingLine": ("importedId", "title", "method"),
}


def _custom(shop: Shop, entity: str) -> str:
    """Our custom fields of an entity, as far as the store has them."""
    there = [each for each in _OURS[entity] if shop.has(entity, each)]
    return f"customFields {{ {' '.join(there)} }}" if there else ""


def _customer(shop: Shop) -> str:
    return (
        "id emailAddress firstName lastName title phoneNumber createdAt updatedAt "
        f"user {{ id verified }} addresses {{ {address(shop)} }} {_custom(shop, 'Customer')}"
    )


def address(shop: Shop) -> str:
    """What is asked for of a customer's address."""
    return (
        f"id {_PLACE} country {{ code name }} defaultShippingAddress defaultBillingAddress "
        f"{_custom(shop, 'Address')}"
    )


def _order(shop: Shop) -> str:
    place = f"{{ {_PLACE} country countryCode {_custom(shop, 'Address')} }}"
    lines = (
        "id quantity linePrice linePriceWithTax proratedLinePrice proratedLinePriceWithTax "
        "proratedUnitPrice proratedUnitPriceWithTax "
        "productVariant { id productId sku name options { id } } "
        f"discounts {_DISCOUNT} taxLines {_TAX} {_custom(shop, 'OrderLine')}"
    )
    shipping = (
        "id price priceWithTax discountedPrice discountedPriceWithTax "
        f"shippingMethod {{ code name }} discounts {_DISCOUNT} {_custom(shop, 'ShippingLine')}"
    )
    refunds = (
        "id items shipping adjustment total state createdAt reason metadata "
        f"{_PARTS} {_custom(shop, 'Refund')}"
    )
    payments = (
        "id method amount state createdAt updatedAt transactionId metadata "
        f"refunds {{ {refunds} }} {_custom(shop, 'Payment')}"
    )
    fulfilments = (
        f"id state method createdAt updatedAt trackingCode {_PARTS} {_custom(shop, 'Fulfillment')}"
    )
    return (
        "id code state type currencyCode updatedAt orderPlacedAt total totalWithTax shipping "
        "customer { id emailAddress user { id verified } } couponCodes "
        f"billingAddress {place} shippingAddress {place} lines {{ {lines} }} "
        f"surcharges {{ id description sku price priceWithTax taxLines {_TAX} }} "
        f"shippingLines {{ {shipping} }} discounts {_DISCOUNT} "
        f"taxSummary {{ description taxRate taxTotal }} payments {{ {payments} }} "
        f"fulfillments {{ {fulfilments} }} {_custom(shop, 'Order')}"
    )


def listing(kind: Kind, shown: str) -> Document:
    """Some records of a list."""
    return Document(
        f"query List($options: {kind.options}) "
        f"{{ {kind.list}(options: $options) {{ totalItems items {{ {shown} }} }} }}"
    )


@cache
def marks(stream: Stream) -> Document:
    """Ids and dates of change alone."""
    return listing(KINDS[stream], "id updatedAt")


CHANGED_VARIANTS = listing(KINDS[Stream.INVENTORY], "id updatedAt product { id updatedAt }")
CLOCK = Document("query Clock { activeChannel { id } }")
MEMBERSHIPS = listing(KINDS[Stream.CATEGORIES], "id filters { code args { name value } }")
OUR_VALUES = Document(
    f'query OurValues {{ facets(options: {{ filter: {{ code: {{ eq: "{OUR_FACET}" }} }} }}) '
    "{ items { id values { id } } } }"
)
