"""Fields of refunds, shipments and of what is still to be shipped."""

from tests.shopify_store import gids, sales, sums
from tests.shopify_store.connections import page
from tests.shopify_store.fields import Ask, Doc, resolves
from tests.shopify_store.store import Store


@resolves("Refund", "refundLineItems")
def _refund_lines(ask: Ask, refund: Doc, arguments: Doc) -> Doc:
    return page(ask, refund["_lines"], arguments)


@resolves("Refund", "transactions")
def _refund_transactions(ask: Ask, refund: Doc, arguments: Doc) -> Doc:
    made = [ask.store.tables["OrderTransaction"][number] for number in refund["_transactions"]]
    return page(ask, made, arguments)


@resolves("Refund", "orderAdjustments")
def _adjustments(ask: Ask, _: Doc, arguments: Doc) -> Doc:
    return page(ask, [], arguments)


@resolves("Refund", "refundShippingLines")
def _refund_shipping(ask: Ask, refund: Doc, arguments: Doc) -> Doc:
    order = ask.store.tables["Order"][refund["_order"]]
    if not refund["_shipping"] or not order["_shipping"]:
        return page(ask, [], arguments)
    number = refund["_n"]
    line = {
        "__typename": "RefundShippingLine",
        "_n": number,
        "id": gids.gid("RefundShippingLine", number),
        "_amount": refund["_shipping"],
        "shippingLine": order["_shipping"][0],
    }
    return page(ask, [line], arguments)


@resolves("RefundLineItem FulfillmentLineItem FulfillmentOrderLineItem", "lineItem")
def _line_of(ask: Ask, part: Doc, _: Doc) -> Doc:
    return ask.store.tables["LineItem"][part["_line"]]


@resolves("Fulfillment", "fulfillmentLineItems")
def _shipped_lines(ask: Ask, shipment: Doc, arguments: Doc) -> Doc:
    made = [
        {**each, "id": gids.gid("FulfillmentLineItem", each["_n"])} for each in shipment["_lines"]
    ]
    return page(ask, made, arguments)


@resolves("Fulfillment", "totalQuantity")
def _shipped_quantity(_: Ask, shipment: Doc, __: Doc) -> int:
    return sum(each["quantity"] for each in shipment["_lines"])


@resolves("Fulfillment", "displayStatus")
def _display_status(_: Ask, shipment: Doc, __: Doc) -> str:
    return "FULFILLED" if shipment["status"] == "SUCCESS" else "CANCELED"


@resolves("Fulfillment", "location")
def _from(ask: Ask, _: Doc, __: Doc) -> Doc:
    return ask.store.location


@resolves("Order", "fulfillmentOrders")
def _fulfillment_orders(ask: Ask, order: Doc, arguments: Doc) -> Doc:
    return page(ask, [fulfillment_order(ask.store, order)], arguments)


def order_of(store: Store, number: int) -> Doc | None:
    """The order that a fulfilment order belongs to, by the latter's number."""
    found = (each for each in store.all("Order") if each["_fulfillment_order"] == number)
    return next(found, None)


def fulfillment_order(store: Store, order: Doc) -> Doc:
    """What is still to be shipped, all from one place; closed when that is nothing."""
    left = sales.unfulfilled(store, order)
    number = order["_fulfillment_order"]
    return {
        "__typename": "FulfillmentOrder",
        "_n": number,
        "_order": order["_n"],
        "_left": left,
        "id": gids.gid("FulfillmentOrder", number),
        "orderId": order["id"],
        "status": "OPEN" if left and not order["cancelledAt"] else "CLOSED",
        "createdAt": order["createdAt"],
        "updatedAt": order["updatedAt"],
    }


@resolves("FulfillmentOrder", "lineItems")
def _lines_to_ship(ask: Ask, doc: Doc, arguments: Doc) -> Doc:
    order = ask.store.tables["Order"][doc["_order"]]
    lines = [
        {
            "_n": each["_n"],
            "_line": each["_n"],
            "id": gids.gid("FulfillmentOrderLineItem", each["_n"]),
            "remainingQuantity": doc["_left"].get(each["_n"], 0),
            "totalQuantity": each["quantity"],
        }
        for each in sums.lines(ask.store, order)
    ]
    return page(ask, lines, arguments)
