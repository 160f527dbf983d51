"""Orders and what happens to them afterwards: amounts to the penny, and no side effect unasked."""

from __future__ import annotations

import pytest

from tests.shopify_store_tests.conftest import gid, pounds

pytestmark = pytest.mark.contracts

KINDS = "OrderCreateOrderInput! OrderCreateOptionsInput"
MONEY = "{shopMoney{amount}}"
AMOUNTS = (
    f"subtotalPriceSet{MONEY} totalShippingPriceSet{MONEY} totalTaxSet{MONEY} "
    f"totalDiscountsSet{MONEY} totalPriceSet{MONEY} currentTotalPriceSet{MONEY} "
    f"totalRefundedSet{MONEY} totalReceivedSet{MONEY} totalOutstandingSet{MONEY}"
)
ORDER = (
    "id name processedAt createdAt updatedAt closedAt cancelledAt displayFinancialStatus "
    f"displayFulfillmentStatus {AMOUNTS}"
)
HISTORY = {
    "name": "#581587",
    "processedAt": "2011-12-09T12:50:00Z",
    "closedAt": "2011-12-12T09:00:00Z",
    "email": "Buyer@Example.test",
    "sourceIdentifier": "581587",
    "sourceName": "recent-sync",
    "financialStatus": "PAID",
    "fulfillmentStatus": "FULFILLED",
    "lineItems": [
        {
            "title": "Napkins",
            "sku": "22613",
            "quantity": 12,
            "priceSet": pounds("0.85"),
            "taxLines": [{"title": "VAT", "rate": "0.2", "priceSet": pounds("2.04")}],
        },
        {"title": "Mug", "quantity": 1, "priceSet": pounds("10")},
    ],
    "shippingLines": [{"title": "Post", "code": "post", "priceSet": pounds("4.20")}],
    "transactions": [{"kind": "SALE", "gateway": "card", "amountSet": pounds("26.44")}],
}


async def make(shop, options=None, **changes):
    payload = await shop.write(
        "orderCreate", KINDS, f"order{{{ORDER}}}", order={**HISTORY, **changes}, options=options
    )
    assert payload["userErrors"] == []
    return payload["order"]


async def order(shop, identity, selection=ORDER):
    return (await shop.ask(f"query($i:ID!){{order(id:$i){{{selection}}}}}", i=identity))["order"]


def amounts(found):
    return {
        name.removesuffix("Set"): each["shopMoney"]["amount"]
        for name, each in found.items()
        if isinstance(each, dict) and "shopMoney" in each
    }


async def test_history_is_kept_as_it_is_given_and_nobody_hears_of_it(shop):
    made = await make(shop)
    assert made["name"] == "#581587"
    assert made["processedAt"] == "2011-12-09T12:50:00Z"
    assert made["createdAt"] == "2025-11-25T12:00:00Z"  # nobody can set it
    assert made["closedAt"] == "2011-12-12T09:00:00Z"
    assert made["displayFinancialStatus"] == "PAID"
    assert made["displayFulfillmentStatus"] == "FULFILLED"
    assert amounts(made) == {
        "subtotalPrice": "20.2",
        "totalShippingPrice": "4.2",
        "totalTax": "2.04",
        "totalDiscounts": "0.0",
        "totalPrice": "26.44",
        "currentTotalPrice": "26.44",
        "totalRefunded": "0.0",
        "totalReceived": "26.44",
        "totalOutstanding": "0.0",
    }
    assert await shop.effects() == {}
    found = await shop.ids("orders", "source_identifier:'581587' AND source_name:recent-sync")
    assert found == [int(made["id"].rsplit("/", 1)[1])]
    assert await shop.ids("orders", "name:581587") == found
    assert await shop.ids("orders", "email:buyer@example.test AND status:closed") == found
    assert await shop.ids("orders", "processed_at:<'2012-01-01'") == found


async def test_prices_with_tax_in_them_are_not_taxed_again(shop):
    found = amounts(await make(shop, taxesIncluded=True))
    assert (found["totalPrice"], found["totalTax"]) == ("24.4", "2.04")


async def test_mails_and_stock_move_only_where_that_is_asked_for(shop):
    number = await shop.product()
    variant = shop.store.tables["Product"][number]["_variants"][0]
    line = {"variantId": gid("ProductVariant", variant), "quantity": 2}
    await make(shop, lineItems=[line])
    assert await shop.effects() == {"stock": 1}  # from filling the shelf
    await make(
        shop,
        {"sendReceipt": True, "inventoryBehaviour": "DECREMENT_IGNORING_POLICY"},
        lineItems=[line],
    )
    assert await shop.effects() == {"stock": 2, "mail": 1}
    payload = await shop.write(
        "orderCreate",
        KINDS,
        "order{id}",
        order={**HISTORY, "lineItems": [line]},
        options={"inventoryBehaviour": "DECREMENT_OBEYING_POLICY"},
    )
    assert payload["userErrors"][0]["message"] == "Unable to claim inventory"


async def test_an_order_overwrites_its_customers_default_address(shop):
    home = {"address1": "1 High Street", "countryCode": "GB"}
    [number] = await shop.load("customer", {"email": "a@example.test", "addresses": [home]})
    customer = {"toAssociate": {"id": gid("Customer", number)}}
    await make(
        shop, customer=customer, shippingAddress={"address1": "Elsewhere", "countryCode": "FR"}
    )
    query = (
        "query($i:ID!){customer(id:$i)"
        "{defaultAddress{address1} numberOfOrders amountSpent{amount}}}"
    )
    found = (await shop.ask(query, i=gid("Customer", number)))["customer"]
    assert found["defaultAddress"] == {"address1": "Elsewhere"}
    assert (found["numberOfOrders"], found["amountSpent"]) == ("1", {"amount": "26.44"})
    made = await make(shop)
    done = await shop.write(
        "orderCustomerSet",
        "ID! ID!",
        "order{customer{id}}",
        orderId=made["id"],
        customerId=gid("Customer", number),
    )
    assert done["order"]["customer"] == {"id": gid("Customer", number)}


@pytest.mark.parametrize(
    ("code", "shares", "whole"),
    [
        (
            {"itemFixedDiscountCode": {"code": "FIVE", "amountSet": pounds("5")}},
            ["2.52", "2.48"],
            "5.0",
        ),
        (
            {"itemPercentageDiscountCode": {"code": "TEN", "percentage": 10}},
            ["1.02", "1.0"],
            "2.02",
        ),
        ({"freeShippingDiscountCode": {"code": "FREE"}}, [], "4.2"),
    ],
)
async def test_one_discount_code_is_shared_out_to_the_penny(shop, code, shares, whole):
    made = await make(shop, discountCode=code)
    assert amounts(made)["totalDiscounts"] == whole
    allocated = f"discountAllocations{{allocatedAmountSet{MONEY}}}"
    lines = f"lineItems(first:5){{nodes{{{allocated} discountedTotalSet{MONEY}}}}}"
    found = await order(shop, made["id"], f"discountCodes {lines}")
    assert found["discountCodes"] == [next(iter(code.values()))["code"]]
    nodes = found["lineItems"]["nodes"]
    given = [
        each["allocatedAmountSet"]["shopMoney"]["amount"]
        for node in nodes
        for each in node["discountAllocations"]
    ]
    assert given == shares
    assert nodes[0]["discountedTotalSet"]["shopMoney"]["amount"] == "10.2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lineItems": []}, "at least one line item"),
        ({"lineItems": [{"quantity": 1, "priceSet": pounds("1")}]}, "Title"),
        ({"lineItems": [{"title": "A", "quantity": 0, "priceSet": pounds("1")}]}, "Quantity"),
        ({"lineItems": [{"title": "A", "quantity": 1}]}, "Price"),
        ({"processedAt": "2030-01-01T00:00:00Z"}, "future"),
        (
            {"customerId": gid("Customer", 9), "customer": {"toUpsert": {"email": "a@b.test"}}},
            "both",
        ),
        ({"customer": {"toAssociate": {"id": gid("Customer", 9)}}}, "not found"),
        ({"customer": {"toUpsert": {"email": "nonsense"}}}, "Email is invalid"),
        ({"currency": "USD"}, "currency"),
    ],
)
async def test_what_no_order_may_be(shop, changes, words):
    payload = await shop.write(
        "orderCreate", KINDS, "order{id}", order={**HISTORY, **changes}, options=None
    )
    assert payload["order"] is None
    assert words in payload["userErrors"][0]["message"]
    assert not shop.store.tables["Order"]
    assert not shop.store.tables["Customer"]


async def test_a_development_store_takes_five_orders_a_minute(open_shop):
    shop = open_shop(orders_a_minute=5)
    for _ in range(5):
        await make(shop)
    payload = await shop.write("orderCreate", KINDS, "order{id}", order=HISTORY, options=None)
    assert "Too many attempts" in payload["userErrors"][0]["message"]
    shop.wait(60)
    await make(shop)
    assert (await shop.ask("{shop{plan{partnerDevelopment}}}"))["shop"]["plan"][
        "partnerDevelopment"
    ]


# --- afterwards ---------------------------------------------------------------------------------

REFUND = (
    f"refund{{id note processedAt totalRefundedSet{MONEY} refundLineItems(first:5){{nodes"
    f"{{quantity restockType subtotalSet{MONEY} totalTaxSet{MONEY} "
    "lineItem{sku currentQuantity}}}}"
)


async def refund(shop, identity, **given):
    return await shop.write(
        "refundCreate", "RefundInput!", REFUND, input={"orderId": identity, **given}
    )


async def test_a_refund_gives_goods_and_money_back_and_moves_the_order(shop):
    made = await make(shop)
    shop.wait(60)
    lines = (await order(shop, made["id"], "lineItems(first:5){nodes{id}}"))["lineItems"]["nodes"]
    back = {"amount": "1.02", "gateway": "card", "kind": "REFUND", "orderId": made["id"]}
    item = {"lineItemId": lines[0]["id"], "quantity": 1, "restockType": "NO_RESTOCK"}
    given = {"note": "Torn", "refundLineItems": [item], "transactions": [back]}
    payload = await refund(shop, made["id"], **given)
    assert payload["userErrors"] == []
    [line] = payload["refund"]["refundLineItems"]["nodes"]
    assert line["subtotalSet"]["shopMoney"]["amount"] == "0.85"
    assert line["totalTaxSet"]["shopMoney"]["amount"] == "0.17"
    assert line["lineItem"] == {"sku": "22613", "currentQuantity": 11}
    found = await order(shop, made["id"])
    assert found["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert found["updatedAt"] == "2025-11-25T12:01:00Z"
    assert amounts(found)["totalPrice"] == "26.44"
    assert amounts(found)["currentTotalPrice"] == "25.42"
    assert amounts(found)["totalRefunded"] == "1.02"
    assert await shop.effects() == {}


async def test_a_refund_needs_its_key_and_happens_once_for_it(shop):
    made = await make(shop)
    back = {"amount": "1", "gateway": "card", "kind": "REFUND", "orderId": made["id"]}
    given = {"orderId": made["id"], "transactions": [back]}
    plain = "mutation($i:RefundInput!){refundCreate(input:$i){refund{id} userErrors{message}}}"
    assert await shop.refused(plain, i=given) == ["BAD_REQUEST"]
    keyed = plain.replace("input:$i)", 'input:$i)@idempotent(key:"k")')
    first = await shop.ask(keyed, i=given)
    assert await shop.ask(keyed, i=given) == first
    assert amounts(await order(shop, made["id"]))["totalRefunded"] == "1.0"
    other = await shop.ask(keyed, i={**given, "note": "x"})
    assert other["refundCreate"]["refund"] is None


@pytest.mark.parametrize(
    "given",
    [
        {"transactions": [{"amount": "99", "gateway": "card", "kind": "REFUND"}]},
        {"refundLineItems": [{"quantity": 13}]},
        {},
    ],
)
async def test_more_than_there_is_cannot_be_refunded(shop, given):
    made = await make(shop)
    lines = (await order(shop, made["id"], "lineItems(first:5){nodes{id}}"))["lineItems"]["nodes"]
    for each in given.get("transactions", ()):
        each["orderId"] = made["id"]
    for each in given.get("refundLineItems", ()):
        each["lineItemId"] = lines[0]["id"]
    assert (await refund(shop, made["id"], **given))["userErrors"]
    assert (await order(shop, made["id"]))["displayFinancialStatus"] == "PAID"


async def test_a_buyers_order_is_paid_mailed_and_refunded_at_the_gateway(shop):
    number = await shop.product()
    before = shop.store.tables["Product"][number]["updatedAt"]
    shop.wait(30)
    await shop.edit("sell", "product", number, quantity=2, email="buyer@example.test")
    assert await shop.effects() == {"stock": 2, "mail": 1}
    [sold] = await shop.ids("orders")
    found = await order(
        shop, gid("Order", sold), f"{ORDER} customer{{email}} transactions{{id gateway}}"
    )
    assert found["displayFinancialStatus"] == "PAID"
    assert found["customer"] == {"email": "buyer@example.test"}
    assert shop.store.tables["Product"][number]["updatedAt"] > before
    back = {
        "amount": "10",
        "gateway": "shopify_payments",
        "kind": "REFUND",
        "orderId": gid("Order", sold),
        "parentId": found["transactions"][0]["id"],
    }
    await refund(shop, gid("Order", sold), transactions=[back], notify=True)
    assert await shop.effects() == {"stock": 2, "mail": 2, "gateway_refund": 1}


CANCEL = (
    "mutation($i:ID!){orderCancel(orderId:$i,reason:CUSTOMER,restock:false,notifyCustomer:false)"
    "{job{id done} orderCancelUserErrors{message code} userErrors{message}}}"
)


async def test_an_order_is_cancelled_once(shop):
    made = await make(shop)
    shop.wait(5)
    payload = (await shop.ask(CANCEL, i=made["id"]))["orderCancel"]
    assert payload["orderCancelUserErrors"] == []
    job = await shop.ask("query($i:ID!){job(id:$i){done}}", i=payload["job"]["id"])
    assert job == {"job": {"done": True}}
    found = await order(shop, made["id"])
    assert found["cancelledAt"] == found["updatedAt"] == "2025-11-25T12:00:05Z"
    again = (await shop.ask(CANCEL, i=made["id"]))["orderCancel"]
    assert [each["code"] for each in again["orderCancelUserErrors"]] == ["INVALID"]
    assert await shop.ids("orders", "status:cancelled") == [int(made["id"].rsplit("/", 1)[1])]
    assert await shop.effects() == {}


async def test_what_is_left_of_an_order_is_shipped_without_a_mail(shop):
    made = await make(shop, fulfillmentStatus=None, closedAt=None)
    lines = "lineItems(first:5){nodes{id remainingQuantity}}"
    query = f"fulfillmentOrders(first:1){{nodes{{id status {lines}}}}}"
    [open_] = (await order(shop, made["id"], query))["fulfillmentOrders"]["nodes"]
    part = {"id": open_["lineItems"]["nodes"][0]["id"], "quantity": 5}
    group = {"fulfillmentOrderId": open_["id"], "fulfillmentOrderLineItems": [part]}
    ship = "fulfillment{status totalQuantity trackingInfo{number}}"
    given = {"lineItemsByFulfillmentOrder": [group], "trackingInfo": {"number": "T1"}}
    payload = await shop.write("fulfillmentCreate", "FulfillmentInput!", ship, fulfillment=given)
    assert payload["fulfillment"] == {
        "status": "SUCCESS",
        "totalQuantity": 5,
        "trackingInfo": [{"number": "T1"}],
    }
    assert (await order(shop, made["id"]))["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"
    rest = {"lineItemsByFulfillmentOrder": [{"fulfillmentOrderId": open_["id"]}]}
    await shop.write("fulfillmentCreate", "FulfillmentInput!", ship, fulfillment=rest)
    assert (await order(shop, made["id"]))["displayFulfillmentStatus"] == "FULFILLED"
    refused = await shop.write("fulfillmentCreate", "FulfillmentInput!", ship, fulfillment=rest)
    assert refused["userErrors"]
    assert await shop.effects() == {}


async def test_small_changes_of_an_order(shop):
    made = await make(shop, financialStatus="PENDING", transactions=[], closedAt=None)
    assert made["displayFinancialStatus"] == "PENDING"
    identity = {"id": made["id"]}
    await shop.write(
        "orderUpdate",
        "OrderInput!",
        "order{id}",
        input={**identity, "note": "x", "tags": ["b", "a"]},
    )
    await shop.write("orderMarkAsPaid", "OrderMarkAsPaidInput!", "order{id}", input=identity)
    await shop.write("orderClose", "OrderCloseInput!", "order{id}", input=identity)
    found = await order(shop, made["id"], "note tags closed displayFinancialStatus")
    assert found == {
        "note": "x",
        "tags": ["a", "b"],
        "closed": True,
        "displayFinancialStatus": "PAID",
    }
    await shop.write("orderOpen", "OrderOpenInput!", "order{id}", input=identity)
    assert (await order(shop, made["id"], "closed"))["closed"] is False
    gone = await shop.write("orderDelete", "ID!", "deletedId", orderId=made["id"])
    assert gone["deletedId"] == made["id"]
    assert await order(shop, made["id"]) is None
