"""What happens in a WooCommerce shop while it is moved."""

from __future__ import annotations

from tests.connectors.practice import Practice


async def sell(old: Practice) -> None:
    """What happens in a shop in an hour: sales, prices, people, a refund."""
    [first, second, third, *_] = await old.admin("GET", "products?per_page=20&type=simple")
    await old.admin("PUT", f"products/{first['id']}", {"regular_price": "19.99", "name": "Renamed"})
    stock = {"manage_stock": True, "stock_quantity": 7}
    await old.admin("PUT", f"products/{second['id']}", stock)
    goods = {"name": "New thing", "sku": "NEW-1", "status": "publish", "regular_price": "3.50"}
    made = await old.admin("POST", "products", goods | stock)
    ann = {"email": "new.buyer@example.test", "first_name": "Ann", "last_name": "New"}
    buyer = await old.admin("POST", "customers", ann | {"username": "newbuyer"})
    [known, *_] = await old.admin("GET", "customers?per_page=5&orderby=id")
    await old.admin("PUT", f"customers/{known['id']}", {"last_name": "Changed"})
    lines = [{"product_id": each["id"], "quantity": 2} for each in (made, third)]
    address = ann | {"address_1": "1 High Street", "city": "London", "country": "GB"}
    sale = {"customer_id": buyer["id"], "line_items": lines, "status": "processing"}
    await old.admin("POST", "orders", sale | {"billing": address, "set_paid": True})
    done = await old.admin("GET", "orders?status=completed&per_page=20")
    line = done[0]["line_items"][0]
    back = {"amount": line["price"] and str(line["price"]), "api_refund": False, "reason": "Torn"}
    await old.admin("POST", f"orders/{done[0]['id']}/refunds", back)
    await old.admin("PUT", f"orders/{done[1]['id']}", {"customer_note": "Ring twice"})


async def sell_again(old: Practice) -> None:
    """The last sales before the shop closes."""
    [newest, *_] = await old.admin("GET", "orders?status=processing&per_page=5")
    await old.admin("PUT", f"orders/{newest['id']}", {"status": "completed"})
    [thing] = await old.admin("GET", "products?sku=NEW-1")
    await old.edit(op="silent_stock", kind="product", id=thing["id"], quantity=1)
    await old.edit(op="patch", kind="product", id=thing["id"], fields={"name": "Silent thing"})
    await old.admin("POST", "orders", {"line_items": [{"product_id": thing["id"], "quantity": 1}]})
