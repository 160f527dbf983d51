"""Fields of orders, lines, payments, refunds and shipments; amounts are reckoned when asked for."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.shopify_store import aftersales, sales, sums
from tests.shopify_store.connections import page
from tests.shopify_store.fields import Ask, Doc, resolves
from tests.shopify_store.money import NOTHING, bag, cents, price, total
from tests.shopify_store.store import Store

Reckon = Callable[[Store, Doc], Decimal]


def _amounts(kind: str, **reckoners: Reckon) -> None:
    """Fields of one kind of record that are a `MoneyBag`."""
    for name, reckon in reckoners.items():
        _amount(kind, name, reckon)


def _amount(kind: str, name: str, reckon: Reckon) -> None:
    @resolves(kind, name)
    def _(ask: Ask, doc: Doc, __: Doc) -> Doc:
        return bag(reckon(ask.store, doc), ask.store.config.currency)


def _of(kind: str) -> Callable[[Ask, Doc, Doc], Doc | None]:
    """The record that a part belongs to or names, None where it is gone."""
    name = "_" + {"Order": "order", "Product": "product", "ProductVariant": "variant"}[kind]
    return lambda ask, doc, _: ask.store.tables[kind].get(doc[name] or 0)


def _goods(store: Store, order: Doc) -> Decimal:
    return sums.goods_total(store, order)


def _discounts(store: Store, order: Doc) -> Decimal:
    parts = [*sums.lines(store, order), *order["_shipping"]]
    return total(cents(each["_allocated"] * sums.counted(each)) for each in parts)


def _returned(store: Store, order: Doc) -> list[Doc]:
    return [
        each for number in order["_refunds"] for each in store.tables["Refund"][number]["_lines"]
    ]


def _current_goods(store: Store, order: Doc) -> Decimal:
    return _goods(store, order) - total(each["_subtotal"] for each in _returned(store, order))


def _current_tax(store: Store, order: Doc) -> Decimal:
    return sums.tax_total(store, order) - total(each["_tax"] for each in _returned(store, order))


def _shipping_price(_: Store, order: Doc) -> Decimal:
    return total(each["_price"] for each in order["_shipping"])


def _refunded_shipping(store: Store, order: Doc) -> Decimal:
    return total(store.tables["Refund"][number]["_shipping"] for number in order["_refunds"])


def _current_total(store: Store, order: Doc) -> Decimal:
    shipping = total(
        each["_price"] - each["_allocated"] for each in order["_shipping"] if not each["isRemoved"]
    )
    tax = NOTHING if order["taxesIncluded"] else _current_tax(store, order)
    return _current_goods(store, order) + shipping - _refunded_shipping(store, order) + tax


def _outstanding(store: Store, order: Doc) -> Decimal:
    open_ = aftersales.received(store, order) - aftersales.refunded(store, order)
    return max(NOTHING, _current_total(store, order) - open_)


_amounts(
    "Order",
    subtotalPriceSet=_goods,
    totalDiscountsSet=_discounts,
    totalShippingPriceSet=_shipping_price,
    totalTaxSet=sums.tax_total,
    totalPriceSet=sums.order_total,
    originalTotalPriceSet=sums.order_total,
    currentSubtotalPriceSet=_current_goods,
    currentTotalTaxSet=_current_tax,
    currentTotalPriceSet=_current_total,
    currentTotalDiscountsSet=_discounts,
    currentShippingPriceSet=lambda store, order: (
        _shipping_price(store, order) - _refunded_shipping(store, order)
    ),
    totalRefundedSet=aftersales.refunded,
    totalRefundedShippingSet=_refunded_shipping,
    totalReceivedSet=aftersales.received,
    totalOutstandingSet=_outstanding,
    netPaymentSet=lambda store, order: (
        aftersales.received(store, order) - aftersales.refunded(store, order)
    ),
    refundDiscrepancySet=lambda *_: NOTHING,
    totalTipReceivedSet=lambda *_: NOTHING,
)
_amounts(
    "LineItem",
    originalUnitPriceSet=lambda _, line: line["_price"],
    originalTotalSet=lambda _, line: sums.line_total(line),
    totalDiscountSet=lambda _, line: line["_allocated"],
    # Without its argument this leaves the discounts of codes out, as documented.
    discountedUnitPriceSet=lambda _, line: line["_price"],
    discountedUnitPriceAfterAllDiscountsSet=lambda _, line: cents(
        sums.discounted(line) / line["quantity"]
    ),
)
_amounts("OrderTransaction", amountSet=lambda _, doc: doc["_amount"])
_amounts(
    "RefundLineItem",
    priceSet=lambda _, doc: cents(doc["_subtotal"] / doc["quantity"]),
    subtotalSet=lambda _, doc: doc["_subtotal"],
    totalTaxSet=lambda _, doc: doc["_tax"],
)
_amounts(
    "ShippingLine",
    originalPriceSet=lambda _, doc: doc["_price"],
    discountedPriceSet=lambda _, doc: doc["_price"] - doc["_allocated"],
    currentDiscountedPriceSet=lambda _, doc: doc["_price"] - doc["_allocated"],
)
_amounts("TaxLine", priceSet=lambda _, doc: doc["_amount"])
_amounts(
    "Refund",
    totalRefundedSet=lambda store, doc: total(
        store.tables["OrderTransaction"][number]["_amount"] for number in doc["_transactions"]
    ),
)
_amounts("DiscountAllocation", allocatedAmountSet=lambda _, doc: doc["_amount"])
_amounts(
    "RefundShippingLine",
    subtotalAmountSet=lambda _, doc: doc["_amount"],
    taxAmountSet=lambda *_: NOTHING,
)
resolves("LineItem", "product")(_of("Product"))
resolves("LineItem", "variant")(_of("ProductVariant"))
resolves("Refund Fulfillment OrderTransaction FulfillmentOrder", "order")(_of("Order"))


# --- orders -------------------------------------------------------------------------------------


@resolves("Order", "currencyCode", "presentmentCurrencyCode")
def _currency(ask: Ask, _: Doc, __: Doc) -> str:
    return ask.store.config.currency


@resolves("Order", "customer")
def _customer(ask: Ask, order: Doc, _: Doc) -> Doc | None:
    return ask.store.tables["Customer"].get(order["_customer"] or 0)


@resolves("Order", "displayFinancialStatus")
def _financial(ask: Ask, order: Doc, _: Doc) -> str:
    return aftersales.financial_status(ask.store, order)


@resolves("Order", "displayFulfillmentStatus")
def _fulfilment(ask: Ask, order: Doc, _: Doc) -> str:
    return aftersales.fulfillment_status(ask.store, order)


@resolves("Order", "fullyPaid", "unpaid")
def _paid(ask: Ask, order: Doc, _: Doc) -> bool:
    assert ask.info is not None
    paid = aftersales.received(ask.store, order)
    return (
        paid >= sums.order_total(ask.store, order)
        if ask.info.field_name == "fullyPaid"
        else not paid
    )


@resolves("Order", "closed")
def _closed(_: Ask, order: Doc, __: Doc) -> bool:
    return order["closedAt"] is not None


@resolves("Order", "lineItems")
def _lines(ask: Ask, order: Doc, arguments: Doc) -> Doc:
    return page(ask, sums.lines(ask.store, order), arguments)


@resolves("Order", "subtotalLineItemsQuantity")
def _quantity(ask: Ask, order: Doc, _: Doc) -> int:
    return sum(each["quantity"] for each in sums.lines(ask.store, order))


@resolves("Order", "currentSubtotalLineItemsQuantity")
def _current_quantity(ask: Ask, order: Doc, _: Doc) -> int:
    return sum(sums.current_quantity(each) for each in sums.lines(ask.store, order))


@resolves("Order", "shippingLines")
def _shipping_lines(ask: Ask, order: Doc, arguments: Doc) -> Doc:
    removals = arguments.get("includeRemovals")
    shown = [each for each in order["_shipping"] if removals or not each["isRemoved"]]
    return page(ask, shown, arguments)


@resolves("Order", "shippingLine")
def _shipping_line(_: Ask, order: Doc, __: Doc) -> Doc | None:
    return next((each for each in order["_shipping"] if not each["isRemoved"]), None)


@resolves("Order", "taxLines", "currentTaxLines")
def _order_taxes(ask: Ask, order: Doc, _: Doc) -> list[Doc]:
    """The taxes of the whole order; those of its lines and its shipping are summed by title."""
    if order["_taxes"]:
        return list(order["_taxes"])
    parts = [*sums.lines(ask.store, order), *order["_shipping"]]
    summed: dict[tuple[str, float], Doc] = {}
    for each in (tax for part in parts for tax in part["_taxes"]):
        held = summed.setdefault((each["title"], each["rate"]), {**each, "_amount": NOTHING})
        held["_amount"] += each["_amount"]
    return list(summed.values())


@resolves("LineItem ShippingLine", "taxLines")
def _part_taxes(_: Ask, part: Doc, __: Doc) -> Any:
    return part["_taxes"]


@resolves("Order", "transactions")
def _transactions(ask: Ask, order: Doc, arguments: Doc) -> list[Doc]:
    made = [ask.store.tables["OrderTransaction"][number] for number in order["_transactions"]]
    return made[: arguments.get("first")]


@resolves("Order", "refunds")
def _refunds(ask: Ask, order: Doc, arguments: Doc) -> list[Doc]:
    made = [ask.store.tables["Refund"][number] for number in order["_refunds"]]
    return made[: arguments.get("first")]


@resolves("Order", "fulfillments")
def _fulfillments(ask: Ask, order: Doc, arguments: Doc) -> list[Doc]:
    made = [ask.store.tables["Fulfillment"][number] for number in order["_fulfillments"]]
    return made[: arguments.get("first")]


@resolves("Order", "paymentGatewayNames")
def _gateways(ask: Ask, order: Doc, _: Doc) -> list[str]:
    made = [ask.store.tables["OrderTransaction"][number] for number in order["_transactions"]]
    return list(dict.fromkeys(each["gateway"] for each in made))


@resolves("Order", "discountCodes")
def _codes(_: Ask, order: Doc, __: Doc) -> list[str]:
    return [order["_discount"]["code"]] if order["_discount"] else []


@resolves("Order", "discountCode")
def _code(_: Ask, order: Doc, __: Doc) -> str | None:
    return order["_discount"]["code"] if order["_discount"] else None


@resolves("Order", "discountApplications")
def _applications(ask: Ask, order: Doc, arguments: Doc) -> Doc:
    return page(ask, _application(ask, order), arguments)


def _application(ask: Ask, order: Doc) -> list[Doc]:
    held = order["_discount"]
    if not held:
        return []
    if held["kind"] == "itemPercentageDiscountCode":
        value = {"__typename": "PricingPercentageValue", "percentage": held["percentage"]}
    else:
        whole = bag(_discounts(ask.store, order), ask.store.config.currency)
        value = whole["shopMoney"]
    shipping = held["kind"] == "freeShippingDiscountCode"
    return [
        {
            "__typename": "DiscountCodeApplication",
            "_n": order["_n"],
            "index": 0,
            "code": held["code"],
            "allocationMethod": "ACROSS",
            "targetSelection": "ALL",
            "targetType": "SHIPPING_LINE" if shipping else "LINE_ITEM",
            "value": value,
        }
    ]


# --- lines --------------------------------------------------------------------------------------


@resolves("LineItem", "discountedTotalSet")
def _discounted_total(ask: Ask, line: Doc, arguments: Doc) -> Doc:
    """Without its argument this leaves the discounts of codes out, as documented."""
    value = sums.discounted(line) if arguments.get("withCodeDiscounts") else sums.line_total(line)
    return bag(value, ask.store.config.currency)


@resolves("LineItem ShippingLine", "discountAllocations")
def _allocations(ask: Ask, part: Doc, _: Doc) -> list[Doc]:
    if not part["_allocated"]:
        return []
    order = ask.store.tables["Order"][part["_order"]]
    [application] = _application(ask, order)
    return [{"_amount": part["_allocated"], "discountApplication": application}]


@resolves("LineItem", "name")
def _line_name(_: Ask, line: Doc, __: Doc) -> str:
    return " - ".join(filter(None, (line["title"], line["variantTitle"])))


@resolves("LineItem", "currentQuantity", "refundableQuantity")
def _line_quantity(_: Ask, line: Doc, __: Doc) -> int:
    return sums.current_quantity(line)


@resolves("LineItem", "unfulfilledQuantity")
def _line_unfulfilled(ask: Ask, line: Doc, _: Doc) -> int:
    order = ask.store.tables["Order"][line["_order"]]
    return sales.unfulfilled(ask.store, order).get(line["_n"], 0)


@resolves("OrderTransaction", "parentTransaction")
def _parent(ask: Ask, doc: Doc, _: Doc) -> Doc | None:
    return ask.store.tables["OrderTransaction"].get(doc["_parent"] or 0)


@resolves("OrderTransaction", "formattedGateway")
def _gateway_name(_: Ask, doc: Doc, __: Doc) -> str:
    return str(doc["gateway"]).replace("_", " ").capitalize()


@resolves("OrderTransaction", "amount")
def _plain_amount(_: Ask, doc: Doc, __: Doc) -> str:
    return price(doc["_amount"])
