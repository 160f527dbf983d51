"""Sales in a Vendure store, as its staff makes them: a draft that becomes an order."""

from __future__ import annotations

from typing import Any

from tests.live.vendure.goods import own_variant
from tests.live.vendure.store import VendureStore

_ORDER = "... on Order { id state }"
_ADDRESS = {"fullName": "Ann Archer", "streetLine1": "1 High Street", "countryCode": "GB"}


async def draft(store: VendureStore) -> str:
    """A draft without anything in it."""
    made: str = (await store.ask("mutation { createDraftOrder { id } }"))["createDraftOrder"]["id"]
    return made


async def sell(store: VendureStore, product: str, customer: str, *, quantity: int = 2) -> str:
    """An order of a product, placed and paid; its id."""
    order = await draft(store)
    given: dict[str, Any] = {"order": order, "variant": await own_variant(store, product)}
    await store.ask(
        "mutation ($order: ID!, $variant: ID!, $quantity: Int!) { addItemToDraftOrder(orderId: "
        f"$order, input: {{ productVariantId: $variant, quantity: $quantity }}) {{ {_ORDER} }} }}",
        quantity=quantity,
        **given,
    )
    await store.ask(
        "mutation ($order: ID!, $customer: ID!) { setCustomerForDraftOrder(orderId: $order, "
        f"customerId: $customer) {{ {_ORDER} }} }}",
        order=order,
        customer=customer,
    )
    await store.ask(
        "mutation ($order: ID!, $input: CreateAddressInput!) "
        "{ setDraftOrderShippingAddress(orderId: $order, input: $input) { id } }",
        order=order,
        input=_ADDRESS,
    )
    await store.ask(
        "mutation ($order: ID!, $method: ID!) { setDraftOrderShippingMethod(orderId: $order, "
        f"shippingMethodId: $method) {{ {_ORDER} }} }}",
        order=order,
        method="1",
    )
    await move(store, order, "ArrangingPayment")
    found = await store.ask(
        "mutation ($input: ManualPaymentInput!) { addManualPaymentToOrder(input: $input) "
        f"{{ {_ORDER} }} }}",
        input={"orderId": order, "method": "cash", "metadata": {}, "transactionId": "tx-1"},
    )
    assert found["addManualPaymentToOrder"]["state"] == "PaymentSettled"
    return order


async def move(store: VendureStore, order: str, state: str) -> None:
    """Take an order to another state."""
    found = await store.ask(
        "mutation ($id: ID!, $state: String!) { transitionOrderToState(id: $id, state: $state) "
        f"{{ {_ORDER} ... on ErrorResult {{ errorCode message }} }} }}",
        id=order,
        state=state,
    )
    assert found["transitionOrderToState"].get("state") == state, found


async def deliver(store: VendureStore, order: str) -> None:
    """Send all goods of an order, and let them arrive."""
    fulfilment = await send(store, order)
    await _pass(store, fulfilment, "Delivered")


async def send(store: VendureStore, order: str, *, pieces: int | None = None) -> str:
    """Send goods of an order: all, or so many pieces of each line. The shipment's id."""
    lines = (await shown(store, order, "lines { id quantity }"))["lines"]
    handler = {"code": "manual-fulfillment", "arguments": [{"name": "method", "value": "Post"}]}
    body = {
        "handler": handler,
        "lines": [
            {"orderLineId": each["id"], "quantity": pieces or each["quantity"]} for each in lines
        ],
    }
    made = await store.ask(
        "mutation ($input: FulfillOrderInput!) { addFulfillmentToOrder(input: $input) "
        "{ ... on Fulfillment { id } } }",
        input=body,
    )
    found: str = made["addFulfillmentToOrder"]["id"]
    await _pass(store, found, "Shipped")
    return found


async def _pass(store: VendureStore, fulfilment: str, state: str) -> None:
    await store.ask(
        "mutation ($id: ID!, $state: String!) { transitionFulfillmentToState(id: $id, "
        "state: $state) { __typename } }",
        id=fulfilment,
        state=state,
    )


async def cancel(store: VendureStore, order: str, *, pieces: int) -> None:
    """Take pieces of each line out of an order that was placed."""
    lines = (await shown(store, order, "lines { id }"))["lines"]
    found = await store.ask(
        "mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) "
        f"{{ {_ORDER} ... on ErrorResult {{ errorCode message }} }} }}",
        input={
            "orderId": order,
            "lines": [{"orderLineId": each["id"], "quantity": pieces} for each in lines],
        },
    )
    assert found["cancelOrder"].get("id") == order, found


async def refund(store: VendureStore, order: str, amount: int) -> None:
    """Give money back, for no goods in particular."""
    found = await shown(store, order, "lines { id } payments { id }")
    body = {
        "lines": [],
        "shipping": 0,
        "adjustment": 0,
        "amount": amount,
        "paymentId": found["payments"][0]["id"],
        "reason": "Torn",
    }
    found = await store.ask(
        "mutation ($input: RefundOrderInput!) { refundOrder(input: $input) "
        "{ __typename ... on Refund { id state } ... on ErrorResult { message } } }",
        input=body,
    )
    assert found["refundOrder"].get("state") != "Failed", found
    assert found["refundOrder"]["__typename"] == "Refund", found


async def shown(store: VendureStore, order: str, fields: str) -> dict[str, Any]:
    """Fields of an order."""
    document = f"query ($id: ID!) {{ order(id: $id) {{ {fields} }} }}"
    found: dict[str, Any] = (await store.ask(document, id=order))["order"]
    return found
