"""What moves `date_modified`, and what does not."""

import pytest


async def moved(shop, path, act):
    """Whether a stamp moved while `act` was done a minute later."""
    before = await shop.modified(path)
    shop.wait(60)
    await act()
    return await shop.modified(path) != before


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"stock_quantity": 3, "manage_stock": True},
        {"meta_data": [{"key": "colour", "value": "red"}]},
        {"categories": [{"id": 15}]},
    ],
)
async def test_any_put_moves_a_product(shop, payload):
    product = await shop.product()
    path = f"products/{product['id']}"
    assert await moved(shop, path, lambda: shop.put(path, payload))


async def test_a_purchase_and_its_cancellation_move_a_product(shop):
    product = await shop.product(manage_stock=True, stock_quantity=9)
    path = f"products/{product['id']}"
    order = {}

    async def buy():
        line = {"product_id": product["id"], "quantity": 2}
        order.update(await shop.make("orders", status="processing", line_items=[line]))

    assert await moved(shop, path, buy)
    assert (await shop.get(path)).json()["stock_quantity"] == 7
    cancel = {"status": "cancelled"}
    assert await moved(shop, path, lambda: shop.put(f"orders/{order['id']}", cancel))
    assert (await shop.get(path)).json()["stock_quantity"] == 9


async def test_trashing_moves_a_product(shop):
    product = await shop.product()
    path = f"products/{product['id']}"
    assert await moved(shop, path, lambda: shop.delete(path))


async def test_renaming_a_category_changes_products_but_not_their_stamps(shop):
    category = await shop.make("products/categories", name="Mugs")
    product = await shop.product(categories=[{"id": category["id"]}])
    path = f"products/{product['id']}"
    rename = {"name": "Cups"}
    assert not await moved(
        shop, path, lambda: shop.put(f"products/categories/{category['id']}", rename)
    )
    assert (await shop.get(path)).json()["categories"][0]["name"] == "Cups"


async def test_a_direct_stock_write_moves_no_stamp(shop):
    product = await shop.product(manage_stock=True, stock_quantity=9)
    path = f"products/{product['id']}"
    edit = {"op": "silent_stock", "id": product["id"], "quantity": 1}
    assert not await moved(shop, path, lambda: shop.control("POST", "edits", edit))
    assert (await shop.get(path)).json()["stock_quantity"] == 1


async def test_variations_move_their_parent(shop):
    parent = await shop.product(type="variable")
    path = f"products/{parent['id']}"
    made = []

    async def create():
        made.append(await shop.make(f"{path}/variations", regular_price="4.00"))

    assert await moved(shop, path, create)
    child = f"{path}/variations/{made[0]['id']}"
    assert await moved(shop, path, lambda: shop.put(child, {"regular_price": "5.00"}))
    assert (await shop.get(path)).json()["price"] == "5.00"
    assert await moved(shop, path, lambda: shop.delete(child, force="true"))
    assert (await shop.get(path)).json()["variations"] == []


async def test_a_purchase_of_a_variation_moves_the_parent(shop):
    parent = await shop.product(type="variable")
    path = f"products/{parent['id']}"
    child = await shop.make(f"{path}/variations", manage_stock=True, stock_quantity=5)
    line = {"product_id": parent["id"], "variation_id": child["id"], "quantity": 1}
    order = {"status": "processing", "line_items": [line]}
    assert await moved(shop, path, lambda: shop.post("orders", order))
    assert (await shop.get(f"{path}/variations/{child['id']}")).json()["stock_quantity"] == 4


async def test_a_purchase_of_a_variation_without_stock_of_its_own_takes_from_the_parent(shop):
    parent = await shop.product(type="variable", manage_stock=True, stock_quantity=5)
    path = f"products/{parent['id']}"
    one, other = [await shop.make(f"{path}/variations", regular_price="4.00") for _ in range(2)]
    own = await shop.make(f"{path}/variations", manage_stock=True, stock_quantity=9)
    line = {"product_id": parent["id"], "variation_id": one["id"], "quantity": 5}
    order = {"status": "processing", "line_items": [line]}
    assert await moved(shop, path, lambda: shop.post("orders", order))
    assert (await shop.get(path)).json()["stock_quantity"] == 0
    listed = {each["id"]: each for each in (await shop.get(f"{path}/variations")).json()}
    for child in (one, other):
        single = (await shop.get(f"{path}/variations/{child['id']}")).json()
        for shown in (single, listed[child["id"]]):
            assert (shown["manage_stock"], shown["stock_quantity"]) == ("parent", 0)
            assert shown["stock_status"] == "outofstock"
    assert (own["manage_stock"], listed[own["id"]]["stock_quantity"]) == (True, 9)


async def test_a_past_date_created_becomes_the_modification_date(shop):
    product = await shop.product(date_created_gmt="2020-01-01T00:00:00")
    assert product["date_modified_gmt"] == "2020-01-01T00:00:00"
    found = await shop.ids("products", modified_after="2025-01-01T00:00:00", dates_are_gmt="true")
    assert found == []


async def test_a_scheduled_product_is_stamped_in_the_future(shop):
    product = await shop.product(date_created_gmt="2027-01-01T00:00:00")
    assert product["status"] == "future"
    assert product["date_modified_gmt"] == "2027-01-01T00:00:00"


async def an_order(shop, **body):
    product = await shop.product()
    return await shop.make("orders", line_items=[{"product_id": product["id"]}], **body)


@pytest.mark.parametrize(
    "payload", [{}, {"status": "on-hold"}, {"meta_data": [{"key": "a", "value": "b"}]}]
)
async def test_any_put_moves_an_order(shop, payload):
    path = f"orders/{(await an_order(shop))['id']}"
    assert await moved(shop, path, lambda: shop.put(path, payload))


async def test_a_refund_moves_its_order_and_deleting_it_does_not(shop):
    path = f"orders/{(await an_order(shop))['id']}"
    made = []

    async def refund():
        made.append(await shop.make(f"{path}/refunds", amount="1.00", api_refund=False))

    assert await moved(shop, path, refund)
    gone = f"{path}/refunds/{made[0]['id']}"
    assert not await moved(shop, path, lambda: shop.delete(gone, force="true"))
    assert (await shop.get(path)).json()["refunds"] == []


async def test_notes_do_not_move_an_order(shop):
    path = f"orders/{(await an_order(shop))['id']}"
    made = []

    async def write():
        made.append(await shop.make(f"{path}/notes", note="Called back"))

    assert not await moved(shop, path, write)
    gone = f"{path}/notes/{made[0]['id']}"
    assert not await moved(shop, path, lambda: shop.delete(gone, force="true"))


async def test_trashing_moves_an_order(shop):
    path = f"orders/{(await an_order(shop))['id']}"
    assert await moved(shop, path, lambda: shop.delete(path))


async def test_an_order_moves_when_its_owner_is_deleted_not_when_they_move_house(shop):
    owner = await shop.make("customers", email="a@example.com")
    path = f"orders/{(await an_order(shop, customer_id=owner['id']))['id']}"
    person = f"customers/{owner['id']}"
    new_home = {"billing": {"city": "Leeds"}}
    assert not await moved(shop, path, lambda: shop.put(person, new_home))
    assert await moved(shop, path, lambda: shop.delete(person, force="true"))


async def test_any_put_moves_a_customer(shop):
    path = f"customers/{(await shop.make('customers', email='a@example.com'))['id']}"
    assert await moved(shop, path, lambda: shop.put(path, {}))


async def test_customers_made_by_plugins_have_no_modification_date(shop):
    assert (await shop.items("customers", role="administrator"))[0]["date_modified_gmt"] is None
