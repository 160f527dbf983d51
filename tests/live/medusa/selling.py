"""What a Medusa shop holds, and what happens in it while it is moved: all over its own API, but for
the placing of orders, which only a storefront's cart could do.
"""

from __future__ import annotations

from typing import Any

from tests.live.medusa.store import MedusaStore

_NOBODY: dict[str, Any] = {}


def _prices(**amounts: float) -> list[dict[str, Any]]:
    return [{"currency_code": code, "amount": amount} for code, amount in amounts.items()]


def shirt(number: int, category: str, tag: str) -> dict[str, Any]:
    """A product with three variants in two options."""
    options = [
        {"title": "Size", "values": ["S", "M"]},
        {"title": "Colour", "values": ["Red", "Blue"]},
    ]
    pairs = [("S", "Red"), ("M", "Red"), ("M", "Blue")]
    variants = [
        {
            "title": f"{size} / {colour}",
            "sku": f"SHIRT-{number}-{size}-{colour}",
            "prices": _prices(gbp=9.95 + number, eur=12),
            "options": {"Size": size, "Colour": colour},
            "variant_rank": rank,
            "weight": 200 + rank,
        }
        for rank, (size, colour) in enumerate(pairs)
    ]
    return {
        "title": f"Shirt {number}",
        "subtitle": "Soft",
        "handle": f"shirt-{number}",
        "status": "published",
        "description": "A shirt",
        "options": options,
        "variants": variants,
        "categories": [{"id": category}],
        "tags": [{"id": tag}],
        "images": [{"url": f"http://127.0.0.1/shirt-{number}.jpg"}],
        "metadata": {"care": "cold"},
    }


def mug(number: int, category: str, **fields: Any) -> dict[str, Any]:
    """A product whose only variant stands for all of it."""
    option, value = "Default option", "Default option value"
    variant = {
        "title": "Default variant",
        "sku": f"MUG-{number}",
        "barcode": f"40000000{number:04}",
        "prices": _prices(gbp=2.55),
        "options": {option: value},
    }
    return {
        "title": f"Mug {number}",
        "handle": f"mug-{number}",
        "status": "published",
        "weight": 350,
        "options": [{"title": option, "values": [value]}],
        "variants": [variant],
        "categories": [{"id": category}],
    } | fields


async def seed(store: MedusaStore) -> None:
    """A small shop: categories below each other, products, customers, orders in several states."""
    root = await store.ask("POST", "product-categories", {"name": "Home", "is_active": True})
    top = root["product_category"]["id"]
    child = {"name": "Kitchen", "is_active": True, "parent_category_id": top, "description": "Pots"}
    kitchen = (await store.ask("POST", "product-categories", child))["product_category"]["id"]
    tag = (await store.ask("POST", "product-tags", {"value": "new"}))["product_tag"]["id"]
    goods = [mug(number, kitchen) for number in range(8)]
    goods += [shirt(number, top, tag) for number in range(4)]
    goods.append(mug(99, top, status="draft"))
    await store.ask("POST", "products/batch", {"create": goods})
    await set_stock(store, {sku: 20 + place for place, sku in enumerate(await skus(store))})
    for number in range(6):
        await new_customer(store, f"ann.{number}@example.test")
    for number in range(12):
        await place_order(store, number)
    orders = await newest_orders(store)
    for each in orders[:6]:
        await pay(store, each)
    await give_back(store, orders[0], 1.25)
    await store.ask("POST", f"orders/{orders[2]}/complete", {})
    await store.ask("POST", f"orders/{orders[7]}/cancel", {})


async def sell(store: MedusaStore) -> None:
    """An hour of a selling shop: names, prices, a variant, people, stock, payments, a refund."""
    first, second = (await store.ask("GET", "products", order="handle", limit=2))["products"]
    await store.ask("POST", f"products/{first['id']}", {"title": "Renamed"})
    [variant] = second["variants"]
    prices = {"update": [{"id": variant["id"], "prices": _prices(gbp=19.99)}]}
    await store.ask("POST", f"products/{second['id']}/variants/batch", prices)
    [wide] = (await store.ask("GET", "products", handle="shirt-1"))["products"]
    option = next(each for each in wide["options"] if each["title"] == "Size")
    add = {"update": [{"product_option_id": option["id"], "add": [{"value": "L"}]}]}
    await store.ask("POST", f"products/{wide['id']}/options/batch", add)
    large = {
        "title": "L / Red",
        "sku": "SHIRT-1-L-Red",
        "prices": _prices(gbp=12),
        "options": {"Size": "L", "Colour": "Red"},
        "variant_rank": 3,
    }
    await store.ask("POST", f"products/{wide['id']}/variants/batch", {"create": [large]})
    category = first["categories"][0]["id"] if first.get("categories") else await _category(store)
    await store.ask("POST", "products", mug(50, category))
    await set_stock(store, {"MUG-50": 5, "MUG-1": 3, "SHIRT-1-L-Red": 2})
    await new_customer(store, "new.buyer@example.test")
    [known, *_] = (await store.ask("GET", "customers", fields="id,*addresses"))["customers"]
    await store.ask("POST", f"customers/{known['id']}", {"last_name": "Changed"})
    address = f"customers/{known['id']}/addresses/{known['addresses'][0]['id']}"
    await store.ask("POST", address, {"city": "Leeds"})
    await place_order(store, 77, email="new.buyer@example.test")
    orders = await newest_orders(store)
    waiting = [each for each in orders if not await is_paid(store, each)]
    await pay(store, waiting[0])
    await give_back(store, orders[-6] if await is_paid(store, orders[-6]) else waiting[0], 0.5)


async def sell_again(store: MedusaStore) -> None:
    """The last minutes before the shop closes: what moves no date."""
    orders = await newest_orders(store)
    waiting = [each for each in orders if not await is_paid(store, each)]
    await pay(store, waiting[0])
    await set_stock(store, {"MUG-50": 1})
    [mug_] = (await store.ask("GET", "products", handle="mug-50"))["products"]
    prices = {"update": [{"id": mug_["variants"][0]["id"], "prices": _prices(gbp=3.33)}]}
    await store.ask("POST", f"products/{mug_['id']}/variants/batch", prices)
    await place_order(store, 78, email="guest@example.test")


# --- single things -------------------------------------------------------------------------------


async def skus(store: MedusaStore) -> list[str]:
    rows = (await store.ask("GET", "product-variants", fields="sku", limit=1000))["variants"]
    return [each["sku"] for each in rows]


async def set_stock(store: MedusaStore, wanted: dict[str, int]) -> None:
    """Set what lies at the store's only location."""
    place = (await store.ask("GET", "stock-locations"))["stock_locations"][0]["id"]
    query = {"sku[]": list(wanted), "fields": "id,sku,location_levels.id", "limit": 1000}
    found = (await store.ask("GET", "inventory-items", **query))["inventory_items"]
    parts: dict[str, list[Any]] = {"create": [], "update": []}
    for each in found:
        level = {"inventory_item_id": each["id"], "location_id": place}
        kind = "update" if each["location_levels"] else "create"
        parts[kind].append(level | {"stocked_quantity": wanted[each["sku"]]})
    await store.ask("POST", "inventory-items/location-levels/batch", parts)


async def new_customer(store: MedusaStore, email: str) -> str:
    body = {"email": email, "first_name": "Ann", "last_name": "Archer", "phone": "020 7946 0000"}
    made = (await store.ask("POST", "customers", body))["customer"]["id"]
    address = {"first_name": "Ann", "last_name": "Archer", "address_1": "1 High Street"}
    address |= {"city": "London", "postal_code": "N1 9GU", "country_code": "gb"}
    for mark in ("is_default_billing", "is_default_shipping"):
        await store.ask("POST", f"customers/{made}/addresses", address | {mark: True})
    return str(made)


async def place_order(store: MedusaStore, number: int, email: str = "") -> str:
    """An order as a cart leaves it: variants, taxes, a discount, shipping."""
    email = email or f"ann.{number % 6}@example.test"
    query = {"email": email, "fields": "id"}
    buyer = [*(await store.ask("GET", "customers", **query))["customers"], _NOBODY][0]
    fields = "id,title,handle,variants.id,variants.sku,variants.title,variants.options.value"
    fields += ",variants.options.option.title"
    goods = (await store.ask("GET", "products", fields=fields, order="handle", limit=50))[
        "products"
    ]
    chosen = [goods[number % len(goods)], goods[(number + 5) % len(goods)]]
    address = {"first_name": "Ann", "last_name": "Archer", "address_1": "1 High Street"}
    address |= {"city": "London", "postal_code": "N1 9GU", "country_code": "gb"}
    tax = {"code": "VAT", "description": "VAT", "rate": 20}
    order = {
        "currency_code": "gbp",
        "email": email,
        "customer_id": buyer.get("id"),
        "billing_address": address,
        "shipping_address": address,
        "items": [
            _item(each, number, place) | {"tax_lines": [tax]} for place, each in enumerate(chosen)
        ],
        "shipping_methods": [{"name": "Post", "amount": 4.2, "tax_lines": [tax]}],
        "metadata": {"note": "Ring twice"} if number % 3 == 0 else {"gift": "yes"},
    }
    body = {"module": "order", "method": "createOrders", "rows": [order]}
    [made] = (await store.ask("POST", "test/records", body))["ids"]
    return str(made)


def _item(product: dict[str, Any], number: int, place: int) -> dict[str, Any]:
    variant = product["variants"][number % len(product["variants"])]
    item: dict[str, Any] = {
        "title": product["title"],
        "product_id": product["id"],
        "variant_id": variant["id"],
        "variant_sku": variant["sku"],
        "variant_title": variant["title"],
        "variant_option_values": {e["option"]["title"]: e["value"] for e in variant["options"]},
        "quantity": 1 + number % 3,
        "unit_price": 3.33 + place,
    }
    if number % 4 == 0 and place == 0:
        item["adjustments"] = [{"code": "SPRING", "amount": 0.77}]
    return item


async def newest_orders(store: MedusaStore) -> list[str]:
    query = {"order": "-display_id", "fields": "id", "limit": 100}
    return [each["id"] for each in (await store.ask("GET", "orders", **query))["orders"]]


async def is_paid(store: MedusaStore, order: str) -> bool:
    found = (await store.ask("GET", f"orders/{order}", fields="payment_status,status"))["order"]
    return found["payment_status"] != "not_paid" or found["status"] == "canceled"


async def pay(store: MedusaStore, order: str) -> str:
    """The money of an order comes in; the payment's id."""
    total = (await store.ask("GET", f"orders/{order}", fields="total"))["order"]["total"]
    body = {"order_id": order, "amount": round(total, 2)}
    found = (await store.ask("POST", "payment-collections", body))["payment_collection"]["id"]
    path = f"payment-collections/{found}/mark-as-paid"
    await store.ask("POST", path, {"order_id": order})
    return await payment(store, order)


async def payment(store: MedusaStore, order: str) -> str:
    fields = "payment_collections.payments.id"
    found = (await store.ask("GET", f"orders/{order}", fields=fields))["order"]
    return str(found["payment_collections"][0]["payments"][0]["id"])


async def give_back(store: MedusaStore, order: str, amount: float) -> None:
    path = f"payments/{await payment(store, order)}/refund"
    await store.ask("POST", path, {"amount": amount, "note": "Torn"})


async def _category(store: MedusaStore) -> str:
    found = (await store.ask("GET", "product-categories"))["product_categories"]
    return str(found[0]["id"])
