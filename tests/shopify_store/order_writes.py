"""Mutations of orders."""

from tests.shopify_store import aftersales, custom_data, gids, goods, people, sales, sums
from tests.shopify_store.failures import Refusal, codes_of, mutation
from tests.shopify_store.fields import Ask, Doc
from tests.shopify_store.idempotency import once
from tests.shopify_store.shipment_fields import fulfillment_order, order_of

_CHANGEABLE = ("note", "phone", "poNumber")


@mutation("orderCreate", "order")
def _order_create(ask: Ask, arguments: Doc) -> Doc:
    order = sales.make_order(ask.store, arguments["order"], arguments.get("options"))
    return {"order": order}


@mutation("orderUpdate", "order")
def _order_update(ask: Ask, arguments: Doc) -> Doc:
    given = arguments["input"]
    order = _known(ask, given["id"], "id")
    custom_data.check_metafields(ask.store, "Order", order["id"], given.get("metafields"))
    for name in _CHANGEABLE:
        if name in given:
            order[name] = given[name]
    if "email" in given:
        order["email"] = (given["email"] or "").lower() or None
    if given.get("tags") is not None:
        order["tags"] = goods.tidy_tags(given["tags"])
    if given.get("customAttributes") is not None:
        order["customAttributes"] = [dict(each) for each in given["customAttributes"]]
    if given.get("shippingAddress"):
        order["shippingAddress"] = people.address(ask.store, given["shippingAddress"])
    for each in given.get("metafields") or ():
        custom_data.set_metafield(ask.store, order["id"], each)
    ask.store.touch(order)
    return {"order": order}


@mutation("orderCustomerSet", "order")
def _order_customer(ask: Ask, arguments: Doc) -> Doc:
    order = _known(ask, arguments["orderId"], "orderId", code="NOT_FOUND")
    customer = ask.store.get("Customer", arguments["customerId"])
    if customer is None:
        raise Refusal("Customer does not exist", "customerId", code="NOT_FOUND")
    order["_customer"] = customer["_n"]
    order["email"] = order["email"] or customer["email"]
    ask.store.touch(order)
    ask.store.touch(customer)
    return {"order": order}


@mutation("orderCancel", "job", "jobResult", "orderCancelUserErrors")
def _order_cancel(ask: Ask, arguments: Doc) -> Doc:
    try:
        order = _known(ask, arguments["orderId"], "orderId", code="NOT_FOUND")
        aftersales.cancel(ask.store, order, arguments)
    except Refusal as refusal:
        told = refusal.told(codes_of(ask, "orderCancel", "orderCancelUserErrors"))
        errors = {"orderCancelUserErrors": [told], "userErrors": [told]}
        return {"job": None, "jobResult": None, **errors}
    job = gids.gid("Job", ask.store.number())
    return {"job": {"id": job, "done": True}, "jobResult": None, "orderCancelUserErrors": []}


@mutation("orderClose", "order")
def _order_close(ask: Ask, arguments: Doc) -> Doc:
    order = _known(ask, arguments["input"]["id"], "id")
    order["closedAt"] = order["closedAt"] or ask.store.clock.stamp()
    ask.store.touch(order)
    return {"order": order}


@mutation("orderOpen", "order")
def _order_open(ask: Ask, arguments: Doc) -> Doc:
    order = _known(ask, arguments["input"]["id"], "id")
    order["closedAt"] = None
    ask.store.touch(order)
    return {"order": order}


@mutation("orderDelete", "deletedId")
def _order_delete(ask: Ask, arguments: Doc) -> Doc:
    order = _known(ask, arguments["orderId"], "orderId", code="NOT_FOUND")
    ask.store.remove(order)
    return {"deletedId": order["id"]}


@mutation("orderMarkAsPaid", "order")
def _order_paid(ask: Ask, arguments: Doc) -> Doc:
    order = _known(ask, arguments["input"]["id"], "id")
    open_ = sums.order_total(ask.store, order) - aftersales.received(ask.store, order)
    if open_ <= 0:
        raise Refusal("Order cannot be marked as paid.", "id")
    order["_financial"] = None
    sales.add_transaction(ask.store, order, {"amount": str(open_), "gateway": "manual"})
    ask.store.touch(order)
    return {"order": order}


@mutation("refundCreate", "order", "refund")
def _refund_create(ask: Ask, arguments: Doc) -> Doc:
    def act() -> Doc:
        order = _known(ask, arguments["input"]["orderId"], "orderId")
        refund = aftersales.make_refund(ask.store, order, arguments["input"])
        return {"order": order, "refund": refund}

    return once(ask, arguments, act)


@mutation("fulfillmentCreate", "fulfillment")
def _fulfillment_create(ask: Ask, arguments: Doc) -> Doc:
    given = arguments["fulfillment"]
    [part] = given["lineItemsByFulfillmentOrder"]
    number = gids.number(part["fulfillmentOrderId"], "FulfillmentOrder")
    order = order_of(ask.store, number)
    if order is None:
        raise Refusal("Fulfillment order does not exist.", "fulfillment")
    if fulfillment_order(ask.store, order)["status"] != "OPEN":
        words = "Fulfillment order has an unfulfillable status= closed."
        raise Refusal(words, "fulfillment")
    left = sales.unfulfilled(ask.store, order)
    wanted = {
        gids.number(each["id"], "FulfillmentOrderLineItem"): each["quantity"]
        for each in part.get("fulfillmentOrderLineItems") or ()
    } or left
    if any(quantity > left.get(number, 0) for number, quantity in wanted.items()):
        raise Refusal("Invalid fulfillment order line item quantity requested.", "fulfillment")
    tracking = given.get("trackingInfo") or {}
    shipment = sales.add_fulfillment(ask.store, order, wanted, tracking)
    ask.store.touch(order)
    if given.get("notifyCustomer"):
        ask.store.mail(order, "shipping_confirmation")
    return {"fulfillment": shipment}


@mutation("fulfillmentCancel", "fulfillment")
def _fulfillment_cancel(ask: Ask, arguments: Doc) -> Doc:
    shipment = ask.store.get("Fulfillment", arguments["id"])
    if shipment is None:
        raise Refusal("Fulfillment does not exist.", "id")
    shipment["status"] = "CANCELLED"
    ask.store.touch(ask.store.tables["Order"][shipment["_order"]])
    return {"fulfillment": shipment}


def _known(ask: Ask, identity: str, *path: str, code: str | None = None) -> Doc:
    order = ask.store.get("Order", identity)
    if order is None:
        raise Refusal("Order does not exist", *path, code=code)
    return order
