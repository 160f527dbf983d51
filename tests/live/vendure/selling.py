"""A Vendure shop that sells, as its staff works."""

from __future__ import annotations

from typing import Any

from connectors.records import Stream
from tests.live.vendure import goods, sales
from tests.live.vendure.store import VendureStore

_ADDRESS = (
    "mutation ($id: ID!, $input: CreateAddressInput!) "
    "{ createCustomerAddress(customerId: $id, input: $input) { id } }"
)
_UPDATE_VARIANT = (
    "mutation ($input: UpdateProductVariantInput!) { updateProductVariant(input: $input) { id } }"
)


async def seed(store: VendureStore) -> dict[str, Any]:
    """A few of everything; ids of what changes later."""
    await goods.make(store, Stream.CATEGORIES, 3)
    numbers = [next(store.numbers) for _ in range(6)]
    products = await goods.products(store, numbers, stockOnHand=50)
    customers = await goods.make(store, Stream.CUSTOMERS, 4)
    for each in customers[:2]:
        await live_at(store, each, "1 High Street")
    orders = [await sales.sell(store, products[index], customers[index]) for index in range(3)]
    await sales.deliver(store, orders[0])
    await sales.deliver(store, orders[1])
    await sales.refund(store, orders[1], 200)
    return {"products": products, "customers": customers, "orders": orders}


async def live_at(store: VendureStore, customer: str, street: str) -> None:
    """A new address of a customer, for bills and goods."""
    place = {
        "fullName": "Ann Archer",
        "streetLine1": street,
        "city": "London",
        "postalCode": "N1 9GU",
        "countryCode": "GB",
        "defaultBillingAddress": True,
        "defaultShippingAddress": True,
    }
    await store.ask(_ADDRESS, id=customer, input=place)


async def sell(store: VendureStore, made: dict[str, Any]) -> None:
    """What happens in an hour: most of it without moving a date."""
    first, second, *_ = made["products"]
    variant = await goods.own_variant(store, first)
    await store.ask(_UPDATE_VARIANT, input={"id": variant, "price": 1999})
    await goods.edit(store, Stream.PRODUCTS, second, "Other words")
    await goods.edit(store, Stream.CUSTOMERS, made["customers"][0], "Changed")
    await live_at(store, made["customers"][2], "2 Low Street")
    [new] = await goods.products(store, [next(store.numbers)], stockOnHand=9)
    [buyer] = await goods.make(store, Stream.CUSTOMERS, 1)
    made["orders"].append(await sales.sell(store, new, buyer))
    await sales.deliver(store, made["orders"][2])


async def sell_again(store: VendureStore, made: dict[str, Any]) -> None:
    """The last sales before the shop closes; a refund that only a sweep can find."""
    await sales.sell(store, made["products"][3], made["customers"][3])
    await sales.deliver(store, made["orders"][3])
    await sales.refund(store, made["orders"][0], 100)
    await goods.edit(store, Stream.INVENTORY, made["products"][4], "")
