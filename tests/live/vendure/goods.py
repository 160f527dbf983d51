"""Records as a Vendure store's staff makes them, many in few requests."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from connectors.records import Stream
from tests.live.vendure.store import VendureStore

_CREATE_COLLECTION = (
    "mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { id } }"
)
_CREATE_PRODUCT = "mutation ($input: CreateProductInput!) { createProduct(input: $input) { id } }"
_CREATE_VARIANTS = (
    "mutation ($input: [CreateProductVariantInput!]!) { createProductVariants(input: $input) "
    "{ id productId } }"
)
_CREATE_CUSTOMER = (
    "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) "
    "{ ... on Customer { id } } }"
)
IMPORT = "mutation ($input: ImportOrderInput!) { importOrder(input: $input) { id } }"

_DELETES = {
    Stream.CATEGORIES: "deleteCollection",
    Stream.PRODUCTS: "deleteProduct",
    Stream.INVENTORY: "deleteProduct",
    Stream.CUSTOMERS: "deleteCustomer",
}


T = TypeVar("T")
_AT_ONCE = 4
"""A store has ten connections to its database. Each change holds one and may want another: more
changes than that at once wait for each other for ever.
"""


async def side_by_side(tasks: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """A few at once; in order."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(task: Coroutine[Any, Any, T]) -> T:
        async with room:
            return await task

    return await asyncio.gather(*(one(each) for each in tasks))


async def make(store: VendureStore, stream: Stream, count: int) -> list[str]:
    """So many new records of a stream; their ids, in order."""
    numbers = [next(store.numbers) for _ in range(count)]
    match stream:
        case Stream.CATEGORIES:
            made = await side_by_side(collection(store, f"Thing {each}") for each in numbers)
        case Stream.CUSTOMERS:
            made = await side_by_side(customer(store, each) for each in numbers)
        case Stream.ORDERS:
            made = await side_by_side(order(store, each) for each in numbers)
        case _:
            made = await products(store, numbers)
    return sorted(made, key=int)


async def collection(store: VendureStore, name: str) -> str:
    texts = {"languageCode": "en", "name": name, "slug": name.lower(), "description": ""}
    body = {"filters": [], "translations": [texts]}
    made: str = (await store.ask(_CREATE_COLLECTION, input=body))["createCollection"]["id"]
    return made


async def products(store: VendureStore, numbers: Iterable[int], **variant: Any) -> list[str]:
    """Products with one variant each, which are made in one request and so in one moment."""
    numbers = list(numbers)
    found = await side_by_side(_product(store, each) for each in numbers)
    variants = [
        {
            "productId": product,
            "sku": f"SKU-{each}",
            "price": 255,
            "translations": [{"languageCode": "en", "name": f"Thing {each}"}],
            "stockOnHand": each,
        }
        | variant
        for each, product in zip(numbers, found, strict=True)
    ]
    await store.ask(_CREATE_VARIANTS, input=variants)
    return list(found)


async def _product(store: VendureStore, number: int) -> str:
    name = f"Thing {number}"
    texts = {"languageCode": "en", "name": name, "slug": f"thing-{number}", "description": "All"}
    made = await store.ask(_CREATE_PRODUCT, input={"translations": [texts]})
    found: str = made["createProduct"]["id"]
    return found


async def customer(store: VendureStore, number: int) -> str:
    body = {
        "emailAddress": f"c{number}@example.test",
        "firstName": "Ann",
        "lastName": f"Thing {number}",
    }
    made: str = (await store.ask(_CREATE_CUSTOMER, input=body))["createCustomer"]["id"]
    return made


async def order(store: VendureStore, number: int, **fields: Any) -> str:
    """An order of goods that the store does not have, delivered."""
    line = {
        "id": "1",
        "name": "Mug",
        "sku": "",
        "quantity": 1 + number % 3,
        "price": 255,
        "adjustments": [],
        "taxLines": [{"description": "VAT", "taxRate": 20}],
    }
    body = {
        "key": f"other:{number}",
        "code": f"N{number}",
        "state": "Delivered",
        "currencyCode": "GBP",
        "placedAt": "2020-01-01T00:00:00Z",
        "lines": [line],
    } | fields
    made: str = (await store.ask(IMPORT, input=body))["importOrder"]["id"]
    return made


async def change(store: VendureStore, stream: Stream, ids: Sequence[str]) -> None:
    """Change records as the staff does, in a way that moves their dates where one does."""
    for each in ids:
        await edit(store, stream, each, "changed")


async def edit(store: VendureStore, stream: Stream, record: str, text: str) -> None:
    """Give a record another text, or other stock."""
    texts = {"translations": [{"languageCode": "en", "description": text}]}
    document, body = {
        Stream.CATEGORIES: (_update("updateCollection", "UpdateCollectionInput"), texts),
        Stream.PRODUCTS: (_update("updateProduct", "UpdateProductInput"), texts),
        Stream.CUSTOMERS: (_update("updateCustomer", "UpdateCustomerInput"), {"lastName": text}),
        Stream.ORDERS: (
            _update("setOrderCustomFields", "UpdateOrderInput"),
            {"customFields": {"customerNote": text}},
        ),
        Stream.INVENTORY: (_update("updateProductVariant", "UpdateProductVariantInput"), {}),
    }[stream]
    if stream is Stream.INVENTORY:
        record, body = await own_variant(store, record), {"stockOnHand": 77}
    await store.ask(document, input={"id": record, **body})


def _update(field: str, kind: str) -> str:
    return f"mutation ($input: {kind}!) {{ {field}(input: $input) {{ __typename }} }}"


async def own_variant(store: VendureStore, product: str) -> str:
    """The only variant of a product."""
    document = "query ($id: ID!) { product(id: $id) { variants { id } } }"
    found: str = (await store.ask(document, id=product))["product"]["variants"][0]["id"]
    return found


async def remove(store: VendureStore, stream: Stream, ids: Sequence[str]) -> None:
    """Delete records; orders, which Vendure keeps, in its database."""
    if stream is Stream.ORDERS:
        for table in ("payment", "order_fulfillments_fulfillment", "order"):
            column = {"order": "id"}.get(table, "orderId")
            await store.database.execute(
                f'DELETE FROM "{table}" WHERE "{column}" = ANY($1)',  # noqa: S608
                [int(each) for each in ids],
            )
        return
    for each in ids:
        field = _DELETES[stream]
        await store.ask(f"mutation ($id: ID!) {{ {field}(id: $id) {{ result }} }}", id=each)
