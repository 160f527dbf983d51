"""Records out of nothing: plausible, all different, the same in every store."""

from tests.shopify_store import gids, goods, people, publishing, sales
from tests.shopify_store.fields import Doc
from tests.shopify_store.store import Store

_WORDS = ("Mug", "Shirt", "Lamp", "Clock", "Bag", "Card", "Tin", "Rug")
_COLOURS = ("Red", "Blue", "Green", "White", "Black", "Pink", "Grey", "Gold")
_SIZES = ("S", "M", "L", "XL")
_ADDRESS = {
    "firstName": "Ann",
    "lastName": "Archer",
    "address1": "1 High Street",
    "city": "London",
    "zip": "N1 9GU",
    "countryCode": "GB",
}


def seed(store: Store, wanted: Doc) -> dict[str, list[int]]:
    """Make `products` with `variants` each, `collections`, `customers` and `orders`."""
    made: dict[str, list[int]] = {
        "collection": [
            _collection(store, number)["_n"]
            for number in range(1, wanted.get("collections", 0) + 1)
        ]
    }
    made["product"] = [
        _product(store, number, wanted.get("variants", 1), made["collection"])["_n"]
        for number in range(1, wanted.get("products", 0) + 1)
    ]
    made["customer"] = [
        _customer(store, number)["_n"] for number in range(1, wanted.get("customers", 0) + 1)
    ]
    made["order"] = [
        _order(store, number, made)["_n"] for number in range(1, wanted.get("orders", 0) + 1)
    ]
    store.order_times.clear()
    return made


def _collection(store: Store, number: int) -> Doc:
    made = goods.save_collection(store, None, {"title": f"Collection {number}"})
    return publishing.offer(store, made)


def _product(store: Store, number: int, variants: int, collections: list[int]) -> Doc:
    name = f"{_WORDS[number % len(_WORDS)]} {number}"
    given: Doc = {
        "title": name,
        "descriptionHtml": f"<p>{name}, made by hand.</p>",
        "vendor": "Practice",
        "tags": ["seeded"],
        **_variants(store, number, variants),
    }
    if collections:
        chosen = collections[number % len(collections)]
        given["collections"] = [gids.gid("Collection", chosen)]
    return publishing.offer(store, goods.save_product(store, None, given))


def _variants(store: Store, number: int, count: int) -> Doc:
    if count <= 1:
        options = [{"name": "Title", "values": [{"name": "Default Title"}]}]
        chosen = [[("Title", "Default Title")]]
    else:
        pairs = [(colour, size) for colour in _COLOURS for size in _SIZES][:count]
        chosen = [[("Colour", colour), ("Size", size)] for colour, size in pairs]
        options = [
            {"name": "Colour", "values": [{"name": each} for each in _COLOURS]},
            {"name": "Size", "values": [{"name": each} for each in _SIZES]},
        ]
    return {
        "productOptions": options,
        "variants": [
            {
                "sku": f"SKU-{number}-{place}",
                "price": f"{5 + number % 90}.{place % 100:02d}",
                "optionValues": [{"optionName": name, "name": value} for name, value in values],
                "inventoryItem": {"tracked": True},
                "inventoryQuantities": [
                    {
                        "locationId": store.location["id"],
                        "name": "available",
                        "quantity": number % 50,
                    }
                ],
            }
            for place, values in enumerate(chosen)
        ],
    }


def _customer(store: Store, number: int) -> Doc:
    given = {
        "email": f"buyer.{number}@example.test",
        "firstName": "Ann",
        "lastName": f"Archer {number}",
        "addresses": [_ADDRESS],
    }
    return people.save_customer(store, None, given)


def _order(store: Store, number: int, made: dict[str, list[int]]) -> Doc:
    line: Doc = {"quantity": 1 + number % 3}
    if made["product"]:
        product = store.tables["Product"][made["product"][number % len(made["product"])]]
        line["variantId"] = goods.variants(store, product)[0]["id"]
    else:
        line |= {"title": f"Thing {number}", "priceSet": _money(store, "2.55")}
    given: Doc = {
        "lineItems": [line],
        "financialStatus": "PAID",
        "shippingAddress": _ADDRESS,
        "shippingLines": [{"title": "Post", "code": "post", "priceSet": _money(store, "4.20")}],
    }
    if made["customer"]:
        chosen = made["customer"][number % len(made["customer"])]
        given["customer"] = {"toAssociate": {"id": gids.gid("Customer", chosen)}}
    return sales.make_order(store, given)


def _money(store: Store, amount: str) -> Doc:
    return {"shopMoney": {"amount": amount, "currencyCode": store.config.currency}}
