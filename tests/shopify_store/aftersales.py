"""What happens to orders afterwards: payments, shipments, refunds, cancellation."""

from decimal import Decimal

from tests.shopify_store import gids, stock
from tests.shopify_store.failures import Refusal
from tests.shopify_store.fields import Doc
from tests.shopify_store.money import NOTHING, amount, cents, total
from tests.shopify_store.sales import add_transaction, unfulfilled
from tests.shopify_store.store import Store
from tests.shopify_store.sums import current_quantity, discounted, lines, order_total


def received(store: Store, order: Doc) -> Decimal:
    """What was paid. An order that was made as paid needs no transaction to be so."""
    paid = _sum(store, order, "SALE", "CAPTURE")
    if not order["_transactions"] and order["_financial"] in (
        "PAID",
        "PARTIALLY_REFUNDED",
        "REFUNDED",
    ):
        return order_total(store, order)
    return paid


def refunded(store: Store, order: Doc) -> Decimal:
    """What was given back."""
    return _sum(store, order, "REFUND")


def financial_status(store: Store, order: Doc) -> str:
    """As the order's page shows it."""
    back, paid, whole = refunded(store, order), received(store, order), order_total(store, order)
    if back and paid:
        return "REFUNDED" if back >= paid else "PARTIALLY_REFUNDED"
    if order["_financial"]:
        return str(order["_financial"])
    if paid >= whole and (paid or order["_transactions"]):
        return "PAID"
    if paid:
        return "PARTIALLY_PAID"
    return "AUTHORIZED" if _sum(store, order, "AUTHORIZATION") else "PENDING"


def fulfillment_status(store: Store, order: Doc) -> str:
    """As the order's page shows it."""
    if not unfulfilled(store, order):
        return "FULFILLED" if order["_fulfillments"] else "UNFULFILLED"
    shipped = any(
        store.tables["Fulfillment"][number]["status"] == "SUCCESS"
        for number in order["_fulfillments"]
    )
    return "PARTIALLY_FULFILLED" if shipped else "UNFULFILLED"


def make_refund(store: Store, order: Doc, given: Doc) -> Doc:
    """Give money or goods back, as `RefundInput` says. Raises `Refusal`."""
    wanted = _refund_lines(store, order, given.get("refundLineItems") or [])
    payments = given.get("transactions") or []
    back = total(amount(each["amount"]) for each in payments)
    open_ = received(store, order) - refunded(store, order)
    if back > open_ and not given.get("allowOverRefunding"):
        raise Refusal(f"Refund amount cannot exceed {open_}", "input", "transactions")
    shipping = _refunded_shipping(order, given.get("shipping"))
    if not wanted and not payments and not shipping:
        raise Refusal("Refund must have at least one item, shipping or transaction", "input")
    refund = store.add("Refund", _order=order["_n"], note=given.get("note"))
    refund["processedAt"] = given.get("processedAt") or store.clock.stamp()
    refund["_shipping"] = shipping
    refund["_lines"] = [_give_back(store, line, each) for line, each in wanted]
    refund["_transactions"] = []
    for each in payments:
        made = {**each, "kind": "REFUND", "processedAt": refund["processedAt"]}
        refund["_transactions"].append(_pay_back(store, order, made)["_n"])
    order["_refunds"].append(refund["_n"])
    store.touch(order)
    if given.get("notify"):
        store.mail(order, "refund_notification")
    return refund


def cancel(store: Store, order: Doc, given: Doc) -> None:
    """Cancel an order as `orderCancel` says. Raises `Refusal`."""
    if order["cancelledAt"]:
        raise Refusal("Order has already been cancelled", "orderId", code="INVALID")
    order.update(cancelledAt=store.clock.stamp(), cancelReason=given["reason"])
    order["cancellation"] = {"staffNote": given.get("staffNote")}
    order["closedAt"] = order["closedAt"] or order["cancelledAt"]
    if given.get("restock"):
        for number, quantity in unfulfilled(store, order).items():
            _restock(store, store.tables["LineItem"][number], quantity)
    method = given.get("refundMethod") or {}
    open_ = received(store, order) - refunded(store, order)
    if (given.get("refund") or method.get("originalPaymentMethodsRefund")) and open_ > 0:
        _pay_back(store, order, {"amount": str(open_), "kind": "REFUND", "gateway": "manual"})
    if not open_ and not order["_financial"]:
        order["_financial"] = "VOIDED"
    store.touch(order)
    if given.get("notifyCustomer"):
        store.mail(order, "order_cancelled")


def edit_order(store: Store, order: Doc, given: Doc) -> None:
    """An edit as staff makes it: units of lines go, and ways of sending. The schema does not say
    whether Shopify notes that as a refund without money, its totals counting what is gone as
    before, or leaves it out of them: `noted` says which. Raises `Refusal`.
    """
    noted = given.get("noted", True)
    known = lines(store, order)
    removed = [
        {"lineItemId": known[each["line"]]["id"], "quantity": each["quantity"]}
        for each in given.get("remove") or ()
    ]
    if removed and noted:
        gone = [{**each, "restockType": "CANCEL"} for each in removed]
        make_refund(store, order, {"refundLineItems": gone})
    else:
        for line, each in _refund_lines(store, order, removed):
            line["_uncounted"] += each["quantity"]
            _restock(store, line, each["quantity"])
    for way in order["_shipping"] if given.get("remove_shipping") else ():
        way.update(isRemoved=True, _uncounted=not noted)
    order["edited"] = True
    store.touch(order)


def _sum(store: Store, order: Doc, *kinds: str) -> Decimal:
    made = [store.tables["OrderTransaction"][number] for number in order["_transactions"]]
    return total(
        each["_amount"] for each in made if each["kind"] in kinds and each["status"] == "SUCCESS"
    )


def _refund_lines(store: Store, order: Doc, given: list[Doc]) -> list[tuple[Doc, Doc]]:
    known = {each["_n"]: each for each in lines(store, order)}
    found = []
    for each in given:
        line = known.get(gids.number(each["lineItemId"], "LineItem"))
        if line is None:
            raise Refusal("Line item does not exist", "input", "refundLineItems")
        if each["quantity"] > current_quantity(line):
            words = "Refund line items quantity cannot refund more items than were purchased"
            raise Refusal(words, "input", "refundLineItems", "quantity")
        found.append((line, each))
    return found


def _give_back(store: Store, line: Doc, given: Doc) -> Doc:
    quantity = given["quantity"]
    kind = given.get("restockType") or "NO_RESTOCK"
    share = Decimal(quantity) / line["quantity"]
    line["_refunded"] += quantity
    if kind in ("RETURN", "CANCEL"):
        _restock(store, line, quantity)
    number = store.number()
    return {
        "__typename": "RefundLineItem",
        "_n": number,
        "id": gids.gid("RefundLineItem", number),
        "_line": line["_n"],
        "quantity": quantity,
        "restockType": kind,
        "restocked": kind != "NO_RESTOCK",
        "_subtotal": cents(discounted(line) * share),
        "_tax": cents(total(each["_amount"] for each in line["_taxes"]) * share),
    }


def _refunded_shipping(order: Doc, given: Doc | None) -> Decimal:
    if not given:
        return NOTHING
    if given.get("fullRefund"):
        return total(each["_price"] for each in order["_shipping"])
    return amount(given.get("amount") or 0)


def _pay_back(store: Store, order: Doc, given: Doc) -> Doc:
    parent = gids.number(given.get("parentId"), "OrderTransaction") or None
    source = store.tables["OrderTransaction"].get(parent or 0)
    doc = add_transaction(store, order, given, parent=parent)
    if source is not None and source["_real"]:
        store.effect("gateway_refund", order=order["id"], amount=str(doc["_amount"]))
    return doc


def _restock(store: Store, line: Doc, quantity: int) -> None:
    variant = store.tables["ProductVariant"].get(line["_variant"] or 0)
    if variant is not None:
        item = store.tables["InventoryItem"][variant["_item"]]
        stock.move(store, stock.level(store, item, store.location), quantity, "restock")
