"""Orders: how they are made, and what becomes of stock, mails and customers meanwhile.

What is given is `OrderCreateOrderInput`. Amounts are kept as `Decimal`, in the store's currency.
"""

from decimal import Decimal
from typing import Any

from tests.shopify_store import custom_data, people, stock
from tests.shopify_store.failures import Refusal
from tests.shopify_store.fields import Doc
from tests.shopify_store.goods import tidy_tags
from tests.shopify_store.money import NOTHING, amount, bagged, cents, total
from tests.shopify_store.store import Store
from tests.shopify_store.sums import current_quantity, line_total, lines

_PLAIN = ("note", "phone", "poNumber", "sourceName", "sourceIdentifier", "closedAt")
_MINUTE = 60.0


def make_order(store: Store, given: Doc, options: Doc | None = None) -> Doc:
    """Create an order as it is given: nothing is reckoned anew. Raises `Refusal`."""
    options = options or {}
    _check(store, given)
    behaviour = options.get("inventoryBehaviour") or "BYPASS"
    if behaviour == "DECREMENT_OBEYING_POLICY":
        _check_stock(store, given)
    store.order_times.append(store.clock.true_now())
    order = _new_order(store, given)
    for each in given["lineItems"]:
        order["_lines"].append(_line(store, order, each)["_n"])
    order["_shipping"] = [
        _shipping(store, order, each) for each in given.get("shippingLines") or ()
    ]
    order["_taxes"] = [tax_line(each, NOTHING) for each in given.get("taxLines") or ()]
    _discount(store, order, given.get("discountCode"))
    for each in given.get("transactions") or ():
        add_transaction(store, order, each)
    _customer(store, order, given)
    if given.get("fulfillment") or given.get("fulfillmentStatus") == "FULFILLED":
        _fulfilled_already(store, order, given.get("fulfillment") or {})
    for each in given.get("metafields") or ():
        custom_data.set_metafield(store, order["id"], each)
    if behaviour != "BYPASS":
        _claim_stock(store, order)
    _mails(store, order, given, options)
    return order


def add_transaction(store: Store, order: Doc, given: Doc, **more: Any) -> Doc:
    """A payment or a refund of an order, as `OrderCreateOrderTransactionInput` gives it."""
    sum_ = bagged(given["amountSet"]) if "amountSet" in given else amount(given["amount"])
    doc = store.add("OrderTransaction", _order=order["_n"], _amount=sum_)
    doc.update(
        kind=given.get("kind") or "SALE",
        status=given.get("status") or "SUCCESS",
        gateway=given.get("gateway") or "",
        processedAt=given.get("processedAt") or store.clock.stamp(),
        authorizationCode=given.get("authorizationCode"),
        paymentId=None,
        errorCode=None,
        test=bool(given.get("test")),
        _parent=more.get("parent"),
        _real=bool(more.get("real")),
    )
    order["_transactions"].append(doc["_n"])
    return doc


def add_fulfillment(store: Store, order: Doc, quantities: dict[int, int], given: Doc) -> Doc:
    """A shipment of some of an order's lines (number of the line to quantity)."""
    doc = store.add("Fulfillment", _order=order["_n"], status="SUCCESS")
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    doc["trackingInfo"] = [
        {"company": given.get("company"), "number": each, "url": given.get("url")}
        for each in numbers
    ]
    doc["name"] = f"{order['name']}.{len(order['_fulfillments']) + 1}"
    doc["_lines"] = [
        {
            "_n": store.number(),
            "_line": number,
            "quantity": quantity,
        }
        for number, quantity in quantities.items()
    ]
    order["_fulfillments"].append(doc["_n"])
    return doc


def unfulfilled(store: Store, order: Doc) -> dict[int, int]:
    """What is still to be shipped: number of the line to quantity."""
    left = {each["_n"]: current_quantity(each) for each in lines(store, order)}
    for number in order["_fulfillments"]:
        shipment = store.tables["Fulfillment"][number]
        if shipment["status"] == "SUCCESS":
            for each in shipment["_lines"]:
                left[each["_line"]] = max(0, left[each["_line"]] - each["quantity"])
    return {number: quantity for number, quantity in left.items() if quantity > 0}


def tax_line(given: Doc, base: Decimal) -> Doc:
    """A tax line as it is given; without an amount it is reckoned from `base`."""
    rate = amount(given["rate"])
    sum_ = bagged(given["priceSet"]) if given.get("priceSet") else cents(base * rate)
    return {
        "title": given["title"],
        "rate": float(rate),
        "ratePercentage": float(rate * 100),
        "source": None,
        "channelLiable": given.get("channelLiable"),
        "_amount": sum_,
    }


# --- checks -------------------------------------------------------------------------------------


def _check(store: Store, given: Doc) -> None:
    limit = store.config.orders_a_minute
    now = store.clock.true_now()
    if limit is not None and sum(1 for at in store.order_times if at > now - _MINUTE) >= limit:
        raise Refusal("Too many attempts. Please try again later.")
    if not given.get("lineItems"):
        raise Refusal(
            "Line items must have at least one line item", "order", "lineItems", code="INVALID"
        )
    if given.get("customer") and given.get("customerId"):
        words = "Cannot specify both customer and customerId"
        raise Refusal(words, "order", "customer", code="REDUNDANT_CUSTOMER_FIELDS")
    if (given.get("processedAt") or "") > store.clock.stamp():
        words = "Processed at must not be in the future"
        raise Refusal(words, "order", "processedAt", code="PROCESSED_AT_INVALID")
    wanted = _associated(given)
    if wanted and store.get("Customer", wanted) is None:
        raise Refusal("Customer not found", "order", "customer", code="INVALID")
    upsert = (given.get("customer") or {}).get("toUpsert")
    if upsert:
        people.check_customer(store, _upserted(store, upsert), upsert)
    custom_data.check_metafields(store, "Order", None, given.get("metafields"))
    for index, each in enumerate(given["lineItems"]):
        _check_line(store, each, "order", "lineItems", str(index))
    currency = given.get("currency") or store.config.currency
    if currency != store.config.currency:
        words = f"Currency must be the shop's currency {store.config.currency}"
        raise Refusal(words, "order", "currency", code="INVALID")


def _check_line(store: Store, given: Doc, *place: str) -> None:
    if given["quantity"] < 1:
        raise Refusal("Quantity must be greater than 0", *place, "quantity", code="INVALID")
    if given.get("variantId"):
        if store.get("ProductVariant", given["variantId"]) is None:
            raise Refusal("Variant not found", *place, "variantId", code="INVALID")
    elif not given.get("title"):
        raise Refusal("Title can't be blank", *place, "title", code="INVALID")
    elif not given.get("priceSet"):
        raise Refusal("Price set can't be blank", *place, "priceSet", code="INVALID")
    for each in given.get("taxLines") or ():
        if each.get("rate") is None:
            raise Refusal("Rate can't be blank", *place, "taxLines", code="TAX_LINE_RATE_MISSING")


def _check_stock(store: Store, given: Doc) -> None:
    for each in given["lineItems"]:
        variant = store.get("ProductVariant", each.get("variantId"))
        if variant is None or variant["inventoryPolicy"] == "CONTINUE":
            continue
        item = store.tables["InventoryItem"][variant["_item"]]
        if item["tracked"] and stock.available(store, item) < each["quantity"]:
            words = "Unable to claim inventory"
            raise Refusal(words, "order", "lineItems", code="INVENTORY_CLAIM_FAILED")


def _associated(given: Doc) -> str | None:
    associate = (given.get("customer") or {}).get("toAssociate") or {}
    found: str | None = given.get("customerId") or associate.get("id")
    return found


# --- parts --------------------------------------------------------------------------------------


def _new_order(store: Store, given: Doc) -> Doc:
    number, now = next(store.order_numbers), store.clock.stamp()
    order = store.add("Order", number=number, name=given.get("name") or f"#{number}")
    order.update({name: given.get(name) for name in _PLAIN})
    order.update(
        processedAt=given.get("processedAt") or now,
        email=(given.get("email") or "").lower() or None,
        tags=tidy_tags(given.get("tags") or []),
        test=bool(given.get("test")),
        taxesIncluded=bool(given.get("taxesIncluded")),
        customAttributes=[dict(each) for each in given.get("customAttributes") or ()],
        cancelledAt=None,
        cancelReason=None,
        cancellation=None,
        customerLocale=None,
        edited=False,
        confirmed=True,
        originalTotalDutiesSet=None,
        currentTotalDutiesSet=None,
        additionalFees=[],
        billingAddress=_address(store, given.get("billingAddress")),
        shippingAddress=_address(store, given.get("shippingAddress")),
        _financial=given.get("financialStatus"),
        _customer=None,
        _discount=None,
        _lines=[],
        _shipping=[],
        _taxes=[],
        _transactions=[],
        _refunds=[],
        _fulfillments=[],
        _fulfillment_order=store.number(),
    )
    return order


def _address(store: Store, given: Doc | None) -> Doc | None:
    return people.address(store, given) if given else None


def _line(store: Store, order: Doc, given: Doc) -> Doc:
    variant = store.get("ProductVariant", given.get("variantId"))
    product = store.tables["Product"][variant["_product"]] if variant else None
    item = store.tables["InventoryItem"][variant["_item"]] if variant else {}
    options = variant["_options"] if variant else []
    own_title = " / ".join(value for name, value in options if name != "Title") or None
    price = bagged(given["priceSet"]) if given.get("priceSet") else amount((variant or {})["price"])
    line = store.add("LineItem", quantity=given["quantity"], _order=order["_n"], _price=price)
    line.update(
        title=given.get("title") or (product or {}).get("title"),
        variantTitle=given.get("variantTitle") or own_title,
        sku=given["sku"] if given.get("sku") is not None else item.get("sku"),
        vendor=given.get("vendor") or (product or {}).get("vendor"),
        taxable=given.get("taxable", True),
        requiresShipping=bool(given.get("requiresShipping")),
        isGiftCard=bool(given.get("giftCard")),
        customAttributes=[
            {"key": each["name"], "value": each["value"]} for each in given.get("properties") or ()
        ],
        _variant=variant["_n"] if variant else None,
        _product=product["_n"] if product else None,
        _allocated=NOTHING,
        _refunded=0,
        _uncounted=0,
    )
    line["_taxes"] = [tax_line(each, line_total(line)) for each in given.get("taxLines") or ()]
    return line


def _shipping(store: Store, order: Doc, given: Doc) -> Doc:
    price = bagged(given["priceSet"])
    number = store.number()
    return {
        "__typename": "ShippingLine",
        "_n": number,
        "_order": order["_n"],
        "id": f"gid://shopify/ShippingLine/{number}",
        "title": given["title"],
        "code": given.get("code"),
        "source": given.get("source"),
        "isRemoved": False,
        "_uncounted": False,
        "custom": True,
        "carrierIdentifier": None,
        "phone": None,
        "_price": price,
        "_allocated": NOTHING,
        "_taxes": [tax_line(each, price) for each in given.get("taxLines") or ()],
    }


def _discount(store: Store, order: Doc, given: Doc | None) -> None:
    """Share one discount code out over the lines, to the cent; the last line takes the rest."""
    if not given:
        return
    kind, code = next((name, each) for name, each in given.items() if each)
    order["_discount"] = {"code": code["code"], "kind": kind, "percentage": code.get("percentage")}
    if kind == "freeShippingDiscountCode":
        for shipping in order["_shipping"]:
            shipping["_allocated"] = shipping["_price"]
        return
    goods = lines(store, order)
    whole = total(line_total(line) for line in goods)
    if kind == "itemPercentageDiscountCode":
        sum_ = cents(whole * amount(code.get("percentage") or 0) / 100)
    else:
        sum_ = min(whole, bagged(code.get("amountSet")))
    left = sum_
    for index, line in enumerate(goods):
        last = index == len(goods) - 1
        share = left if last or not whole else cents(sum_ * line_total(line) / whole)
        line["_allocated"] = share
        left -= share


def _customer(store: Store, order: Doc, given: Doc) -> None:
    """Join the order to its customer, whose address it overwrites, as documented."""
    upsert = (given.get("customer") or {}).get("toUpsert")
    customer = store.get("Customer", _associated(given))
    if upsert:
        held = _upserted(store, upsert)
        named = {name: value for name, value in upsert.items() if name != "id"}
        customer = people.save_customer(store, held, named)
    if customer is None:
        return
    order["_customer"] = customer["_n"]
    order["email"] = order["email"] or customer["email"]
    place = order["shippingAddress"] or order["billingAddress"]
    if place is not None:
        copy = {**place, "_n": store.number()}
        copy["id"] = f"gid://shopify/MailingAddress/{copy['_n']}"
        customer["_addresses"] = [copy, *customer["_addresses"]]
        customer["_default"] = copy["_n"]
    store.touch(customer)


def _upserted(store: Store, given: Doc) -> Doc | None:
    return store.get("Customer", given.get("id")) or people.by_email(store, given.get("email"))


def _fulfilled_already(store: Store, order: Doc, given: Doc) -> None:
    numbers = given.get("trackingNumbers") or []
    tracking = {
        "company": given.get("trackingCompany"),
        "numbers": numbers or ([given["trackingNumber"]] if given.get("trackingNumber") else []),
    }
    everything = {each["_n"]: each["quantity"] for each in lines(store, order)}
    add_fulfillment(store, order, everything, tracking)


def _claim_stock(store: Store, order: Doc) -> None:
    for line in lines(store, order):
        sell_stock(store, line, line["quantity"])


def sell_stock(store: Store, line: Doc, quantity: int) -> None:
    """Take stock for a line; that counts as an update of the product, as documented."""
    variant = store.tables["ProductVariant"].get(line["_variant"] or 0)
    if variant is None:
        return
    item = store.tables["InventoryItem"][variant["_item"]]
    if item["tracked"]:
        stock.move(store, stock.level(store, item, store.location), -quantity, "order")
        store.touch(store.tables["Product"][variant["_product"]])


def _mails(store: Store, order: Doc, given: Doc, options: Doc) -> None:
    if options.get("sendReceipt") or store.forced_mails:
        store.mail(order, "order_confirmation")
    notify = (given.get("fulfillment") or {}).get("notifyCustomer")
    if order["_fulfillments"] and (options.get("sendFulfillmentReceipt") or notify):
        store.mail(order, "shipping_confirmation")
