"""What is asked of each kind of record: fields, and lists of parts that come in pages themselves.

From these few descriptions every document that reads is built, so that a page, a single record, a
further page of parts and a bulk operation all ask for the same.
"""

from __future__ import annotations

from typing import NamedTuple

MONEY = "{shopMoney{amount}}"
_ADDRESS = "firstName lastName company address1 address2 city provinceCode zip countryCodeV2 phone"
_TAXES = f"taxLines{{title ratePercentage priceSet{MONEY}}}"
_ALLOCATIONS = (
    f"discountAllocations{{allocatedAmountSet{MONEY} discountApplication{{"
    "...on DiscountCodeApplication{code}"
    "...on AutomaticDiscountApplication{title}"
    "...on ManualDiscountApplication{title}"
    "...on ScriptDiscountApplication{title}}}"
)
METAFIELD = "id namespace key type value"
VARIANT = (
    "id sku barcode price compareAtPrice taxable inventoryPolicy position updatedAt "
    "selectedOptions{name value} image{url altText} "
    "inventoryItem{id tracked requiresShipping measurement{weight{value unit}}}"
)
LEVEL = 'id updatedAt location{id} quantities(names:["available"]){name quantity}'
LINE = (
    "id name title sku quantity currentQuantity taxable "
    "product{id hasOnlyDefaultVariant} variant{id} "
    f"originalTotalSet{MONEY} {_TAXES} {_ALLOCATIONS} customAttributes{{key value}}"
)
SHIPPING_LINE = f"id title code source isRemoved originalPriceSet{MONEY} {_TAXES} {_ALLOCATIONS}"


class Parts(NamedTuple):
    """A connection of a record or of one of its parts: `owner` is the type that has it, `name` its
    field. `first` are so many asked for with the record; the rest is fetched. `given` is what else
    the field is asked with.
    """

    owner: str
    name: str
    fields: str
    first: int
    given: str = ""

    def selection(self) -> str:
        """As part of a record: the first ones, and whether there are more."""
        return f"{self.asked(f'first:{self.first}')}{{nodes{{{self.fields}}} {PAGE_INFO}}}"

    def asked(self, *arguments: str) -> str:
        """The field with these arguments and its own."""
        everything = ",".join(filter(None, (*arguments, self.given)))
        return f"{self.name}({everything})" if everything else self.name


PAGE_INFO = "pageInfo{hasNextPage endCursor}"

VARIANTS = Parts("Product", "variants", VARIANT, 10)
MEDIA = Parts("Product", "media", "id alt mediaContentType ...on MediaImage{image{url altText}}", 5)
COLLECTIONS = Parts("Product", "collections", "id", 5)
ADDRESSES = Parts("Customer", "addressesV2", f"id {_ADDRESS}", 3)
LINES = Parts("Order", "lineItems", LINE, 6)
# Those that an edit removed too: the order's total may count them still.
SHIPPING_LINES = Parts("Order", "shippingLines", SHIPPING_LINE, 2, "includeRemovals:true")
REFUNDED_LINES = Parts(
    "Refund",
    "refundLineItems",
    f"quantity restockType lineItem{{id}} subtotalSet{MONEY} totalTaxSet{MONEY}",
    3,
)
REFUNDED_SHIPPING = Parts(
    "Refund",
    "refundShippingLines",
    f"id shippingLine{{id}} subtotalAmountSet{MONEY} taxAmountSet{MONEY}",
    1,
)
SHIPPED_LINES = Parts("Fulfillment", "fulfillmentLineItems", "id quantity lineItem{id}", 6)
LEVELS = Parts("InventoryItem", "inventoryLevels", LEVEL, 5)


_REFUND = f"id note createdAt processedAt totalRefundedSet{MONEY}"
_SHIPMENT = "id status createdAt trackingInfo{company number url}"


def _metafields(owner: str) -> Parts:
    return Parts(owner, "metafields", METAFIELD, 5)


class Kind(NamedTuple):
    """A type of record: its list, its count, its own fields and its parts.

    `within` are fields that hold the `deeper` parts, those of parts; `outline` are the same without
    these, where a bulk operation cannot read them. `always` is added to every search. `by_change`:
    the list can be searched by date of change; `counts_ranges`: the count can be searched as the
    list can.
    """

    type: str
    list: str
    counted: str
    fields: str
    parts: tuple[Parts, ...] = ()
    within: str = ""
    outline: str = ""
    deeper: tuple[Parts, ...] = ()
    always: str = ""
    by_change: bool = True
    counts_ranges: bool = True

    def selection(self) -> str:
        """Everything of one record."""
        parts = " ".join(each.selection() for each in self.parts)
        return f"{self.fields} {self.within} {parts}"


COLLECTION = Kind(
    "Collection",
    "collections",
    "collectionsCount",
    "id title handle descriptionHtml updatedAt sortOrder templateSuffix image{url altText} "
    "seo{title description} sources{id}",
    parts=(_metafields("Collection"),),
)
PRODUCT = Kind(
    "Product",
    "products",
    "productsCount",
    "id title handle descriptionHtml vendor productType status tags createdAt updatedAt "
    "isGiftCard templateSuffix hasOnlyDefaultVariant seo{title description} "
    "options{name position optionValues{name}} variantsCount{count} mediaCount{count} "
    "resourcePublicationsCount{count}",
    parts=(VARIANTS, MEDIA, COLLECTIONS, _metafields("Product")),
    # The list's own description says that it shows active products where nothing is said.
    always="status:active,archived,draft,unlisted",
)
CUSTOMER = Kind(
    "Customer",
    "customers",
    "customersCount",
    "id firstName lastName createdAt updatedAt note tags taxExempt locale "
    "defaultEmailAddress{emailAddress marketingState} defaultPhoneNumber{phoneNumber} "
    f"defaultAddress{{id {_ADDRESS}}}",
    parts=(ADDRESSES, _metafields("Customer")),
)
ORDER = Kind(
    "Order",
    "orders",
    "ordersCount",
    "id name email phone note tags test createdAt processedAt updatedAt cancelledAt cancelReason "
    "closedAt currencyCode presentmentCurrencyCode taxesIncluded displayFinancialStatus "
    "displayFulfillmentStatus sourceName sourceIdentifier edited customer{id} "
    f"billingAddress{{{_ADDRESS}}} shippingAddress{{{_ADDRESS}}} "
    f"totalPriceSet{MONEY} totalTaxSet{MONEY} totalDiscountsSet{MONEY} "
    f"originalTotalDutiesSet{MONEY} {_TAXES} customAttributes{{key value}} "
    "subtotalLineItemsQuantity "
    f"additionalFees{{id name price{MONEY} {_TAXES}}} "
    "transactions{id kind status gateway formattedGateway paymentId processedAt "
    f"amountSet{MONEY} parentTransaction{{id}}}}",
    parts=(LINES, SHIPPING_LINES, _metafields("Order")),
    within=(
        f"refunds{{{_REFUND} {REFUNDED_LINES.selection()} {REFUNDED_SHIPPING.selection()}}} "
        f"fulfillments{{{_SHIPMENT} {SHIPPED_LINES.selection()}}}"
    ),
    outline=f"refunds{{{_REFUND}}} fulfillments{{{_SHIPMENT}}}",
    deeper=(REFUNDED_LINES, REFUNDED_SHIPPING, SHIPPED_LINES),
)
STOCK = Kind(
    "ProductVariant",
    "productVariants",
    "productVariantsCount",
    "id sku inventoryPolicy product{id hasOnlyDefaultVariant}",
    within=f"inventoryItem{{id tracked {LEVELS.selection()}}}",
    deeper=(LEVELS,),
    by_change=False,
    # Its count takes no search at all.
    counts_ranges=False,
)
